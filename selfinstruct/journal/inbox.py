"""The inbox of a run: decisions of a person that are not in its journal yet, one JSON object a line.

The journal has one writer, which may be busy growing the run in another process. So a decision is appended here, and
acknowledged once it is on the disk; whoever holds the run's lock moves it into the journal. Readers add what is here
to what the journal has: by key, so that a decision that is in both counts once.

The file exists only while something waits in it. Those who append and the one who empties it lock the file itself.

Does not handle: half a line, which a process left that died before it was acknowledged. It is dropped.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from selfinstruct.journal.decisions import ACTIONS, Decision
from selfinstruct.journal.lock import disk_errors
from selfinstruct.platform_support import sync_directory, wait_for_lock

#: The inbox's file in a run directory.
INBOX_NAME = "decisions.inbox"
_OWN = {"id", "after_call"}  # given by the journal
_WRITTEN = [each.name for each in fields(Decision) if each.name not in _OWN]


def post(directory: Path, decision: Decision) -> None:
    """Append a decision; when this returns it is on the disk. Raises StorageError if the disk fails."""
    written = {name: value for name, value in asdict(decision).items() if name not in _OWN}
    line = json.dumps(written).encode() + b"\n"
    path = directory / INBOX_NAME
    with disk_errors(path), _locked(path, os.O_RDWR | os.O_CREAT) as descriptor:
        end = os.lseek(descriptor, 0, os.SEEK_END)
        if end and os.pread(descriptor, 1, end - 1) != b"\n":
            end = _whole(_read(descriptor))
            os.ftruncate(descriptor, end)
            os.lseek(descriptor, end, os.SEEK_SET)
        try:
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, end)
            raise
        if not end:  # perhaps new: its entry must be on the disk, too
            sync_directory(directory)


def waiting(directory: Path) -> list[Decision]:
    """The decisions that wait in the inbox, in order. Raises StorageError if it cannot be read."""
    path = directory / INBOX_NAME
    with disk_errors(path):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return []
    return list(_decisions(data))


@contextlib.contextmanager
def emptied(directory: Path) -> Iterator[Sequence[Decision]]:
    """Context manager that yields the waiting decisions and removes them at the end of the block, unless it raises.

    Nobody can append to the inbox meanwhile.
    """
    path = directory / INBOX_NAME
    if not path.exists():
        yield ()
        return
    with disk_errors(path), _locked(path, os.O_RDWR | os.O_CREAT) as descriptor:
        yield list(_decisions(_read(descriptor)))
        path.unlink()
        sync_directory(directory)


@contextlib.contextmanager
def _locked(path: Path, flags: int) -> Iterator[int]:
    """A descriptor of the file, locked; not of one that was removed before the lock was had."""
    while True:
        descriptor = os.open(path, flags, 0o644)
        try:
            wait_for_lock(descriptor)
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(descriptor).st_ino == path.stat().st_ino:
                    yield descriptor
                    return
        finally:
            os.close(descriptor)


def _read(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _whole(data: bytes) -> int:
    """The length of the whole lines."""
    return data.rfind(b"\n") + 1


def _decisions(data: bytes) -> Iterator[Decision]:
    for line in data[: _whole(data)].splitlines():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            found = json.loads(line)
            if found["action"] in ACTIONS and found["target"]:
                yield Decision(**{name: found[name] for name in _WRITTEN})
