"""The write side of the journal.

Additions are collected in one transaction until ``commit``; each is complete in itself, so a transaction may be
committed between any two. After a disk error the transaction is rolled back, nothing more is written by this
connection, and every later call raises the same error.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from selfinstruct.errors import StorageError
from selfinstruct.journal.database import (
    JOURNAL_NAME,
    connect_writer,
    disconnect_writer,
    new_journal,
    storage_error,
    storage_errors,
)
from selfinstruct.journal.decisions import Change, Decision
from selfinstruct.journal.entries import SeedRow, decode_text, encode_text
from selfinstruct.journal.history import History
from selfinstruct.journal.inbox import emptied
from selfinstruct.journal.metadata import RunMetadata
from selfinstruct.records import JSON, Batch, Failure, Judgement, Reply
from selfinstruct.rows import to_json


class Journal:
    """The only writer of a run directory; the caller must hold the lock of the directory.

    ``history`` reads the same journal, including uncommitted additions. Calls may come from any thread, one at a time.
    All methods raise ``StorageError`` if the disk fails.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self.history = History(connection, path, with_inbox=False)
        self._connection = connection
        self._write_error: StorageError | None = None
        with storage_errors(path):
            self._last_call = self._highest("calls", "id")
            self._last_row = self._highest("rows", "number")
            self._last_rejection = self._highest("rejections", "id")
            self._last_decision = self._highest("decisions", "id")
            self._categories: dict[str, int] = {
                decode_text(name): number for number, name in connection.execute("SELECT id, name FROM categories")
            }
            #: The calls without judgement and their batches; never many, since calls are judged in order.
            self._unjudged: dict[int, int] = dict(
                connection.execute("SELECT id, batch FROM calls WHERE id NOT IN (SELECT call FROM judged)")
            )

    @classmethod
    def create(cls, directory: Path, metadata: RunMetadata, seeds: Iterable[SeedRow]) -> Self:
        """Create the journal of a new run in an existing directory, atomically.

        Raises ``StorageError`` if there already is one.
        """
        path = directory / JOURNAL_NAME
        with new_journal(path) as connection:
            journal = cls(connection, path)
            journal.write_metadata(metadata)
            for number, seed in enumerate(seeds, start=1):
                journal._add_seed(number, seed)
            journal.commit()
        return cls.open(directory)

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open the journal of a run to resume it: check its integrity, and upgrade it to the newest schema."""
        path = directory / JOURNAL_NAME
        return cls(connect_writer(path), path)

    def add_batch(self, batch: Batch) -> None:
        """Record a planned batch, before its first call; its number must be new."""
        with self._transaction():
            category = self._category(batch.category)
            self._connection.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)",
                (
                    batch.number,
                    category,
                    batch.count,
                    batch.requested_before,
                    json.dumps(batch.demos),
                    json.dumps(batch.conditions),
                ),
            )

    def add_reply(self, batch: int, step: str, reply: Reply) -> int:
        """Record the raw reply to one step of a batch, and return the id of the call.

        Commit before parsing it, so that no paid reply is ever lost.
        """
        with self._transaction():
            call = self._add_call(batch, step, reply, reply.finish_reason)
            self._connection.execute("INSERT INTO replies VALUES (?, ?)", (call, encode_text(reply.text)))
        self._unjudged[call] = batch
        return call

    def add_failure(self, batch: int, step: str, failure: Failure, *, ends: bool = True) -> int:
        """Record a call without a reply, and return its id; it finishes its batch if it ``ends`` it."""
        with self._transaction():
            call = self._add_call(batch, step, failure, "")
            self._unjudged[call] = batch
            self._fail(call, failure.reason, failure.message, ends)
        return call

    def fail(self, call: int, reason: str, message: str, *, ends: bool = True) -> None:
        """Record that a reply is unusable, for ``reason``; it finishes its batch if it ``ends`` it."""
        self._require_unjudged(call)
        with self._transaction():
            self._fail(call, reason, message, ends)

    def is_unjudged(self, call: int) -> bool:
        """Whether a reply has no judgement yet."""
        return call in self._unjudged

    def end_batch(self, batch: int) -> None:
        """Record that a batch is finished without candidates: each of its replies failed or led to no row."""
        waiting = [call for call, of in self._unjudged.items() if of == batch]
        with self._transaction():
            if waiting:
                self._set_judged(max(waiting), 0)
            else:
                last = "SELECT MAX(id) FROM calls WHERE batch = ?"
                self._connection.execute(f"UPDATE judged SET candidates = 0 WHERE call = ({last})", (batch,))

    def add_passages(self, passages: Iterable[JSON]) -> None:
        """Add passages of the documents, numbered from the last one on."""
        with self._transaction():
            first = self._highest("passages", "number") + 1
            rows = ((number, to_json(passage)) for number, passage in enumerate(passages, first))
            self._connection.executemany("INSERT INTO passages VALUES (?, ?)", rows)

    def add_job(self, model: str, file: str, requests: Sequence[str]) -> int:
        """Record an uploaded file of requests before a batch job is created of it, and return its id."""
        with self._transaction():
            number = self._highest("jobs", "id") + 1
            values = (number, encode_text(model), file, "", json.dumps(list(requests)))
            self._connection.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?)", values)
        return number

    def name_job(self, number: int, job: str) -> None:
        """Record the endpoint's id of a batch job."""
        with self._transaction():
            self._connection.execute("UPDATE jobs SET job = ? WHERE id = ?", (job, number))

    def judge(self, call: int, judgements: Sequence[Judgement]) -> None:
        """Record all judgements of a reply, which finishes its batch, including its earlier steps.

        Accepted rows are numbered in the order given. Raises ``ValueError`` for a reply that is unknown or already
        judged, and ``ValueError`` or ``TypeError`` for an accepted candidate that is not a row of JSON values.
        """
        self._require_unjudged(call)
        accepted = [judged for judged in judgements if judged.rejection is None]
        lines = [_row_line(judged) for judged in accepted]
        with self._transaction():
            self._add_rows(call, accepted, lines)
            self._add_rejections(call, judgements)
            self._set_judged(call, len(judgements))

    def take_decisions(self) -> list[Change]:
        """Move the decisions that wait in the inbox into the journal, commit, and return what each changes.

        They count for every reply that is judged from now on.
        """
        with emptied(self.path.parent) as found:
            known = self.history.decisions
            new = [decision for decision in found if not known.knows(decision.key)]
            changes = [change for decision in new if (change := self._add_decision(decision)) is not None]
            self.commit()
        return changes

    def write_metadata(self, metadata: RunMetadata) -> None:
        """Replace the metadata of the run, such as by ``replace(journal.history.metadata(), stopped="done")``."""
        with self._transaction():
            changed = metadata.changes(self.history.notes())
            values = [(key, json.dumps(value)) for key, value in changed.items()]
            self._connection.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?)", values)

    def write_exhausted(self, categories: Iterable[str]) -> None:
        """Replace the set of exhausted categories."""
        self.write_metadata(replace(self.history.metadata(), exhausted=frozenset(categories)))

    def commit(self) -> None:
        """Write all additions to the disk; after it returns they are never lost."""
        if self._connection.in_transaction:
            with self._transaction():
                self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Context manager that commits the additions in it together, or none of them where it fails.

        After a failure nothing more is written by this connection.
        """
        self.commit()
        with self._transaction():
            yield
        self.commit()

    def close(self) -> None:
        """Commit, unless the disk has failed, and close the file."""
        try:
            if self._write_error is None:
                self.commit()
        finally:
            disconnect_writer(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _add_seed(self, number: int, seed: SeedRow) -> None:
        with self._transaction():
            values = (number, self._category(seed.category), seed.line, to_json(seed.row))
            self._connection.execute("INSERT INTO seeds VALUES (?, ?, ?, ?)", values)

    def _add_call(self, batch: int, step: str, came: Reply | Failure, finish: str) -> int:
        self._last_call += 1
        tokens = (came.usage.input, came.usage.output, came.usage.estimated)
        self._connection.execute(
            "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._last_call,
                batch,
                step,
                encode_text(came.model),
                encode_text(finish),
                *tokens,
                came.seconds,
                came.tries,
                came.usage.cached,
            ),
        )
        return self._last_call

    def _add_rows(self, call: int, accepted: Sequence[Judgement], lines: Sequence[str]) -> None:
        rows = []
        for number, (judged, line) in enumerate(zip(accepted, lines, strict=True), start=self._last_row + 1):
            spans = json.dumps(judged.spans) if judged.spans else "{}"
            rows.append((number, call, judged.candidate.position, self._category(judged.category), line, spans))
        self._connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._last_row += len(rows)

    def _add_decision(self, decision: Decision) -> Change | None:
        with self._transaction():
            self._last_decision += 1
            recorded = replace(decision, id=self._last_decision, after_call=self.history.last_judged_reply())
            row, rejection = (decision.target, None) if decision.target > 0 else (None, -decision.target)
            texts = encode_text(decision.reason), encode_text(decision.person)
            category = self._category(decision.category) if decision.line is not None else None
            values = (decision.line, decision.spans_line, category, recorded.after_call)
            self._connection.execute(
                "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (recorded.id, decision.key, row, rejection, decision.action, *texts, decision.at, *values),
            )
        return self.history.decisions.add(recorded)

    def _add_rejections(self, call: int, judgements: Sequence[Judgement]) -> None:
        refused = []
        for judged in judgements:
            if why := judged.rejection:
                self._last_rejection += 1
                where = (self._last_rejection, call, judged.candidate.position, self._category(judged.category))
                evidence = (why.nearest, why.score, encode_text(judged.candidate.text))
                refused.append((*where, why.reason, encode_text(why.message), *evidence))
        self._connection.executemany("INSERT INTO rejections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", refused)

    def _fail(self, call: int, reason: str, message: str, ends: bool) -> None:
        self._connection.execute("INSERT INTO failures VALUES (?, ?, ?)", (call, reason, encode_text(message)))
        if ends:
            self._set_judged(call, 0)
        else:
            self._connection.execute("INSERT INTO judged VALUES (?, NULL)", (call,))
            del self._unjudged[call]

    def _set_judged(self, call: int, candidates: int) -> None:
        batch = self._unjudged[call]
        earlier = [other for other, of in self._unjudged.items() if of == batch and other < call]
        self._connection.executemany("INSERT INTO judged VALUES (?, NULL)", [(other,) for other in earlier])
        self._connection.execute("INSERT INTO judged VALUES (?, ?)", (call, candidates))
        for done in (*earlier, call):
            del self._unjudged[done]

    def _require_unjudged(self, call: int) -> None:
        if call not in self._unjudged:
            raise ValueError(f"call {call} is unknown or already judged")

    def _category(self, name: str) -> int:
        number = self._categories.get(name)
        if number is None:
            number = self._categories[name] = len(self._categories) + 1
            self._connection.execute("INSERT INTO categories VALUES (?, ?)", (number, encode_text(name)))
        return number

    def _highest(self, table: str, key: str) -> int:
        return int(self._connection.execute(f"SELECT COALESCE(MAX({key}), 0) FROM {table}").fetchone()[0])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Add to the open transaction, or begin one; an error rolls it back and stops all writing."""
        if self._write_error is not None:
            raise StorageError(self._write_error.message, hint=self._write_error.hint)
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            yield
        except BaseException as error:
            self._stop_writing(error)
            if isinstance(error, sqlite3.Error):
                raise storage_error(self.path, error) from error
            raise

    def _stop_writing(self, error: BaseException) -> None:
        if isinstance(error, sqlite3.Error):
            self._write_error = storage_error(self.path, error)
        else:
            self._write_error = StorageError(
                "{path}: writing was interrupted by {name}",
                hint="Run the same command again.",
                path=self.path,
                name=type(error).__name__,
            )
        # SQLite may have rolled back already; if this fails, the next opening does it.
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()


def _row_line(judged: Judgement) -> str:
    """An accepted row as JSON, encoded before anything is written, so that an invalid one changes nothing."""
    if judged.candidate.row is None:
        raise ValueError(f"candidate {judged.candidate.position} was accepted without a row")
    return to_json(judged.candidate.row)
