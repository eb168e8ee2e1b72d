"""Settling: when nobody has judged rows of a run for a while, its decisions go to its journal, its files are written.

Until then the decisions are in the run's inbox, on the disk, and everything that reads the run counts them. A run that
is growing takes them itself.

Does not handle: decisions that were left when the service ended: they settle with the next one, or when the run grows.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct.service.logs import say
from selfinstruct.service.problems import Problem

if TYPE_CHECKING:
    from selfinstruct.service.service import Service

#: Seconds without a decision after which a run settles: longer than a person looks at most rows.
QUIET = 5.0
#: Seconds that writing the files of a large run may take.
_PATIENCE = 900.0


class Settling:
    """The runs that have decisions to settle."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def note(self, service: Service, run: str, directory: Path) -> None:
        """Settle a run when it has been quiet for a while from now."""
        self._due[run] = asyncio.get_running_loop().time() + QUIET
        if run not in self._tasks:
            self._tasks[run] = asyncio.create_task(self._settle(service, run, directory))

    def close(self) -> None:
        """Leave what is not settled to the next start."""
        for task in self._tasks.values():
            task.cancel()

    async def _settle(self, service: Service, run: str, directory: Path) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                await asyncio.sleep(max(self._due[run] - loop.time(), 0.0))
                job = await asyncio.to_thread(service.store.job, run)
                growing = run in service.jobs.live or (job is not None and job.state == "queued")
                if loop.time() >= self._due[run] and not growing and await self._is_settled(service, directory):
                    return
                self._due[run] = max(self._due[run], loop.time() + QUIET)
        finally:
            del self._tasks[run], self._due[run]

    async def _is_settled(self, service: Service, directory: Path) -> bool:
        if service.draining or not await asyncio.to_thread(directory.is_dir):
            return True
        try:
            done = await service.processes.call(
                "settle", {"run": str(directory)}, folder=service.settings.own, seconds=_PATIENCE
            )
        except Problem as problem:  # a damaged journal, a full disk: the decisions stay where they are
            say(service.log, "decisions not settled", logging.WARNING, problem=problem.slug)
            return True
        return bool(done["settled"])
