"""A whole row file in memory."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from selfinstruct.errors import RowError
from selfinstruct.records import Row
from selfinstruct.rows.reader import READABLE, open_rows


@dataclass(frozen=True)
class RowFile:
    """The rows of one file, in file order.

    ``path`` is the name used in messages. ``format`` is ``jsonl``, ``json``, ``csv``, ``tsv``, or ``python`` for rows
    given as objects. ``lines[i]`` is the line, counted from 1, that ``rows[i]`` starts on. ``fields`` are those of
    the first row, in order, followed by the other rows' fields where rows may differ.
    """

    path: str
    format: str
    rows: list[Row]
    lines: list[int]
    fields: tuple[str, ...]


def read_rows(path: str | Path, *, uniform: bool = True) -> RowFile:
    """Read the row file at ``path``; ``-`` reads standard input. See ``parse_rows``.

    Raises:
        RowError: the file cannot be opened, or ``parse_rows`` refuses its content.
    """
    with open_row_file(path) as file:
        return parse_rows(file.read(), file_name(path), uniform=uniform)


def parse_rows(data: bytes, name: str, *, uniform: bool = True) -> RowFile:
    r"""Read rows from the content of a file, which messages call ``name``; see ``open_rows`` for the formats.

    UTF-8, with or without a byte order mark, with LF or CRLF; blank lines are skipped. Table values are strings. A
    JSON number keeps its value, though not its spelling: 1.50 is written again as 1.5.

    >>> parse_rows(b'id,text\n0042,"a, b"\n', "x.csv").rows
    [{'id': '0042', 'text': 'a, b'}]

    Raises:
        RowError: with file:line: the content is broken, empty, not UTF-8 text, or contains a value that would change;
            and, if ``uniform``, a row's fields differ from those of the first row.
    """
    stream = open_rows(io.BytesIO(data), name)
    rows = ((record.line, record.value) for record in stream.records if isinstance(record.value, dict))
    return collect_rows(rows, name, stream.format, uniform=uniform)


def open_row_file(
    path: str | Path, *, hint: str = "Check the path; it is relative to the working directory."
) -> contextlib.AbstractContextManager[BinaryIO]:
    """The file at ``path``, open for reading; ``-`` is standard input, which is left open.

    Raises:
        RowError: the file cannot be opened; ``hint`` is used where it does not exist.
    """
    if str(path) == "-":
        return contextlib.nullcontext(sys.stdin.buffer)
    try:
        return Path(path).open("rb")
    except FileNotFoundError as exc:
        raise RowError(str(path), "no such file", hint=hint) from exc
    except IsADirectoryError as exc:
        raise RowError(str(path), "a directory, not a file", hint="Name a file in it.") from exc
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise RowError(str(path), f"cannot read: {reason}", hint="Check the path and its permissions.") from exc
    except ValueError as exc:  # a NUL character
        raise RowError(repr(str(path)), "invalid file name", hint=hint) from exc


def file_name(path: str | Path) -> str:
    """The name of a row file in messages."""
    return "<stdin>" if str(path) == "-" else str(path)


def collect_rows(source: Iterable[tuple[int, Row]], name: str, form: str, *, uniform: bool) -> RowFile:
    """Rows and their lines as a RowFile. Raises RowError if there are none, for a row without fields, and as above."""
    rows: list[Row] = []
    lines: list[int] = []
    fields: dict[str, None] = {}
    for line, row in source:
        if row.keys() != fields.keys():
            if rows and uniform:
                raise _differing(f"{name}:{line}", row, lines[0], fields)
            fields.update(dict.fromkeys(row))
        if not row:
            raise RowError(f"{name}:{line}", "the row has no fields", hint="Add its fields, or remove it.")
        rows.append(row)
        lines.append(line)
    if not rows:
        raise RowError(name, "no rows found", hint=READABLE)
    return RowFile(name, form, rows, lines, tuple(fields))


def _differing(where: str, row: Row, first: int, fields: dict[str, None]) -> RowError:
    import difflib

    missing = [field for field in fields if field not in row]
    extra = [field for field in row if field not in fields]
    parts = [f"no {', '.join(map(repr, missing))}"] if missing else []
    parts += [f"unknown {', '.join(map(repr, extra))}"] if extra else []
    hint = "Every row must have the same fields."
    known = {field.casefold(): field for field in fields}
    for field in extra:
        if near := difflib.get_close_matches(field.casefold(), known, 1):
            hint = f"Did you mean {known[near[0]]!r} instead of {field!r}? {hint}"
            break
    return RowError(where, f"fields differ from line {first}: {'; '.join(parts)}", hint=hint)
