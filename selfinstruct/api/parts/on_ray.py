"""What ``run --engine ray`` does: a run of several workers, each in a process of a Ray cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from selfinstruct.analysis.summary import Summary
from selfinstruct.api.division import Division
from selfinstruct.api.parts.divisible import require_divisible
from selfinstruct.api.parts.rounds import grow_parts
from selfinstruct.api.parts.worker import PartEnd, PartOrder, Worker
from selfinstruct.engines.ray_actors import RayActors, gpus_for_each
from selfinstruct.engines.ray_executor import ray_cluster
from selfinstruct.events import Snapshot
from selfinstruct.preparation import Prepared

#: Processes for each processor: most of the time they wait for a model. Imitating is work, but a part that waits for a
#: process keeps the join of the others waiting.
_WAITING, _WORKING = 10, 4


async def grow_on_ray(
    prepared: Prepared,
    where: Path,
    division: Division,
    address: str | None,
    *,
    watch: Callable[[Snapshot], None],
    elapsed: Callable[[], float],
) -> Summary:
    """Grow a prepared run on the cluster at ``address``, or on this machine; see ``grow_parts``.

    Raises what ``grow_parts`` and ``ray_cluster`` raise.
    """
    require_divisible(prepared, division)
    with ray_cluster(address) as ray:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if division.serve is not None:
            count = division.parts
            gpus = gpus_for_each([float(each.get("GPU", 0)) for each in nodes], count)
        else:
            most = sum(each.get("CPU", 0) for each in nodes) * (_WAITING if prepared.recipe.all_models else _WORKING)
            count, gpus = min(division.parts, max(1, int(most))), 0
        actors = RayActors(ray, Worker, [division.serve], count, gpus)
        workers = _RayWorkers(actors, on_this_machine=address is None and len(nodes) == 1)
        with contextlib.closing(actors):
            return await grow_parts(prepared, where, division, workers, watch=watch, elapsed=elapsed)


class _RayWorkers:
    """Workers of a cluster; a part always has the same one."""

    def __init__(self, actors: RayActors, *, on_this_machine: bool) -> None:
        self._actors = actors
        self.on_this_machine = on_this_machine

    def run(self, orders: Sequence[PartOrder]) -> Iterator[PartEnd]:
        """Yield how each part ended, as soon as it has."""
        return self._actors.run("grow", [(order.part, order) for order in orders])

    def stop(self) -> None:
        """End the workers; their parts resume in the next session."""
        self._actors.stop()
