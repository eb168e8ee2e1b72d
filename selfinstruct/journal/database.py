"""The SQLite file of the journal: its schema, creating, opening and checking it, and hints for its errors.

Rules that keep it intact:

* One connection writes during a run; all others are read-only and never checkpoint. (SQLite before
  3.51.3 can corrupt a WAL that two connections reset at once; https://sqlite.org/wal.html#walresetbug.)
* ``synchronous=FULL``: a commit that returned is on the disk.
* A new journal is created under another name and renamed. So a journal that exists is complete, and an empty or
  truncated one is damaged, never new.
* The file of a live journal is opened only by SQLite: closing any other descriptor of it would drop SQLite's POSIX
  locks (https://sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from selfinstruct.errors import StorageError
from selfinstruct.messages import Phrase
from selfinstruct.platform_support import sync_directory

#: The journal's file in a run directory.
JOURNAL_NAME = "run.sqlite"
#: Marks the file as ours in SQLite's header ("Self" in ASCII).
APPLICATION_ID = 0x53656C66

# Text from outside (replies, categories, messages) is stored as a BLOB of UTF-8 with lone surrogates, which
# SQLite's TEXT cannot store; JSON and our own slugs are TEXT.
_FIRST_SCHEMA = """
CREATE TABLE notes      (key TEXT PRIMARY KEY, value TEXT NOT NULL);       -- JSON values
CREATE TABLE categories (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
CREATE TABLE seeds      (number INTEGER PRIMARY KEY,                       -- the pool id, from 1
                         category INTEGER NOT NULL REFERENCES categories,
                         line INTEGER NOT NULL,                            -- in the seed file
                         row TEXT NOT NULL);
CREATE TABLE batches    (number INTEGER PRIMARY KEY,
                         category INTEGER NOT NULL REFERENCES categories,
                         count INTEGER NOT NULL, asked INTEGER NOT NULL,
                         demos TEXT NOT NULL);                             -- JSON list of pool ids
CREATE TABLE calls      (id INTEGER PRIMARY KEY,                           -- in the order of recording
                         batch INTEGER NOT NULL REFERENCES batches,
                         step TEXT NOT NULL, model BLOB NOT NULL, finish_reason BLOB NOT NULL,
                         input INTEGER NOT NULL, output INTEGER NOT NULL, estimated INTEGER NOT NULL,
                         seconds REAL NOT NULL);
CREATE INDEX calls_batch ON calls (batch);
-- Apart from calls, so that counting calls and tokens does not read every reply.
CREATE TABLE replies    (call INTEGER PRIMARY KEY REFERENCES calls, text BLOB NOT NULL);
CREATE TABLE failures   (call INTEGER PRIMARY KEY REFERENCES calls, reason TEXT NOT NULL, message BLOB NOT NULL);
-- A call that needs no more work. candidates is NULL for an earlier step, settled by the last one of its batch.
CREATE TABLE judged     (call INTEGER PRIMARY KEY REFERENCES calls, candidates INTEGER);
CREATE TABLE rows       (number INTEGER PRIMARY KEY,                       -- grown rows, from 1
                         call INTEGER NOT NULL REFERENCES calls, position INTEGER NOT NULL,
                         category INTEGER NOT NULL REFERENCES categories,
                         row TEXT NOT NULL, spans TEXT NOT NULL);
CREATE INDEX rows_call  ON rows (call, category);
CREATE TABLE rejections (id INTEGER PRIMARY KEY,
                         call INTEGER NOT NULL REFERENCES calls, position INTEGER NOT NULL,
                         category INTEGER NOT NULL REFERENCES categories,
                         reason TEXT NOT NULL, message BLOB NOT NULL,
                         nearest INTEGER, score REAL, text BLOB NOT NULL);
CREATE INDEX rejections_reason ON rejections (reason);
"""
# The number of requests per call, which counts retries; the values drawn for batches; and the passages of documents,
# so that a run can be resumed and judged again without its documents.
_METHODS = """
ALTER TABLE calls ADD COLUMN tries INTEGER NOT NULL DEFAULT 1;
ALTER TABLE batches ADD COLUMN given TEXT NOT NULL DEFAULT '{}';
CREATE TABLE passages   (number INTEGER PRIMARY KEY, passage TEXT NOT NULL); -- JSON objects, from 1
"""
# What a person decided about rows and rejections, in order; never changed.
_DECISIONS = """
CREATE TABLE decisions  (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,
                         row INTEGER REFERENCES rows, rejection INTEGER REFERENCES rejections,  -- one of the two
                         action TEXT NOT NULL, reason BLOB NOT NULL, person BLOB NOT NULL, at TEXT NOT NULL,
                         line TEXT, spans TEXT NOT NULL, category INTEGER REFERENCES categories,
                         after_call INTEGER NOT NULL);
"""
# The batch jobs of an endpoint: the uploaded file, the job that was created of it ('' until that is known), and its
# requests. A file without a job may have one all the same: its creation was under way when the process was killed.
_JOBS = """
CREATE TABLE jobs       (id INTEGER PRIMARY KEY, model BLOB NOT NULL, file TEXT NOT NULL, job TEXT NOT NULL,
                         requests TEXT NOT NULL);                          -- JSON list of custom_ids
"""
# The input tokens that the endpoint had in its cache.
_CACHED = "ALTER TABLE calls ADD COLUMN cached INTEGER NOT NULL DEFAULT 0;"
#: Script i upgrades a journal from schema version i to i + 1; a released script is never edited.
SCHEMA = (_FIRST_SCHEMA, _METHODS, _DECISIONS, _JOBS, _CACHED)

#: The hint for a damaged journal.
DAMAGED = Phrase(
    "The journal is damaged and was not changed. Restore it from a backup, or save its readable content as a new run: "
    "selfinstruct recover {run} -o NEWDIR",
    run="RUN",
)
_LOCKED = Phrase("Another program has locked the journal: close it and run again.")
_HINTS = {
    sqlite3.SQLITE_FULL: Phrase("The disk is full: free some space, then run the same command again to resume."),
    sqlite3.SQLITE_READONLY: Phrase("Make the journal and its directory writable, then run again."),
    sqlite3.SQLITE_CANTOPEN: Phrase("Check that the directory exists and is readable and writable."),
    sqlite3.SQLITE_PERM: Phrase("Check that the journal and its directory are readable and writable."),
    sqlite3.SQLITE_IOERR: Phrase("Check the disk and its limits (quota, file size), then run again."),
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}


def storage_error(path: Path, error: sqlite3.Error) -> StorageError:
    """Translate an error of SQLite on the journal at ``path``."""
    # The sqlite3 module's own errors have no code: misuse, or text in the file that is not UTF-8.
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and isinstance(error, sqlite3.OperationalError):
        code = sqlite3.SQLITE_CORRUPT
    hint = _HINTS.get((code or 0) & 0xFF, Phrase("This is a bug in selfinstruct: please report it with this message."))
    return StorageError(Phrase("{path}: {error}", path=path, error=error), hint=_with_directory(hint, path))


def _with_directory(hint: str, path: Path) -> str:
    """The hint with the directory of ``path`` in its command."""
    return Phrase(DAMAGED.template, run=shlex.quote(str(path.parent))) if hint == DAMAGED else hint


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Raise the errors of SQLite and of the system inside the block as ``StorageError`` about ``path``."""
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(path, error) from error
    except UnicodeDecodeError as error:  # in SQLite's message about a damaged schema
        raise StorageError(
            Phrase("{path}: {error}", path=path, error=error), hint=_with_directory(DAMAGED, path)
        ) from error
    except OSError as error:
        raise StorageError(
            "{path}: {strerror}",
            hint="Check that its directory exists and is writable, and that the disk has free space.",
            path=path,
            strerror=error.strerror or error,
        ) from error


@contextlib.contextmanager
def new_journal(path: Path) -> Iterator[sqlite3.Connection]:
    """Context manager that yields an empty database with the schema and puts it in place at the end of the block.

    Raises ``StorageError`` if a journal, or a part of one, already exists.
    """
    wal = _sibling(path, "-wal")
    if path.exists():
        raise StorageError("{path}: already exists", hint="Resume that run, or choose another `out`.", path=path)
    if wal.exists() and wal.stat().st_size > 0:
        # SQLite would replay it into the new file, since its checksums are valid.
        raise StorageError(
            "{wal}: part of a journal, but {name} is missing",
            hint="Put {name} back beside it, or choose another `out`.",
            wal=wal,
            name=path.name,
        )
    new = _sibling(path, ".new")
    with storage_errors(path):
        _remove(new)
        try:
            with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
                # Nothing is visible before the rename, so one fsync at the end is enough.
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                _migrate(connection, 0, SCHEMA)
                yield connection
            _sync_file(new)
            new.rename(path)
            sync_directory(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):  # report the first error
                _remove(new)
            raise


def connect_writer(path: Path, *, schema: Sequence[str] = SCHEMA) -> sqlite3.Connection:
    """Open the journal at ``path`` for writing: check its integrity and upgrade it to the newest schema."""
    with _connection(path, "rw") as connection:
        version = _version(connection, path, len(schema))
        _check_integrity(connection, path)
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StorageError(
                "{path}: this file system does not support write-ahead logs (journal mode {mode})",
                hint="Set `out` to a directory on a local disk.",
                path=path,
                mode=mode,
            )
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, version, schema)
        return connection


