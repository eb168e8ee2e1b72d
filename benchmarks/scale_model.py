"""What a deduplication takes on many workers: the measured times of its tasks, replayed.

Each stage is a list of tasks that ran one after another; on W workers each takes the next task when it is free, and a
stage begins when the one before has ended (``engines.dedup.pipeline``). Between stages the command works alone. A
larger input has more tasks of the same size in every stage. Finding pairs may also take longer for each row, as each
row may meet more others: so there are two figures, for time in proportion to the rows, which is what was measured up to
a million rows of free text, and to their square, which is an upper bound.

Does not handle: a network or a disk that all workers wait for, other than by ``_READ``; failures.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from selfinstruct.engines import Sinks, deduplicate
from selfinstruct.render.text import counted

#: Seconds that Ray takes for a task: 0.45 s for 200 empty ones on two processors.
_OVERHEAD = 0.0045
#: Bytes of work files that one node reads and writes a second, over all: a shared file system of 10 Gbit/s a node.
_READ = 1e9
_PER_NODE = 16  # processors
_FINDING_PAIRS = "join"
#: The powers of the number of rows that the time to find pairs may grow with.
_POWERS = {1: "finding pairs in proportion to the rows", 2: "finding pairs in proportion to their square"}

Stage = dict[str, Any]


class _Timed:
    """Runs tasks here and notes the processor time of each."""

    workers = 1

    def __init__(self) -> None:
        self.stages: list[Stage] = []

    def run(self, task: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield the results in order."""
        seconds, sizes = list[float](), list[int]()
        self.stages.append({"task": task.__name__, "seconds": seconds, "bytes": sizes})
        for call in calls:
            begun = time.process_time()
            result = task(*call)
            seconds.append(time.process_time() - begun)
            sizes.append(int(result))
            yield result


def measure(source: Path, threshold: float) -> dict[str, Any]:
    """Deduplicate here, and return the times of all tasks and of the command itself."""
    executor = _Timed()
    with TemporaryDirectory(prefix="scale-") as name, (Path(name) / "kept").open("wb") as kept:
        begun = time.process_time()
        done = deduplicate(
            str(source), Path(name) / "work", executor, Sinks(kept.write, None),
            fields=(), max_rouge_l=threshold, encoding="utf-8",
        )  # fmt: skip
        total = time.process_time() - begun
    alone = total - sum(sum(stage["seconds"]) for stage in executor.stages)
    return {"rows": done.rows, "kept": done.kept, "threshold": threshold, "alone": alone, "stages": executor.stages}


def seconds_on(workers: int, measured: dict[str, Any], times: int = 1, power: int = 1) -> float:
    """Seconds on so many workers for ``times`` as many rows as were measured; pairs grow with this ``power`` of it."""
    total: float = measured["alone"] * times
    for stage in measured["stages"]:
        slower = times ** (power - 1) if stage["task"] == _FINDING_PAIRS else 1
        tasks = [seconds * slower + _OVERHEAD for seconds in stage["seconds"]]
        size = sum(stage["bytes"]) * times
        total += max(_stage(tasks, times, workers), 2 * size / (_READ * max(1, workers // _PER_NODE)))
    return total


def _stage(tasks: Sequence[float], times: int, workers: int) -> float:
    """How long a stage of these tasks takes, each of them ``times``: exactly for few tasks, by its mean for many."""
    if len(tasks) * times > 200_000:
        return sum(tasks) * times / workers + max(tasks, default=0.0)
    free = [0.0] * workers
    for seconds in list(tasks) * times:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


def report(measured: dict[str, Any]) -> str:
    """A table: seconds and efficiency by rows and nodes."""
    lines = [f"{measured['rows']:,} rows measured, {measured['kept']:,} kept, threshold {measured['threshold']}"]
    work: dict[str, float] = {}
    for stage in measured["stages"]:
        work[stage["task"]] = work.get(stage["task"], 0.0) + sum(stage["seconds"])
    lines.append("seconds: " + ", ".join(f"{name} {took:.1f}" for name, took in work.items()))
    lines[-1] += f", the command alone {measured['alone']:.1f}"
    for power, words in _POWERS.items():
        lines.append(f"{words}:")
        for times in (10, 100, 1000):
            one = seconds_on(1, measured, times, power)
            for nodes in (1, 8, 64):
                took = seconds_on(nodes * _PER_NODE, measured, times, power)
                share = seconds_on(_PER_NODE, measured, times, power) / (nodes * took)
                lines.append(
                    f"  {measured['rows'] * times:,} rows on {counted(nodes, 'node')} of {_PER_NODE}: "
                    f"{took / 3600:,.2f} h, {one / 3600:,.1f} core-hours, efficiency {share:.2f} of one node"
                )
    return "\n".join(lines)
