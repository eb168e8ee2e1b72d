"""One process per run directory: a lock that names its holder and dies with it.

The lock is the kernel's (``flock``), so it ends with the process, however that ends; the file only tells others
who holds it. The file stays: removing it would let two processes each lock a file of that name.

Does not handle: systems without ``flock`` (Windows); file systems that keep locks to one host (NFS mounted with
``nolock`` or ``local_lock``); a child forked without exec that outlives the holder (it holds the lock on).
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

#: The lock's file in a run directory.
LOCK_NAME = "run.lock"
# A second process is refused within a second; for half of one it waits for the first to write its name.
_TRIES = 25
_PAUSE = 0.02
_REMEDY = "Check that the directory exists, that you may write it, and that the disk has room."


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock; ``since`` is its local time, for a person."""

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


class Lock:
    """The lock of one run directory, held until ``release`` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, directory: Path) -> Self:
        """Lock an existing directory; where a dead process left its lock, take that over.

        Raises ``StorageError`` naming the process that holds it, or saying why the directory cannot be locked;
        within half a second.
        """
        path = directory / LOCK_NAME
        name = "a process that has not said its name"
        with _told(path):
            for _ in range(_TRIES):
                descriptor = _locked(path)
                if descriptor is not None:
                    return cls(descriptor)
                holder = _read_holder(path)
                if holder is not None and _may_live(holder):
                    name = str(holder)
                    break
                # It has the lock but has not written its name yet: the one there is missing, or a dead one's.
                time.sleep(_PAUSE)
        raise StorageError(
            f"{directory}: another run is writing here ({name})",
            hint="Wait for it, stop it, or choose another `out`.",
        )

    def release(self) -> None:
        """Give the directory free; a second call does nothing."""
        if self._descriptor is None:
            return
        # So that nobody is told a name that is past; where that fails, the next one finds the process dead.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def holder_of(directory: Path) -> Holder | None:
    """The process that holds the lock of a directory, or None; nothing is locked, made or changed by asking.

    One that has not signed yet has the pid 0.
    """
    path = directory / LOCK_NAME
    try:
        import fcntl

        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (ImportError, OSError):
        return None
    try:
        # Shared, so that whoever asks at the same moment is not taken for a holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(path) or Holder(0, "?", "?")
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _locked(path: Path) -> int | None:
    """A descriptor of the lock file, locked and signed, or None where another one has it."""
    try:
        import fcntl
    except ImportError as error:
        raise StorageError(
            f"{path}: this system has no file locks (flock)", hint="Run on Linux, macOS or WSL."
        ) from error
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The directory may have been removed and made again while we opened: then this is nobody's file.
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            holder = Holder(os.getpid(), socket.gethostname(), datetime.now().astimezone().isoformat(" ", "seconds"))
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)
            return descriptor
    except (BlockingIOError, FileNotFoundError):  # another one's; or one that has begun no run has taken it away
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _read_holder(path: Path) -> Holder | None:
    try:
        said = json.loads(path.read_bytes())
        return Holder(int(said["pid"]), str(said["host"]), str(said["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _may_live(holder: Holder) -> bool:
    if holder.host != socket.gethostname():
        return True
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}", hint=_REMEDY) from error
