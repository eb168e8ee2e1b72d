"""The write side of the journal: what is added, and when it is safe.

Additions gather in one transaction until ``commit``; each of them is whole in itself, so a group may be
committed at any point between two. After an error of the disk nothing more is written by this connection:
the group is undone, and every later call says the same error again.
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
    making,
    storage_error,
    translated,
)
from selfinstruct.journal.entries import SeedRow, pack, unpack
from selfinstruct.journal.history import History
from selfinstruct.journal.metadata import RunMetadata
from selfinstruct.records import JSON, Batch, Failure, Judgement, Reply
from selfinstruct.rows import to_json


class Journal:
    """The one writer of a run directory; the caller holds the directory's lock.

    ``history`` reads the same journal, with what is not committed yet. Calls may come from any thread, one at
    a time. All methods raise ``StorageError`` where the disk refuses.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self.history = History(connection, path)
        self._connection = connection
        self._broken: StorageError | None = None
        with translated(path):
            self._last_call = self._highest("calls", "id")
            self._last_row = self._highest("rows", "number")
            self._last_rejection = self._highest("rejections", "id")
            self._categories: dict[str, int] = {
                unpack(name): number for number, name in connection.execute("SELECT id, name FROM categories")
            }
            #: Calls that wait for judgement -> their batches; never many, since a call is judged when it is next.
            self._waiting: dict[int, int] = dict(
                connection.execute("SELECT id, batch FROM calls WHERE id NOT IN (SELECT call FROM judged)")
            )

    @classmethod
    def create(cls, directory: Path, metadata: RunMetadata, seeds: Iterable[SeedRow]) -> Self:
        """Begin the journal of a new run in an existing directory, whole or not at all.

        Raises ``StorageError`` where there is one already.
        """
        path = directory / JOURNAL_NAME
        with making(path) as connection:
            begun = cls(connection, path)
            begun.write_metadata(metadata)
            for number, seed in enumerate(seeds, start=1):
                begun._add_seed(number, seed)
            begun.commit()
        return cls.open(directory)

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open the journal of a run to go on with it: checked whole, brought to the newest schema."""
        path = directory / JOURNAL_NAME
        return cls(connect_writer(path), path)

    def add_batch(self, batch: Batch) -> None:
        """Record a planned batch, before its first call; its number must be new."""
        with self._writing():
            category = self._category(batch.category)
            self._connection.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)",
                (batch.number, category, batch.count, batch.asked, json.dumps(batch.demos), json.dumps(batch.given)),
            )

    def add_reply(self, batch: int, step: str, reply: Reply) -> int:
        """Record a reply, raw, to one step of the batch of that number; the id of the call.

        Commit before parsing it: then no paid reply is ever lost.
        """
        with self._writing():
            call = self._add_call(batch, step, reply, reply.finish_reason)
            self._connection.execute("INSERT INTO replies VALUES (?, ?)", (call, pack(reply.text)))
        self._waiting[call] = batch
        return call

    def add_failure(self, batch: int, step: str, failure: Failure, *, ends: bool = True) -> int:
        """Record a call that gave no reply, which ends its batch unless others go on; the id of the call."""
        with self._writing():
            call = self._add_call(batch, step, failure, "")
            self._waiting[call] = batch
            self._fail(call, failure.reason, failure.message, ends)
        return call

    def fail(self, call: int, reason: str, message: str, *, ends: bool = True) -> None:
        """Record that a reply gave nothing, which ends its batch unless others go on; counted under ``reason``."""
        self._must_wait(call)
        with self._writing():
            self._fail(call, reason, message, ends)

    def waits(self, call: int) -> bool:
        """Whether a reply waits for judgement."""
        return call in self._waiting

    def end(self, batch: int) -> None:
        """Record that a batch is over that came to nothing, each of its replies having failed or led no further."""
        waiting = [call for call, of in self._waiting.items() if of == batch]
        with self._writing():
            if waiting:
                self._settle(max(waiting), 0)
            else:
                last = "SELECT MAX(id) FROM calls WHERE batch = ?"
                self._connection.execute(f"UPDATE judged SET candidates = 0 WHERE call = ({last})", (batch,))

    def add_passages(self, passages: Iterable[JSON]) -> None:
        """Keep the passages of a run's documents, numbered on from those that are there."""
        with self._writing():
            first = self._highest("passages", "number") + 1
            rows = ((number, to_json(passage)) for number, passage in enumerate(passages, first))
            self._connection.executemany("INSERT INTO passages VALUES (?, ?)", rows)

    def judge(self, call: int, judgements: Sequence[Judgement]) -> None:
        """Record the judgements of a reply, all of them, which ends its batch and settles its earlier steps.

        Accepted rows are numbered on in the order given. Raises ``ValueError`` for a reply that is not
        waiting (each is judged once), and like ``TypeError`` for an accepted one that is no row of JSON values.
        """
        self._must_wait(call)
        accepted = [judged for judged in judgements if judged.rejection is None]
        lines = [_line(judged) for judged in accepted]
        with self._writing():
            self._add_rows(call, accepted, lines)
            self._add_rejections(call, judgements)
            self._settle(call, len(judgements))

    def write_metadata(self, metadata: RunMetadata) -> None:
        """Replace the metadata of the run, such as by ``replace(journal.history.metadata(), stopped="done")``."""
        with self._writing():
            changed = metadata.changes(self.history.notes())
            values = [(key, json.dumps(value)) for key, value in changed.items()]
            self._connection.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?)", values)

    def write_exhausted(self, categories: Iterable[str]) -> None:
        """Replace the set of exhausted categories."""
        self.write_metadata(replace(self.history.metadata(), exhausted=frozenset(categories)))

    def commit(self) -> None:
        """Put all that was added on the disk; what came before a commit that returned is never lost."""
        if self._connection.in_transaction:
            with self._writing():
                self._connection.execute("COMMIT")

    def close(self) -> None:
        """Commit, unless the disk has refused before, and let go of the file."""
        try:
            if self._broken is None:
                self.commit()
        finally:
            disconnect_writer(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _add_seed(self, number: int, seed: SeedRow) -> None:
        with self._writing():
            values = (number, self._category(seed.category), seed.line, to_json(seed.row))
            self._connection.execute("INSERT INTO seeds VALUES (?, ?, ?, ?)", values)

    def _add_call(self, batch: int, step: str, came: Reply | Failure, finish: str) -> int:
        self._last_call += 1
        tokens = (came.usage.input, came.usage.output, came.usage.estimated)
        self._connection.execute(
            "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._last_call, batch, step, pack(came.model), pack(finish), *tokens, came.seconds, came.tries),
        )
        return self._last_call

    def _add_rows(self, call: int, accepted: Sequence[Judgement], lines: Sequence[str]) -> None:
        rows = []
        for number, (judged, line) in enumerate(zip(accepted, lines, strict=True), start=self._last_row + 1):
            spans = json.dumps(judged.spans) if judged.spans else "{}"
            rows.append((number, call, judged.candidate.position, self._category(judged.category), line, spans))
        self._connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._last_row += len(rows)

    def _add_rejections(self, call: int, judgements: Sequence[Judgement]) -> None:
        refused = []
        for judged in judgements:
            if why := judged.rejection:
                self._last_rejection += 1
                where = (self._last_rejection, call, judged.candidate.position, self._category(judged.category))
                evidence = (why.nearest, why.score, pack(judged.candidate.text))
                refused.append((*where, why.reason, pack(why.message), *evidence))
        self._connection.executemany("INSERT INTO rejections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", refused)

    def _fail(self, call: int, reason: str, message: str, ends: bool) -> None:
        self._connection.execute("INSERT INTO failures VALUES (?, ?, ?)", (call, reason, pack(message)))
        if ends:
            self._settle(call, 0)
        else:
            self._connection.execute("INSERT INTO judged VALUES (?, NULL)", (call,))
            del self._waiting[call]

    def _settle(self, call: int, candidates: int) -> None:
        batch = self._waiting[call]
        earlier = [other for other, of in self._waiting.items() if of == batch and other < call]
        self._connection.executemany("INSERT INTO judged VALUES (?, NULL)", [(other,) for other in earlier])
        self._connection.execute("INSERT INTO judged VALUES (?, ?)", (call, candidates))
        for done in (*earlier, call):
            del self._waiting[done]

    def _must_wait(self, call: int) -> None:
        if call not in self._waiting:
            raise ValueError(f"call {call} does not wait for judgement: unknown, or judged before")

    def _category(self, name: str) -> int:
        number = self._categories.get(name)
        if number is None:
            number = self._categories[name] = len(self._categories) + 1
            self._connection.execute("INSERT INTO categories VALUES (?, ?)", (number, pack(name)))
        return number

    def _highest(self, table: str, key: str) -> int:
        return int(self._connection.execute(f"SELECT COALESCE(MAX({key}), 0) FROM {table}").fetchone()[0])

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Add to the open group, or begin one; what goes wrong half-way undoes the group and ends the writing."""
        if self._broken is not None:
            raise StorageError(self._broken.message, hint=self._broken.hint)
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            yield
        except BaseException as error:
            self._break(error)
            if isinstance(error, sqlite3.Error):
                raise storage_error(self.path, error) from error
            raise

    def _break(self, error: BaseException) -> None:
        if isinstance(error, sqlite3.Error):
            self._broken = storage_error(self.path, error)
        else:
            self._broken = StorageError(
                f"{self.path}: writing was interrupted by {type(error).__name__}", hint="Run the same command again."
            )
        # SQLite may have undone the group itself; if it cannot be undone here, the next opening undoes it.
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()


def _line(judged: Judgement) -> str:
    """An accepted row as JSON: made before anything is written, so that a bad one harms nothing."""
    if judged.candidate.row is None:
        raise ValueError(f"candidate {judged.candidate.position}: without a row it cannot be accepted")
    return to_json(judged.candidate.row)
