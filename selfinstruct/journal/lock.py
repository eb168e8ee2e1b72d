"""One process per run directory: a lock that names its holder and is released when the process ends.

The lock is the kernel's (``flock``), so it is released however the process ends; the content of the file only names
the holder. The file is kept: removing it would let two processes each lock a file of that name.

Does not handle: systems without ``flock`` (Windows); file systems that keep locks local to one host (NFS mounted with
``nolock`` or ``local_lock``); a child forked without exec that outlives the holder (it keeps the lock).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from selfinstruct.errors import StorageError
from selfinstruct.messages import Phrase
from selfinstruct.platform_support import process_exists, try_lock

#: The lock's file in a run directory.
LOCK_NAME = "run.lock"
# A second process is refused within a second; it waits half a second for the first one to write its name.
_TRIES = 25
_PAUSE = 0.02
_HINT = Phrase("Check that the directory exists, that you can write to it, and that the disk is not full.")


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock; ``since`` is local time, for display."""

    pid: int
    host: str
    since: str

    @property
    def words(self) -> Phrase:
        """The process in words, for messages."""
        return Phrase("process {pid} on {host}, since {since}", pid=self.pid, host=self.host, since=self.since)


class Lock:
    """The lock of one run directory, held until ``release`` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, directory: Path) -> Self:
        """Lock an existing directory; take over the lock file of a dead process.

        Raises ``StorageError`` within half a second, with the process that holds the lock, or the reason why the
        directory cannot be locked.
        """
        path = directory / LOCK_NAME
        name = "an unknown process"
        with disk_errors(path):
            for _ in range(_TRIES):
                descriptor = _lock_file(path)
                if descriptor is not None:
                    return cls(descriptor)
                holder = _read_holder(path)
                if holder is not None and _may_live(holder):
                    name = holder.words
                    break
                # It has the lock but has not written its name yet: the file is empty, or names a dead process.
                time.sleep(_PAUSE)
        raise StorageError(
            "{directory}: another run is writing here ({name})",
            hint="Wait for it, stop it, or choose another `out`.",
            directory=directory,
            name=name,
        )

    def release(self) -> None:
        """Release the directory; a second call does nothing."""
        if self._descriptor is None:
            return
        # Otherwise others would read the name of a past holder; if this fails, they find its process dead.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def holder_of(directory: Path) -> Holder | None:
    """The process that holds the lock of a directory, or None; changes nothing.

    A holder that has not written its name yet has the pid 0.
    """
    path = directory / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        # Shared, so that two callers at the same moment do not take each other for a holder.
        if not try_lock(descriptor, shared=True):
            return _read_holder(path) or Holder(0, "?", "?")
    except (OSError, NotImplementedError):
        return None
    finally:
        os.close(descriptor)
    return None


def _lock_file(path: Path) -> int | None:
    """A descriptor of the lock file, locked and signed, or None if another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # The directory may have been removed and created again since the file was opened.
        if try_lock(descriptor) and os.fstat(descriptor).st_ino == path.stat().st_ino:
            holder = Holder(os.getpid(), socket.gethostname(), datetime.now().astimezone().isoformat(" ", "seconds"))
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(asdict(holder)).encode())
            return descriptor
    except FileNotFoundError:  # removed by a process that failed to create a run
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _read_holder(path: Path) -> Holder | None:
    try:
        holder = json.loads(path.read_bytes())
        return Holder(int(holder["pid"]), str(holder["host"]), str(holder["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _may_live(holder: Holder) -> bool:
    return holder.host != socket.gethostname() or process_exists(holder.pid)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise errors of the system inside the block, and a lack of file locks, as ``StorageError`` about ``path``."""
    try:
        yield
    except NotImplementedError as error:
        raise StorageError("{path}: {error}", hint="Run on Linux, macOS or WSL.", path=path, error=error) from error
    except OSError as error:
        raise StorageError(
            Phrase("{path}: {strerror}", path=path, strerror=error.strerror or error), hint=_HINT
        ) from error
