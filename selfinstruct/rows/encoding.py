"""Text in an encoding that the user named, such as GB18030 or Big5, converted to UTF-8 as a stream.

Decoding is strict: bytes that mean nothing in the encoding are an error with their line. A file that is UTF-8 is read
as such whatever encoding is named, so that one name serves files of both kinds. So is a format with an encoding of its
own (PDF, Parquet, Arrow).

Does not handle: finding out the encoding (``likely_encoding`` proposes one, for a hint).
"""

from __future__ import annotations

import codecs
import contextlib
import io
import re
from typing import Any

from selfinstruct.errors import InputError, RowError
from selfinstruct.messages import Phrase

UTF_8 = "utf-8"
_BINARY = (b"%PDF-", b"PAR1", b"ARROW1")
_BUFFER = 1 << 16
#: Encodings of Python that are no character sets of files, or that decode to lone surrogates.
_OTHERS = ("idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7")
# Other encodings rarely look like UTF-8: a character of two bytes may by chance, one of three hardly does.
_THREE_BYTES = re.compile("[\u0800-\uffff]")
_TWO_BYTES = re.compile("[\x80-\u07ff]")
_MOST_BY_CHANCE = 8


def known_encoding(name: str) -> str:
    """Return the canonical name of an encoding, ``utf-8`` for every variant of it.

    >>> known_encoding("GB18030"), known_encoding("UTF8"), known_encoding("gbk")
    ('gb18030', 'utf-8', 'gbk')

    Raises:
        InputError: Python does not know it, or it is not one of text files.
    """
    found = None
    with contextlib.suppress(LookupError, ValueError):
        found = codecs.lookup(name)
    if found is None or not getattr(found, "_is_text_encoding", True) or found.name in _OTHERS:
        raise InputError(
            "`encoding`: unknown value {name!r}",
            hint="For example gb18030 (simplified Chinese), big5 (traditional Chinese), shift_jis, cp1252 or utf-16.",
            name=name,
        )
    return UTF_8 if found.name in ("utf-8", "utf-8-sig", "ascii") else found.name


def as_utf8(file: io.BufferedReader, name: str, encoding: str, *, mark: bytes | None = None) -> io.BufferedReader:
    """Return the content of an open file, converted from ``encoding`` to UTF-8 without a byte order mark.

    ``mark`` is put in place of what cannot be decoded; by default that is an error.

    Raises:
        RowError: here or while reading, with file:line: bytes that cannot be decoded.
    """
    encoding = known_encoding(encoding)
    if encoding == UTF_8:
        return file
    head = _head(file)
    if head.startswith(_BINARY) or _is_utf8(head):
        return file
    return io.BufferedReader(_Converted(file, name, encoding, mark), _BUFFER)


def _head(file: io.BufferedReader) -> bytes:
    """The first bytes of a file, which are read again afterwards."""
    if not file.seekable():
        return file.peek(_BUFFER)
    start = file.tell()
    head = file.read(_BUFFER)
    file.seek(start)
    return head


def _is_utf8(head: bytes) -> bool:
    """Whether the content that begins so is UTF-8 beyond doubt, rather than ASCII or another encoding by chance."""
    if head.startswith(codecs.BOM_UTF8):
        return True
    try:
        text = codecs.getincrementaldecoder(UTF_8)().decode(head)
    except UnicodeDecodeError:
        return False
    if "\0" in text:
        return False
    return _THREE_BYTES.search(text) is not None or len(_TWO_BYTES.findall(text)) >= _MOST_BY_CHANCE


class _Converted(io.RawIOBase):
    """A file converted to UTF-8, as a raw stream."""

    def __init__(self, file: io.BufferedReader, name: str, encoding: str, mark: bytes | None) -> None:
        self._file, self._name, self._encoding = file, name, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("strict" if mark is None else _errors(mark))
        self._read = 0
        self._line = 1
        self._ready = memoryview(b"")
        self._at_start = True
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            self._ready = memoryview(self._next())
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _next(self) -> bytes:
        data = self._file.read1(_BUFFER)
        self._read += len(data)
        self._ended = not data
        try:
            text = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as exc:
            raise self._error(exc) from exc
        if self._at_start and text:
            text = text.removeprefix("\ufeff")
            self._at_start = False
        self._line += text.count("\n")
        return text.encode(UTF_8, "surrogateescape")

    def _error(self, exc: UnicodeDecodeError) -> RowError:
        from selfinstruct.rows.likely_encoding import around, encoding_hint

        # The decoder's data ends where the file was read to.
        at = self._read - len(exc.object) + exc.start
        before = exc.object[: exc.start].decode(self._encoding, "ignore")
        line = self._line + before.count("\n")
        message = Phrase(
            "not {encoding} text: byte 0x{byte:02x} at offset {at} of the file",
            encoding=self._encoding,
            byte=exc.object[exc.start],
            at=at,
        )
        return RowError(f"{self._name}:{line}", message, hint=encoding_hint(around(exc), other_than=self._encoding))


def _errors(mark: bytes) -> str:
    """The name of an error handler that puts ``mark``, a byte from 0x80, in place of what cannot be decoded."""
    name = f"selfinstruct-{mark.hex()}"
    codecs.register_error(name, lambda exc: (mark.decode("ascii", "surrogateescape"), _end(exc)))
    return name


def _end(exc: UnicodeError) -> int:
    assert isinstance(exc, UnicodeDecodeError)
    return exc.end
