r"""The one reader of row files: detects the format by content and yields one record per row.

    {"a": 1}   -> JSON Lines, or objects over several lines        [{"a": 1}]  -> a JSON array of objects
    a,b\n1,2   -> a table by RFC 4180 with a header line           other text  -> plain lines, if allowed

Does not handle: compressed files, other encodings than UTF-8, tables without a header line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from selfinstruct.errors import RowError
from selfinstruct.rows.json_text import ONE_OBJECT_PER_LINE, json_array, json_lines
from selfinstruct.rows.lines import Lines
from selfinstruct.rows.record import Record
from selfinstruct.rows.table import find_delimiter, looks_like_table, table

READABLE = "Supported formats: JSON Lines, a JSON array of objects, CSV or TSV with a header line."
_READABLE_BY_LINE = "Supported formats: JSON Lines, CSV or TSV with a header line, plain lines of text."
_CONTENT = re.compile(rb"[^ \t\r\n]")
# Other than in a log line such as "[info] started".
_ARRAY = re.compile(rb"\[\s*(\{|\]|$)")


@dataclass(frozen=True, slots=True)
class RowStream:
    """The rows of one file, iterated once.

    ``format`` is ``jsonl``, ``json``, ``csv``, ``tsv`` or ``text``. ``header`` contains the bytes before the first row
    that belong to every copy. ``fields`` are those of the first row; plain lines have none.
    """

    format: str
    header: bytes
    fields: tuple[str, ...]
    records: Iterator[Record]


def open_rows(file: BinaryIO, name: str, *, by_line: bool = False) -> RowStream:
    """The rows of an open file, which messages call ``name``.

    With ``by_line``, for callers that copy the bytes of rows: each record has the bytes of its own lines, and only
    the current row is held in memory. Then text that is no table is read as plain lines, bytes that are not UTF-8 are
    allowed in these, and JSON values need not survive another writing. Formats whose rows have no lines of their
    own (JSON arrays, objects over several lines) are refused.

    Raises:
        RowError: here or while iterating, with file:line: the content is empty, broken, not UTF-8 text, or contains
            a value that would change.
    """
    lines = Lines(file, name)
    first = next((line for line in lines.head if _CONTENT.search(line)), None)
    if first is None or (by_line and not first.strip()):
        raise RowError(name, "the file is empty", hint=_READABLE_BY_LINE if by_line else READABLE)
    first = first.lstrip(b" \t\r\n")
    if first.startswith(b"{"):
        return _peeked("jsonl", lines.mark, json_lines(lines, by_line=by_line))
    if by_line:
        if _ARRAY.match(first):
            raise RowError(name, "a JSON array cannot be read line by line", hint=ONE_OBJECT_PER_LINE)
        if not looks_like_table(lines):
            return RowStream("text", lines.mark, (), _plain_lines(lines))
    elif first.startswith(b"["):
        return _peeked("json", lines.mark, json_array(lines))
    delimiter = find_delimiter(lines.head)
    header, fields, records = table(lines, delimiter)
    return RowStream("tsv" if delimiter == "\t" else "csv", lines.mark + header, fields, records)


def _peeked(form: str, mark: bytes, records: Iterator[Record]) -> RowStream:
    first = next(records, None)
    if first is None:
        return RowStream(form, mark, (), records)
    fields = tuple(first.value) if isinstance(first.value, dict) else ()
    return RowStream(form, mark, fields, itertools.chain([first], records))


def _plain_lines(lines: Lines) -> Iterator[Record]:
    for raw in lines:
        if not raw.isspace():
            yield Record(lines.number, raw, raw.rstrip(b"\r\n").decode("utf-8", "surrogateescape"))
