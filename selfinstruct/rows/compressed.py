"""Compressed row files: gzip, bzip2, xz, and zip archives of one file, recognised by content and read as a stream.

Unpacking is bounded, since a few bytes can unpack to gigabytes: beyond ``FREE_BYTES``, a file may unpack to at most
``MAX_RATIO`` times the compressed bytes read so far. Text that people have stays below 100.

Does not handle: zstd, tar, archives of several files, encrypted archives, data that was compressed twice.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, Any, BinaryIO, cast

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase

#: The largest ratio of unpacked to compressed bytes, which counts once more than ``FREE_BYTES`` are unpacked.
MAX_RATIO = 200
FREE_BYTES = 1 << 26
_BUFFER = 1 << 16
_KINDS = {"gzip": rb"\x1f\x8b\x08", "bzip2": rb"BZh[1-9]1AY&SY", "xz": rb"\xfd7zXZ\x00", "zip": rb"PK\x03\x04"}
_KIND = re.compile(b"|".join(b"(?P<%b>%b)" % (kind.encode(), mark) for kind, mark in _KINDS.items()), re.DOTALL)
_START = 16
_EMPTY_ZIP = b"PK\x05\x06"
_ENCRYPTED = 1
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, ValueError)
_SHEET_PARTS = {"[Content_Types].xml": "a spreadsheet or an Office document", "mimetype": "an OpenDocument file"}


def peekable(file: BinaryIO) -> io.BufferedReader:
    """Return ``file``, or a buffer over it, that can be asked for its next bytes; closing it leaves ``file`` open."""
    if isinstance(file, io.BufferedReader):
        return file
    return io.BufferedReader(_Raw(file), _BUFFER)


def unpacked(file: io.BufferedReader, name: str) -> io.BufferedReader:
    """Return the unpacked content of a compressed file, and any other file as it is.

    Raises:
        RowError: a zip archive is damaged, encrypted, or does not contain exactly one file; or, while reading, the
            data is damaged or unpacks to too much.
    """
    start = file.peek(_START)
    if start.startswith(_EMPTY_ZIP):
        raise RowError(name, "the zip archive is empty", hint="Name an archive of one row file.")
    found = _KIND.match(start)
    if found is None:
        return file
    kind = found.lastgroup or ""
    source: IO[bytes]
    if kind == "zip":
        source, packed = _zip_member(file, name)
    else:
        counted = _Counted(file)
        source, packed = _stream(counted, kind), counted.count
    inner: io.BufferedReader = io.BufferedReader(_Bounded(source, packed, name, kind), _BUFFER)
    if _KIND.match(inner.peek(_START)):
        raise RowError(name, "compressed twice", hint="Unpack it once first.")
    return inner


def _stream(packed: Any, kind: str) -> IO[bytes]:
    if kind == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=packed, mode="rb"))
    return cast("IO[bytes]", bz2.BZ2File(packed) if kind == "bzip2" else lzma.LZMAFile(packed))


def _zip_member(file: io.BufferedReader, name: str) -> tuple[IO[bytes], Callable[[], int]]:
    """The only file in an archive, and the number of its compressed bytes."""
    try:
        archive = zipfile.ZipFile(file if file.seekable() else io.BytesIO(file.read()))
    except _DAMAGED as exc:
        raise _damaged(name, "zip", exc) from exc
    for part, what in _SHEET_PARTS.items():
        if part in archive.namelist():
            raise RowError(name, "expected UTF-8 text, got {what}", hint="Save the sheet as CSV in UTF-8.", what=what)
    members = [each for each in archive.infolist() if not each.is_dir() and not _is_litter(each.filename)]
    if len(members) != 1:
        names = [each.filename for each in members[:4]] + (["..."] if len(members) > 4 else [])
        problem = Phrase("the zip archive contains {count} files", count=len(members))
        if names:
            problem = Phrase("{what}: {names}", what=problem, names=", ".join(names))
        raise RowError(name, problem, hint="Unpack it, and name one of its files, or the folder if all have rows.")
    member = members[0]
    if member.flag_bits & _ENCRYPTED:
        raise RowError(name, "the zip archive is encrypted", hint="Unpack it first.")
    try:
        return archive.open(member), lambda: member.compress_size
    except (*_DAMAGED, NotImplementedError, RuntimeError) as exc:
        raise _damaged(name, "zip", exc) from exc


def _is_litter(member: str) -> bool:
    """Whether macOS added the member to the archive."""
    return member.startswith("__MACOSX/") or member.rpartition("/")[2] == ".DS_Store"


def _damaged(name: str, kind: str, exc: Exception) -> RowError:
    return RowError(name, "damaged {kind} data: {exc}", hint="Copy or download the file again.", kind=kind, exc=exc)


class _Raw(io.RawIOBase):
    """A file as a raw stream, so that a buffer over it does not close it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Counted:
    """Compressed data; counts the bytes that were read. Its reads return what is there, so that pipes stream."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file, self._read = file, 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read1(size if size >= 0 else _BUFFER)
        self._read += len(data)
        return data

    def count(self) -> int:
        return self._read

    def seekable(self) -> bool:
        return False


class _Bounded(io.RawIOBase):
    """Unpacked data; damage and too much of it are RowErrors."""

    def __init__(self, source: IO[bytes], packed: Callable[[], int], name: str, kind: str) -> None:
        self._source, self._packed, self._name, self._kind = source, packed, name, kind
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._source.read(len(buffer))
        except _DAMAGED as exc:
            raise _damaged(self._name, self._kind, exc) from exc
        self._unpacked += len(data)
        if self._unpacked > max(FREE_BYTES, MAX_RATIO * self._packed()):
            problem = Phrase(
                "the {kind} data unpacks to more than {most} times its size", kind=self._kind, most=MAX_RATIO
            )
            raise RowError(self._name, problem, hint="If you trust the file, unpack it first.")
        buffer[: len(data)] = data
        return len(data)
