"""The SQLite file under the journal: its schema, how it is made, opened and checked, what its errors mean.

The rules that keep it whole:

* One connection writes, for the life of a run; all others are read-only and never checkpoint. (SQLite before
  3.51.3 can corrupt a WAL that two connections reset at once; https://sqlite.org/wal.html#walresetbug.)
* ``synchronous=FULL``: a commit that returned is on the disk.
* A new journal is made under another name and renamed into place. So a journal that exists is complete, and
  an empty or cut one is damage, never a beginning.
* The file is never opened but through SQLite: closing any other descriptor of it would drop SQLite's POSIX
  locks (https://sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from selfinstruct.errors import StorageError

#: The journal's file in a run directory.
JOURNAL_NAME = "run.sqlite"
#: Marks the file as ours in SQLite's header ("Self" in ASCII).
APPLICATION_ID = 0x53656C66

# Text that comes from outside (replies, categories, messages) is stored as a BLOB of UTF-8 that lets lone
# surrogates pass, since SQLite's own TEXT cannot hold them; JSON and our own slugs are TEXT.
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
# The requests that were sent for a call, so that what was retried counts too.
_TRIES = "ALTER TABLE calls ADD COLUMN tries INTEGER NOT NULL DEFAULT 1;"
#: Script i takes a journal from schema version i to i + 1; a released script is never edited, only followed.
SCHEMA = (_FIRST_SCHEMA, _TRIES)

#: What to do about a damaged journal.
DAMAGED = (
    "The journal is damaged and was left as it is: restore it from a copy, or save what can be read into a new run "
    "with `selfinstruct recover RUN -o NEWDIR`."
)
_LOCKED = "Another program holds the journal locked: close it and run again."
_REMEDIES = {
    sqlite3.SQLITE_FULL: "The disk is full: make room, then run the same command again; it goes on from here.",
    sqlite3.SQLITE_READONLY: "The journal or its directory is read-only: make both writable and run again.",
    sqlite3.SQLITE_CANTOPEN: "Check that the directory exists and that you may read and write it.",
    sqlite3.SQLITE_PERM: "Check that you may read and write the journal and its directory.",
    sqlite3.SQLITE_IOERR: "The disk or a limit on it (quota, file size) refused: check it, then run again.",
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}


def storage_error(path: Path, error: sqlite3.Error) -> StorageError:
    """The error for a person that stands for an error of SQLite on the journal at ``path``."""
    # The sqlite3 module's own errors have no code: misuse, or text in the file that is not UTF-8.
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and isinstance(error, sqlite3.OperationalError):
        code = sqlite3.SQLITE_CORRUPT
    hint = _REMEDIES.get((code or 0) & 0xFF, "This is a fault of selfinstruct: please report it with this message.")
    return StorageError(f"{path}: {error}", hint=_placed(hint, path))


def _placed(hint: str, path: Path) -> str:
    """What to do about the journal at ``path``, with its directory in the command."""
    return hint.replace(" RUN ", f" {shlex.quote(str(path.parent))} ")


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise the errors of SQLite and of the system inside the block as ``StorageError`` about ``path``."""
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(path, error) from error
    except UnicodeDecodeError as error:  # of SQLite's own words about a damaged schema
        raise StorageError(f"{path}: {error}", hint=_placed(DAMAGED, path)) from error
    except OSError as error:
        raise StorageError(
            f"{path}: {error.strerror or error}",
            hint="Check that its directory exists, that you may write it, and that the disk has room.",
        ) from error


