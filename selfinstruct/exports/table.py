r"""CSV by RFC 4180, with a header line: UTF-8, lines that end in CRLF, quotes where they are needed.

A string is written as it is, a number, true and false as JSON spells them, null as nothing, and a list or an object as
its JSON. A string that a spreadsheet would take for a formula (OWASP, "CSV Injection") gets an apostrophe in front,
unless ``keep_formulas``; one that is a plain number, such as -12.5, is none.

>>> cell("=1+2"), cell("-12.5"), cell("-x"), cell(True), cell(None)
("'=1+2", '-12.5', "'-x", 'true', '')
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, BinaryIO

from selfinstruct.records import JSON

if TYPE_CHECKING:
    from selfinstruct.exports import ExportRows

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def cell(value: JSON, *, keep_formulas: bool = False) -> str:
    """A value as a cell; see the module."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if keep_formulas or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def write_table(items: ExportRows, file: BinaryIO, *, keep_formulas: bool = False) -> tuple[int, str]:
    """Write a header of the fields and each row below it; how many rows, and how many cells were changed."""
    text = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="", write_through=True)
    writer = csv.writer(text)
    # The header's names are cells too.
    writer.writerow([cell(name, keep_formulas=keep_formulas) for name in items.fields])
    count = changed = 0
    for item in items.each:
        row = item.row
        values = [row.get(name) for name in items.fields]
        cells = [cell(value, keep_formulas=keep_formulas) for value in values]
        changed += sum(written != value for written, value in zip(cells, values, strict=True) if type(value) is str)
        writer.writerow(cells)
        count += 1
    text.detach()  # the file is its opener's to close
    if not changed:
        return count, ""
    what = "1 cell that begins" if changed == 1 else f"{changed:,} cells that begin"
    return count, f"{what} like a formula got an apostrophe in front (--keep-formulas leaves them as they are)"
