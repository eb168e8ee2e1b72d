"""A file as a stream of its rows, each with the bytes that it is written in: JSON Lines, a table, or plain lines.

The content tells the format. Nothing is kept but the row at hand, so the file may be of any size, or a pipe.

Does not handle: JSON arrays and objects over several lines, which cannot be taken apart line by line; whether the
values could be written again (see ``rows``): whoever streams copies the bytes.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from selfinstruct.errors import RowError
from selfinstruct.records import Row
from selfinstruct.rows.table import find_delimiter

#: So many lines, of at most so many bytes in all, are looked at to tell the format.
_HEAD_LINES, _HEAD_BYTES = 20, 1 << 18
# A plain text has a comma or two in its first line as well; the names of columns look like names.
_COLUMN = re.compile(r"[^\W\d][^,;\t.!?\n]{0,63}")
_QUOTED = 'A value that holds the delimiter, a quote or a line break stands in double quotes, each quote as "".'
_ONE_A_LINE = "Write one object a line: jq -c '.[]' OLD > NEW (or jq -c . for objects over several lines)"


class Record(NamedTuple):
    """One row: the line that it starts in (from 1), its bytes with their line end, its value.

    The value is an object, or the text of a plain line without its end.
    """

    line: int
    raw: bytes
    value: Row | str


@dataclass(frozen=True, slots=True)
class Stream:
    """The rows of one file, to be gone through once.

    ``format`` is ``jsonl``, ``csv``, ``tsv`` or ``text``. ``header`` is what stands before the first row and
    belongs to every copy. ``fields`` are the first row's, none for plain lines.
    """

    format: str
    header: bytes
    fields: tuple[str, ...]
    records: Iterator[Record]


def open_stream(file: BinaryIO, name: str) -> Stream:
    """The rows of an open file that messages call ``name``.

    Raises RowError here, or while the records are gone through, with file:line where a row cannot be read. Bytes
    that are not UTF-8 are let pass in plain lines only.
    """
    head: list[bytes] = []
    size = 0
    while len(head) < _HEAD_LINES and size < _HEAD_BYTES and (line := file.readline()):
        head.append(line)
        size += len(line)
    mark = BOM_UTF8 if head and head[0].startswith(BOM_UTF8) else b""
    if mark:
        head[0] = head[0].removeprefix(mark)
    lines = itertools.chain(head, file)
    first = next((line.strip() for line in head if line.strip()), b"")
    if not first:
        raise RowError(name, "is empty", hint="Rows are read from JSON Lines, CSV or TSV, or plain lines.")
    if first.startswith(b"{"):
        return _json_stream(lines, name, mark)
    if re.match(rb"\[\s*(\{|\]|$)", first):
        raise RowError(name, "is a JSON array, which cannot be taken apart line by line", hint=_ONE_A_LINE)
    if delimiter := _delimiter(head):
        return _table_stream(lines, name, mark, delimiter)
    return Stream("text", mark, (), _texts(lines))


def _json_stream(lines: Iterator[bytes], name: str, mark: bytes) -> Stream:
    records = _objects(lines, name)
    first = next(records)
    fields = tuple(first.value) if isinstance(first.value, dict) else ()
    return Stream("jsonl", mark, fields, itertools.chain([first], records))


def _objects(lines: Iterator[bytes], name: str) -> Iterator[Record]:
    for number, raw in enumerate(lines, 1):
        if raw.isspace():
            continue
        try:
            row = json.loads(raw)
        except (ValueError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise RowError(f"{name}:{number}", f"not a line of JSON: {said}", hint=_ONE_A_LINE) from error
        if not isinstance(row, dict):
            raise RowError(f"{name}:{number}", "not a JSON object", hint='A row is an object, such as {"text": "..."}.')
        yield Record(number, raw, row)


def _texts(lines: Iterator[bytes]) -> Iterator[Record]:
    for number, raw in enumerate(lines, 1):
        if not raw.isspace():
            yield Record(number, raw, raw.rstrip(b"\r\n").decode("utf-8", "surrogateescape"))


def _delimiter(head: Sequence[bytes]) -> str:
    """What separates the columns of a table, or "" where the lines are no table: too few, ragged, or unnamed."""
    rows: list[list[str]] = []
    delimiter = ""
    cut = len(head) == _HEAD_LINES or sum(map(len, head)) >= _HEAD_BYTES
    try:
        text = b"".join(head).decode()
        delimiter = find_delimiter(text.encode())
        rows.extend(filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)))
    except UnicodeDecodeError:
        return ""
    except csv.Error:
        if not cut:
            return ""
    if cut:  # the last row may go on in the next line
        rows = rows[:-1] or rows
    header, *others = rows or [[]]
    named = len(header) > 1 and len(set(header)) == len(header) and all(map(_COLUMN.fullmatch, header))
    return delimiter if named and others and all(len(row) == len(header) for row in others) else ""


def _table_stream(lines: Iterator[bytes], name: str, mark: bytes, delimiter: str) -> Stream:
    taken: list[bytes] = []

    def taking() -> Iterator[str]:
        for number, raw in enumerate(lines, 1):
            taken.append(raw)
            try:
                yield raw.decode()
            except UnicodeDecodeError as error:
                hint = "Convert it from the encoding that it is in, such as: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
                raise RowError(f"{name}:{number}", "not UTF-8 text", hint=hint) from error

    reader = csv.reader(taking(), delimiter=delimiter, strict=True)
    header = next(filter(None, reader))
    before = mark + b"".join(taken)
    return Stream(
        "tsv" if delimiter == "\t" else "csv", before, tuple(header), _table_rows(reader, taken, header, name)
    )


def _table_rows(reader: Any, taken: list[bytes], header: list[str], name: str) -> Iterator[Record]:
    while True:
        taken.clear()
        line = reader.line_num + 1
        try:
            values = next(reader, None)
        except csv.Error as error:
            hint = (
                'A value that holds the delimiter, a quote or a line break stands in double quotes, each quote as "".'
            )
            raise RowError(f"{name}:{line}", f"not a row of a table: {error}", hint=hint) from error
        if values is None:
            return
        if values and len(values) != len(header):
            message = f"expected {len(header)} values as the header has, found {len(values)}"
            raise RowError(f"{name}:{line}", message, hint=_QUOTED)
        if values:
            yield Record(line, b"".join(taken), dict(zip(header, values, strict=True)))
