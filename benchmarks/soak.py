"""A long run at full speed against a local server: memory, file descriptors and tasks over time.

    python -m benchmarks.soak --candidates 1000000 --minutes 10

The server is a process of its own. Every few seconds the run's process is looked at from inside: its resident memory,
what of it the index takes (its arrays, dictionaries and their keys, counted one by one), its open files, its tasks.
What is left of the memory when the index is taken off must not grow: its slope is fitted over all but the first tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selfinstruct import api
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.events import Snapshot
from selfinstruct.growth import Pool
from selfinstruct.preparation.infer import infer
from selfinstruct.recipe import Model, to_toml
from selfinstruct.rows import read_rows
from selfinstruct.similarity.postings import Column
from selfinstruct.testing import server_process

SEEDS = Path(__file__).parent.parent / "seeds" / "logqa.jsonl"
_EVERY = 10.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample: seconds since the start, candidates and rows so far, bytes, open files and tasks."""

    seconds: float
    candidates: int
    accepted: int
    memory: int
    index: int
    files: int
    tasks: int


def resident() -> int:
    """The resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def retained_bytes(thing: Any, seen: set[int] | None = None) -> int:
    """The bytes of an object and of everything that only it refers to: arrays, columns, dictionaries."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type) or callable(thing):
        return 0
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return int(thing.nbytes)
    if isinstance(thing, Column):
        return int(thing.size * thing.values.itemsize)
    if isinstance(thing, dict):
        # Keys and small numbers are rounded up to the 16 bytes that they are allocated in.
        inside = sum((sys.getsizeof(key) + 15) // 16 * 16 + 32 for key in thing)
        return sys.getsizeof(thing) + (inside if not any(isinstance(v, list) for v in thing.values()) else 0)
    if isinstance(thing, list | tuple):
        return sum(retained_bytes(each, seen) for each in thing)
    slots = {**getattr(thing, "__dict__", {})}
    return sys.getsizeof(thing) + sum(retained_bytes(each, seen) for each in slots.values())


def measure(url: str, folder: Path, candidates: int, minutes: float) -> list[Sample]:
    """Sample one run until it has ``candidates`` candidates or has taken ``minutes``."""
    samples: list[Sample] = []
    begun = time.monotonic()
    task: asyncio.Task[api.Run] | None = None

    def watch(snapshot: Snapshot) -> None:
        now = time.monotonic() - begun
        if samples and now - samples[-1].seconds < _EVERY:
            return
        pool = next(each for each in gc.get_objects() if isinstance(each, Pool))
        index = retained_bytes(pool)
        files, tasks = len(list(Path("/proc/self/fd").iterdir())), len(asyncio.all_tasks())
        samples.append(Sample(now, snapshot.candidates, snapshot.accepted, resident(), index, files, tasks))
        show(samples[-1])
        if (snapshot.candidates >= candidates or now > 60 * minutes) and task is not None:
            task.cancel()

    async def grow() -> None:
        nonlocal task
        task = asyncio.current_task()
        await api.run_async(folder / "recipe.toml", out=folder / "run", rows=2 * candidates, watch=watch)

    recipe = infer(read_rows(SEEDS)).recipe
    asking = recipe.prompt.model_copy(update={"rows_per_request": 50})
    model = Model(name="default", base_url=url, concurrency=32)
    text = to_toml(recipe.model_copy(update={"prompt": asking, "model": model}), {}, folder)
    (folder / "recipe.toml").write_text(text)
    tune_allocator()  # as the command line does
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        asyncio.run(grow())
    return samples


def show(sample: Sample) -> None:
    """Print one sample."""
    left = (sample.memory - sample.index) / 2**20
    print(
        f"  {sample.seconds:5.0f} s {sample.candidates:9,} candidates {sample.accepted:9,} rows "
        f"{sample.memory / 2**20:7.0f} MB, index {sample.index / 2**20:6.0f}, left {left:6.1f}; "
        f"{sample.files} files, {sample.tasks} tasks",
        flush=True,
    )


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    bad = ["--ungrounded", "0.1", "--echoed", "0.02", "--near-duplicate", "0.1", "--malformed", "0.02"]
    with tempfile.TemporaryDirectory() as folder, server_process(*bad) as url:
        samples = measure(url, Path(folder), options.candidates, options.minutes)
    later = samples[len(samples) // 10 :]
    counts = np.array([sample.candidates for sample in later], float)
    left = np.array([sample.memory - sample.index for sample in later], float)
    slope = np.polyfit(counts, left, 1)[0]
    last = samples[-1]
    print(
        f"{last.candidates:,} candidates and {last.accepted:,} rows in {last.seconds:.0f} s; "
        f"{last.memory / last.accepted:.0f} bytes a row in all, {last.index / last.accepted:.0f} of them the index; "
        f"the rest grows by {slope:.1f} bytes a candidate; "
        f"{min(s.files for s in later)} to {max(s.files for s in later)} files, "
        f"{min(s.tasks for s in later)} to {max(s.tasks for s in later)} tasks"
    )


if __name__ == "__main__":
    main()
