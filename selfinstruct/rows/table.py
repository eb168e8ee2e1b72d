"""Rows written as a table: CSV and TSV by RFC 4180, with a header line; every value is a string."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.rows.lines import Lines
from selfinstruct.rows.record import Record

_DELIMITERS = (",", "\t", ";", "|")
# Plain text may have commas in its first line, too; the names of columns look like names. A full stop is part of an
# abbreviation (Nr.) or of a path (user.id), not the end of a sentence with another one after it.
_COLUMN = re.compile(r"[^\W\d](?:[^,;\t|.!?\n]|\.(?!\s+\S)){0,63}")
_SENTENCE = re.compile(r"\w+(?:\s+\w+){4,}.*|.*\w\s+\w.*[.!?。！？]")
_DATA = re.compile(r"[-+]?\d[\d.,:/-]*|\S+@\S+\.\S+|https?://\S+")
_QUOTE_AFTER_BLANK = {mark: re.compile(rf'(?:^|[^\s]){re.escape(mark)}[ \t]+"', re.MULTILINE) for mark in _DELIMITERS}
_MOST = 0.8
_QUOTES = 'Put a value that contains the delimiter, a quote or a line break in double quotes, each quote as "".'


def find_delimiter(head: Iterable[bytes]) -> str:
    """Comma, tab, semicolon or bar: the one that splits the header into the most names."""

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
    if header[:1] == [""] and _counts(others, lines.head_is_cut):
        header, others = header[1:], [row[1:] for row in others]  # the index of pandas
        return bool(header) and all(header) and all(len(row) == len(header) for row in others)
    named = len(header) > 1 and len(set(header)) == len(header) and all(map(_COLUMN.fullmatch, header))
    return named and bool(others) and all(len(row) == len(header) for row in others)


def _counts(rows: list[list[str]], cut: bool) -> bool:
    """Whether the first cells count from 0; the last row of a head may be cut."""
    whole = rows[:-1] if cut and len(rows) > 1 else rows
    return bool(whole) and all(row[:1] == [str(number)] for number, row in enumerate(whole))


def table_warnings(lines: Lines, delimiter: str) -> list[str]:
    """Return what looks like a mistake in the head of a table, a line each."""
    try:
        text = b"".join(lines.head).decode()
        rows = list(filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)))
    except (UnicodeDecodeError, csv.Error):
        return []  # ``table`` meets the same error and reports its line
    header, *others = rows or [[]]
    found: list[str] = []
    sentence = next((name for name in header if _SENTENCE.fullmatch(name)), None)
    data = [name for name in header if _DATA.fullmatch(name)]
    if sentence is not None:
        found.append(Phrase("the header looks like text, not like names: {text!r}", text=sentence[:60]))
    elif data and not all(name.isdigit() and int(name) == at for at, name in enumerate(header)):
        found.append(Phrase("the header looks like a row of values: {text!r}", text=data[0][:60]))
    if _QUOTE_AFTER_BLANK[delimiter].search(text):
        found.append(Phrase("quotes after a blank are part of the value: remove the blank after the delimiter"))
    if len(header) == 1:
        for mark in _DELIMITERS:
            holding = sum(mark in row[0] for row in others)
            if mark in header[0] and others and holding >= _MOST * len(others):
                note = "one column, and its values contain {marks}: check the quotes of the header"
                found.append(Phrase(note, marks=Phrase(_MARKS[mark])))
                break
    return found


_MARKS = {",": Phrase("commas"), "\t": Phrase("tabs"), ";": Phrase("semicolons"), "|": Phrase("bars")}


def table(
    lines: Lines, delimiter: str, notes: list[str] | None = None
) -> tuple[bytes, tuple[str, ...], Iterator[Record]]:
    """The bytes up to the end of the header, the names in it, and each row; blank lines are skipped.

    A first column without a name that counts the rows from 0, as pandas writes its index, is left out of the values;
    ``notes`` gets a line about it.

    Raises:
        RowError: here or while iterating: a broken quote, a ragged row, a line that is not UTF-8, or a header that
            does not name every column once.
    """
    read: list[bytes] = []
    records = _values(lines, delimiter, read)
    line, header = next(records, (1, []))
    indexed = len(header) > 1 and not header[0]
    _refuse_header(header[1:] if indexed else header, f"{lines.name}:{line}", 1 + indexed)
    if indexed and notes is not None:
        notes.append(_LEFT_OUT)
    return b"".join(read), tuple(header[indexed:]), _rows(records, read, header, lines.name, line)


def _rows(
    records: Iterator[tuple[int, list[str]]], read: list[bytes], header: list[str], name: str, first: int
) -> Iterator[Record]:
    indexed = len(header) > 1 and not header[0]
    names = header[1:] if indexed else header
    for number, (line, values) in enumerate(records):
        if len(values) != len(header):
            message = Phrase(
                "expected {expected} values as in the header, got {values}", expected=len(header), values=len(values)
            )
            raise RowError(f"{name}:{line}", message, hint=_QUOTES)
        if indexed and values[0] != str(number):
            raise _nameless(f"{name}:{first}", 1)
        cells = values[1:] if indexed else values
        yield Record(line, b"".join(read), dict(zip(names, cells, strict=True)))


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


_LEFT_OUT = Phrase("left out the first column: it has no name and counts the rows from 0, as pandas writes its index")
_EVERY_COLUMN = Phrase("The first line must name every column once.")


def _refuse_header(header: list[str], where: str, first: int) -> None:
    seen: set[str] = set()
    for number, field in enumerate(header, first):
        if not field:
            raise _nameless(where, number)
        if field in seen:
            raise RowError(where, Phrase("the header names {field!r} twice", field=field), hint=_EVERY_COLUMN)
        seen.add(field)


def _nameless(where: str, number: int) -> RowError:
    return RowError(where, Phrase("column {number} of the header has no name", number=number), hint=_EVERY_COLUMN)


def _broken(exc: csv.Error, where: str) -> RowError:
    reason = str(exc)
    if reason.startswith("field larger"):
        message = Phrase(
            "a value of more than {limit} characters, or a quote that is never closed", limit=csv.field_size_limit()
        )
        return RowError(where, message, hint="Close the quote, or use JSON Lines for longer values.")
    if reason.startswith("unexpected end"):
        return RowError(where, "a quote is opened in this row and never closed", hint="Close the quote.")
    if reason.startswith("new-line"):
        hint = "Convert the line ends: tr '\\r' '\\n' < OLD > NEW; or put the value in double quotes."
        return RowError(where, "a carriage return without a line feed, outside quotes", hint=hint)
    return RowError(
        where, "invalid CSV: {reason}", hint='Inside a quoted value, write a quote twice: "".', reason=reason
    )
