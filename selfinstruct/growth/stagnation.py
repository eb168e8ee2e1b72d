"""Stagnation: how long no row has been accepted, and when that is long enough to give up.

The planner keeps one counter per category, the sampler one per attribute value, and the loop one for the whole run.
Each adds the batches that it judges and is reset by an accepted row.

Does not handle: the consequences of giving up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from selfinstruct.messages import Phrase


class StagnationLimit(NamedTuple):
    """At least this many batches, with at least this many requested rows between them."""

    batches: int
    rows: int


#: A category is exhausted after this. Ten batches, since one poor draw of demonstrations or one refusal proves nothing,
#: and ten wasted calls are an acceptable price for the proof. Two hundred rows, so that batches of one row are not
#: given up early: with one row in twenty accepted, 0.95**200 = 0.004 % of such sequences have no accepted row.
EXHAUSTED_AFTER = StagnationLimit(batches=10, rows=200)
#: The whole run is exhausted after this. A useless model is recognised by its first batches, and must not be called for
#: two hundred rows in each of a hundred categories.
RUN_EXHAUSTED_BEFORE_FIRST_ROW = StagnationLimit(batches=20, rows=200)
RUN_EXHAUSTED_AFTER = StagnationLimit(batches=100, rows=2000)


@dataclass(slots=True)
class Stagnation:
    """The judged batches, and the rows that they requested, since a row was last accepted."""

    batches: int = 0
    rows: int = 0

    def add_batch(self, rows: int) -> None:
        """Count a judged batch that requested ``rows`` rows."""
        self.batches += 1
        self.rows += rows

    def reset(self) -> None:
        """Start again from zero."""
        self.batches = self.rows = 0

    def raise_to(self, limit: StagnationLimit) -> None:
        """Make ``limit`` reached."""
        self.batches = max(self.batches, limit.batches)
        self.rows = max(self.rows, limit.rows)

    def reached(self, limit: StagnationLimit) -> bool:
        """Whether both parts of ``limit`` are reached."""
        return self.batches >= limit.batches and self.rows >= limit.rows


def given_up_note(rows: int, reason: str) -> Phrase:
    """Say that none of the last ``rows`` was accepted, and the commonest ``reason`` of the losses; "" if unknown."""
    return Phrase(
        "none of the last {rows:,} requested rows was accepted (most often: {reason}): given up"
        if reason
        else "none of the last {rows:,} requested rows was accepted: given up",
        rows=rows,
        reason=reason,
    )
