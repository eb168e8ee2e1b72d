"""Make one chosen file or database operation of this package fail, or kill the process there, to test what is kept.

    with Disk() as disk:
        api.run(...)
    sites = list(disk.calls)                            # every call that creates, writes, syncs, renames or removes
    with Disk(DiskFault(sites[3], "ENOSPC")):
        api.run(...)                                    # the disk is full from there on

A *site* is a function and the lines that call it. SQLite's own system calls cannot be intercepted, so its writing
statements are intercepted instead.

Does not handle: failures inside a commit; these need real kills and real full disks.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest import mock

_PACKAGE = Path(__file__).parents[1]
#: The modules whose calls are intercepted; a site lists the calling lines in these, the innermost first.
_TRACKED = ("files.py", "run_directory.py", "journal/", "api/")
_SYSTEM_CALLS = ("mkdir", "rmdir", "unlink", "rename", "replace", "fsync", "ftruncate", "pwrite", "fchmod")
_WRITING_STATEMENTS = ("BEGIN IMMEDIATE", "INSERT", "COMMIT", "PRAGMA journal_mode =", "PRAGMA application_id =")
#: SQLite's errors for system errors.
_SQLITE_ERRORS = {
    "ENOSPC": (sqlite3.SQLITE_FULL, "database or disk is full"),
    "EIO": (sqlite3.SQLITE_IOERR, "disk I/O error"),
    "EACCES": (sqlite3.SQLITE_READONLY, "attempt to write a readonly database"),
}


@dataclass(frozen=True, slots=True)
class DiskFault:
    """The fault of the ``time``-th call of a site: ``kill`` before it, ``killed`` after it, or the name of an error.

    A ``lasting`` error is raised by every later call as well, as a full disk stays full.
    """

    site: str
    how: str
    time: int = 1
    lasting: bool = True


class Disk:
    """Counts the ``calls`` of each site while it is open as a context manager, and causes the fault."""

    def __init__(self, fault: DiskFault | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self._fault = fault
        self._failing = False
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        """Begin to intercept calls."""
        for name in _SYSTEM_CALLS:
            self._patch(os, name, self._guarded(name, getattr(os, name)))
        self._patch(os, "open", self._guarded("open", os.open, self._writes))
        self._patch(io, "open", self._opening(io.open))
        self._patch(sqlite3, "connect", self._connecting(sqlite3.connect))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop intercepting calls."""
        self._patches.close()

    def about_to_call(self, what: str) -> Callable[[], None]:
        """Count a call that is about to be made, and cause its fault; returns a function to call afterwards."""
        site = f"{what} {_call_site()}"
        self.calls[site] += 1
        fault = self._fault
        if fault is None:
            return lambda: None
        hit = site == fault.site and self.calls[site] == fault.time
        if hit and fault.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if hit and fault.how == "killed":
            return lambda: os.kill(os.getpid(), signal.SIGKILL)
        if fault.how in _SQLITE_ERRORS and (hit or self._failing):
            self._failing = fault.lasting
            raise _error(what, fault.how)
        return lambda: None

    def _patch(self, where: Any, name: str, by: Any) -> None:
        self._patches.enter_context(mock.patch.object(where, name, by))

    def _guarded(self, what: str, call: Any, when: Callable[..., bool] = lambda *given: True) -> Any:
        def guarded(*given: Any, **named: Any) -> Any:
            if not when(*given) or not _call_site():
                return call(*given, **named)
            after = self.about_to_call(what)
            try:
                return call(*given, **named)
            finally:
                after()

        return guarded

    @staticmethod
    def _writes(path: Any, flags: int, *mode: Any) -> bool:
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    def _opening(self, call: Any) -> Any:
        """``io.open`` with its binary writers intercepted."""
        disk = self

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                after = disk.about_to_call("write")
                written = super().write(data)
                after()
                return written

        def opening(file: Any, mode: str = "r", *given: Any, **named: Any) -> Any:
            if mode not in ("wb", "xb") or not _call_site():
                return call(file, mode, *given, **named)
            after = disk.about_to_call("create")
            writer = io.BufferedWriter(Raw(file, mode))
            after()
            return writer

        return opening

    def _connecting(self, call: Any) -> Any:
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
                return disk._execute(sql, super().execute, values)

            def executemany(self, sql: str, values: Iterable[Any]) -> sqlite3.Cursor:
                return disk._execute(sql, super().executemany, (values,))

            def executescript(self, sql: str) -> sqlite3.Cursor:
                return disk._execute(sql, super().executescript, ())

        def connect(*given: Any, **named: Any) -> Any:
            return call(*given, **{**named, "factory": Connection})

        return connect

    def _execute(self, sql: str, call: Any, values: Any) -> sqlite3.Cursor:
        statement = next((words for words in _WRITING_STATEMENTS if sql.startswith(words)), None)
        reads = _call_site().startswith("journal/history")
        after = self.about_to_call(f"SQLite {statement}") if statement and not reads else lambda: None
        result: sqlite3.Cursor = call(sql, *values)
        after()
        return result


def _error(what: str, name: str) -> Exception:
    """The exception that the caller would get."""
    if what.startswith("SQLite"):
        code, words = _SQLITE_ERRORS[name]
        refusal = sqlite3.OperationalError(words)
        refusal.sqlite_errorcode = code
        return refusal
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))


def _call_site() -> str:
    """The lines of the tracked modules in the call stack, the innermost first; "" if there is none."""
    lines = []
    frame: Any = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(str(_PACKAGE)):
            name = path[len(str(_PACKAGE)) + 1 :]
            if name.startswith(_TRACKED):
                lines.append(f"{name.removesuffix('.py')}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(lines)
