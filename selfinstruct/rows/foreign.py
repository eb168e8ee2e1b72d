"""Content that is not a row file, recognised by its first bytes and refused by name, with the remedy."""

from __future__ import annotations

import codecs
import re

from selfinstruct.errors import RowError
from selfinstruct.rows.likely_encoding import encoding_hint

_NAME_IT = 'Name its encoding: `encoding="{}"`.'
_EXPORT = "Export its rows as JSON Lines, CSV or Parquet first."
_LFS = "Fetch the file itself: git lfs pull"
_MARKS = (  # the mark of UTF-32 begins with that of UTF-16, so it comes first
    (codecs.BOM_UTF32_LE, "UTF-32 text", _NAME_IT.format("utf-32")),
    (codecs.BOM_UTF32_BE, "UTF-32 text", _NAME_IT.format("utf-32")),
    (codecs.BOM_UTF16_LE, "UTF-16 text", _NAME_IT.format("utf-16")),
    (codecs.BOM_UTF16_BE, "UTF-16 text", _NAME_IT.format("utf-16")),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data", "Unpack it first: zstd -dc OLD > NEW"),
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer", _LFS),
    (b"version https://hawser.github.com/spec/", "a Git LFS pointer", _LFS),
    (b"%PDF-", "a PDF document", "Name it as a passage file instead, or extract its rows first."),
    (b"SQLite format 3\0", "an SQLite database", _EXPORT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", "Save the sheet as CSV in UTF-8."),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _EXPORT),
    (b"Obj\x01", "an Avro file", _EXPORT),
    (b"ORC", "an ORC file", _EXPORT),
    (b"FEA1", "a Feather file of version 1", "Write it again with a newer library, or as Parquet."),
    (b"\x89PNG", "a PNG image", _EXPORT),
    (b"\xff\xd8\xff", "a JPEG image", _EXPORT),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it first: 7z x FILE"),
    (b"Rar!\x1a\x07", "a RAR archive", "Unpack it first."),
)
_MARKUP = re.compile(rb"(?is)\s*(?:<!--.{0,400}?-->\s*)?<(!doctype\s+html|html|head|body|\?xml)\b")
_TAR_AT = 257
#: Bytes at the start of a file that decide what it is.
START = 1024


def refuse_foreign(start: bytes, name: str) -> None:
    """Raise RowError if the content that begins with ``start`` is of a kind that has no rows, or is not UTF-8 text."""
    for mark, what, hint in _MARKS:
        if start.startswith(mark) and (mark != b"ORC" or b"\0" in start):
            raise _refusal(name, what, hint)
    if start[_TAR_AT : _TAR_AT + 5] == b"ustar":
        raise _refusal(name, "a tar archive", "Unpack it first: tar -xf FILE; then name the folder.")
    if markup := _MARKUP.match(start.removeprefix(codecs.BOM_UTF8)):
        if markup[1].lower() == b"?xml":
            raise _refusal(name, "an XML document", _EXPORT)
        raise _refusal(name, "an HTML page", "Download the file itself: the address may be that of a page about it.")
    if b"\0" in start[:4] and not _is_binary(start):
        raise _refusal(name, "NUL bytes at the start, as in UTF-16", encoding_hint(start))
    if _is_binary(start):
        raise _refusal(name, "binary data", _EXPORT)


def _is_binary(start: bytes) -> bool:
    if b"\0" not in start:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return True
    return False


def _refusal(name: str, what: str, hint: str) -> RowError:
    return RowError(name, f"expected UTF-8 text, got {what}", hint=hint)
