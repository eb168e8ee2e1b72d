"""Content that is not a row file, recognised by its first bytes and refused by name, with the remedy."""

from __future__ import annotations

import codecs
import re

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.rows.likely_encoding import encoding_hint

_EXPORT = Phrase("Export its rows as JSON Lines, CSV or Parquet first.")
_LFS = Phrase("Fetch the file itself: git lfs pull")
_MARKS = (  # the mark of UTF-32 begins with that of UTF-16, so it comes first
    (codecs.BOM_UTF32_LE, Phrase("UTF-32 text"), Phrase('Name its encoding: `encoding="{name}"`.', name="utf-32")),
    (codecs.BOM_UTF32_BE, Phrase("UTF-32 text"), Phrase('Name its encoding: `encoding="{name}"`.', name="utf-32")),
    (codecs.BOM_UTF16_LE, Phrase("UTF-16 text"), Phrase('Name its encoding: `encoding="{name}"`.', name="utf-16")),
    (codecs.BOM_UTF16_BE, Phrase("UTF-16 text"), Phrase('Name its encoding: `encoding="{name}"`.', name="utf-16")),
    (b"\x28\xb5\x2f\xfd", Phrase("zstd-compressed data"), Phrase("Unpack it first: zstd -dc OLD > NEW")),
    (b"version https://git-lfs.github.com/spec/", Phrase("a Git LFS pointer"), _LFS),
    (b"version https://hawser.github.com/spec/", Phrase("a Git LFS pointer"), _LFS),
    (b"%PDF-", Phrase("a PDF document"), Phrase("Name it as a passage file instead, or extract its rows first.")),
    (b"SQLite format 3\0", Phrase("an SQLite database"), _EXPORT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Phrase("an old Office document"), Phrase("Save the sheet as CSV in UTF-8.")),
    (b"\x89HDF\r\n\x1a\n", Phrase("an HDF5 file"), _EXPORT),
    (b"Obj\x01", Phrase("an Avro file"), _EXPORT),
    (b"ORC", Phrase("an ORC file"), _EXPORT),
    (b"FEA1", Phrase("a Feather file of version 1"), Phrase("Write it again with a newer library, or as Parquet.")),
    (b"\x89PNG", Phrase("a PNG image"), _EXPORT),
    (b"\xff\xd8\xff", Phrase("a JPEG image"), _EXPORT),
    (b"7z\xbc\xaf\x27\x1c", Phrase("a 7-Zip archive"), Phrase("Unpack it first: 7z x FILE")),
    (b"Rar!\x1a\x07", Phrase("a RAR archive"), Phrase("Unpack it first.")),
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
        raise _refusal(name, Phrase("a tar archive"), Phrase("Unpack it first: tar -xf FILE; then name the folder."))
    if markup := _MARKUP.match(start.removeprefix(codecs.BOM_UTF8)):
        if markup[1].lower() == b"?xml":
            raise _refusal(name, Phrase("an XML document"), _EXPORT)
        raise _refusal(
            name,
            Phrase("an HTML page"),
            Phrase("Download the file itself: the address may be that of a page about it."),
        )
    if b"\0" in start[:4] and not _is_binary(start):
        raise _refusal(name, Phrase("NUL bytes at the start, as in UTF-16"), encoding_hint(start))
    if _is_binary(start):
        raise _refusal(name, Phrase("binary data"), _EXPORT)


def _is_binary(start: bytes) -> bool:
    if b"\0" not in start:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return True
    return False


def _refusal(name: str, what: str, hint: str) -> RowError:
    return RowError(name, Phrase("expected UTF-8 text, got {what}", what=what), hint=hint)
