"""The parts of a running service, which its handlers share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from selfinstruct.messages import Phrase
from selfinstruct.service.catalogue import Catalogue
from selfinstruct.service.jobs import Jobs
from selfinstruct.service.metrics import Metrics
from selfinstruct.service.problems import Problem
from selfinstruct.service.processes import Processes
from selfinstruct.service.settings import Settings
from selfinstruct.service.settling import Settling
from selfinstruct.service.store import Store
from selfinstruct.service.uploads import Uploads

if TYPE_CHECKING:
    from selfinstruct.service.events import Feeds
    from selfinstruct.service.runs import Confirmations

#: Seconds for which the measured size of all runs is used.
_MEASURED = 30.0


@dataclass
class Service:
    """The parts of a service; ``ending`` is set when it is about to end and accepts no more work."""

    settings: Settings
    log: logging.Logger
    store: Store
    uploads: Uploads
    catalogue: Catalogue
    processes: Processes
    jobs: Jobs
    feeds: Feeds
    confirmations: Confirmations
    metrics: Metrics
    settling: Settling = field(default_factory=Settling)
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    _size: tuple[float, int] = (float("-inf"), 0)

    @property
    def draining(self) -> bool:
        """Whether the service is about to end."""
        return self.ending.is_set()

    def require_open(self) -> None:
        """Raise Problem if the service is about to end."""
        if self.draining:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                Phrase("the service is ending"),
                Phrase("Try again in a minute."),
                headers={"Retry-After": "60"},
            )

    async def size(self) -> int:
        """The bytes that runs and uploads take, as measured lately."""
        measured, size = self._size
        if time.monotonic() - measured > _MEASURED:
            size = await asyncio.to_thread(_size_of, self.settings.root)
            self._size = (time.monotonic(), size)
        return size

    async def require_space(self) -> None:
        """Raise Problem if runs and uploads take all that they may."""
        most = self.settings.limits.disk_bytes
        if await self.size() >= most:
            raise Problem(
                HTTPStatus.CONFLICT,
                Phrase("runs and uploads take more than {most:,} bytes", most=most),
                Phrase("Delete runs or files."),
                slug="disk-full",
            )

    async def first_of(self, changed: asyncio.Event) -> None:
        """Wait until ``changed`` is set, or the service is about to end."""
        waiting = [asyncio.ensure_future(each.wait()) for each in (changed, self.ending)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    async def watch_space(self) -> None:
        """End growing runs, in order, when the disk limit is exceeded; never returns."""
        while True:
            await asyncio.sleep(_MEASURED)
            if await self.size() >= self.settings.limits.disk_bytes:
                await self.jobs.fail_all(
                    Phrase("runs and uploads take all the disk that they may"),
                    Phrase("Delete runs or files, then resume the run."),
                )


def _size_of(root: Path) -> int:
    """The bytes of all files below a directory; a file with several links counts once."""
    seen: dict[tuple[int, int], int] = {}
    for folder, _, names in os.walk(root):
        for name in names:
            with contextlib.suppress(OSError):  # removed meanwhile
                status = (Path(folder) / name).lstat()
                seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values())


#: Where an application has its service.
SERVICE = web.AppKey("service", Service)
