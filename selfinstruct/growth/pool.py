"""The pool: the seeds and accepted rows of a run, indexed for comparison with new rows, with their counts.

Does not handle: the rows themselves, which are in the journal; judging (``checks``).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from selfinstruct.growth.planner import CategoryProgress
from selfinstruct.growth.second_opinion import SecondOpinion
from selfinstruct.recipe import Recipe
from selfinstruct.records import Rejection, Row
from selfinstruct.similarity.neighbour_index import NeighbourIndex

T = TypeVar("T")


class Pool:
    """The rows of a run by id: seeds are 1..S in file order, grown rows S+1.. in the order of acceptance.

    ``progress`` is the planner's; the pool reads from it how many rows a category still needs.
    """

    def __init__(
        self,
        recipe: Recipe,
        thresholds: Mapping[str, float],
        progress: Mapping[str, CategoryProgress],
        opinions: Sequence[SecondOpinion] = (),
        held_out: Sequence[Row] = (),
    ) -> None:
        self._progress = progress
        least = min(thresholds.values(), default=0.7)
        self._rows = NeighbourIndex(recipe, min_threshold=least)
        #: The rows that no row of the pool may be like; None if there are none.
        self._held_out = NeighbourIndex(recipe, min_threshold=least) if held_out else None
        if self._held_out is not None:
            self._held_out.add_all(held_out)
        #: The rows that a person wrote or accepted, and the ids of the rows that they stand for.
        self._by_person = NeighbourIndex(recipe, min_threshold=least)
        self._stand_for: list[int] = []
        #: The second opinions of embedded readers, which learn from the rows of the pool.
        self.opinions = tuple(opinions)
        self.seed_count = 0
        #: For each category the ids of its seeds, and of its grown rows.
        self.seeds: dict[str, list[int]] = {name: [] for name in thresholds}
        self.grown: dict[str, array[int]] = {name: array("I") for name in thresholds}

    def add_seeds(self, rows: Sequence[Row], categories: Sequence[str]) -> None:
        """Add the seeds, before any grown row."""
        for number, category in enumerate(categories, start=1):
            self.seeds.setdefault(category, []).append(number)
        self.seed_count = len(rows)
        self._rows.add_all(rows)
        for row in rows:
            self._teach(row)

    def share_seeds(self) -> None:
        """Make every seed one of each category: rows about other texts have the seeds as examples of their style."""
        everyone = list(range(1, self.seed_count + 1))
        self.seeds = dict.fromkeys(self.seeds, everyone)

    def add(self, row: Row, category: str) -> int:
        """Add an accepted row and return its id; ``nearest`` finds it after ``index_added``."""
        number = self._rows.add(row, defer=True)
        self.grown[category].append(number)
        self._teach(row)
        return number

    def index_added(self) -> None:
        """Compare new rows with those added so far."""
        self._rows.add_deferred()

    def add_all(self, rows: Iterable[tuple[Row, str]]) -> None:
        """Add many accepted rows, much faster than one by one (to resume a run)."""

        def numbered() -> Iterator[Row]:
            for number, (row, category) in enumerate(rows, start=len(self._rows) + 1):
                self.grown[category].append(number)
                self._teach(row)
                yield row

        self._rows.add_all(numbered())

    def add_by_person(self, row: Row, target: int) -> None:
        """Compare new rows with a row that a person wrote or accepted as well.

        ``target`` is the number of the grown row that it stands for, or minus the id of a rejection; the id of such a
        row is negative, too.
        """
        self._by_person.add(row)
        self._stand_for.append(self.seed_count + target if target > 0 else target)

    def show(self, number: int, category: str, *, shown: bool) -> None:
        """Have a grown row among the demonstrations of its category, or not."""
        ids = self.grown.get(category)
        if ids is None:
            return
        place = bisect_left(ids, number)
        there = place < len(ids) and ids[place] == number
        if shown and not there:
            ids.insert(place, number)
        elif there and not shown:
            del ids[place]

    def doubt(self, row: Row) -> Rejection | None:
        """The first rejection of a row by an embedded reader of the rows of the pool."""
        return next((doubt for each in self.opinions if (doubt := each.rejection(row)) is not None), None)

    def _teach(self, row: Row) -> None:
        for opinion in self.opinions:
            opinion.add(row)

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """See ``NeighbourIndex.twin``."""
        return self._rows.twin(row) or (self._person_row(self._by_person.twin(row)) if self._stand_for else None)

    def reused(self, row: Row) -> tuple[str, int] | None:
        """See ``NeighbourIndex.reused``."""
        if (found := self._rows.reused(row)) is not None or not self._stand_for:
            return found
        found = self._by_person.reused(row)
        return None if found is None else (found[0], self._stand_for[found[1] - 1])

    def reworded(self, row: Row) -> tuple[int, float] | None:
        """See ``NeighbourIndex.reworded``."""
        found = self._rows.reworded(row)
        return found or (self._person_row(self._by_person.reworded(row)) if self._stand_for else None)

    def look_ahead(self, rows: Sequence[tuple[Row, float]]) -> None:
        """Prepare ``nearest`` and ``near_held_out`` for these rows and thresholds; faster than one by one."""
        self._rows.look_ahead(rows)
        if self._held_out is not None:
            self._held_out.look_ahead(rows)

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """See ``NeighbourIndex.nearest``."""
        found = self._rows.nearest(row, threshold)
        if not self._stand_for:
            return found
        other = self._person_row(self._by_person.nearest(row, threshold))
        return max(found, other, key=lambda near: near[1]) if found and other else found or other

    def near_held_out(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """The number of a held-out row, from 1, with the same question or a ROUGE-L F1 above ``threshold``."""
        if self._held_out is None:
            return None
        twin = self._held_out.twin(row)
        return self._held_out.nearest(row, threshold) if twin is None else (twin[0], 1.0)

    def _person_row(self, found: tuple[int, T] | None) -> tuple[int, T] | None:
        """What was found among the rows by a person, with the id of the row that it stands for."""
        return None if found is None else (self._stand_for[found[0] - 1], found[1])

    def room(self, category: str) -> int:
        """How many rows the category still needs."""
        state = self._progress[category]
        return max(state.quota - state.accepted, 0)
