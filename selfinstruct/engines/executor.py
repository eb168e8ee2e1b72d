"""An executor runs the tasks of a stage; whatever it is, the results are the same.

A task is a function of picklable arguments that writes its result to one folder (see ``dedup.work``) and may be run
again at any time, so an executor may repeat it after a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Executor(Protocol):
    """Runs the calls of one task."""

    @property
    def workers(self) -> int:
        """How many calls run at a time."""
        ...

    def run(self, task: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
        """Yield the results of a task for the arguments in ``calls``, in their order."""
        ...


class SerialExecutor:
    """Runs each call in this process, when its result is asked for."""

    workers = 1

    def run(self, task: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
        """Yield the results in order."""
        return (task(*call) for call in calls)
