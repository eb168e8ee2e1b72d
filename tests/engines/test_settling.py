"""Which rows are kept: decided in panels, as if one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.engines.dedup import settling
from selfinstruct.engines.dedup.chosen import Chosen
from selfinstruct.engines.dedup.settling import Near, Verdicts, settle, settle_copies

Scores = dict[tuple[int, int], float]


class Known:
    """Near pairs that are known: ``scores[query, target]``. It refuses some rows as too many at random."""

    def __init__(self, scores: Scores, refusals: Random) -> None:
        self._scores, self._refusals = scores, refusals

    def among(self, rows: Chosen, *, limited: bool) -> Iterator[Near] | None:
        """All pairs, but not always."""
        return None if limited and self._refusals.random() < 0.7 else self._pairs(rows, rows)

    def nearest(self, queries: Chosen, targets: Chosen) -> Iterator[Near]:
        """Of each query one pair."""
        return (near.nearest() for near in self._pairs(queries, targets))

    def _pairs(self, queries: Chosen, targets: Chosen) -> Iterator[Near]:
        """Answer in two parts, as several tasks would."""
        chosen, given = queries.within(0, 40), targets.within(0, 40)
        found = sorted((q, t) for q, t in self._scores if chosen[q] and given[t])
        middle = 20
        parts = ([each for each in found if (each[0] < middle) == first] for first in (True, False))
        return (
            Near(np.array([(q << 32) | t for q, t in part], np.int64), np.array([self._scores[pair] for pair in part]))
            for part in parts
        )


@settings(max_examples=40)
@given(
    st.integers(1, 40), st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39), st.sampled_from([0.8, 0.9]))),
    st.integers(0, 99),
)  # fmt: skip
def test_rows_are_settled_as_one_after_the_other(rows: int, pairs: list[tuple[int, int, float]], seed: int) -> None:
    """Whatever the panels, and however often one is halved: what is kept, and the nearest kept row of the others."""
    scores: Scores = {(max(a, b), min(a, b)): score for a, b, score in pairs if a != b and max(a, b) < rows}
    verdicts, few = Verdicts(rows), settling.FEW
    settling.FEW = 2
    try:
        settle(np.ones(rows, np.bool_), verdicts, Known(scores, Random(seed)), first_panel=3)
    finally:
        settling.FEW = few
    kept: list[int] = []
    for row in range(rows):
        near = max(((scores[row, other], -other) for other in kept if (row, other) in scores), default=None)
        if near is None:
            kept.append(row)
            assert (verdicts.kept[row], verdicts.nearest[row]) == (True, -1)
        else:
            assert (verdicts.kept[row], verdicts.scores[row], -verdicts.nearest[row]) == (False, *near)


@settings(max_examples=50)
@given(st.integers(2, 60), st.lists(st.tuples(st.integers(0, 59), st.integers(1, 4)), max_size=120))
def test_pairs_are_decided_as_one_after_the_other(rows: int, steps: list[tuple[int, int]]) -> None:
    """Short steps make long chains: what is decided in rounds is what one row after the other decides."""
    pairs = sorted({(row, row - step) for row, step in steps if row - step >= 0 and row < rows})
    verdicts, expected = Verdicts(rows), [True] * rows
    verdicts.kept[:] = True
    for query, target in pairs:
        expected[query] = expected[query] and not expected[target]
    scores = np.full(len(pairs), 0.8)
    settling._keep_first(Near(np.array([(q << 32) | t for q, t in pairs], np.int64), scores), verdicts)
    nearest = [min((t for q, t in pairs if q == row and expected[t]), default=-1) for row in range(rows)]
    assert (verdicts.kept.tolist(), verdicts.nearest.tolist()) == (expected, nearest)


def test_a_copy_of_a_dropped_row_may_have_a_nearer_one() -> None:
    """Rows 0 and 2 are kept; 1 is near to 0, and so is its copy 3, which is nearer to 2."""
    scores: Scores = {(1, 0): 0.8, (3, 0): 0.8, (3, 2): 0.9}
    verdicts, nearby = Verdicts(4), Known(scores, Random(0))
    settle(np.array([True, True, True, False]), verdicts, nearby)
    settle_copies(np.array([3]), np.array([1]), verdicts, nearby)
    assert verdicts.kept.tolist() == [True, False, True, False]
    assert verdicts.nearest.tolist() == [-1, 0, -1, 2]
