"""Evidence of which equal values of a row are one value, and which agree by chance.

Two places of one template's texts are one value if they agree in several rows and their values vary, and two values if
they differ in some row. A leaf that is always found in another one takes its value from there.

Does not handle: equal values in several forms (see ``row_template``), or relations other than equality.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from selfinstruct.mining.entities import Entity
from selfinstruct.mining.leaf_texts import any_position
from selfinstruct.rows.leaves import Path
from selfinstruct.text import find_span

#: The entities of a row by the path of their leaf, with the text of each leaf.
Found: TypeAlias = Mapping[Path, Sequence[Entity]]

_MOST_ROWS = 200
_LEAST_ROWS = 2


class Columns(NamedTuple):
    """The values at each position of a template's texts, over its rows: a number for each distinct column.

    ``varies`` tells for each position whether its values differ; ``rows`` are the numbers of the rows.
    """

    codes: tuple[int, ...]
    varies: tuple[bool, ...]
    rows: tuple[int, ...]
    values: tuple[tuple[str, ...], ...]


class Evidence:
    """The evidence in a set of rows: the entities of each, and the text of its leaves."""

    def __init__(
        self, texts: Sequence[Mapping[Path, str]], found: Sequence[Found], masked: Sequence[Mapping[Path, str]]
    ) -> None:
        self._texts = texts
        self._columns = _columns(found, masked)
        self._tied: dict[tuple[Path, Path], bool] = {}
        self._same: dict[tuple[Path, str, int, Path, str, int], bool | None] = {}

    def columns(self, path: Path, masked: str) -> Columns | None:
        """The columns of a template's texts in leaves at this path; None if no row has such a text."""
        return self._columns.get((any_position(path), masked))

    def tied(self, path: Path, other: Path) -> bool:
        """Whether the whole text at ``path`` occurs in that at ``other`` in all rows that have both.

        At least two rows with different values are needed.
        """
        key = any_position(path), any_position(other)
        if key not in self._tied:
            self._tied[key] = self._is_tied(*key)
        return self._tied[key]

    def agree(self, path: Path, masked: str, at: int, other: Path, other_masked: str, other_at: int) -> bool | None:
        """Whether two places of two leaves agree in all rows of these two templates.

        None where fewer than two rows, or equal values in all of them, leave it open.
        """
        key = any_position(path), masked, at, any_position(other), other_masked, other_at
        if key not in self._same:
            self._same[key] = self._agree(*key)
        return self._same[key]

    def _is_tied(self, path: Path, other: Path) -> bool:
        step = max(len(self._texts) // _MOST_ROWS, 1)
        values = set()
        count = 0
        for texts in self._texts[::step]:
            own = [text for each, text in texts.items() if any_position(each) == path and text.strip()]
            theirs = [text for each, text in texts.items() if any_position(each) == other]
            if not own or not theirs or path == other:
                continue
            if not all(any(find_span(text, their) is not None for their in theirs) for text in own):
                return False
            count += 1
            values.update(own)
        return count >= _LEAST_ROWS and len(values) >= _LEAST_ROWS

    def _agree(self, path: Path, masked: str, at: int, other: Path, other_masked: str, other_at: int) -> bool | None:
        ours, theirs = self._columns.get((path, masked)), self._columns.get((other, other_masked))
        if ours is None or theirs is None or -1 in path or -1 in other:
            return None
        there = dict(zip(theirs.rows, theirs.values[other_at], strict=True))
        pairs = {(value, there[row]) for row, value in zip(ours.rows, ours.values[at], strict=True) if row in there}
        if any(one != two for one, two in pairs):
            return False
        return True if len(pairs) >= _LEAST_ROWS else None


def unpadded(text: str) -> str:
    """Return a number without leading zeros."""
    return text.lstrip("0") or "0"


def _columns(found: Sequence[Found], masked: Sequence[Mapping[Path, str]]) -> dict[tuple[Path, str], Columns]:
    fillings: dict[tuple[Path, str], list[tuple[int, tuple[str, ...]]]] = defaultdict(list)
    for number, (leaves, texts) in enumerate(zip(found, masked, strict=True)):
        for path, entities in leaves.items():
            values = tuple(unpadded(entity.text) for entity in entities)
            fillings[any_position(path), texts[path]].append((number, values))
    columns = {}
    for key, filled in fillings.items():
        by_position = tuple(zip(*(each for _, each in filled), strict=True))
        codes: dict[tuple[str, ...], int] = {}
        columns[key] = Columns(
            tuple(codes.setdefault(column, len(codes)) for column in by_position),
            tuple(len(set(column)) > 1 for column in by_position),
            tuple(number for number, _ in filled),
            by_position,
        )
    return columns
