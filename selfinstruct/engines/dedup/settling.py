"""Which rows are kept: the first of each group of near ones, decided over all rows at once, exactly.

A row is dropped if an earlier *kept* row is near to it, so the decision needs an order. Rows are taken in panels, in
the order of input:

1. The rows of the panel are compared with the rows kept before; those that are near to one are dropped.
2. The others are compared with each other; the near pairs, read in the order of rows, decide on each.
3. The dropped ones are compared with the rows that the panel added, since one of these may be nearer.

Where step 2 finds too many pairs (a log with 10^5 rows of one template), the panel is halved and each half is settled
in turn, so that, as in one process, most rows are compared with kept rows alone.

Does not handle: finding the near pairs, which is asked of a ``Nearby``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.postings import Integers

Mask = NDArray[np.bool_]
_GROWTH = 4
_FEW = 256  # rows that are compared with each other, however many pairs they are
_ROW = 0xFFFFFFFF


class Near(NamedTuple):
    """Near pairs (query << 32 | target), ascending, and the F1 of each."""

    pairs: Integers
    scores: NDArray[np.float64]


class Nearby(Protocol):
    """Finds near pairs of rows, each given as a mask over all rows."""

    def __call__(self, queries: Mask, targets: Mask, *, limited: bool) -> Iterator[Near] | None:
        """The near pairs of queries and earlier targets, in the order of queries; None if ``limited`` and too many."""
        ...


class Verdicts:
    """What is known of each row: whether it is kept, or its nearest kept row and their F1.

    A row that is not settled yet is neither ``kept`` nor has a ``nearest`` (-1).
    """

    def __init__(self, rows: int) -> None:
        self.kept: Mask = np.zeros(rows, np.bool_)
        self.nearest: Integers = np.full(rows, -1)
        self.scores: NDArray[np.float64] = np.zeros(rows)

    def note(self, near: Near) -> None:
        """Note that these targets, which are kept, are near to these rows: the nearest counts, of ties the first."""
        queries, targets = near.pairs >> 32, near.pairs & _ROW
        best = np.lexsort((targets, -near.scores, queries))
        queries, targets, scores = queries[best], targets[best], near.scores[best]
        first = np.diff(queries, prepend=-1) != 0
        queries, targets, scores = queries[first], targets[first], scores[first]
        known, before = self.scores[queries], self.nearest[queries]
        better = (before < 0) | (scores > known) | ((scores == known) & (targets < before))
        self.nearest[queries[better]], self.scores[queries[better]] = targets[better], scores[better]


def settle(
    rows: Mask,
    verdicts: Verdicts,
    nearby: Nearby,
    watch: Callable[[int], object] = lambda done: None,
    *,
    first_panel: int = 1 << 14,
) -> None:
    """Decide on the chosen rows; ``watch`` is called with the number of those that are decided.

    Panels grow fourfold, so that the kept rows are read a few times only.
    """
    numbers = rows.nonzero()[0]
    done, size = 0, first_panel
    while done < len(numbers):
        panel = numbers[done : done + size]
        _settle_after(panel, verdicts.kept.copy(), verdicts, nearby)
        done += len(panel)
        size = (_GROWTH - 1) * done
        watch(done)


def settle_copies(copies: Integers, firsts: Integers, verdicts: Verdicts, nearby: Nearby) -> None:
    """Decide on rows that have the text of an earlier row: they are dropped, but perhaps for a nearer row than that."""
    of_kept = verdicts.kept[firsts]
    verdicts.nearest[copies[of_kept]] = firsts[of_kept]
    verdicts.scores[copies[of_kept]] = 1.0
    _note_nearest(copies[~of_kept], verdicts.kept, verdicts, nearby)


def _settle(rows: Integers, verdicts: Verdicts, nearby: Nearby) -> None:
    """Decide on rows that no row kept before is near to."""
    if not len(rows):
        return
    chosen = _mask(rows, verdicts)
    found = nearby(chosen, chosen, limited=len(rows) > _FEW)
    if found is not None:
        verdicts.kept[rows] = True
        for near in found:
            _keep_first(near, verdicts)
        return
    half, before = len(rows) // 2, verdicts.kept.copy()
    _settle(rows[:half], verdicts, nearby)
    _settle_after(rows[half:], verdicts.kept & ~before, verdicts, nearby)


def _settle_after(rows: Integers, targets: Mask, verdicts: Verdicts, nearby: Nearby) -> None:
    """Decide on rows after the kept ones that may be near to them: these ``targets``."""
    before = verdicts.kept.copy()
    _note_nearest(rows, targets, verdicts, nearby)
    dropped = verdicts.nearest[rows] >= 0
    _settle(rows[~dropped], verdicts, nearby)
    _note_nearest(rows[dropped], verdicts.kept & ~before, verdicts, nearby)


def _note_nearest(rows: Integers, targets: Mask, verdicts: Verdicts, nearby: Nearby) -> None:
    """Note which of the targets is nearest to each of the rows."""
    if len(rows) and targets.any():
        for near in nearby(_mask(rows, verdicts), targets, limited=False) or ():
            verdicts.note(near)


def _keep_first(near: Near, verdicts: Verdicts) -> None:
    """Drop the rows of some pairs that are near to an earlier row which is kept; all rows are kept before."""
    queries, targets = (near.pairs >> 32).tolist(), (near.pairs & _ROW).tolist()
    kept = verdicts.kept
    counting = np.zeros(len(queries), np.bool_)
    for at, (query, target) in enumerate(zip(queries, targets, strict=True)):
        # The pairs of a row come after those of all rows before it, so that of the target is known.
        if kept[target]:
            kept[query] = False
            counting[at] = True
    verdicts.note(Near(near.pairs[counting], near.scores[counting]))


def _mask(rows: Integers, verdicts: Verdicts) -> Mask:
    mask = np.zeros(len(verdicts.kept), np.bool_)
    mask[rows] = True
    return mask
