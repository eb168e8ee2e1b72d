"""Whole-file writes: a file on disk is the old one or the new one, never half of either.

The recipe is the usual one (LWN 457667, "Ensuring data reaches disk"): write a temporary file in the same
directory, fsync it, rename it over the target, fsync the directory. A failed fsync is final: the kernel may
have dropped the pages, so that a second try would succeed without writing them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from selfinstruct.errors import StorageError

_REMEDIES = {
    errno.ENOSPC: "The disk is full: free some space, then run the same command again.",
    errno.EDQUOT: "Your disk quota is used up: free some space, then run the same command again.",
    errno.ENOENT: "Its directory does not exist: create it first, or choose another place.",
    errno.ENOTDIR: "A part of the path is a file, not a directory: choose another place.",
    errno.EACCES: "Its directory does not let you write: change its permissions, or choose another place.",
    errno.EPERM: "Its directory does not let you write: change its permissions, or choose another place.",
    errno.EROFS: "The file system is read-only: choose another place.",
    errno.ENAMETOOLONG: "The name is too long: choose a shorter one.",
}
#: Begins the name of a file that is being written; the number of the process that writes it follows.
_PART = ".selfinstruct-"
_OTHER_REMEDY = "Check the disk, then run the same command again."


@contextlib.contextmanager
def open_whole(path: str | Path) -> Iterator[BinaryIO]:
    """Open ``path`` for writing bytes, to be put in its place only when the block ends without an error.

    Where the block raises, whatever was at ``path`` is left as it was and nothing else is left behind. An
    existing file keeps its permissions, and a symbolic link goes on pointing at the file that it pointed at.

    Raises:
        StorageError: ``path`` cannot be written, with the path and a remedy. An OSError raised inside the
            block is taken for a failed write.
    """
    given, target = Path(path), Path(os.path.realpath(path))
    part = target.with_name(f"{_PART}{os.getpid()}-{os.urandom(8).hex()}.part")
    try:
        mode = _mode(given, target)
        with part.open("xb") as handle:
            if mode is not None:
                os.fchmod(handle.fileno(), mode)
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(target)
        sync_directory(target.parent)
    except BaseException as exc:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            part.unlink()
        if isinstance(exc, OSError):
            raise _refusal(given, exc) from exc
        raise


def write_whole(path: str | Path, data: bytes) -> None:
    """Write ``data`` as the whole content of ``path``: all of it, or nothing.

    Raises:
        StorageError: ``path`` cannot be written.
    """
    with open_whole(path) as handle:
        handle.write(data)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive a power failure: what was made, renamed or removed there."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as exc:
        # Some network file systems cannot sync a directory and say so with EINVAL; there is nothing to wait for.
        if exc.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def clear_parts(directory: Path) -> None:
    """Remove what processes that were killed left of files that they were writing in ``directory``."""
    for part in directory.glob(f"{_PART}*.part"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # another one's name, or gone by now
            try:
                os.kill(int(part.name.removeprefix(_PART).split("-")[0]), 0)
            except ProcessLookupError:
                part.unlink()


def _mode(given: Path, target: Path) -> int | None:
    """The permissions that the new file takes over, or None where there is no old one."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        # A rename would put a plain file where the directory, device or pipe was: fatal for /dev/null.
        what = "a directory" if stat.S_ISDIR(status.st_mode) else "a device or pipe"
        raise StorageError(f"{given}: cannot be written: it is {what}", hint="Name a file, new or existing.")
    return stat.S_IMODE(status.st_mode)


def _refusal(path: Path, exc: OSError) -> StorageError:
    reason = exc.strerror or str(exc)
    hint = _REMEDIES.get(exc.errno or 0, _OTHER_REMEDY)
    return StorageError(f"{path}: cannot be written: {reason}", hint=hint)