def connect_reader(path: Path, *, schema: Sequence[str] = SCHEMA) -> sqlite3.Connection:
    """Open the journal at ``path`` read-only, also while it is being written."""
    _finish_interrupted_switch(path)
    with _connection(path, "ro") as connection:
        version = _version(connection, path, len(schema))
        if version < len(schema):
            raise StorageError(
                "{path}: written by an older selfinstruct (schema {version}, this one reads {schema})",
                hint="Run its `selfinstruct run` command again to upgrade the journal.",
                path=path,
                version=version,
                schema=len(schema),
            )
        return connection


def _finish_interrupted_switch(path: Path) -> None:
    """Roll back a journal-mode switch that a killed writer left unfinished, which a reader is not allowed to do."""
    if not _sibling(path, "-journal").exists() or not path.exists():
        return
    # A live writer holds its lock, so nothing is rolled back; if this fails, the reader reports why.
    with contextlib.suppress(StorageError), _connection(path, "rw") as connection, contextlib.closing(connection):
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()


def disconnect_writer(connection: sqlite3.Connection) -> None:
    """Close the writer's connection and merge the log, so that the journal is one file that can be copied."""
    # While others read, the log has to stay: the next writer merges it.
    with contextlib.suppress(sqlite3.Error), contextlib.closing(connection):
        connection.execute("PRAGMA journal_mode = DELETE")


