"""Objects in processes of a Ray cluster that last from the first call to the last, and what they hold with them.

Does not handle: calls that any process can take (``ray_executor``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from selfinstruct.engines.ray_executor import RETRIES, result_of

#: Seconds that the objects may take to close.
_CLOSING = 30.0


class RayActors:
    """``count`` objects of a class; one whose process or machine is lost is made anew, and its call repeated."""

    def __init__(self, ray: Any, kind: type, arguments: Sequence[Any], count: int, gpus: float = 0) -> None:
        """Make them with these arguments; each has ``gpus`` graphics processors to itself (a part: shared)."""
        self._ray = ray
        # Without `num_cpus` they are placed where a processor is, and take none: a lost machine blocks no call. With
        # `num_gpus` alone they would take one each.
        options: dict[str, Any] = {"max_restarts": -1, "max_task_retries": RETRIES, "scheduling_strategy": "SPREAD"}
        options |= {"num_gpus": gpus, "num_cpus": 0} if gpus else {}
        remote = ray.remote(**options)(kind)
        self._actors = [remote.remote(*arguments) for _ in range(count)]

    def run(self, method: str, calls: Sequence[tuple[int, Any]]) -> Iterator[Any]:
        """Call ``method`` for each number and argument, and yield the results as they come.

        A number always means the same object, which takes one call at a time. Raises as ``RayExecutor.run``.
        """
        actors = self._actors
        running = [getattr(actors[number % len(actors)], method).remote(argument) for number, argument in calls]
        while running:
            [ended], running = self._ray.wait(running, num_returns=1)
            yield result_of(self._ray, ended, method)

    def stop(self) -> None:
        """End their processes at once, also from another thread; then ``run`` raises StorageError."""
        for actor in self._actors:
            self._ray.kill(actor)

    def close(self) -> None:
        """Close them, by their method of that name, and end their processes."""
        closing = [actor.close.remote() for actor in self._actors]
        self._ray.wait(closing, num_returns=len(closing), timeout=_CLOSING)
        self.stop()


def gpus_for_each(nodes: Sequence[float], count: int) -> float:
    """How many of the graphics processors of the machines each of ``count`` processes gets: the most that all can get.

    A share of less than one is one of equal parts.

    >>> gpus_for_each([8, 8], 4), gpus_for_each([3, 3], 4), gpus_for_each([2], 3), gpus_for_each([0, 0], 2)
    (4, 1, 0.5, 0)
    """
    most = int(max(nodes, default=0))
    if not most:
        return 0
    shares: list[float] = [*range(most, 0, -1), *(1 / parts for parts in range(2, count + 1))]
    return next(each for each in shares if sum(int(gpus / each + 1e-9) for gpus in nodes) >= count)
