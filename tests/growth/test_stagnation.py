"""Stagnation: both the batches and the rows of a limit must be reached."""

from __future__ import annotations

from selfinstruct.growth.stagnation import (
    EXHAUSTED_AFTER,
    RUN_EXHAUSTED_AFTER,
    RUN_EXHAUSTED_BEFORE_FIRST_ROW,
    Stagnation,
    StagnationLimit,
)


def test_a_limit_is_reached_by_batches_and_rows_together() -> None:
    """One of the two is not enough."""
    limit = StagnationLimit(batches=2, rows=10)
    stagnation = Stagnation()
    stagnation.add_batch(10)
    assert not stagnation.reached(limit), "one batch"
    stagnation.add_batch(1)
    assert (stagnation.batches, stagnation.rows) == (2, 11)
    assert stagnation.reached(limit)
    assert not Stagnation(3, 9).reached(limit)
    stagnation.reset()
    assert stagnation == Stagnation()


def test_raising_never_lowers_a_counter() -> None:
    """A counter beyond the limit stays as it is."""
    stagnation = Stagnation(batches=20, rows=100)
    stagnation.raise_to(EXHAUSTED_AFTER)
    assert stagnation == Stagnation(batches=20, rows=200)


def test_the_limits() -> None:
    """A category after 10 batches and 200 rows; a run after 20 and 200, or 100 and 2,000 once a row was accepted."""
    assert EXHAUSTED_AFTER == (10, 200)
    assert RUN_EXHAUSTED_BEFORE_FIRST_ROW == (20, 200)
    assert RUN_EXHAUSTED_AFTER == (100, 2000)