@contextlib.contextmanager
def making(path: Path) -> Iterator[sqlite3.Connection]:
    """Make a new journal in the block, schema given, and put it in its place at the end: whole, or not at all.

    Raises ``StorageError`` where a journal, or a part of one, is there already.
    """
    wal = _beside(path, "-wal")
    if path.exists():
        raise StorageError(f"{path}: there is a journal already", hint="Go on with it, or choose another --out.")
    if wal.exists() and wal.stat().st_size > 0:
        # SQLite would replay it into the new file: its checksums are good, only the journal is another one.
        raise StorageError(
            f"{wal}: part of a journal whose {path.name} is gone",
            hint=f"Put {path.name} back beside it, or choose another --out.",
        )
    new = _beside(path, ".new")
    with translated(path):
        _clear(new)
        try:
            with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
                # Nothing counts before the rename, so one fsync for all of it will do.
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                _migrate(connection, 0)
                yield connection
            _sync(new)
            new.rename(path)
            _sync(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):  # the first error is the one to tell
                _clear(new)
            raise


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open the journal at ``path`` to write: checked whole and brought to the newest schema."""
    with _connected(path, "rw") as connection:
        version = _version(connection, path)
        _check_whole(connection, path)
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StorageError(
                f"{path}: this file system gives no write-ahead log (journal mode {mode})",
                hint="Choose an --out on a local disk.",
            )
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, version)
        return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open the journal at ``path`` read-only, beside its writer if there is one."""
    _undo_switch(path)
    with _connected(path, "ro") as connection:
        version = _version(connection, path)
        if version < len(SCHEMA):
            raise StorageError(
                f"{path}: written by an older selfinstruct (schema {version}, this one reads {len(SCHEMA)})",
                hint="Give its `selfinstruct run` command once more: that brings the journal up to date.",
            )
        return connection


def _undo_switch(path: Path) -> None:
    """Undo what a writer left half done that was killed as it switched the log on or off: a reader may not."""
    if not _beside(path, "-journal").exists() or not path.exists():
        return
    # One that lives holds its lock, and nothing is undone; where it cannot be, the reader says why.
    with contextlib.suppress(StorageError), _connected(path, "rw") as connection, contextlib.closing(connection):
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()


def disconnect_writer(connection: sqlite3.Connection) -> None:
    """Close the writer's connection so that the journal at rest is one file, for copying and read-only disks."""
    # While anyone reads, the log has to stay: the next writer takes it in.
    with contextlib.suppress(sqlite3.Error), contextlib.closing(connection):
        connection.execute("PRAGMA journal_mode = DELETE")


@contextlib.contextmanager
def _connected(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """A connection that is closed again where the block raises."""
    if not path.exists():
        raise StorageError(f"{path}: no such journal", hint="Give the directory of a run (--out).")
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with translated(path):
        # Any thread may call, one at a time: a commit waits for the disk, and may be sent to a thread to do so.
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA temp_store = MEMORY")
            yield connection
        except BaseException:
            connection.close()
            raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version of an open journal; raises where the file is none, or too new."""
    owner, version = _number(connection, "application_id"), _number(connection, "user_version")
    if _number(connection, "page_count") == 0:
        raise StorageError(f"{path}: cut short: nothing is left of it", hint=_placed(DAMAGED, path))
    if owner != APPLICATION_ID or version < 1:
        raise StorageError(f"{path}: not a journal of selfinstruct", hint="Choose another --out.")
    if version > len(SCHEMA):
        raise StorageError(
            f"{path}: written by a newer selfinstruct (schema {version}, this one knows {len(SCHEMA)})",
            hint="Upgrade selfinstruct, or choose another --out.",
        )
    return version


def _check_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Read every page: damage is found before a run builds on it, not after an hour."""
    size, wal = path.stat().st_size, _beside(path, "-wal")
    due = _number(connection, "page_count") * _number(connection, "page_size")
    # SQLite takes the missing end of a last page for zeros. With a log, its pages may be there instead.
    if size < due and not (wal.exists() and wal.stat().st_size > 0):
        raise StorageError(f"{path}: cut short: {size} of {due} bytes are left", hint=_placed(DAMAGED, path))
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise StorageError(f"{path}: {found}", hint=_placed(DAMAGED, path))


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for number, script in enumerate(SCHEMA[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version = {number};COMMIT")


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}{ending}")


def _clear(new: Path) -> None:
    for file in (new, _beside(new, "-journal")):
        file.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Put a closed file, or the names in a directory, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
