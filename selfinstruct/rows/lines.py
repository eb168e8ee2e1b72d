"""The lines of a row file, with their numbers and offsets; refuses content that is not UTF-8 text.

Does not handle: lone carriage returns and U+2028 as line ends (they are part of a value).
"""

from __future__ import annotations

import codecs
import itertools
from typing import BinaryIO

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.rows.foreign import START, refuse_foreign
from selfinstruct.rows.likely_encoding import around, encoding_hint

#: How many lines, or bytes, are examined to detect the format.
HEAD_LINES, HEAD_BYTES = 20, 1 << 18


class Lines:
    r"""The lines of an open file as bytes, each with its line end; iterated once, split at LF alone.

    ``head`` contains the first lines, which are still part of the iteration. ``mark`` is the byte order mark, removed
    from the first line. ``number`` is that of the line read last, counted from 1.

    Raises:
        RowError: the file is not UTF-8 text: in another encoding, binary, a pointer to a file; see ``foreign``.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self.number = 0
        self.head: list[bytes] = []
        size, blank = 0, True
        while blank or (len(self.head) < HEAD_LINES and size < HEAD_BYTES):
            line = file.readline()
            if not line:
                break
            self.head.append(line)
            size += len(line)
            blank = blank and not line.removeprefix(codecs.BOM_UTF8).strip()
        refuse_foreign(b"".join(self.head)[:START], name)
        self.mark = codecs.BOM_UTF8 if self.head and self.head[0].startswith(codecs.BOM_UTF8) else b""
        if self.mark:
            self.head[0] = self.head[0].removeprefix(self.mark)
        self._source = itertools.chain(self.head, file)
        self._offset, self._end = 0, len(self.mark)

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> bytes:
        raw = next(self._source)
        self.number += 1
        self._offset, self._end = self._end, self._end + len(raw)
        return raw

    @property
    def head_is_cut(self) -> bool:
        """Whether the file may go on after ``head``."""
        return len(self.head) >= HEAD_LINES or sum(map(len, self.head)) >= HEAD_BYTES

    def decode(self, raw: bytes) -> str:
        """The text of the line read last. Raises RowError with file:line if it is not UTF-8."""
        try:
            return raw.decode()
        except UnicodeDecodeError as exc:
            raise self._not_utf8(exc, self.number, self._offset) from exc

    def decode_all(self, before: list[bytes]) -> str:
        """The text of ``before`` (the lines read last) and of all lines after them; raises as ``decode``."""
        data = b"".join(before)
        number, offset = self.number - len(before) + 1, self._end - len(data)
        data += b"".join(self)
        try:
            return data.decode()
        except UnicodeDecodeError as exc:
            raise self._not_utf8(exc, number + data.count(b"\n", 0, exc.start), offset) from exc

    def _not_utf8(self, exc: UnicodeDecodeError, line: int, offset: int) -> RowError:
        message = Phrase(
            "not UTF-8 text: byte 0x{byte:02x} at offset {offset} of the file",
            byte=exc.object[exc.start],
            offset=offset + exc.start,
        )
        return RowError(f"{self.name}:{line}", message, hint=encoding_hint(around(exc) + b"".join(self.head)))
