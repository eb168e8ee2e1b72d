"""The work directory of an engine: what each task has finished, in arrays that other tasks read.

A task writes one file of arrays under a temporary name and renames it when it is complete, so a file is whole or
absent: a task that is run again finds it and has nothing to do. Every machine must see the directory under the same
path.

Does not handle: which tasks there are (``pipeline``).
"""

from __future__ import annotations

import contextlib
import json
import math
import mmap
import shutil
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zlib import crc32

import numpy as np
from numpy.lib.format import descr_to_dtype, dtype_to_descr
from numpy.typing import NDArray

from selfinstruct.errors import InputError, StorageError
from selfinstruct.files import open_whole, write_whole
from selfinstruct.journal.lock import Lock

Bytes = NDArray[np.uint8]
_MANIFEST = "manifest.json"
_ALIGNED = 64  # bytes: where arrays begin
_GROUP, _GROUPS = 8, 128  # blocks of a group at most; groups, from which on they have several
_FEWEST = 8  # mergers, and entries for each of the names


@dataclass(frozen=True, slots=True)
class Job:
    """What all tasks know: the work directory, the threshold, and how many partitions elements are shuffled to."""

    folder: Path
    threshold: float
    partitions: int

    @property
    def mergers(self) -> int:
        """How many partitions the names of elements are sent to, which are less than the entries of rows."""
        return min(self.partitions, max(_FEWEST, self.partitions // _FEWEST))

    def path(self, stage: str, name: str | int) -> Path:
        """The file of one task's result."""
        return self.folder / stage / (name if isinstance(name, str) else f"{name:06d}")


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of all rows, in order, and the number of the first row of each; the last item is that of all rows.

    A group is some blocks, one after the other, with the name of the first: a block to the stages that know groups.
    """

    names: tuple[str, ...]
    starts: tuple[int, ...]

    def save(self, job: Job, kind: str = "blocks") -> None:
        """Write them for the tasks: there may be too many to send with each."""
        save(job.path("blocks", kind), names=np.array(self.names, np.str_), starts=np.array(self.starts))

    def groups(self) -> Blocks:
        """Groups of blocks: of many rows, so that a task reads few files and is worth sending."""
        size = min(max(len(self.names) // _GROUPS, 1), _GROUP)
        return Blocks(self.names[::size], (*self.starts[:-1:size], self.starts[-1]))

    def between(self, start: int, end: int) -> range:
        """The blocks that have the rows from ``start`` to ``end``, which is where blocks begin or end."""
        return range(bisect_left(self.starts, start), bisect_left(self.starts, end))

    @classmethod
    def of(cls, job: Job, kind: str = "blocks") -> Self:
        """The blocks, or ``groups``, of a work directory."""
        found = Arrays(job.path("blocks", kind))
        return cls(tuple(found["names"].tolist()), tuple(found["starts"].tolist()))


def save(path: Path, **arrays: NDArray[Any]) -> int:
    """Write arrays as one file that appears at once, and return its bytes; of two attempts, either may stay.

    Raises StorageError if the disk refuses.
    """
    index, at, parts = dict[str, Any](), 0, list[NDArray[Any]]()
    for name, array in arrays.items():
        whole = np.ascontiguousarray(array)
        index[name] = [dtype_to_descr(whole.dtype), whole.shape, at]
        at += -(-whole.nbytes // _ALIGNED) * _ALIGNED
        parts.append(whole)
    head = json.dumps(index).encode()
    head = len(head).to_bytes(8, "little") + head
    try:
        path.parent.mkdir(exist_ok=True)  # the work directory exists, or its work is over
    except OSError as exc:
        raise _cannot_write(path.parent, exc) from exc
    with open_whole(path) as file:
        file.write(head.ljust(-(-len(head) // _ALIGNED) * _ALIGNED))
        for whole in parts:
            file.write(whole.reshape(-1).view(np.uint8).data if whole.size else b"")
            file.write(bytes(-whole.nbytes % _ALIGNED))
    return size_of(path)


class Arrays:
    """The arrays of a file, mapped into memory: only what is used of them is read."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        length = int.from_bytes(self._whole[:8], "little")
        self._index: dict[str, Any] = json.loads(self._whole[8 : 8 + length])
        self._start = -(-(8 + length) // _ALIGNED) * _ALIGNED

    def get(self, name: str) -> NDArray[Any] | None:
        """An array, or None if the file has none of this name."""
        return self[name] if name in self._index else None

    def __getitem__(self, name: str) -> NDArray[Any]:
        described, shape, at = self._index[name]
        kind = descr_to_dtype([tuple(column) for column in described] if isinstance(described, list) else described)
        return np.frombuffer(self._whole, kind, math.prod(shape), self._start + at).reshape(shape)


def load(path: Path, name: str) -> NDArray[Any]:
    """One of the ``Arrays`` of a file."""
    return Arrays(path)[name]


def packed(texts: list[bytes]) -> tuple[Bytes, NDArray[np.int64]]:
    """Some texts as one array, and the end of each."""
    return np.frombuffer(b"".join(texts), np.uint8), np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))


def unpacked(path: Path, name: str) -> list[bytes]:
    """The texts that were saved as ``packed``, in the arrays ``name`` and ``name_ends``."""
    found = Arrays(path)
    whole, ends = found[name].tobytes(), found[f"{name}_ends"].tolist()
    return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def size_of(path: Path) -> int:
    """The bytes of a task's result."""
    return path.stat().st_size


@contextlib.contextmanager
def working_in(folder: Path, fingerprint: dict[str, Any]) -> Iterator[None]:
    """Work in a directory that is created, or was left by the same command, and is removed at the end.

    It stays if the work is interrupted, but not if the input is invalid: a corrected one is another.

    Raises:
        InputError: it belongs to another input or other options, or is a folder of other files.
        StorageError: it cannot be written, or another process works there.
    """
    _open(folder, fingerprint)
    with Lock.acquire(folder):
        try:
            yield
        except InputError:
            _remove(folder)
            raise
        _remove(folder)


def _open(folder: Path, fingerprint: dict[str, Any]) -> None:
    manifest = folder / _MANIFEST
    try:
        found = json.loads(manifest.read_bytes())
    except FileNotFoundError:
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError(
                "`work`: {folder} is not empty, and not a work directory",
                hint="Name a new directory.",
                folder=folder,
            ) from None
    except (OSError, ValueError) as exc:
        raise InputError(
            "`work`: {path} cannot be read: {exc}", hint="Name a new directory.", path=manifest, exc=exc
        ) from exc
    else:
        if found != fingerprint:
            raise InputError(
                "`work`: {folder} has the checkpoints of another input or of other options",
                hint="Remove it, or name another directory.",
                folder=folder,
            )
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise _cannot_write(folder, exc) from exc
    write_whole(manifest, json.dumps(fingerprint).encode())


def remove_first(job: Job) -> None:
    """Remove what tells that the files were read: a command that is killed from here on reads them again."""
    shutil.rmtree(job.folder / "cut", ignore_errors=True)


def remove(job: Job, part: int, parts: int) -> int:
    """Remove one of ``parts`` parts of the results of all tasks."""
    for path in job.folder.glob("*/**/*"):
        if crc32(str(path.relative_to(job.folder)).encode()) % parts == part and path.is_file():
            path.unlink(missing_ok=True)
    return 0


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _cannot_write(folder: Path, exc: OSError) -> StorageError:
    reason = exc.strerror or str(exc)
    return StorageError(
        "{folder}: cannot write: {reason}", hint="Choose another `work` directory.", folder=folder, reason=reason
    )
