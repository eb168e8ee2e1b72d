"""What ``run --engine ray`` does: a run of several workers, each in a process of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from selfinstruct.analysis.summary import Summary
from selfinstruct.api.division import Division
from selfinstruct.api.parts.rounds import grow_parts
from selfinstruct.engines.ray_executor import ray_executor
from selfinstruct.events import Snapshot
from selfinstruct.preparation import Prepared

#: Processors that a worker takes: most of the time it waits for a model. Imitating is work.
_WAITING, _WORKING = 0.1, 1.0


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

    Raises what ``grow_parts`` and ``ray_executor`` raise.
    """
    cpus = _WAITING if prepared.recipe.all_models else _WORKING
    with ray_executor(address, cpus=cpus) as executor:
        return await grow_parts(prepared, where, division, executor, watch=watch, elapsed=elapsed)
