"""The pool: seeds and accepted rows, indexed for comparison with new candidates.

The rows stay in the journal; the pool keeps a duplicate index, a novelty index and ids by category.

Does not handle: durability (``journal``), or judging (``checks``).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

from selfinstruct.growth.planner import CategoryProgress
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.similarity.duplicates import DuplicateIndex, question_fields
from selfinstruct.similarity.row_index import RowIndex


class Pool:
    """The rows of a run by id: seeds are 1..S in file order, grown rows S+1.. in the order of acceptance.

    ``progress`` is the planner's; the pool only reads from it how many rows a category still misses.
    """

    def __init__(
        self, recipe: Recipe, thresholds: Mapping[str, float], progress: Mapping[str, CategoryProgress]
    ) -> None:
        self._progress = progress
        self._duplicates = DuplicateIndex(question_fields(recipe))
        self._index = RowIndex(recipe.novelty, min_threshold=min(thresholds.values(), default=0.7))
        self._not_indexed: list[Row] = []
        self.seed_count = 0
        #: The ids of seeds and of grown rows by category.
        self.seeds: dict[str, list[int]] = {name: [] for name in thresholds}
        self.grown: dict[str, array[int]] = {name: array("I") for name in thresholds}

    def add_seeds(self, rows: Sequence[Row], categories: Sequence[str]) -> None:
        """Add the seeds, before any grown row."""
        for row, category in zip(rows, categories, strict=True):
            self._duplicates.add(row)
            self.seed_count += 1
            self.seeds.setdefault(category, []).append(self.seed_count)
        self._index.add_all(rows)

    def add(self, row: Row, category: str) -> int:
        """Add an accepted row and return its id; ``nearest`` finds it after the next ``index_added``."""
        number = self._duplicates.add(row) + 1
        self._not_indexed.append(row)
        self.grown[category].append(number)
        return number

    def index_added(self) -> None:
        """Put the rows added so far into the novelty index."""
        for row in self._not_indexed:
            self._index.add(row)
        self._not_indexed.clear()

    def add_all(self, rows: Iterable[tuple[Row, str]]) -> None:
        """Add many accepted rows, much faster than one by one (for a resumed run)."""

        def recorded() -> Iterable[Row]:
            for row, category in rows:
                self.grown[category].append(self._duplicates.add(row) + 1)
                yield row

        self._index.add_all(recorded())

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """The id of the row with the same question, and whether the whole row is the same; None where there is none."""
        found = self._duplicates.find(row)
        return None if found is None else (found[0] + 1, found[1])

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """The nearest row whose ROUGE-L F1 is strictly above ``threshold``, with its score."""
        found = self._index.nearest(row, threshold)
        return None if found is None else (found[0] + 1, found[1])

    def room(self, category: str) -> int:
        """The number of rows that the category still misses."""
        state = self._progress[category]
        return max(state.quota - state.accepted, 0)
