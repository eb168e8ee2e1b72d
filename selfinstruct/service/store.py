"""What the service itself remembers, in ``jobs.sqlite``: the runs that were asked for, uploads, and idempotency keys.

Rows, replies and judgements are in the journals of runs, not here. Every write is on the disk when it returns.

Does not handle: what the states mean (``jobs``).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs    (number INTEGER PRIMARY KEY,             -- in the order of the queue
                                    run TEXT NOT NULL UNIQUE, user TEXT NOT NULL, created TEXT NOT NULL,
                                    state TEXT NOT NULL, spec TEXT NOT NULL, error TEXT);
CREATE TABLE IF NOT EXISTS keys    (user TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,
                                    run TEXT NOT NULL, created TEXT NOT NULL, PRIMARY KEY (user, key));
CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL,
                                    bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, created TEXT NOT NULL);
"""
_JOB = "number, run, user, created, state, spec, error"

JobState: TypeAlias = Literal["queued", "running", "ended", "cancelled", "failed"]
#: The states of jobs that a service which starts takes up.
UNFINISHED: tuple[JobState, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Job:
    """A run that a user asked for; ``error`` is what it failed with, by language."""

    number: int
    run: str
    user: str
    created: str
    state: JobState
    spec: Mapping[str, Any]
    error: Mapping[str, Mapping[str, str]] | None


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file; ``name`` is the one that its user gave it, and is only ever shown."""

    id: str
    user: str
    name: str
    bytes: int
    sha256: str
    created: str


@dataclass
class Store:
    """The database in ``folder``; its methods may block, and may be called from any thread."""

    folder: Path
    _connection: sqlite3.Connection = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._connection = sqlite3.connect(self.folder / "jobs.sqlite", check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with self._lock, self._connection:
            yield self._connection

    def _read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def add_job(
        self, run: str, user: str, created: str, spec: Mapping[str, Any], key: str | None, digest: str
    ) -> tuple[str, bool]:
        """Queue a run, unless ``key`` was used before: then nothing is done.

        Returns the run of the key, and whether its request was the same.
        """
        with self._writing() as connection:
            if key is not None:
                known = connection.execute("SELECT run, digest FROM keys WHERE user = ? AND key = ?", (user, key))
                for old, earlier in known.fetchall():
                    return old, earlier == digest
                connection.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?)", (user, key, digest, run, created))
            connection.execute(
                "INSERT INTO jobs (run, user, created, state, spec) VALUES (?, ?, ?, 'queued', ?)",
                (run, user, created, json.dumps(spec)),
            )
        return run, True

    def run_of_key(self, user: str, key: str) -> tuple[str, str] | None:
        """The run that a user created with an idempotency key, and the digest of that request; or None."""
        found = self._read("SELECT run, digest FROM keys WHERE user = ? AND key = ?", user, key)
        return (found[0][0], found[0][1]) if found else None

    def requeue(self, run: str, user: str, created: str, spec: Mapping[str, Any]) -> None:
        """Put a run at the end of the queue; ``user`` and ``created`` are those of one that was not here before."""
        with self._writing() as connection:
            old = connection.execute("SELECT user, created FROM jobs WHERE run = ?", (run,)).fetchone()
            connection.execute("DELETE FROM jobs WHERE run = ?", (run,))
            connection.execute(
                "INSERT INTO jobs (run, user, created, state, spec) VALUES (?, ?, ?, 'queued', ?)",
                (run, *(old or (user, created)), json.dumps(spec)),
            )

    def set_state(self, run: str, state: JobState, error: Mapping[str, Any] | None = None) -> None:
        """Record the state of a job."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, error = ? WHERE run = ?",
                (state, None if error is None else json.dumps(error), run),
            )

    def remove_job(self, run: str) -> None:
        """Forget a run and the keys that led to it."""
        with self._writing() as connection:
            connection.execute("DELETE FROM jobs WHERE run = ?", (run,))
            connection.execute("DELETE FROM keys WHERE run = ?", (run,))

    def job(self, run: str) -> Job | None:
        """The job of a run, or None."""
        return next(map(_job, self._read(f"SELECT {_JOB} FROM jobs WHERE run = ?", run)), None)

    def jobs(self) -> list[Job]:
        """All jobs in the order of the queue."""
        return list(map(_job, self._read(f"SELECT {_JOB} FROM jobs ORDER BY number")))

    def add_upload(self, upload: Upload) -> None:
        """Record an uploaded file."""
        with self._writing() as connection:
            values = (upload.id, upload.user, upload.name, upload.bytes, upload.sha256, upload.created)
            connection.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)", values)

    def remove_upload(self, upload: str) -> None:
        """Forget an uploaded file."""
        with self._writing() as connection:
            connection.execute("DELETE FROM uploads WHERE id = ?", (upload,))

    def upload(self, upload: str) -> Upload | None:
        """An uploaded file by its id, or None."""
        sql = "SELECT id, user, name, bytes, sha256, created FROM uploads WHERE id = ?"
        return next((Upload(*found) for found in self._read(sql, upload)), None)


def _job(found: tuple[Any, ...]) -> Job:
    number, run, user, created, state, spec, error = found
    return Job(number, run, user, created, state, json.loads(spec), None if error is None else json.loads(error))
