r"""The one reader of row files: detects the format by content and yields one record per row.

    {"a": 1}   -> JSON Lines, or objects over several lines        [{"a": 1}]  -> a JSON array of objects
    {"data": [{"a": 1}]} and other objects of many rows -> see ``shapes``
    a,b\n1,2   -> a table by RFC 4180 with a header line           other text  -> plain lines, if allowed
    Parquet and Arrow -> see ``arrow``                             gzip, bzip2, xz, zip -> any of these, unpacked

Does not handle: several files (``sources``), tables without a header line.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.rows.arrow import arrow_format, arrow_rows
from selfinstruct.rows.compressed import peekable, unpacked
from selfinstruct.rows.encoding import UTF_8, as_utf8
from selfinstruct.rows.json_cursor import Members
from selfinstruct.rows.json_text import ONE_OBJECT_PER_LINE, json_array, json_lines
from selfinstruct.rows.lines import Lines
from selfinstruct.rows.record import Record
from selfinstruct.rows.shapes import find_shape, squad_rows
from selfinstruct.rows.table import find_delimiter, looks_like_table, table, table_warnings

READABLE = Phrase("Supported formats: JSON Lines, JSON, CSV or TSV with a header line, Parquet, Arrow.")
_READABLE_BY_LINE = Phrase("Supported formats: JSON Lines, CSV or TSV with a header line, plain lines of text.")
_CONTENT = re.compile(rb"[^ \t\r\n]")
# Other than in a log line such as "[info] started".
_ARRAY = re.compile(rb"\[\s*(\{|\]|$)")


@dataclass(frozen=True, slots=True)
class RowStream:
    """The rows of one file, iterated once.

    ``format`` is ``jsonl``, ``json``, ``csv``, ``tsv``, ``parquet``, ``arrow`` or ``text``. ``header`` contains the
    bytes before the first row that belong to every copy. ``fields`` are those of the first row; plain lines have none.
    ``notes`` are lines for the user: how the file was read, and what looks like a mistake in it; complete once all
    records are read.
    """

    format: str
    header: bytes
    fields: tuple[str, ...]
    records: Iterator[Record]
    notes: list[str] = field(default_factory=list)


def open_rows(file: BinaryIO, name: str, *, by_line: bool = False, encoding: str = UTF_8) -> RowStream:
    """The rows of an open file, which messages call ``name``; bytes of rows are UTF-8, whatever its encoding.

    With ``by_line``, for callers that copy the bytes of rows: each record has the bytes of its own lines, and only
    the current row is held in memory. Then text that is no table is read as plain lines, bytes that are not UTF-8 are
    allowed in these, and JSON values need not survive another writing. Formats whose rows have no lines of their
    own (JSON arrays, objects over several lines) are refused.

    Raises:
        RowError: here or while iterating, with file:line: the content is empty, broken, not text in this encoding,
            or contains a value that would change.
    """
    content = as_utf8(unpacked(peekable(file), name), name, encoding)
    if form := arrow_format(content.peek(8)):
        names, notes, records = arrow_rows(content, name, form)
        return RowStream(form.partition("-")[0], b"", names, records, notes)
    lines = Lines(content, name)
    first = next((line for line in lines.head if _CONTENT.search(line)), None)
    if first is None or (by_line and not first.strip()):
        raise RowError(name, "the file is empty", hint=_READABLE_BY_LINE if by_line else READABLE)
    first = first.lstrip(b" \t\r\n")
    if first.startswith(b"{"):
        return _json_stream("jsonl", lines, json_lines(lines, by_line=by_line), by_line=by_line)
    if by_line:
        if _ARRAY.match(first):
            raise RowError(name, "a JSON array cannot be read line by line", hint=ONE_OBJECT_PER_LINE)
        if not looks_like_table(lines):
            return RowStream("text", lines.mark, (), _plain_lines(lines))
    elif first.startswith(b"["):
        return _json_stream("json", lines, json_array(lines))
    delimiter = find_delimiter(lines.head)
    notes = table_warnings(lines, delimiter)
    header, fields, records = table(lines, delimiter, notes)
    return RowStream("tsv" if delimiter == "\t" else "csv", lines.mark + header, fields, records, notes)


def _json_stream(form: str, lines: Lines, records: Iterator[Record], *, by_line: bool = False) -> RowStream:
    first = next(records, None)
    if first is None or not isinstance(first.value, dict):
        return RowStream(form, lines.mark, (), itertools.chain([first] if first else [], records))
    second = next(records, None)
    notes: list[str] = []
    if second is None and first.raw:
        found = _unwrapped(first, lines.name, by_line=by_line)
        if found is not None:
            rows, note = found
            return RowStream("json", lines.mark, tuple(rows[0].value), iter(rows), [note])
    records = itertools.chain([first] if second is None else [first, second], records)
    if not by_line and squad_rows(first.value) is not None:
        notes = [Phrase("flattened SQuAD's nesting: one row for each question")]
        questions = _questions(records, lines.name)
        first = next(questions)
        records = itertools.chain([first], questions)
    return RowStream(form, lines.mark, tuple(first.value), records, notes)


def _unwrapped(whole: Record, name: str, *, by_line: bool) -> tuple[list[Record], str] | None:
    """The rows of a file that is one object, and a note for the user; None if the object is a row."""
    assert isinstance(whole.value, dict)
    try:
        shape = find_shape(whole.value)
    except RowError as exc:
        raise RowError(name, exc.message.removeprefix(": "), hint=exc.hint) from exc
    if shape is None:
        return None
    if by_line:
        hint = Phrase("Write one object per line: jq -c '{jq}' OLD > NEW", jq=shape.jq)
        raise RowError(name, "one object with many rows cannot be read line by line", hint=hint)
    members = Members(whole.raw.decode(), whole.line, max(len(place) for place, _ in shape.rows))
    return [Record(members.line(place), b"", row) for place, row in shape.rows], shape.note


def _questions(articles: Iterator[Record], name: str) -> Iterator[Record]:
    for article in articles:
        questions = squad_rows(article.value) if isinstance(article.value, dict) else None
        if questions is None:
            hint = "Every article needs paragraphs with a context and questions (qas)."
            raise RowError(f"{name}:{article.line}", "not an article as the first one", hint=hint)
        yield from (Record(article.line, b"", row) for _, row in questions)


def _plain_lines(lines: Lines) -> Iterator[Record]:
    for raw in lines:
        if not raw.isspace():
            yield Record(lines.number, raw, raw.rstrip(b"\r\n").decode("utf-8", "surrogateescape"))
