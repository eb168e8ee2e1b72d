"""A whole row file in memory."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase, joined
from selfinstruct.records import Row
from selfinstruct.rows.encoding import UTF_8, known_encoding
from selfinstruct.rows.optional_keys import odd_rows, optional_keys
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
    ``notes`` are lines for the user: how the file was read, and what looks like a mistake in it. ``encoding`` is the
    one that the file was read in, unless it is UTF-8.
    """

    path: str
    format: str
    rows: list[Row]
    lines: list[int]
    fields: tuple[str, ...]
    files: list[str] = dataclasses.field(default_factory=list)
    notes: tuple[str, ...] = ()
    encoding: str = UTF_8

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its files, in order."""
        return tuple(dict.fromkeys(self.files)) or (self.path,)

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


def read_rows(
    path: str | Path,
    *,
    uniform: bool = True,
    hint: str = CHECK_PATH,
    optional: Collection[str] = (),
    encoding: str = UTF_8,
) -> RowFile:
    """Read the rows at ``path``: a file, ``-`` for standard input, a folder of shards, or a glob.

    ``uniform`` and ``optional`` are as for ``collect_rows``.

    Raises:
        RowError: the path cannot be read (``hint`` is used where it does not exist), or ``parse_rows`` refuses its
            content.
    """
    with open_source(path, hint=hint, encoding=encoding) as stream:
        return _collected(stream, file_name(path), uniform=uniform, optional=optional, encoding=encoding)


def parse_rows(data: bytes, name: str, *, uniform: bool = True, encoding: str = UTF_8) -> RowFile:
    r"""Read rows from the content of a file, which messages call ``name``; see ``open_rows`` for the formats.

    With or without a byte order mark, with LF or CRLF; blank lines are skipped. Table values are strings. A
    JSON number keeps its value, though not its spelling: 1.50 is written again as 1.5.

    >>> parse_rows(b'id,text\n0042,"a, b"\n', "x.csv").rows
    [{'id': '0042', 'text': 'a, b'}]

    Raises:
        RowError: with file:line: the content is broken, empty, not in this encoding, or contains a value that would
            change; and, if ``uniform``, a row's fields differ from those of the others by mistake, see
            ``optional_keys``.
    """
    return _collected(open_rows(io.BytesIO(data), name, encoding=encoding), name, uniform=uniform, encoding=encoding)


def _collected(
    stream: RowStream, name: str, *, uniform: bool, encoding: str, optional: Collection[str] = ()
) -> RowFile:
    file = collect_rows(stream.records, name, stream.format, uniform=uniform, optional=optional)
    return replace(file, notes=tuple(stream.notes), encoding=known_encoding(encoding))


def collect_rows(
    source: Iterable[Record], name: str, form: str, *, uniform: bool, optional: Collection[str] = ()
) -> RowFile:
    """Rows and their lines as a RowFile. Raises RowError if there are none, for a row without fields, and as above.

    Any row may lack the fields in ``optional``.
    """
    rows: list[Row] = []
    lines: list[int] = []
    files: list[str] = []
    fields: dict[str, None] = {}
    differ = False
    for line, _, row, file in source:
        if not isinstance(row, dict):
            continue
        if row.keys() != fields.keys():
            differ = differ or bool(rows)
            fields.update(dict.fromkeys(row))
        if not row and not (rows and uniform):
            raise no_fields(file or name, line)
        rows.append(row)
        lines.append(line)
        if file:
            files.append(file)
    if not rows:
        raise RowError(name, "no rows found", hint=READABLE)
    whole = RowFile(name, form, rows, lines, tuple(fields), files)
    if uniform and differ:
        odd = {at: (missing, extra) for at, missing, extra in odd_rows(rows, optional_keys(rows, optional))}
        if odd:
            first = next((at for at in range(len(rows)) if at not in odd), 0)
            at = next(at for at in odd if at != first)
            raise _differing(whole, at, first, *odd[at])
    return whole


def no_fields(name: str, line: int) -> RowError:
    """The error for a row without fields."""
    return RowError(f"{name}:{line}", "the row has no fields", hint="Add its fields, or remove it.")


def _line(number: int) -> Phrase:
    return Phrase("line {number}", number=number)


def _differing(file: RowFile, at: int, first: int, missing: list[str], extra: list[str]) -> RowError:
    import difflib

    fields, where = list(file.rows[first]), file.place(at)
    other = file.place(first) if file.file(at) != file.file(first) else _line(file.lines[first])
    parts = [Phrase("no {names}", names=joined(map(repr, missing)))] if missing else []
    parts += [Phrase("unknown {names}", names=joined(map(repr, extra)))] if extra else []
    hint = "Every row must have the same fields, apart from those that several rows lack."
    known = {field.casefold(): field for field in fields}
    for field in extra:
        if near := difflib.get_close_matches(field.casefold(), known, 1):
            hint = Phrase(
                "Did you mean {known!r} instead of {field!r}? {hint}",
                known=known[near[0]],
                field=field,
                hint=Phrase(hint),
            )
            break
    return RowError(
        where, Phrase("fields differ from {other}: {parts}", other=other, parts=joined(parts, "; ")), hint=hint
    )
