"""The nearest earlier row of each row, exactly: what ``RowIndex.nearest`` finds, for all rows at once.

A row with the text of an earlier row is nearest to the first such row. The others are compared with panels of earlier
rows, in their order. What a row has found raises its bar: of later panels only nearer rows count. So of 10^5 lines of
one template, which are all near to each other, each meets a few, not all. A panel that finds too many pairs is halved.

Does not handle: finding the pairs (``dedup.pairing``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from selfinstruct.engines.dedup.chosen import Chosen, Mask
from selfinstruct.engines.dedup.settling import Near
from selfinstruct.similarity.postings import Integers

_FIRST, _GROWTH = 1 << 14, 4
_FEW = 16  # rows that all others are compared with, however many pairs they are
_ROW = 0xFFFFFFFF


class Nearer(Protocol):
    """Finds the nearest of some targets."""

    def __call__(self, queries: Chosen, targets: Chosen, bars: NDArray[np.float64], *, limited: bool) -> Near | None:
        """The nearest earlier target of each query above its bar; None if ``limited`` and too many pairs."""
        ...


@dataclass(slots=True)
class Nearest:
    """The nearest row of each row, or -1, and their F1."""

    rows: Integers
    scores: NDArray[np.float64]


def find_nearest(
    asked: Mask,
    worded: Mask,
    bars: NDArray[np.float64],
    copies: tuple[Integers, Integers],
    nearer: Nearer,
    watch: Callable[[int], object] = lambda done: None,
) -> Nearest:
    """Find the nearest earlier row of each row that is ``asked``, if its F1 is above the row's bar; of ties the first.

    ``worded`` rows have tokens. ``copies`` are rows with the text of an earlier row, and the first such row of each.
    ``watch`` is called with the number of rows that all others were compared with.
    """
    found = Nearest(np.full(len(asked), -1), np.zeros(len(asked)))
    rows, firsts = copies
    counting = asked[rows] & worded[rows] & (bars[rows] < 1)
    found.rows[rows[counting]], found.scores[rows[counting]] = firsts[counting], 1.0
    alone = worded.copy()
    alone[rows] = False
    search = _Search(asked & alone, bars.copy(), found, nearer)
    done, size = 0, _FIRST
    while done < len(asked):
        search.look_among(Chosen(done, alone[done : done + size]))
        done += size
        size = (_GROWTH - 1) * done
        watch(min(done, len(asked)))
    return found


@dataclass(slots=True)
class _Search:
    asked: Mask
    bars: NDArray[np.float64]
    found: Nearest
    nearer: Nearer

    def look_among(self, targets: Chosen) -> None:
        """Compare all rows with those of these targets that are earlier."""
        start = targets.start
        queries = Chosen(start, self.asked[start:] & (self.bars[start:] < 1))
        if not queries or not targets:
            return
        near = self.nearer(queries, targets, self.bars, limited=targets.count() > _FEW)
        if near is None:
            for half in targets.halves():
                self.look_among(half)
            return
        rows = near.pairs >> 32
        self.found.rows[rows], self.found.scores[rows] = near.pairs & _ROW, near.scores
        self.bars[rows] = near.scores
