"""The finished batches of a journal with all that their calls returned, to record them in another journal.

Does not handle: how they were judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from selfinstruct.journal.entries import decode_text
from selfinstruct.journal.history import History, recorded_batch
from selfinstruct.records import Batch, Failure, Reply, Usage

#: Batches by their last calls: in this order they were judged.
_LAST = """
    SELECT c.id, b.number, g.name, b.count, b.asked, b.demos, b.given,
           EXISTS (SELECT 1 FROM calls d JOIN judged j ON j.call = d.id
                   WHERE d.batch = b.number AND j.candidates IS NOT NULL)
    FROM calls c JOIN batches b ON b.number = c.batch JOIN categories g ON g.id = b.category
    WHERE c.id > ? AND NOT EXISTS (SELECT 1 FROM calls d WHERE d.batch = c.batch AND d.id > c.id)
    ORDER BY c.id LIMIT ?"""
_CALLS = """
    SELECT c.step, c.model, c.finish_reason, c.input, c.output, c.estimated, c.seconds, c.tries, c.cached,
           t.text, f.reason, f.message
    FROM calls c LEFT JOIN replies t ON t.call = c.id LEFT JOIN failures f ON f.call = c.id
    WHERE c.batch = ? ORDER BY c.id"""
_ROWS = """
    SELECT r.number, r.position FROM rows r JOIN calls c ON c.id = r.call WHERE c.batch = ? ORDER BY r.number"""


class CalledBatch(NamedTuple):
    """A batch, and what each of its calls returned, with its step; ``last`` is the id of the last call.

    ``finished`` is whether it has been judged, or ended without a row. ``rows`` are the numbers of the rows that were
    accepted of it, with their positions in it.
    """

    last: int
    batch: Batch
    calls: Sequence[tuple[str, Reply | Failure]]
    finished: bool
    rows: Sequence[tuple[int, int]]


def called_batches(history: History, after: int = 0, together: int = 500) -> Iterator[CalledBatch]:
    """The batches whose last calls come after the call ``after``, in the order of these calls.

    They are looked up in pages of ``together``.
    """
    while page := history.query(_LAST, after, together):
        for last, number, name, count, asked, demos, given, finished in page:
            batch = recorded_batch(number, name, count, asked, demos, given)
            calls = [_call(*found) for found in history.query(_CALLS, number)]
            rows = history.query(_ROWS, number) if finished else ()
            yield CalledBatch(last, batch, calls, bool(finished), rows)
        after = page[-1][0]


def _call(
    step: str,
    model: bytes,
    finish: bytes,
    given: int,
    got: int,
    estimated: int,
    seconds: float,
    tries: int,
    cached: int,
    text: bytes | None,
    reason: str | None,
    message: bytes | None,
) -> tuple[str, Reply | Failure]:
    """What a call returned; a reply that could not be read is still a reply."""
    usage, name = Usage(given, got, bool(estimated), cached), decode_text(model)
    if text is not None:
        return step, Reply(decode_text(text), name, usage, decode_text(finish), seconds, tries)
    return step, Failure(reason or "", decode_text(message or b""), usage, seconds, tries, name)
