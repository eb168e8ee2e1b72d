"""The records that are read from a journal, as plain data."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import NamedTuple

from selfinstruct.errors import StorageError
from selfinstruct.journal.database import DAMAGED
from selfinstruct.journal.decisions import DecisionCounts, row_name
from selfinstruct.messages import Phrase
from selfinstruct.records import JSON, Batch, Reply, Row, Usage


class SeedRow(NamedTuple):
    """A seed row as of the start of the run, with its category and its line in the seed file (from 1)."""

    row: Row
    category: str
    line: int


class GrownRow(NamedTuple):
    """An accepted row: ``number`` counts from 1, ``line`` is the row as one line of JSON.

    ``call`` is the id of its reply, ``position`` its place in that reply (from 0). The number of a rejection that a
    person accepted is minus its id.
    """

    number: int
    call: int
    position: int
    category: str
    line: str
    spans_line: str

    @property
    def name(self) -> str:
        """The name of the row: ``12``, or ``x17`` for an accepted rejection."""
        return row_name(self.number)

    @property
    def row(self) -> Row:
        """The row, parsed at each access."""
        found: Row = parse_json(self.line, f"grown row {self.name}")
        return {sys.intern(name): value for name, value in found.items()}  # one string per name, not per row

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """For each grounded field, the [start, end) code points of its value in its context."""
        spans = parse_json(self.spans_line, f"the spans of grown row {self.name}")
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


class SentJob(NamedTuple):
    """An uploaded file of requests, by their custom_ids, and the batch job that was created of it ("": not known)."""

    id: int
    model: str
    file: str
    job: str
    requests: tuple[str, ...]


class FailedCall(NamedTuple):
    """A call without a usable reply: the slug of the reason, and a message."""

    call: int
    batch: int
    step: str
    reason: str
    message: str


class RecordedReply(NamedTuple):
    """A reply with the id of its call, its batch, and its step."""

    call: int
    batch: Batch
    step: str
    reply: Reply


class OpenBatch(NamedTuple):
    """An unfinished batch with its replies, one per step, none of them judged.

    Without replies it was in flight when the run ended: send it again. With replies, continue after the step of the
    last one.
    """

    batch: Batch
    replies: tuple[RecordedReply, ...]


class Outcome(NamedTuple):
    """How the run judged one candidate: the ``category`` in which it was accepted, or None.

    ``reason`` is why it does not count where it does not: that of its rejection, or a person's.
    """

    call: int
    position: int
    category: str | None
    reason: str


class BatchOutcome(NamedTuple):
    """How one batch ended: ``accepted`` counts rows of any category, ``hits`` those of its own.

    ``asked`` is the number of rows requested, ``failed`` the slug of its failure, or "".
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

    ``asked``: rows requested by its batches, in flight or not. ``candidates``: those parsed from their replies.
    ``accepted``: rows of this category from any batch. ``hits``: those from its own batches.
    """

    asked: int = 0
    candidates: int = 0
    accepted: int = 0
    hits: int = 0


class Spent(NamedTuple):
    """The requests (retries included) and tokens of one model for the batches of one category."""

    category: str
    model: str
    requests: int
    tokens: Usage


@dataclass(frozen=True, slots=True)
class State:
    """The counts of a run, as a person's decisions leave them.

    ``accepted`` counts the rows that count now, ``grown`` those that the run accepted. A row that a person rejected
    counts under the reason ``person``, an accepted rejection no longer under its own. ``decisions`` counts the rows
    that a person judged.

    ``rejected`` and ``failed`` count by reason; ``calls`` are the recorded ones, ``unjudged`` those without judgement.
    ``spent`` is listed by category and model. ``categories`` has every category of a batch or an accepted row.
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
    grown: int
    decisions: DecisionCounts

    @property
    def requests(self) -> int:
        """The number of requests of all calls."""
        return sum(spent.requests for spent in self.spent)

    @property
    def tokens(self) -> Usage:
        """The tokens of all calls."""
        return sum((spent.tokens for spent in self.spent), Usage())

    @property
    def conserved(self) -> bool:
        """Whether every candidate was either accepted or rejected, once."""
        return self.candidates == self.accepted + sum(self.rejected.values())


def encode_text(text: str) -> bytes:
    """Encode text from outside for storage: UTF-8 with lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def decode_text(stored: bytes) -> str:
    """The inverse of ``encode_text``; raises ``StorageError`` if the text is damaged."""
    try:
        return stored.decode("utf-8", "surrogatepass")
    except (UnicodeDecodeError, AttributeError) as error:
        raise StorageError(Phrase("a text in the journal is damaged: {error}", error=error), hint=DAMAGED) from error


def parse_json(text: str, what: str) -> JSON:
    """Parse a JSON value of the journal; raises ``StorageError`` if it is damaged."""
    try:
        return json.loads(text)
    except (ValueError, TypeError) as error:
        raise StorageError(
            Phrase("{what} in the journal is damaged: {error}", what=what, error=error), hint=DAMAGED
        ) from error


def grown_row(number: int, call: int, position: int, name: bytes, line: str, spans: str) -> GrownRow:
    """A row as it is stored."""
    return GrownRow(number, call, position, decode_text(name), line, spans)


def refused_candidate(
    number: int,
    call: int,
    position: int,
    name: bytes,
    reason: str,
    message: bytes,
    nearest: int | None,
    score: float | None,
    text: bytes,
) -> RefusedCandidate:
    """A rejection as it is stored."""
    return RefusedCandidate(
        number, call, position, decode_text(name), reason, decode_text(message), nearest, score, decode_text(text)
    )
