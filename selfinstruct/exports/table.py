r"""CSV by RFC 4180 with a header line: UTF-8, CRLF line ends, quotes where needed.

Strings are written as they are, numbers and booleans as in JSON, null as an empty cell, lists and objects as JSON.
A string that a spreadsheet would read as a formula (OWASP, "CSV Injection") gets a leading apostrophe, unless
``keep_formulas`` is set; a plain number such as -12.5 is not a formula. A byte order mark, which some spreadsheets need
to read UTF-8, is written on request.

>>> cell("=1+2"), cell("-12.5"), cell("-x"), cell(True), cell(None)
("'=1+2", '-12.5', "'-x", 'true', '')
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from typing import BinaryIO

from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.messages import Phrase
from selfinstruct.records import JSON

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def cell(value: JSON, *, keep_formulas: bool = False) -> str:
    """Return a value as a cell; see the module."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if keep_formulas or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def write_table(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write a header and a line for each row; return the number of rows, and a note on the changed cells."""
    keep_formulas = settings.keep_formulas
    if settings.bom:
        file.write(codecs.BOM_UTF8)
    text = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="", write_through=True)
    writer = csv.writer(text)
    # Field names may look like formulas too.
    writer.writerow([cell(name, keep_formulas=keep_formulas) for name in items.fields])
    count = changed = 0
    for item in items.each:
        row = item.row
        values = [row.get(name) for name in items.fields]
        cells = [cell(value, keep_formulas=keep_formulas) for value in values]
        changed += sum(written != value for written, value in zip(cells, values, strict=True) if type(value) is str)
        writer.writerow(cells)
        count += 1
    text.detach()  # the caller closes the file
    if not changed:
        return count, ""
    note = Phrase.counting(
        "{count:,} cell looks like a formula: written with a leading apostrophe; `keep_formulas=True` writes values "
        "unchanged",
        "{count:,} cells look like formulas: written with a leading apostrophe; `keep_formulas=True` writes values "
        "unchanged",
        changed,
    )
    return count, note
