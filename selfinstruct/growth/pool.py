"""The pool: seeds and accepted rows, as what a newcomer is compared with.

Rows themselves stay in the journal; here are only their twins, their novelty index and their counts.

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

    ``progress`` is the planner's; the pool asks it only how many rows a category still misses.
    """

    def __init__(
        self, recipe: Recipe, thresholds: Mapping[str, float], progress: Mapping[str, CategoryProgress]
    ) -> None:
        self._progress = progress
        self._twins = DuplicateIndex(question_fields(recipe))
        self._index = RowIndex(recipe.novelty, min_threshold=min(thresholds.values(), default=0.7))
        self._added: list[Row] = []
        self.seed_count = 0
        #: For each category the ids of its seeds, and of its grown rows.
        self.seeds: dict[str, list[int]] = {name: [] for name in thresholds}
        self.grown: dict[str, array[int]] = {name: array("I") for name in thresholds}

    def add_seeds(self, rows: Sequence[Row], categories: Sequence[str]) -> None:
        """Put the seeds in, before any grown row."""
        for row, category in zip(rows, categories, strict=True):
            self._twins.add(row)
            self.seed_count += 1
            self.seeds.setdefault(category, []).append(self.seed_count)
        self._index.add_all(rows)

    def add(self, row: Row, category: str) -> int:
        """Put an accepted row in; its id. Others are compared with it from ``compare_added`` on."""
        number = self._twins.add(row) + 1
        self._added.append(row)
        self.grown[category].append(number)
        return number

    def index_added(self) -> None:
        """Compare newcomers with the rows that were added until now."""
        for row in self._added:
            self._index.add(row)
        self._added.clear()

    def add_all(self, rows: Iterable[tuple[Row, str]]) -> None:
        """Put many accepted rows in, much faster than one by one (for a run that goes on)."""

        def counted() -> Iterable[Row]:
            for row, category in rows:
                self.grown[category].append(self._twins.add(row) + 1)
                yield row

        self._index.add_all(counted())

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """The row that asks the same, and whether it is the same as a whole."""
        found = self._twins.find(row)
        return None if found is None else (found[0] + 1, found[1])

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """The nearest row whose ROUGE-L F1 is strictly above ``threshold``, with its score."""
        found = self._index.nearest(row, threshold)
        return None if found is None else (found[0] + 1, found[1])

    def room(self, category: str) -> int:
        """How many rows the category still misses."""
        state = self._progress[category]
        return max(state.quota - state.accepted, 0)
