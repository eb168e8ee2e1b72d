"""Atomic file writes: a file on disk is the old one or the new one, never a part of either.

As in LWN 457667, "Ensuring data reaches disk": write a temporary file in the same directory, fsync it, rename it over
the target, fsync the directory. A failed fsync is final: the kernel may have dropped the pages, so that a second
try would succeed without writing them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from selfinstruct.errors import StorageError
from selfinstruct.messages import Phrase
from selfinstruct.platform_support import process_exists, set_permissions, sync_directory

_HINTS = {
    errno.ENOSPC: "The disk is full: free some space, then run the same command again.",
    errno.EDQUOT: "Your disk quota is exceeded: free some space, then run the same command again.",
    errno.ENOENT: "The directory does not exist: create it, or choose another path.",
    errno.ENOTDIR: "A part of the path is a file, not a directory: choose another path.",
    errno.EACCES: "You cannot write to the directory: change its permissions, or choose another path.",
    errno.EPERM: "You cannot write to the directory: change its permissions, or choose another path.",
    errno.EROFS: "The file system is read-only: choose another path.",
    errno.ENAMETOOLONG: "The name is too long: choose a shorter one.",
}
#: The prefix of temporary files; the pid of the writing process follows.
_PART = ".selfinstruct-"
_COPIED = 1 << 20  # bytes at a time
_OTHER_HINT = "Check the disk, then run the same command again."


@contextlib.contextmanager
def open_whole(path: str | Path) -> Iterator[BinaryIO]:
    """Open ``path`` for writing bytes; the file is replaced only when the block ends without an error.

    If the block raises, ``path`` is left unchanged and no temporary file remains. An existing file keeps its
    permissions, and a symbolic link keeps its target.

    Raises:
        StorageError: ``path`` cannot be written. An OSError raised inside the block counts as a failed write.
    """
    given, target = Path(path), Path(os.path.realpath(path))
    part = target.with_name(f"{_PART}{os.getpid()}-{os.urandom(8).hex()}.part")
    try:
        mode = _mode(given, target)
        with part.open("xb") as handle:
            if mode is not None:
                set_permissions(handle.fileno(), mode)
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(target)
        sync_directory(target.parent)
    except BaseException as exc:
        with contextlib.suppress(OSError):  # report the first error
            part.unlink()
        if isinstance(exc, OSError):
            raise _storage_error(given, exc) from exc
        raise


def move_into(file: BinaryIO, finished: Path) -> None:
    """Make a finished file the content of one that ``open_whole`` has opened, which nothing was written to.

    It is moved where it can be, and copied from another file system.
    """
    try:
        finished.chmod(stat.S_IMODE(os.fstat(file.fileno()).st_mode))
        finished.replace(file.name)
    except OSError:
        copy_into(file, finished)


def copy_into(file: BinaryIO, finished: Path) -> None:
    """Write the content of a finished file to an open one."""
    with finished.open("rb") as whole:
        shutil.copyfileobj(whole, file, _COPIED)


def write_whole(path: str | Path, data: bytes) -> None:
    """Replace the content of ``path`` with ``data``: all of it, or nothing.

    Raises:
        StorageError: ``path`` cannot be written.
    """
    with open_whole(path) as handle:
        handle.write(data)


@contextlib.contextmanager
def open_folder(path: str | Path, *, last: str, obsolete: Collection[str] = ()) -> Iterator[Path]:
    """Yield an empty folder to write files to, which become the files of ``path`` when the block ends without an error.

    A new folder appears with all its files at once. In an existing one, other files stay, except the ``obsolete`` ones
    (paths in it); ``last``, the file that lists the others, is removed before the first of them is replaced and put in
    place after them, so that a folder with this file is complete.

    Raises:
        StorageError: ``path`` cannot be written. An OSError raised inside the block counts as a failed write.
    """
    given, target = Path(path), Path(os.path.realpath(path))
    part = target.with_name(f"{_PART}{os.getpid()}-{os.urandom(8).hex()}.part")
    try:
        part.mkdir()
        yield part
        files = sorted(each.relative_to(part) for each in part.rglob("*") if each.is_file())
        for file in files:
            with (part / file).open("rb") as written:
                os.fsync(written.fileno())
        if not target.exists():
            part.rename(target)
        else:
            _move_into(target, part, files, last, obsolete)
        sync_directory(target.parent)
    except OSError as exc:
        raise _storage_error(given, exc) from exc
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _move_into(target: Path, part: Path, files: Collection[Path], last: str, obsolete: Collection[str]) -> None:
    """Replace the files of an existing folder."""
    (target / last).unlink(missing_ok=True)
    for name in obsolete:
        old = target / name
        # The names come from a file in the folder, so they may be anything.
        if old.resolve().is_relative_to(target) and old.is_file():
            old.unlink()
    for file in sorted(files, key=lambda file: str(file) == last):
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        (part / file).replace(target / file)
    for folder in {target, *((target / file).parent for file in files)}:
        sync_directory(folder)


def clear_parts(directory: Path) -> None:
    """Remove the temporary files in ``directory`` whose processes were killed while writing them."""
    for part in directory.glob(f"{_PART}*.part"):
        with contextlib.suppress(OSError, ValueError):  # not a name of ours, or removed by now
            if not process_exists(int(part.name.removeprefix(_PART).split("-")[0])):
                part.unlink()


def _mode(given: Path, target: Path) -> int | None:
    """The permissions of the existing file, or None if there is none."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        # A rename would replace the directory, device or pipe by a plain file: fatal for /dev/null.
        what = Phrase("a directory") if stat.S_ISDIR(status.st_mode) else Phrase("a device or pipe")
        raise StorageError(
            "{given}: cannot write: it is {what}", hint="Name a file, new or existing.", given=given, what=what
        )
    return stat.S_IMODE(status.st_mode)


def _storage_error(path: Path, exc: OSError) -> StorageError:
    reason = exc.strerror or str(exc)
    hint = _HINTS.get(exc.errno or 0, _OTHER_HINT)
    return StorageError(Phrase("{path}: cannot write: {reason}", path=path, reason=reason), hint=hint)
