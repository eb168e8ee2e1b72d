"""Rows written as a table: CSV and TSV by RFC 4180, with a header line; every value is a string."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from selfinstruct.errors import RowError
from selfinstruct.records import Row

_DELIMITERS = (",", "\t", ";")


def find_delimiter(body: bytes) -> str:
    """Comma, tab or semicolon: whichever splits the header into most names.

    Raises:
        UnicodeDecodeError: the header is not UTF-8.
    """

    def columns(delimiter: str) -> int:
        try:
            return len(next(filter(None, csv.reader(_text_lines(body), delimiter=delimiter))))
        except csv.Error:
            return 0  # ``table`` meets the same error and says where

    return max(_DELIMITERS, key=columns)


def table(body: bytes, name: str, delimiter: str) -> Iterator[tuple[int, Row]]:
    """Each row of a table with the line, counted from 1, where it starts; blank lines are skipped.

    Raises:
        RowError: a broken quote, a ragged row, or a header that does not name every column once.
        UnicodeDecodeError: a line is not UTF-8.
    """
    if (nul := body.find(b"\0")) >= 0:
        line = 1 + body.count(b"\n", 0, nul)
        raise RowError(f"{name}:{line}", "a NUL byte", hint="This is not a text file, or not in UTF-8.")
    reader = csv.reader(_text_lines(body), delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader, None)
        except csv.Error as exc:
            raise _broken(exc, f"{name}:{line}") from exc
        if values is None:
            return
        if values and not header:
            header = values
            _refuse_header(header, f"{name}:{line}")
        elif values and len(values) != len(header):
            message = f"expected {len(header)} values as the header has, found {len(values)}"
            hint = "A value that holds the delimiter, a quote or a line break must stand in double quotes."
            raise RowError(f"{name}:{line}", message, hint=hint)
        elif values:
            yield line, dict(zip(header, values, strict=True))


def _text_lines(body: bytes) -> Iterator[str]:
    """The lines as text, split at LF alone: a lone CR or U+2028 is part of a value."""
    return (raw.decode() for raw in io.BytesIO(body))


def _refuse_header(header: list[str], where: str) -> None:
    hint = "The first line must name every column, each name once."
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
        return RowError(where, message, hint="Close the quote; keep longer values in JSON Lines.")
    if reason.startswith("unexpected end"):
        return RowError(where, "a quote is opened in this row and never closed", hint="Close it.")
    if reason.startswith("new-line"):
        hint = "Convert the line ends: tr '\\r' '\\n' < OLD > NEW; or put the value in double quotes."
        return RowError(where, "a carriage return without a line feed, outside quotes", hint=hint)
    return RowError(where, f"not valid CSV: {reason}", hint='Inside a quoted value, write a quote twice: "".')
