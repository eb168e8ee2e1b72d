"""Rows written as a table: CSV and TSV by RFC 4180, with a header line; every value is a string."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

from selfinstruct.errors import RowError
from selfinstruct.rows.lines import Lines
from selfinstruct.rows.record import Record

_DELIMITERS = (",", "\t", ";")
# Plain text may have commas in its first line, too; the names of columns look like names.
_COLUMN = re.compile(r"[^\W\d][^,;\t.!?\n]{0,63}")
_QUOTES = 'Put a value that contains the delimiter, a quote or a line break in double quotes, each quote as "".'


def find_delimiter(head: Iterable[bytes]) -> str:
    """Comma, tab or semicolon: the one that splits the header into the most names."""

    def columns(delimiter: str) -> int:
        try:
            return len(next(filter(None, csv.reader(map(bytes.decode, head), delimiter=delimiter)), []))
        except (csv.Error, UnicodeDecodeError):
            return 0  # ``table`` meets the same error and reports its line

    return max(_DELIMITERS, key=columns)


def looks_like_table(lines: Lines) -> bool:
    """Whether the head of a file is a table rather than text: at least two named columns, in every row."""
    rows: list[list[str]] = []
    try:
        text = b"".join(lines.head).decode()
        delimiter = find_delimiter(lines.head)
        rows.extend(filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)))
    except UnicodeDecodeError:
        return False
    except csv.Error:
        if not lines.head_is_cut:
            return False
    if lines.head_is_cut:  # the last row may continue on the next line
        rows = rows[:-1] or rows
    header, *others = rows or [[]]
    named = len(header) > 1 and len(set(header)) == len(header) and all(map(_COLUMN.fullmatch, header))
    return named and bool(others) and all(len(row) == len(header) for row in others)


def table(lines: Lines, delimiter: str) -> tuple[bytes, tuple[str, ...], Iterator[Record]]:
    """The bytes up to the end of the header, the names in it, and each row; blank lines are skipped.

    Raises:
        RowError: here or while iterating: a broken quote, a ragged row, a line that is not UTF-8, or a header that
            does not name every column once.
    """
    read: list[bytes] = []
    records = _values(lines, delimiter, read)
    line, header = next(records, (1, []))
    _refuse_header(header, f"{lines.name}:{line}")
    return b"".join(read), tuple(header), _rows(records, read, header, lines.name)


def _rows(
    records: Iterator[tuple[int, list[str]]], read: list[bytes], header: list[str], name: str
) -> Iterator[Record]:
    for line, values in records:
        if len(values) != len(header):
            message = f"expected {len(header)} values as in the header, got {len(values)}"
            raise RowError(f"{name}:{line}", message, hint=_QUOTES)
        yield Record(line, b"".join(read), dict(zip(header, values, strict=True)))


def _values(lines: Lines, delimiter: str, read: list[bytes]) -> Iterator[tuple[int, list[str]]]:
    """The values of each record that is not blank, with its line; ``read`` then contains its bytes.

    For the first record, ``read`` also contains the blank lines before it.
    """
    reader = csv.reader(_texts(lines, read), delimiter=delimiter, strict=True)
    header_read = False
    while True:
        if header_read:
            read.clear()
        line = reader.line_num + 1
        try:
            values = next(reader, None)
        except csv.Error as exc:
            raise _broken(exc, f"{lines.name}:{line}") from exc
        if values is None:
            return
        if values:
            header_read = True
            yield line, values


def _texts(lines: Lines, read: list[bytes]) -> Iterator[str]:
    for raw in lines:
        if b"\0" in raw:
            raise RowError(f"{lines.name}:{lines.number}", "a NUL byte", hint="Check that this is UTF-8 text.")
        read.append(raw)
        yield lines.decode(raw)


def _refuse_header(header: list[str], where: str) -> None:
    hint = "The first line must name every column once."
    seen: set[str] = set()
    for number, field in enumerate(header, 1):
        if not field:
            raise RowError(where, f"column {number} of the header has no name", hint=hint)
        if field in seen:
            raise RowError(where, f"the header names {field!r} twice", hint=hint)
        seen.add(field)


def _broken(exc: csv.Error, where: str) -> RowError:
    reason = str(exc)
    if reason.startswith("field larger"):
        message = f"a value of more than {csv.field_size_limit()} characters, or a quote that is never closed"
        return RowError(where, message, hint="Close the quote, or use JSON Lines for longer values.")
    if reason.startswith("unexpected end"):
        return RowError(where, "a quote is opened in this row and never closed", hint="Close the quote.")
    if reason.startswith("new-line"):
        hint = "Convert the line ends: tr '\\r' '\\n' < OLD > NEW; or put the value in double quotes."
        return RowError(where, "a carriage return without a line feed, outside quotes", hint=hint)
    return RowError(where, f"invalid CSV: {reason}", hint='Inside a quoted value, write a quote twice: "".')
