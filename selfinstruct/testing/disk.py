"""A disk that refuses, or a process that dies, at one chosen call of this package: what is kept then?

    with Disk() as disk:
        api.run(...)
    sites = list(disk.calls)                            # every call that makes, writes, syncs, renames or removes
    with Disk(Fault(sites[3], "ENOSPC")):
        api.run(...)                                    # the disk is full from there on

A *site* is what is called and from which lines. Of SQLite, whose own calls are out of reach, the statements that write
stand for them: what happens inside of a commit is for real kills and real full disks.
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
#: Where the calls of a run come from; a site tells the lines in these, the innermost first.
_ROOMS = ("files.py", "run_directory.py", "journal/", "api/")
_SYSTEM = ("mkdir", "rmdir", "unlink", "rename", "replace", "fsync", "ftruncate", "pwrite", "fchmod")
_WRITING = ("BEGIN IMMEDIATE", "INSERT", "COMMIT", "PRAGMA journal_mode =", "PRAGMA application_id =")
#: What SQLite says where the system says this.
_SQLITE = {
    "ENOSPC": (sqlite3.SQLITE_FULL, "database or disk is full"),
    "EIO": (sqlite3.SQLITE_IOERR, "disk I/O error"),
    "EACCES": (sqlite3.SQLITE_READONLY, "attempt to write a readonly database"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls the ``time``-th call of a site: ``kill`` before it, ``killed`` after it, or an error by its name.

    An error that is ``lasting`` befalls every call from then on, as a full disk stays full.
    """

    site: str
    how: str
    time: int = 1
    lasting: bool = True


class Disk:
    """Counts in ``calls`` what is called, by site, while it is open as a context; and has the fault happen."""

    def __init__(self, fault: Fault | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self._fault = fault
        self._failing = False
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        """Stand between this process and its disk."""
        for name in _SYSTEM:
            self._patch(os, name, self._guarded(name, getattr(os, name)))
        self._patch(os, "open", self._guarded("open", os.open, self._writes))
        self._patch(io, "open", self._opening(io.open))
        self._patch(sqlite3, "connect", self._connecting(sqlite3.connect))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stand aside."""
        self._patches.close()

    def reach(self, what: str) -> Callable[[], None]:
        """Say that a call is about to be made; what is given is to be called after it."""
        site = f"{what} {_lines()}"
        self.calls[site] += 1
        fault = self._fault
        if fault is None:
            return lambda: None
        struck = site == fault.site and self.calls[site] == fault.time
        if struck and fault.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if struck and fault.how == "killed":
            return lambda: os.kill(os.getpid(), signal.SIGKILL)
        if fault.how in _SQLITE and (struck or self._failing):
            self._failing = fault.lasting
            raise _error(what, fault.how)
        return lambda: None

    def _patch(self, where: Any, name: str, by: Any) -> None:
        self._patches.enter_context(mock.patch.object(where, name, by))

    def _guarded(self, what: str, call: Any, when: Callable[..., bool] = lambda *given: True) -> Any:
        def guarded(*given: Any, **named: Any) -> Any:
            if not when(*given) or not _lines():
                return call(*given, **named)
            after = self.reach(what)
            try:
                return call(*given, **named)
            finally:
                after()

        return guarded

    @staticmethod
    def _writes(path: Any, flags: int, *mode: Any) -> bool:
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

    def _opening(self, call: Any) -> Any:
        """``io.open``, whose writers of bytes go through here."""
        disk = self

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                after = disk.reach("write")
                written = super().write(data)
                after()
                return written

        def opening(file: Any, mode: str = "r", *given: Any, **named: Any) -> Any:
            if mode not in ("wb", "xb") or not _lines():
                return call(file, mode, *given, **named)
            after = disk.reach("create")
            writer = io.BufferedWriter(Raw(file, mode))
            after()
            return writer

        return opening

    def _connecting(self, call: Any) -> Any:
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
                return disk._told(sql, super().execute, values)

            def executemany(self, sql: str, values: Iterable[Any]) -> sqlite3.Cursor:
                return disk._told(sql, super().executemany, (values,))

            def executescript(self, sql: str) -> sqlite3.Cursor:
                return disk._told(sql, super().executescript, ())

        def connect(*given: Any, **named: Any) -> Any:
            return call(*given, **{**named, "factory": Connection})

        return connect

    def _told(self, sql: str, call: Any, values: Any) -> sqlite3.Cursor:
        statement = next((words for words in _WRITING if sql.startswith(words)), None)
        reads = _lines().startswith("journal/history")
        after = self.reach(f"SQLite {statement}") if statement and not reads else lambda: None
        result: sqlite3.Cursor = call(sql, *values)
        after()
        return result


def _error(what: str, name: str) -> Exception:
    """The error of that name as the caller would see it."""
    if what.startswith("SQLite"):
        code, words = _SQLITE[name]
        refusal = sqlite3.OperationalError(words)
        refusal.sqlite_errorcode = code
        return refusal
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))


def _lines() -> str:
    """From which lines of the rooms that write a call comes, the innermost first; "" where from none."""
    lines = []
    frame: Any = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(str(_PACKAGE)):
            name = path[len(str(_PACKAGE)) + 1 :]
            if name.startswith(_ROOMS):
                lines.append(f"{name.removesuffix('.py')}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(lines)
