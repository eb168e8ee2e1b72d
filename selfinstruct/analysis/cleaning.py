"""Drop the near-duplicates of a file: keep the first of each group byte for byte, and record why each other is dropped.

Does not handle: similarity itself (``similarity.dedup``), or splitting files into rows (``rows``).
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from typing import Any, NotRequired, TypedDict

from selfinstruct.errors import RowError
from selfinstruct.messages import joined
from selfinstruct.mining.telling_fields import telling_fields
from selfinstruct.mining.unique_fields import unique_fields
from selfinstruct.recipe.errors import nearest
from selfinstruct.records import JSON
from selfinstruct.rows import Record, RowStream, to_json
from selfinstruct.rows.leaves import leaves
from selfinstruct.similarity import compared_text, deduplicate_texts

#: Rows between two calls of ``watch``.
_EVERY = 500
_AT_ONCE = 32  # rows compared together: with 16 or 64 each costs a tenth more
#: Rows that show which fields are unique.
_SAMPLE = 200
# Bytes that are not UTF-8, as Python decodes them (PEP 383).
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Cleaning:
    """The counts of a file's rows: how many ``rows`` it has, how many were ``kept``, and how many ``dropped``.

    ``format`` is that of the file. ``fields`` are those that were compared, none for plain lines. Kept rows have a
    ROUGE-L F1 of at most ``max_rouge_l`` with each other. ``not_utf8`` counts plain lines that are not UTF-8: kept byte
    for byte, compared by their readable part. ``notes`` say how the file was read. ``unique`` are the fields that were
    not compared as they are unique by construction (ids).
    """

    rows: int
    kept: int
    dropped: int
    format: str
    fields: tuple[str, ...]
    max_rouge_l: float
    not_utf8: int = 0
    notes: Sequence[str] = ()
    unique: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The object that ``dedup --json`` prints."""
        return asdict(self)


class DroppedRow(TypedDict):
    """One line of ``dedup --dropped``: a dropped row, and the kept row that it is too similar to.

    ``line`` is the line of the row, ``nearest`` that of the nearest kept row, ``score`` their ROUGE-L F1, in [0, 1].
    ``row`` is the row itself; a text, if the file has plain lines. Of several files read as one, ``file`` is that of
    the row, and ``nearest_file`` that of the kept row.
    """

    file: NotRequired[str]
    nearest_file: NotRequired[str]
    line: int
    nearest: int
    score: float | None
    row: Any


def deduplicate_file(
    stream: RowStream,
    name: str,
    *,
    fields: Sequence[str] = (),
    max_rouge_l: float,
    kept: Callable[[bytes], object],
    dropped: Callable[[bytes], object],
    watch: Callable[[int, int], None],
) -> Cleaning:
    """Read a stream opened by line; call ``kept`` with the bytes of kept rows, ``dropped`` with JSON for the others.

    ``fields`` are compared together; by default every field that has text in the first row, apart from those that are
    unique by construction (ids): a row is not another one because its id is. ``watch`` is called
    every 500 rows with the number of rows and of kept rows. The JSON of a dropped row has its ``line``, the line of
    the ``nearest`` kept row, their ``score`` (ROUGE-L F1), and the ``row``; and, of several files read as one, the
    ``file`` and the ``nearest_file``.

    Raises RowError if the file cannot be read or lacks a field.
    """
    lines = array("Q")
    shards = _Shards()
    pending: deque[Record] = deque()
    first, records = _peek(stream.records)
    compared, unique = compared_fields(stream, first, fields, name)
    not_utf8 = 0

    def texts() -> Iterator[str]:
        nonlocal not_utf8
        for record in records:
            lines.append(record.line)
            shards.add(record.file)
            pending.append(record)
            not_utf8 += is_not_utf8(record)
            yield text_of(record, compared)

    count = 0
    kept(stream.header)
    for verdict in deduplicate_texts(texts(), threshold=max_rouge_l, at_once=_AT_ONCE):
        record = pending.popleft()
        if verdict.nearest is None:
            count += 1
            kept(record.raw)
        else:
            files = shards.both(verdict.number, verdict.nearest)
            about = {**files, "line": record.line, "nearest": lines[verdict.nearest], "score": verdict.score}
            dropped(dropped_row(about, row_json(stream.format, record)))
        if (verdict.number + 1) % _EVERY == 0:
            watch(verdict.number + 1, count)
    count_dropped, notes = len(lines) - count, tuple(stream.notes)
    return Cleaning(len(lines), count, count_dropped, stream.format, compared, max_rouge_l, not_utf8, notes, unique)


class _Shards:
    """The names of the files of rows, where several are read as one."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._starts: list[int] = []
        self._count = 0

    def add(self, name: str) -> None:
        """Add the file of the next row."""
        if name and (not self._names or self._names[-1] != name):
            self._names.append(name)
            self._starts.append(self._count)
        self._count += 1

    def both(self, row: int, nearest: int) -> dict[str, str]:
        """The file of a row and that of its nearest kept row; empty where there is one file."""
        if not self._names:
            return {}
        own, other = (self._names[bisect_right(self._starts, at) - 1] for at in (row, nearest))
        return {"file": own, "nearest_file": other}


def text_of(record: Record, compared: Sequence[str]) -> str:
    """What of a row is compared."""
    return record.value if isinstance(record.value, str) else compared_text(record.value, compared)


def is_not_utf8(record: Record) -> bool:
    """Whether a row is a plain line with bytes that are not UTF-8."""
    return isinstance(record.value, str) and _NOT_UTF8.search(record.value) is not None


def row_json(form: str, record: Record) -> bytes:
    """A row as JSON; the bytes of a row that is JSON are copied, so that no value changes."""
    return record.raw.strip() if form == "jsonl" else _json(record.value)


def dropped_row(about: Mapping[str, Any], row: bytes) -> bytes:
    """A line of JSON about a dropped row, which ``row`` is."""
    return _json(about)[:-1] + b', "row": ' + row + b"}\n"


def _json(value: Any) -> bytes:
    return to_json(value).encode()


def read_first(records: Iterator[Record]) -> list[Record]:
    """The first records, which show the fields to compare."""
    return list(islice(records, _SAMPLE))


def _peek(records: Iterator[Record]) -> tuple[list[Record], Iterator[Record]]:
    """The first records, and all of them."""
    first = read_first(records)
    return first, chain(first, records)


def compared_fields(
    stream: RowStream, first: Sequence[Record], fields: Sequence[str], name: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields to compare, and those left out because they are unique by construction or no texts."""
    for field in fields:
        if field not in stream.fields:
            if not stream.fields:
                raise RowError(name, "plain lines have no fields", hint="Omit `fields`.")
            near = nearest(field, stream.fields)
            raise RowError(
                name,
                "no field {field}",
                hint="Did you mean {near}? The fields are {fields}." if near else "The fields are {fields}.",
                field=field,
                near=near,
                fields=joined(stream.fields),
            )
    rows = [record.value for record in first if isinstance(record.value, dict)]
    if fields or not rows:
        return tuple(fields), ()
    with_text = [key for key, value in rows[0].items() if _has_text(value)]
    unique = unique_fields(rows) if all(row.keys() == rows[0].keys() for row in rows) else ()
    compared = telling_fields(rows, [key for key in with_text or stream.fields if key not in unique])
    return tuple(compared or with_text or stream.fields), tuple(
        key for key in with_text if key not in compared and compared
    )


def _has_text(value: JSON) -> bool:
    """Whether a value is text, or contains some."""
    return any(isinstance(leaf, str) for leaf in leaves({"": value}).values())
