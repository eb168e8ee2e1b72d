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

from selfinstruct.engines.dedup.chosen import Chosen, Mask
from selfinstruct.similarity.postings import Integers

#: Rows of the first panel.
FIRST_PANEL = 1 << 14
#: Rows that are compared with each other, however many pairs they are.
FEW = 256
_GROWTH = 4
_ROW = 0xFFFFFFFF


class Near(NamedTuple):
    """Near pairs (query << 32 | target), ascending, and the F1 of each."""

    pairs: Integers
    scores: NDArray[np.float64]

    def nearest(self) -> Near:
        """The nearest target of each query; of ties the first."""
        queries = self.pairs >> 32
        order = np.lexsort((self.pairs, -self.scores, queries))
        best = order[np.diff(queries[order], prepend=-1) != 0]
        return Near(self.pairs[best], self.scores[best])


class Nearby(Protocol):
    """Finds near pairs of rows, in the order of queries."""

    def nearest(self, queries: Chosen, targets: Chosen) -> Iterator[Near]:
        """The nearest earlier target of each query that has a near one."""
        ...

    def among(self, rows: Chosen, *, limited: bool) -> Iterator[Near] | None:
        """All near pairs of these rows; None if ``limited`` and too many."""
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
        """Note the nearest kept row of each of these queries, unless a nearer one, or an earlier as near, is known."""
        queries, targets, scores = near.pairs >> 32, near.pairs & _ROW, near.scores
        known, before = self.scores[queries], self.nearest[queries]
        better = (before < 0) | (scores > known) | ((scores == known) & (targets < before))
        self.nearest[queries[better]], self.scores[queries[better]] = targets[better], scores[better]


def settle(
    alone: Mask,
    verdicts: Verdicts,
    nearby: Nearby,
    watch: Callable[[int], object] = lambda done: None,
    *,
    first_panel: int = FIRST_PANEL,
) -> None:
    """Decide on the rows in this mask; ``watch`` is called with the number of those that are decided.

    Panels grow fourfold, so that the kept rows are read a few times only.
    """
    done, size = 0, first_panel
    while done < len(alone):
        panel = Chosen(done, alone[done : done + size])
        _settle_after(panel, Chosen(0, verdicts.kept[:done].copy()), verdicts, nearby)
        done += len(panel.mask)
        size = (_GROWTH - 1) * done
        watch(int(np.count_nonzero(alone[:done])))


def settle_copies(copies: Integers, firsts: Integers, verdicts: Verdicts, nearby: Nearby) -> None:
    """Decide on rows that have the text of an earlier row: they are dropped, but perhaps for a nearer row than that."""
    of_kept = verdicts.kept[firsts]
    verdicts.nearest[copies[of_kept]] = firsts[of_kept]
    verdicts.scores[copies[of_kept]] = 1.0
    others = np.zeros(len(verdicts.kept), np.bool_)
    others[copies[~of_kept]] = True
    _note_nearest(Chosen(0, others), Chosen(0, verdicts.kept), verdicts, nearby)


def _settle(rows: Chosen, verdicts: Verdicts, nearby: Nearby) -> None:
    """Decide on rows that no row kept before is near to."""
    if not rows:
        return
    found = nearby.among(rows, limited=rows.count() > FEW)
    if found is not None:
        verdicts.kept[rows.span] |= rows.mask
        for near in found:
            _keep_first(near, verdicts)
        return
    first, second = rows.halves()
    _settle(first, verdicts, nearby)
    _settle_after(second, first.of(verdicts.kept), verdicts, nearby)


def _settle_after(rows: Chosen, targets: Chosen, verdicts: Verdicts, nearby: Nearby) -> None:
    """Decide on rows after the kept ones that may be near to them: these ``targets``."""
    _note_nearest(rows, targets, verdicts, nearby)
    dropped = verdicts.nearest[rows.span] >= 0
    _settle(Chosen(rows.start, rows.mask & ~dropped), verdicts, nearby)
    # None of the range was kept before.
    _note_nearest(Chosen(rows.start, rows.mask & dropped), rows.of(verdicts.kept), verdicts, nearby)


def _note_nearest(rows: Chosen, targets: Chosen, verdicts: Verdicts, nearby: Nearby) -> None:
    """Note which of the targets, which are kept, is nearest to each of the rows."""
    if rows and targets:
        for near in nearby.nearest(rows, targets):
            verdicts.note(near)


def _keep_first(near: Near, verdicts: Verdicts) -> None:
    """Drop the rows of some pairs that are near to an earlier row which is kept; all rows are kept before.

    All pairs of a query are among these, and those of earlier queries among them or in earlier calls.
    """
    queries, targets, kept = near.pairs >> 32, near.pairs & _ROW, verdicts.kept
    open_queries, open_targets = queries, targets
    while len(open_queries):
        # A row is decided once no pair of it is left, so each round decides on the first row at least.
        decided = ~_among(open_targets, open_queries)
        kept[open_queries[decided & kept[open_targets]]] = False
        left = ~decided & kept[open_queries]
        few = 2 * np.count_nonzero(left) > len(left)  # a chain, which rounds would take row by row
        open_queries, open_targets = open_queries[left], open_targets[left]
        if few:
            _keep_in_turn(open_queries, open_targets, kept)
            break
    counting = kept[targets]
    verdicts.note(Near(near.pairs[counting], near.scores[counting]).nearest())


def _among(rows: Integers, ordered: Integers) -> Mask:
    """Which rows are among others, which are ascending."""
    at = np.minimum(np.searchsorted(ordered, rows), len(ordered) - 1)
    return np.equal(ordered[at], rows)


def _keep_in_turn(queries: Integers, targets: Integers, kept: Mask) -> None:
    """Drop the queries of which a target is kept; the pairs of a row come after those of all rows before it."""
    for query, target in zip(queries.tolist(), targets.tolist(), strict=True):
        if kept[target]:
            kept[query] = False
