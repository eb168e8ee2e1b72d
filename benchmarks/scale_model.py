"""What a deduplication takes on many workers: the measured times of its tasks, replayed.

Each stage is a list of tasks that ran one after another; on W workers each takes the next task when it is free, and a
stage begins when the one before has ended (``engines.dedup.pipeline``). A larger input has more tasks in every stage,
where groups of blocks make them fewer and longer. Rows are settled in panels that grow fourfold: the panels that were
measured come first, then more of them, each four times the last one. The command sends every task, and does a part
alone: the sample, before the tokens are counted, which is as large for any rows; and the rest, in proportion to them.

Finding pairs may take longer for each row, as each row may meet more others: so there are two figures, for time in
proportion to the rows, which is what was measured up to a million rows of free text, and to their square.

Does not handle: a network or a disk that all workers wait for, other than by ``_READ``; failures; files of very
different sizes.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from selfinstruct.engines import Progress, Sinks, deduplicate
from selfinstruct.engines.dedup import pipeline
from selfinstruct.render.text import counted

#: Seconds of a worker, and of the command, for each task: 3,000 empty ones took 1.1 ms each on two workers, and 0.56 ms
#: of the command's processor time.
_OVERHEAD, _SENDING = 0.0022, 0.0006
#: Bytes of work files that one node reads and writes a second, over all: a shared file system of 10 Gbit/s a node.
_READ = 1e9
_PER_NODE = 16  # processors
_FINDING_PAIRS = "join"
_SETTLING = (_FINDING_PAIRS, "compare")
_PANELS_GROW = 4
#: Tasks that one stands for at most where there are many rows (``work.Job.mergers``, ``work.Blocks.groups``).
_TOGETHER = {"merge": 8, "encode": 8, "write": 8}
#: Partitions that tasks are measured with, so that they are as small as those of many rows.
_PARTITIONS = 64
#: The powers of the number of rows that the time to find pairs may grow with.
_POWERS = {1: "finding pairs in proportion to the rows", 2: "finding pairs in proportion to their square"}

Stage = dict[str, Any]


class _Timed:
    """Runs tasks here; notes the processor time of each and between them, and how many rows are settled."""

    workers = 1

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.between: dict[str, float] = {}
        self._ended = time.process_time()

    def run(self, task: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield the results in order."""
        seconds, sizes = list[float](), list[int]()
        self.stages.append({"task": task.__name__, "seconds": seconds, "bytes": sizes, "settled": 0})
        for call in calls:
            begun = time.process_time()
            self.between[task.__name__] = self.between.get(task.__name__, 0.0) + begun - self._ended
            result = task(*call)
            self._ended = time.process_time()
            seconds.append(self._ended - begun)
            sizes.append(int(result))
            yield result

    def watch(self, progress: Progress) -> None:
        """Note how many rows are settled."""
        self.stages[-1]["settled"] = progress.settled


def measure(source: Path, threshold: float) -> dict[str, Any]:
    """Deduplicate the files of a folder here, and return the times of all tasks and of the command itself."""
    executor, given = _Timed(), pipeline._FEWEST
    pipeline._FEWEST = _PARTITIONS
    try:
        with TemporaryDirectory(prefix="scale-") as name:
            begun = time.process_time()
            done = deduplicate(
                str(source), Path(name) / "work", executor, Sinks(Path.stat, Path.stat),
                fields=(), max_rouge_l=threshold, encoding="utf-8", watch=executor.watch,
            )  # fmt: skip
            total = time.process_time() - begun
    finally:
        pipeline._FEWEST = given
    alone, sample = total - sum(sum(stage["seconds"]) for stage in executor.stages), executor.between["count"]
    return {
        "rows": done.rows,
        "kept": done.kept,
        "threshold": threshold,
        "size": sum(file.stat().st_size for file in source.iterdir()),
        "alone": sample,
        "alone_per_row": (alone - sample) / done.rows,
        "stages": executor.stages,
    }


def seconds_on(workers: int, measured: dict[str, Any], times: int = 1, power: int = 1) -> float:
    """Seconds on ``workers`` for ``times`` as many rows as were measured; pairs grow with this ``power`` of it."""
    total: float = measured["alone"] + measured["alone_per_row"] * measured["rows"] * times
    for stage, share, met in _stages(measured, times):
        together = min(_TOGETHER.get(stage["task"], 1), max(1, int(share)))
        if stage["task"] == _FINDING_PAIRS:  # a task has a partition at least
            partitions = min(max(measured["size"] * times // pipeline._PARTITION_BYTES, _PARTITIONS), pipeline._MOST)
            together = max(1, len(stage["seconds"]) * share / partitions)
        slower = met ** (power - 1) if stage["task"] == _FINDING_PAIRS else 1
        mean = sum(stage["seconds"]) / max(len(stage["seconds"]), 1)
        tasks = [(seconds + (together - 1) * mean) * slower + _OVERHEAD for seconds in stage["seconds"]]
        size = sum(stage["bytes"]) * share
        copies = share / together
        sent = len(tasks) * copies * _SENDING
        total += max(_stage(tasks, copies, workers), sent, 2 * size / (_READ * max(1, workers // _PER_NODE)))
    return total


def _stages(measured: dict[str, Any], times: int) -> Iterator[tuple[Stage, float, float]]:
    """The stages for ``times`` the rows: how many times the tasks there are, and the rows that each row may meet."""
    settling = [stage for stage in measured["stages"] if stage["task"] in _SETTLING]
    whole = max(stage["settled"] for stage in measured["stages"])
    before = max(stage["settled"] for stage in settling if stage["settled"] < whole)
    last = [stage for stage in settling if stage["settled"] == before]
    copies = [stage for stage in settling if stage["settled"] == whole]
    share = 1 - before / whole
    for stage in measured["stages"]:
        now = 1 if stage in settling and stage not in copies else times
        yield stage, now, now
    done, size = 1.0, float(_PANELS_GROW)
    while done < times:
        panel = min(size, (times - done) / share)
        done += panel * share
        yield from ((stage, panel, done) for stage in last)
        size *= _PANELS_GROW


def _stage(tasks: Sequence[float], times: float, workers: int) -> float:
    """How long a stage of these tasks takes, each of them ``times``: exactly for few tasks, by its mean for many."""
    if len(tasks) * times > 200_000:
        return sum(tasks) * times / workers + max(tasks, default=0.0)
    free, count = [0.0] * workers, max(1, round(times))
    for seconds in list(tasks) * count:
        heapq.heapreplace(free, free[0] + seconds * times / count)
    return max(free)


def report(measured: dict[str, Any]) -> str:
    """A table: seconds and efficiency by rows and nodes."""
    lines = [f"{measured['rows']:,} rows measured, {measured['kept']:,} kept, threshold {measured['threshold']}"]
    work: dict[str, float] = {}
    for stage in measured["stages"]:
        work[stage["task"]] = work.get(stage["task"], 0.0) + sum(stage["seconds"])
    lines.append("seconds: " + ", ".join(f"{name} {took:.1f}" for name, took in work.items()))
    lines[-1] += (
        f", the command alone {measured['alone']:.2f}, and {measured['alone_per_row'] * 1e6:.2f} a million rows"
    )
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
