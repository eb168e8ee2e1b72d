"""The output files, put together by tasks: each writes one range of a file, from the parts that ``writing`` left.

Ranges begin at multiples of 64 MiB: where two machines write to one page of a file on NFS, one may undo the other.

Does not handle: where the files go when they are complete (``pipeline.Sinks``).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from selfinstruct.engines.dedup.work import Blocks, Job, load, save

_RANGE = 1 << 26  # bytes that a task writes


def plan(job: Job, name: str, header: bytes) -> list[tuple[Any, ...]]:
    """Create the empty file ``name``, which begins with a header; the calls of ``place`` that fill it."""
    sizes = [len(load(job.path("written", group), name)) for group in Blocks.of(job, "groups").names]
    ends = np.cumsum([len(header), *sizes])
    save(job.path("placing", name), header=np.frombuffer(header, np.uint8), ends=ends)
    with output(job, name).open("wb") as file:
        file.truncate(int(ends[-1]))
    return [(job, name, at) for at in range(-(-int(ends[-1]) // _RANGE))]


def output(job: Job, name: str) -> Path:
    """The file that is put together."""
    return job.folder / name


def place(job: Job, name: str, at: int) -> int:
    """Write one range of a file; the number of its bytes."""
    ends: list[int] = load(job.path("placing", name), "ends").tolist()
    low = at * _RANGE
    high = min(low + _RANGE, ends[-1])
    with output(job, name).open("r+b") as file:
        file.seek(low)
        for part, start in enumerate([0, *ends[:-1]]):
            if max(low, start) < min(high, ends[part]):
                file.write(_part(job, name, part)[max(low - start, 0) : high - start].data)
        file.flush()
        os.fsync(file.fileno())
    return high - low


def _part(job: Job, name: str, part: int) -> Any:
    if not part:
        return load(job.path("placing", name), "header")
    return load(job.path("written", Blocks.of(job, "groups").names[part - 1]), name)
