"""What is read from a journal, as plain data."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import NamedTuple

from selfinstruct.errors import StorageError
from selfinstruct.journal.database import DAMAGED
from selfinstruct.records import JSON, Batch, Reply, Row, Usage


class SeedRow(NamedTuple):
    """A seed as it was when the run began: its category, and its line in the seed file (from 1)."""

    row: Row
    category: str
    line: int


class GrownRow(NamedTuple):
    """An accepted row: ``number`` counts from 1, ``line`` is the row as one line of JSON.

    ``call`` is the id of the reply that it came from, ``position`` its place in there (from 0).
    """

    number: int
    call: int
    position: int
    category: str
    line: str
    spans_line: str

    @property
    def row(self) -> Row:
        """The row itself, parsed anew at each use."""
        found: Row = parsed(self.line, f"grown row {self.number}")
        return {sys.intern(name): value for name, value in found.items()}  # one string a name, not one a row

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """For each grounded field, the [start, end) code points of its value in its context."""
        spans = parsed(self.spans_line, f"the spans of grown row {self.number}")
        return {name: (start, end) for name, (start, end) in spans.items()}


class RefusedCandidate(NamedTuple):
    """A rejection with its evidence; ``nearest`` is a pool id, ``score`` a ROUGE-L F1 in [0, 1]."""

    id: int
    call: int
    position: int
    category: str
    reason: str
    message: str
    nearest: int | None
    score: float | None
    text: str


class FailedCall(NamedTuple):
    """A call that gave no usable reply: the slug of the reason, and the words for a person."""

    call: int
    batch: int
    step: str
    reason: str
    message: str


class RecordedReply(NamedTuple):
    """A reply with the id of its call, the batch that asked for it, and the step."""

    call: int
    batch: Batch
    step: str
    reply: Reply


class OpenBatch(NamedTuple):
    """A batch that a run left unfinished: the replies (one a step) that it has, none of them judged.

    With no reply it was being asked for when the run ended: send it again as it is. With replies, go on
    after the last one's step: those are paid for.
    """

    batch: Batch
    replies: tuple[RecordedReply, ...]


class BatchOutcome(NamedTuple):
    """How one batch ended: ``accepted`` counts rows of any category, ``hits`` those of its own.

    ``asked`` is how many rows it asked for, ``failed`` the slug of its failure, or "".
    """

    batch: int
    category: str
    asked: int
    candidates: int
    accepted: int
    hits: int
    failed: str


@dataclass(frozen=True, slots=True)
class CategoryCounts:
    """The counts of one category.

    ``asked``: rows that batches have asked of it, in flight or not. ``candidates``: parsed from the replies to
    those batches. ``accepted``: rows that belong to it, whoever was asked. ``hits``: those of its own batches.
    """

    asked: int = 0
    candidates: int = 0
    accepted: int = 0
    hits: int = 0


class Spent(NamedTuple):
    """What one model was sent and billed for the batches of one category: ``requests``, those tried again included."""

    category: str
    model: str
    requests: int
    tokens: Usage


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands.

    ``rejected`` and ``failed`` count by reason, ``calls`` are the recorded ones, ``unjudged`` those of them
    that wait for judgement. ``spent`` is what they took, category by category and model by model. ``categories``
    holds those that a batch has asked or an accepted row belongs to.
    """

    seeds: int
    accepted: int
    candidates: int
    rejected: dict[str, int]
    failed: dict[str, int]
    calls: int
    unjudged: int
    spent: tuple[Spent, ...]
    last_batch: int
    categories: dict[str, CategoryCounts]
    exhausted: frozenset[str]

    @property
    def requests(self) -> int:
        """All requests that were sent for the recorded calls."""
        return sum(spent.requests for spent in self.spent)

    @property
    def tokens(self) -> Usage:
        """All tokens that the recorded calls were billed."""
        return sum((spent.tokens for spent in self.spent), Usage())

    @property
    def conserved(self) -> bool:
        """Whether every candidate is accounted for: accepted or rejected, once."""
        return self.candidates == self.accepted + sum(self.rejected.values())


def pack(text: str) -> bytes:
    """Text from outside as it is stored: UTF-8 that keeps lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def unpack(stored: bytes) -> str:
    """The inverse of ``pack``; raises ``StorageError`` where the text is damaged."""
    try:
        return stored.decode("utf-8", "surrogatepass")
    except (UnicodeDecodeError, AttributeError) as error:
        raise StorageError(f"a text in the journal is damaged: {error}", hint=DAMAGED) from error


def parsed(text: str, what: str) -> JSON:
    """A JSON value of the journal; raises ``StorageError`` where it is no longer one."""
    try:
        return json.loads(text)
    except (ValueError, TypeError) as error:
        raise StorageError(f"{what} in the journal is damaged: {error}", hint=DAMAGED) from error
