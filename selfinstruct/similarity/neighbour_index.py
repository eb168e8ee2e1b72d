"""The rows that a new row is compared with: its exact duplicate, and its nearest neighbour by ROUGE-L.

Rows have ids from 1, in the order in which they are added.

Does not handle: the rows themselves, which are not kept; judging (``checks``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.similarity.duplicates import DuplicateIndex, UniqueValues, question_fields, unique_field_names
from selfinstruct.similarity.rewordings import Rewordings
from selfinstruct.similarity.row_index import RowIndex


class NeighbourIndex:
    """An index of rows; ``min_threshold`` is the lowest threshold that ``nearest`` will be called with."""

    def __init__(self, recipe: Recipe, min_threshold: float) -> None:
        unique = unique_field_names(recipe)
        self._duplicates = DuplicateIndex(question_fields(recipe), ignored=unique)
        self._unique = UniqueValues(unique)
        self._index = RowIndex(recipe.novelty, min_threshold=min_threshold)
        self._rewordings = Rewordings(recipe)
        self._deferred: list[Row] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, row: Row, *, defer: bool = False) -> int:
        """Add a row and return its id; with ``defer``, ``nearest`` ignores it until ``add_deferred``."""
        self._unique.add(row, self._size)
        self._rewordings.add(row, self._size)
        self._size = self._duplicates.add(row) + 1
        if defer:
            self._deferred.append(row)
        else:
            self._index.add(row)
        return self._size

    def add_deferred(self) -> None:
        """Make ``nearest`` find the rows that were deferred."""
        for row in self._deferred:
            self._index.add(row)
        self._deferred.clear()

    def add_all(self, rows: Iterable[Row]) -> None:
        """Add many rows, much faster than one by one."""

        def counted() -> Iterator[Row]:
            for row in rows:
                self._unique.add(row, self._size)
                self._rewordings.add(row, self._size)
                self._size = self._duplicates.add(row) + 1
                yield row

        self._index.add_all(counted())

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """The id of the row with the same question, and whether the whole row is the same."""
        found = self._duplicates.find(row)
        return None if found is None else (found[0] + 1, found[1])

    def reused(self, row: Row) -> tuple[str, int] | None:
        """The first unique field whose value another row has, and the id of that row."""
        found = self._unique.find(row)
        return None if found is None else (found[0], found[1] + 1)

    def reworded(self, row: Row) -> tuple[int, float] | None:
        """The id of a row about the same passage that asks for the same in nearly the same words, and their F1."""
        found = self._rewordings.find(row)
        return None if found is None else (found[0] + 1, found[1])

    def look_ahead(self, rows: Iterable[tuple[Row, float]]) -> None:
        """Prepare the answers of ``nearest`` to these rows and thresholds, much faster together than one by one."""
        self._index.look_ahead(rows)

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """The id of the nearest row whose ROUGE-L F1 is strictly above ``threshold``, with its score."""
        found = self._index.nearest(row, threshold)
        return None if found is None else (found[0] + 1, found[1])

    def all_near(self, row: Row, threshold: float, most: int) -> list[int]:
        """The ids of the nearest rows whose ROUGE-L F1 is strictly above ``threshold``, at most ``most`` of them."""
        return [number + 1 for number, score in self._index.k_nearest(row, most) if score > threshold]
