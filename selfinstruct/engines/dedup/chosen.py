"""Some of the rows, as a mask over a range of them: what a step costs depends on that range, not on all rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from selfinstruct.engines.dedup.work import Arrays, save

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows from ``start`` on whose place in ``mask`` is set."""

    start: int
    mask: Mask

    @property
    def span(self) -> slice:
        """The range of rows, for arrays that have all of them."""
        return slice(self.start, self.start + len(self.mask))

    def __bool__(self) -> bool:
        return bool(self.mask.any())

    def count(self) -> int:
        """How many rows they are."""
        return int(np.count_nonzero(self.mask))

    def within(self, start: int, end: int) -> Mask:
        """Which of the rows of another range are among them."""
        found = np.zeros(end - start, np.bool_)
        low, high = max(start, self.start), min(end, self.start + len(self.mask))
        if low < high:
            found[low - start : high - start] = self.mask[low - self.start : high - self.start]
        return found

    def of(self, mask: Mask) -> Chosen:
        """Those of the range that are set in a mask over all rows, as it is now."""
        return Chosen(self.start, mask[self.span].copy())

    def halves(self) -> tuple[Chosen, Chosen]:
        """The first half of the rows, and the others."""
        middle = int(self.mask.nonzero()[0][self.count() // 2])
        return Chosen(self.start, self.mask[:middle]), Chosen(self.start + middle, self.mask[middle:])


class Asked(NamedTuple):
    """The rows that a step compares: queries with targets.

    ``bars`` has, for each row of the queries' range, the F1 that is too low to be of interest; without it, all have the
    threshold of the job.
    """

    queries: Chosen
    targets: Chosen
    bars: NDArray[np.float64] | None = None

    def save(self, path: Path) -> None:
        """Write them for the tasks of the step."""
        starts = np.array([self.queries.start, self.targets.start])
        bars = {} if self.bars is None else {"bars": self.bars}
        save(path, queries=self.queries.mask, targets=self.targets.mask, starts=starts, **bars)

    @classmethod
    def of(cls, path: Path) -> Self:
        """Those of a step; of the masks, only what is used is read."""
        found = Arrays(path)
        queries, targets = found["starts"].tolist()
        return cls(Chosen(queries, found["queries"]), Chosen(targets, found["targets"]), found.get("bars"))

    def bars_of(self, rows: NDArray[np.int64], threshold: float) -> NDArray[np.float64]:
        """The bars of some queries; ``threshold`` is that of the job."""
        return np.full(len(rows), threshold) if self.bars is None else self.bars[rows - self.queries.start]
