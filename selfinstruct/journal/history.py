"""The read side of the journal: for resuming, provenance, rejudging and reports.

Long listings are read page by page in short transactions, so that a reader never keeps the writer's log from being
reset. Rows and replies are only ever added, so the pages are consistent.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from selfinstruct.files import open_whole
from selfinstruct.journal.counts import read_state
from selfinstruct.journal.database import JOURNAL_NAME, connect_reader, storage_errors
from selfinstruct.journal.decided import effects, more_rows, read_decisions
from selfinstruct.journal.decisions import BY_PERSON, Decisions
from selfinstruct.journal.entries import (
    BatchOutcome,
    FailedCall,
    GrownRow,
    OpenBatch,
    Outcome,
    RecordedReply,
    RefusedCandidate,
    SeedRow,
    State,
    decode_text,
    encode_text,
    grown_row,
    parse_json,
    refused_candidate,
)
from selfinstruct.journal.inbox import waiting
from selfinstruct.journal.metadata import RunMetadata
from selfinstruct.records import JSON, Batch, Reply, Row, Usage

_PAGE = 500
_BATCH = "b.number, g.name, b.count, b.asked, b.demos, b.given"
_REPLIES = f"""
    SELECT c.id, c.step, c.model, c.finish_reason, c.input, c.output, c.estimated, c.seconds, c.tries, c.cached, t.text,
           {_BATCH}
    FROM calls c JOIN replies t ON t.call = c.id
         JOIN batches b ON b.number = c.batch JOIN categories g ON g.id = b.category"""
_ROWS = """
    SELECT r.number, r.call, r.position, g.name, r.row, r.spans
    FROM rows r JOIN categories g ON g.id = r.category"""
_REJECTIONS = """
    SELECT r.id, r.call, r.position, g.name, r.reason, r.message, r.nearest, r.score, r.text
    FROM rejections r JOIN categories g ON g.id = r.category"""
_OUTCOMES = """
    SELECT c.id, b.number, g.name, b.count, j.candidates,
           (SELECT COUNT(*) FROM rows r WHERE r.call = c.id),
           (SELECT COUNT(*) FROM rows r WHERE r.call = c.id AND r.category = b.category),
           COALESCE(f.reason, '')
    FROM judged j JOIN calls c ON c.id = j.call
         JOIN batches b ON b.number = c.batch JOIN categories g ON g.id = b.category
         LEFT JOIN failures f ON f.call = c.id
    WHERE j.call > ? AND j.candidates IS NOT NULL ORDER BY j.call LIMIT ?"""
_GIVEN = """
    SELECT b.number, (SELECT COUNT(*) FROM rows r JOIN calls c ON c.id = r.call WHERE c.batch = b.number),
           EXISTS (SELECT 1 FROM failures f JOIN calls c ON c.id = f.call WHERE c.batch = b.number),
           g.name, b.count, b.asked, b.demos, b.given
    FROM batches b JOIN categories g ON g.id = b.category
    WHERE b.number > ? AND EXISTS (SELECT 1 FROM calls c JOIN judged j ON j.call = c.id
                                   WHERE c.batch = b.number AND j.candidates IS NOT NULL)
    ORDER BY b.number LIMIT ?"""
_LAST_CALLS = """
    SELECT c.id, c.batch FROM calls c
    WHERE c.id > ? AND NOT EXISTS (SELECT 1 FROM calls d WHERE d.batch = c.batch AND d.id > c.id)
    ORDER BY c.id LIMIT ?"""
_LAST_JUDGED = """
    SELECT t.call FROM replies t JOIN calls c ON c.id = t.call
    WHERE EXISTS (SELECT 1 FROM calls d JOIN judged j ON j.call = d.id
                  WHERE d.batch = c.batch AND j.candidates IS NOT NULL)
    ORDER BY t.call DESC LIMIT 1"""


class History:
    """Reads a journal. Every method raises ``StorageError`` if the file cannot be read or is damaged."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, with_inbox: bool = True) -> None:
        """``with_inbox``: whether decisions that wait in the inbox of the run count as well."""
        self._connection = connection
        self._with_inbox = with_inbox
        self.path = path

    @cached_property
    def decisions(self) -> Decisions:
        """A person's decisions, as of the first use."""
        inbox = waiting(self.path.parent) if self._with_inbox else ()  # first: it may be emptied into the journal
        return Decisions(chain(read_decisions(self.query), inbox))

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open the journal of a run directory, also during a run."""
        path = directory / JOURNAL_NAME
        return cls(connect_reader(path), path)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def metadata(self) -> RunMetadata:
        """The metadata of the run."""
        return RunMetadata.from_notes(self.notes())

    def notes(self) -> dict[str, JSON]:
        """The metadata as stored, by key, including unknown keys."""
        return {key: parse_json(value, f"note {key}") for key, value in self.query("SELECT key, value FROM notes")}

    def seeds(self) -> list[SeedRow]:
        """The seeds in file order: pool ids 1, 2, ..."""
        found = self.query(
            "SELECT s.row, g.name, s.line FROM seeds s JOIN categories g ON g.id = s.category ORDER BY s.number"
        )
        return [
            SeedRow(parse_json(row, f"the seed of line {line}"), decode_text(name), line) for row, name, line in found
        ]

    def state(self) -> State:
        """All counts, in one snapshot."""
        decisions = self.decisions
        with self._snapshot():
            return read_state(self.query, self.metadata(), decisions)

    def seed_count(self) -> int:
        """The number of seeds, without counting them."""
        return int(self.query("SELECT COALESCE(MAX(number), 0) FROM seeds")[0][0])

    def last_row(self) -> int:
        """The number of the row that the run accepted last, 0 if there is none."""
        return int(self.query("SELECT COALESCE(MAX(number), 0) FROM rows")[0][0])

    def last_rejection(self) -> int:
        """The id of the last rejection, 0 if there is none."""
        return int(self.query("SELECT COALESCE(MAX(id), 0) FROM rejections")[0][0])

    def open_batches(self) -> list[OpenBatch]:
        """The unfinished batches: first those with replies, in the order of recording, then the others."""
        # A batch is finished once one of its calls has a number of candidates.
        unfinished = self.query(
            f"SELECT {_BATCH} FROM batches b JOIN categories g ON g.id = b.category WHERE NOT EXISTS "
            "(SELECT 1 FROM calls c JOIN judged j ON j.call = c.id "
            "WHERE c.batch = b.number AND j.candidates IS NOT NULL) ORDER BY b.number"
        )
        batches = []
        for found in unfinished:
            replies = self.query(f"{_REPLIES} WHERE c.batch = ? ORDER BY c.id", found[0])
            batches.append(OpenBatch(recorded_batch(*found), tuple(_reply(*reply) for reply in replies)))
        return sorted(batches, key=lambda batch: (not batch.replies, [batch.replies[-1].call] if batch.replies else []))

    def passages(self) -> Iterator[Row]:
        """The passages of the run's documents, in the order of their numbers, in constant memory."""
        for number, passage in self._paged(
            "SELECT number, passage FROM passages WHERE number > ? ORDER BY number LIMIT ?"
        ):
            yield parse_json(passage, f"passage {number}")

    def passage(self, number: int) -> Row | None:
        """One passage by its number, from 1, or None."""
        found = self.query("SELECT passage FROM passages WHERE number = ?", number)
        return parse_json(found[0][0], f"passage {number}") if found else None

    def passage_of_calls(self) -> dict[int, int]:
        """The number of the passage that each call is about, for the calls that are about one."""
        sql = "SELECT c.id, b.given FROM calls c JOIN batches b ON b.number = c.batch"
        found = {}
        for call, given in self._paged(f"{sql} WHERE c.id > ? ORDER BY c.id LIMIT ?"):
            conditions = parse_json(given, f"the values of the batch of call {call}")
            if number := conditions.get("passage"):
                found[call] = number
        return found

    def finished_batches(self) -> Iterator[tuple[Batch, int, bool]]:
        """Each finished batch, its number of rows, and whether a call of it failed; in the order of batches."""
        for number, rows, failed, *batch in self._paged(_GIVEN):
            yield recorded_batch(number, *batch), rows, bool(failed)

    def replies_by_batch(self) -> Iterator[tuple[RecordedReply, ...]]:
        """The replies of each batch, in the order in which the batches' last calls were recorded."""
        of_batch = f"{_REPLIES} WHERE c.batch = ? ORDER BY c.id"
        for _, batch in self._paged(_LAST_CALLS):
            replies = tuple(_reply(*reply) for reply in self.query(of_batch, batch))
            if replies:
                yield replies

    def outcomes(self) -> Iterator[BatchOutcome]:
        """The outcome of each finished batch, in the order of recording, to restore the planner from."""
        return (outcome for _, outcome in self.outcomes_by_call())

    def outcomes_by_call(self) -> Iterator[tuple[int, BatchOutcome]]:
        """The outcomes, each with the id of the call that it was judged with."""
        for call, batch, name, asked, candidates, accepted, hits, failed in self._paged(_OUTCOMES):
            yield call, BatchOutcome(batch, decode_text(name), asked, candidates, accepted, hits, failed)

    def rows(self, after: int = 0) -> Iterator[GrownRow]:
        """The rows that the run accepted, as it recorded them, from the one after ``after``, in constant memory."""
        for found in self._paged(f"{_ROWS} WHERE r.number > ? ORDER BY r.number LIMIT ?", after):
            yield grown_row(*found)

    def row(self, number: int) -> GrownRow | None:
        """One accepted row as the run recorded it, by its number, or None."""
        found = self.query(f"{_ROWS} WHERE r.number = ?", number)
        return grown_row(*found[0]) if found else None

    def final_rows(self, count: int | None = None) -> Iterator[GrownRow]:
        """The rows of the data set: those that count, with a person's values, then the accepted rejections.

        With ``count``, only the first ``count``, as they were when there were no more.
        """
        last = None if count is None else self.decisions.recorded_rows(count)
        for grown in self.rows():
            if last is not None and grown.number > last:
                break
            if (final := self._final(grown)) is not None:
                yield final
        for target, _ in self.decisions.accepted_rejections:
            if (final := self.final_row(target)) is not None:
                yield final

    def final_row(self, number: int) -> GrownRow | None:
        """One row of the data set by its number, as a person left it; None for one that does not count."""
        if number > 0:
            grown = self.row(number)
            return None if grown is None else self._final(grown)
        refused, standing = self.rejection(-number), self.decisions.of(number)
        if refused is None or standing is None or standing.line is None or not standing.counts:
            return None
        return GrownRow(number, refused.call, refused.position, standing.category, standing.line, standing.spans_line)

    def _final(self, grown: GrownRow) -> GrownRow | None:
        standing = self.decisions.of(grown.number)
        if standing is None:
            return grown
        if not standing.counts:
            return None
        if standing.line is None:
            return grown
        return grown._replace(category=standing.category, line=standing.line, spans_line=standing.spans_line)

    def count_rows_by(self, model: str) -> int:
        """The number of rows that count from replies of this model."""
        sql = "SELECT COUNT(*) FROM rows r JOIN calls c ON c.id = r.call WHERE c.model = ?"
        return int(self.query(sql, encode_text(model))[0][0]) + more_rows(effects(self.query, self.decisions), model)

    def rejections(self, reason: str = "", after: int = 0) -> Iterator[RefusedCandidate]:
        """The rejections (of one reason, or all) whose id is greater than ``after``, in the order of judging."""
        chosen, values = ("AND r.reason = ?3", [reason]) if reason else ("", [])
        for found in self._paged(f"{_REJECTIONS} WHERE r.id > ?1 {chosen} ORDER BY r.id LIMIT ?2", after, *values):
            yield refused_candidate(*found)

    def rejection(self, number: int) -> RefusedCandidate | None:
        """One rejection by its id, or None."""
        found = self.query(f"{_REJECTIONS} WHERE r.id = ?", number)
        return refused_candidate(*found[0]) if found else None

    def failures(self) -> Iterator[FailedCall]:
        """The calls without a usable reply, in the order of recording."""
        sql = (
            "SELECT f.call, c.batch, c.step, f.reason, f.message FROM failures f JOIN calls c ON c.id = f.call "
            "WHERE f.call > ? ORDER BY f.call LIMIT ?"
        )
        for call, batch, step, reason, message in self._paged(sql):
            yield FailedCall(call, batch, step, reason, decode_text(message))

    def replies(self, after: int = 0) -> Iterator[RecordedReply]:
        """The replies whose call id is greater than ``after``, judged or not, in the order of recording."""
        for found in self._paged(f"{_REPLIES} WHERE c.id > ? ORDER BY c.id LIMIT ?", after):
            yield _reply(*found)

    def reply(self, call: int) -> RecordedReply | None:
        """The reply of one call by its id, or None."""
        found = self.query(f"{_REPLIES} WHERE c.id = ?", call)
        return _reply(*found[0]) if found else None

    def candidates_by_call(self) -> list[tuple[int, int]]:
        """The judged calls, in the order of recording, each with the number of its candidates."""
        return self.query("SELECT call, candidates FROM judged WHERE candidates IS NOT NULL ORDER BY call")

    def accepted_by_call(self) -> list[tuple[int, str, int]]:
        """How many rows of which category were accepted from each call that led to any."""
        names = {number: decode_text(name) for number, name in self.query("SELECT id, name FROM categories")}
        found = self.query("SELECT call, category, COUNT(*) FROM rows GROUP BY call, category")
        return [(call, names[category], count) for call, category, count in found]

    def batch_replies(self, call: int) -> tuple[RecordedReply, ...]:
        """All replies of the batch of reply ``call``, in order: the sources of its rows."""
        sql = f"{_REPLIES} WHERE c.batch = (SELECT batch FROM calls WHERE id = ?) ORDER BY c.id"
        return tuple(_reply(*found) for found in self.query(sql, call))

    def pool_rows(self, ids: Iterable[int]) -> dict[int, Row]:
        """The rows with these pool ids (seeds 1..S, then grown rows); unknown ids are left out.

        Grown rows are those that the run recorded. Minus the id of a rejection is the row that a person made of it.
        """
        seeds = self._count("seeds")
        found: dict[int, Row] = {}
        for number in ids:
            if number < 0:
                for line in [each.line for each in self.decisions.on(number) if each.line is not None][-1:]:
                    found[number] = parse_json(line, f"the row of rejection {-number}")
                continue
            table, key = ("seeds", number) if number <= seeds else ("rows", number - seeds)
            for (line,) in self.query(f"SELECT row FROM {table} WHERE number = ?", key):
                found[number] = parse_json(line, f"pool row {number}")
        return found

    def last_judged_reply(self) -> int:
        """The id of the last reply of all finished batches, 0 if there is none: replies are judged in their order."""
        found = self.query(_LAST_JUDGED)
        return int(found[0][0]) if found else 0

    def outcome_of(self, target: int) -> Outcome | None:
        """How the run judged a row, or for a negative number a rejection; None if there is no such row."""
        if target > 0:
            grown = self.row(target)
            return None if grown is None else Outcome(grown.call, grown.position, grown.category, BY_PERSON)
        refused = self.rejection(-target)
        return None if refused is None else Outcome(refused.call, refused.position, None, refused.reason)

    def _count(self, table: str) -> int:
        return int(self.query(f"SELECT COUNT(*) FROM {table}")[0][0])

    def _paged(self, sql: str, after: int = 0, *more: Any) -> Iterator[Any]:
        while page := self.query(sql, after, _PAGE, *more):
            yield from page
            after = page[-1][0]

    def query(self, sql: str, *values: Any) -> list[Any]:
        """The rows that a query returns, all of them."""
        with storage_errors(self.path):
            return self._connection.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Read several queries from one snapshot; within the writer's transaction, from that."""
        if self._connection.in_transaction:
            yield
            return
        self.query("BEGIN")
        try:
            yield
        finally:
            self.query("COMMIT")


def recorded_batch(number: int, name: bytes, count: int, asked: int, demos: str, given: str) -> Batch:
    """The batch of a line of the journal. Raises StorageError if its JSON is damaged."""
    shown = tuple(parse_json(demos, f"the demonstrations of batch {number}"))
    return Batch(number, decode_text(name), count, asked, shown, parse_json(given, f"the values of batch {number}"))


def _reply(
    call: int,
    step: str,
    model: bytes,
    finish_reason: bytes,
    given: int,
    got: int,
    estimated: int,
    seconds: float,
    tries: int,
    cached: int,
    text: bytes,
    *batch: Any,
) -> RecordedReply:
    usage = Usage(given, got, bool(estimated), cached)
    reply = Reply(decode_text(text), decode_text(model), usage, decode_text(finish_reason), seconds, tries)
    return RecordedReply(call, recorded_batch(*batch), step, reply)


def write_rows(history: History, path: Path, count: int | None = None) -> int:
    """Write the rows of the data set, or the first ``count``, as JSON Lines, atomically, and return their number.

    Raises ``StorageError`` if the disk fails.
    """
    written = 0
    with open_whole(path) as file:
        for row in history.final_rows(count):
            file.write(f"{row.line}\n".encode())
            written += 1
    return written