@contextlib.contextmanager
def _connection(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """A connection that is closed if the block raises."""
    if not path.exists():
        raise StorageError("{path}: no such file", hint="Check the directory: it must be that of a run.", path=path)
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with storage_errors(path):
        # Any thread may call, one at a time, so that a commit may wait for the disk in a thread.
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA temp_store = MEMORY")
            yield connection
        except BaseException:
            connection.close()
            raise


def _version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """The schema version of an open journal; raises if it is not a journal, or too new."""
    owner, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if _pragma(connection, "page_count") == 0:
        raise StorageError(Phrase("{path}: truncated to 0 bytes", path=path), hint=_with_directory(DAMAGED, path))
    if owner != APPLICATION_ID or version < 1:
        raise StorageError("{path}: not a journal of selfinstruct", hint="Choose another `out`.", path=path)
    if version > newest:
        raise StorageError(
            "{path}: written by a newer selfinstruct (schema {version}, this one reads {newest})",
            hint="Upgrade selfinstruct, or choose another `out`.",
            path=path,
            version=version,
            newest=newest,
        )
    return version


def _check_integrity(connection: sqlite3.Connection, path: Path) -> None:
    """Read every page, to find damage before a run rather than during it."""
    size, wal = path.stat().st_size, _sibling(path, "-wal")
    due = _pragma(connection, "page_count") * _pragma(connection, "page_size")
    # SQLite reads the missing end of a last page as zeros. With a log, the pages may be in there.
    if size < due and not (wal.exists() and wal.stat().st_size > 0):
        raise StorageError(
            Phrase("{path}: truncated: {size} of {due} bytes left", path=path, size=size, due=due),
            hint=_with_directory(DAMAGED, path),
        )
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StorageError(Phrase("{path}: {found}", path=path, found=found), hint=_with_directory(DAMAGED, path))


def _pragma(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _migrate(connection: sqlite3.Connection, version: int, schema: Sequence[str]) -> None:
    for number, script in enumerate(schema[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {number};COMMIT")


def _sibling(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}{ending}")


def _remove(new: Path) -> None:
    for file in (new, _sibling(new, "-journal")):
        file.unlink(missing_ok=True)


def _sync_file(path: Path) -> None:
    """Flush a closed file to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
