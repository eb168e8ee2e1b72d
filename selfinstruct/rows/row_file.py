"""A whole row file in memory."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from selfinstruct.errors import RowError
from selfinstruct.records import Row
from selfinstruct.rows.reader import READABLE, RowStream, open_rows
from selfinstruct.rows.record import Record
from selfinstruct.rows.sources import CHECK_PATH, file_name, open_source


@dataclass(frozen=True)
class RowFile:
    """The rows of one file, or of several shards read as one, in their order.

    ``path`` is the name used in messages. ``format`` is ``jsonl``, ``json``, ``csv``, ``tsv``, ``parquet``, ``arrow``,
    or ``python`` for rows given as objects. ``lines[i]`` is the line, counted from 1, that ``rows[i]`` starts on (its
    number, where the format has no lines), and ``files[i]`` the name of its shard; ``files`` is empty for one file.
    ``fields`` are those of the first row, in order, followed by the other rows' fields where rows may differ.
    ``notes`` are lines for the user: how the file was read, and what looks like a mistake in it.
    """

    path: str
    format: str
    rows: list[Row]
    lines: list[int]
    fields: tuple[str, ...]
    files: list[str] = dataclasses.field(default_factory=list)
    notes: tuple[str, ...] = ()

    def file(self, at: int) -> str:
        """Return the name of the file that contains ``rows[at]``."""
        return self.files[at] if self.files else self.path

    def place(self, at: int) -> str:
        """Return ``file:line`` of ``rows[at]``."""
        return f"{self.file(at)}:{self.lines[at]}"

    def selected(self, chosen: Iterable[int]) -> RowFile:
        """Return the same file with some of its rows."""
        kept = list(chosen)
        rows, lines = [self.rows[at] for at in kept], [self.lines[at] for at in kept]
        return replace(self, rows=rows, lines=lines, files=[self.files[at] for at in kept] if self.files else [])


def read_rows(path: str | Path, *, uniform: bool = True, hint: str = CHECK_PATH) -> RowFile:
    """Read the rows at ``path``: a file, ``-`` for standard input, a folder of shards, or a glob.

    Raises:
        RowError: the path cannot be read (``hint`` is used where it does not exist), or ``parse_rows`` refuses its
            content.
    """
    with open_source(path, hint=hint) as stream:
        return _collected(stream, file_name(path), uniform=uniform)


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
    return _collected(open_rows(io.BytesIO(data), name), name, uniform=uniform)


def _collected(stream: RowStream, name: str, *, uniform: bool) -> RowFile:
    file = collect_rows(stream.records, name, stream.format, uniform=uniform)
    return replace(file, notes=tuple(stream.notes))


def collect_rows(source: Iterable[Record], name: str, form: str, *, uniform: bool) -> RowFile:
    """Rows and their lines as a RowFile. Raises RowError if there are none, for a row without fields, and as above."""
    rows: list[Row] = []
    lines: list[int] = []
    files: list[str] = []
    fields: dict[str, None] = {}
    for line, _, row, file in source:
        if not isinstance(row, dict):
            continue
        if row.keys() != fields.keys():
            if rows and uniform:
                first = f"{files[0]}:{lines[0]}" if file and file != files[0] else f"line {lines[0]}"
                raise _differing(f"{file or name}:{line}", row, first, fields)
            fields.update(dict.fromkeys(row))
        if not row:
            raise RowError(f"{file or name}:{line}", "the row has no fields", hint="Add its fields, or remove it.")
        rows.append(row)
        lines.append(line)
        if file:
            files.append(file)
    if not rows:
        raise RowError(name, "no rows found", hint=READABLE)
    return RowFile(name, form, rows, lines, tuple(fields), files)


def _differing(where: str, row: Row, first: str, fields: dict[str, None]) -> RowError:
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
    return RowError(where, f"fields differ from {first}: {'; '.join(parts)}", hint=hint)
