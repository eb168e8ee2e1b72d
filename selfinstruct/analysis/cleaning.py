"""Near-duplicates of a file: the first of each group is kept byte for byte, the others are dropped and told why.

Does not handle: likeness itself (``dedup``), or taking files apart (``stream``).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from selfinstruct.errors import RowError
from selfinstruct.recipe.errors import nearest
from selfinstruct.rows import to_json
from selfinstruct.rows.stream import Record, Stream, open_stream
from selfinstruct.similarity.dedup import deduplicate_texts
from selfinstruct.similarity.row_index import compared_text

#: How often ``watch`` is told, in rows.
_EVERY = 500
# What Python makes of bytes that are not UTF-8 (PEP 383).
_UNREAD = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What became of a file's rows; ``fields`` is what was compared, none where the lines are plain.

    ``not_utf8`` are plain lines that are not UTF-8: kept byte for byte, and compared only in what can be read of them.
    """

    rows: int
    kept: int
    dropped: int
    format: str
    fields: tuple[str, ...]
    max_rouge_l: float
    not_utf8: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The object that ``dedup --json`` prints."""
        return asdict(self)


def deduplicate_file(
    source: BinaryIO,
    name: str,
    *,
    fields: Sequence[str] = (),
    max_rouge_l: float,
    kept: Callable[[bytes], object],
    dropped: Callable[[bytes], object],
    watch: Callable[[int, int], None],
) -> Cleaning:
    """Go once through an open file, giving ``kept`` the bytes to keep and ``dropped`` a line of JSON for each other.

    ``fields`` are compared together; by default every field that is text in the first row. ``watch`` is told now
    and then how many rows there were and how many of them were kept. What is dropped is written as its ``line``,
    the line of the ``nearest`` kept row, their ``score`` (ROUGE-L F1), and the ``row``.

    Raises RowError where the file cannot be read or has no such field.
    """
    stream = open_stream(source, name)
    lines = array("Q")
    waiting: list[Record] = []
    compared: tuple[str, ...] = ()
    not_utf8 = 0

    def texts() -> Iterator[str]:
        nonlocal compared, not_utf8
        for record in stream.records:
            compared = compared or _compared(stream, record, fields, name)
            lines.append(record.line)
            waiting.append(record)
            if isinstance(record.value, str):
                not_utf8 += _UNREAD.search(record.value) is not None
                yield record.value
            else:
                yield compared_text(record.value, compared)

    count = 0
    kept(stream.header)
    for verdict in deduplicate_texts(texts(), threshold=max_rouge_l):
        record = waiting.pop()
        if verdict.nearest is None:
            count += 1
            kept(record.raw)
        else:
            dropped(_told(stream.format, record, lines[verdict.nearest], verdict.score))
        if len(lines) % _EVERY == 0:
            watch(len(lines), count)
    return Cleaning(len(lines), count, len(lines) - count, stream.format, compared, max_rouge_l, not_utf8)


def _told(form: str, record: Record, nearest_line: int, score: float | None) -> bytes:
    """A line of JSON about a dropped row; one that was JSON itself goes in as it stands, no value being changed."""
    about: dict[str, Any] = {"line": record.line, "nearest": nearest_line, "score": score}
    if form == "jsonl":
        return to_json(about).encode()[:-1] + b', "row": ' + record.raw.strip() + b"}\n"
    return to_json({**about, "row": record.value}).encode() + b"\n"


def _compared(stream: Stream, first: Record, fields: Sequence[str], name: str) -> tuple[str, ...]:
    for field in fields:
        if field not in stream.fields:
            if not stream.fields:
                raise RowError(name, "plain lines have no fields", hint="Omit `fields`.")
            near = nearest(field, stream.fields)
            asked = f"Did you mean {near}? " if near else ""
            raise RowError(name, f"no field {field}", hint=f"{asked}The fields are {', '.join(stream.fields)}.")
    if fields or not isinstance(first.value, dict):
        return tuple(fields)
    return tuple(key for key, value in first.value.items() if isinstance(value, str)) or stream.fields
