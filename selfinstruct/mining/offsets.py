"""Offsets: whole numbers that are the place of one leaf's text in another (``answer_start``).

Does not handle: offsets in bytes or tokens, or the end of a span.

>>> rows = [{"c": "in 1901", "t": "1901", "at": 3}, {"c": "since 1961", "t": "1961", "at": 6}]
>>> offset_paths(rows)
{('at',): (('t',), ('c',))}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfinstruct.mining.leaf_texts import any_position
from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import Path, leaves

_SHARE = 0.8
_LEAST_ROWS = 2
_MOST_ROWS = 200


def offset_paths(rows: Sequence[Row]) -> dict[Path, tuple[Path, Path]]:
    """Map the path of each offset (any position of a list) to the paths of the text and of its context."""
    found = [leaves(row) for row in rows[:: max(len(rows) // _MOST_ROWS, 1)]]
    numbers = {any_position(path) for each in found for path, value in each.items() if type(value) is int}
    texts = {any_position(path) for each in found for path, value in each.items() if isinstance(value, str)}
    offsets = {}
    for number in sorted(numbers, key=str):
        for text in sorted(texts, key=str):
            for context in sorted(texts - {text}, key=str):
                if _holds(found, number, text, context):
                    offsets[number] = text, context
    return offsets


def row_offsets(row: Row, paths: dict[Path, tuple[Path, Path]]) -> Iterator[tuple[Path, Path, Path]]:
    """The offsets of one row that are right: the path of each with those of its text and context."""
    found = leaves(row) if paths else {}
    for path, value in found.items():
        at = paths.get(any_position(path))
        if at is not None and type(value) is int:
            places = _like(path, at[0]), _like(path, at[1])
            if _is_at(found.get(places[1]), found.get(places[0]), value):
                yield path, *places


def _holds(rows: Sequence[dict[Path, JSON]], number: Path, text: Path, context: Path) -> bool:
    count = right = 0
    values = set()
    for found in rows:
        for path, value in found.items():
            if type(value) is int and any_position(path) == number:
                there, inside = found.get(_like(path, context)), found.get(_like(path, text))
                count += 1
                right += _is_at(there, inside, value)
                values.add(value)
        if count > _LEAST_ROWS and right == 0:
            return False
    return count >= _LEAST_ROWS and len(values) > 1 and right >= _SHARE * count


def _is_at(context: JSON, text: JSON, at: int) -> bool:
    if not isinstance(context, str) or not isinstance(text, str) or not text or at < 0:
        return False
    return context.startswith(text, at) and len(text) < len(context)


def _like(path: Path, other: Path) -> Path:
    """``other`` with the positions in lists of ``path``."""
    positions = [step for step in path if isinstance(step, int)]
    return tuple(positions.pop(0) if step == -1 and positions else 0 if step == -1 else step for step in other)
