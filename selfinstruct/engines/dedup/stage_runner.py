"""Runs the tasks of one stage after another, and reports the progress of all of them.

Does not handle: which stages there are (``pipeline``), or where a task runs (``engines.executor``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from selfinstruct.engines.dedup.cost import Cost
from selfinstruct.engines.executor import Executor


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is.

    ``done`` of the ``tasks`` of a ``stage`` are done, and all tasks together have written ``size`` bytes. ``settled``
    of the ``rows`` were compared with all others; 0 before they are read. ``cost`` is what to expect, once a sample has
    shown it; None for few rows. The stages are those of ``dedup`` (read, count, merge, encode, copies, join, compare,
    write, place, remove) and of ``check`` (read, label, describe, match, those of a join, examine, remove).
    """

    stage: str
    done: int
    tasks: int
    size: int
    settled: int
    rows: int
    cost: Cost | None = None


Watch = Callable[[Progress], object]


class StageRunner:
    """Runs tasks by an executor; ``watch`` is called after each of them.

    ``size`` is the number of bytes that all tasks have written, and ``cost`` what to expect, once that is known.
    """

    def __init__(self, executor: Executor, watch: Watch) -> None:
        self.size = 0
        self.cost: Cost | None = None
        self._executor, self._watch = executor, watch
        self._settled = self._rows = 0

    @property
    def workers(self) -> int:
        """How many tasks run at a time."""
        return self._executor.workers

    def note(self, settled: int, rows: int) -> None:
        """Note how many of all rows were compared with all others."""
        self._settled, self._rows = settled, rows

    def __call__(self, stage: str, task: Callable[..., int], calls: Sequence[tuple[Any, ...]]) -> None:
        """Run a task with the arguments of each of ``calls``."""
        for _ in self.each(stage, task, calls):
            pass

    def each(self, stage: str, task: Callable[..., int], calls: Sequence[tuple[Any, ...]]) -> Iterator[int]:
        """Yield the results of a task for each of ``calls``, in order: the bytes that it has written, or negative."""
        for done, size in enumerate(self._executor.run(task, calls), 1):
            self.size += max(size, 0)
            self._watch(Progress(stage, done, len(calls), self.size, self._settled, self._rows, self.cost))
            yield size
