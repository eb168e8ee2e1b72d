"""Live events of a run, as server-sent events: its figures as they change, and its end.

One watcher per run serves all its streams, so that two hundred open pages cost one reading. A run of this service is
watched through its child process, any other one by looking at its directory once a second.

Does not handle: events that a client missed; it gets the present state, which says all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from selfinstruct.errors import StorageError
from selfinstruct.service.models import NoBody, NoQuery, Run
from selfinstruct.service.problems import Problem
from selfinstruct.service.routes import Call, Header, Route, write_json
from selfinstruct.service.service import Service
from selfinstruct.service.views import view_run

EVENT_STREAM = "text/event-stream"
#: Seconds between two events, between two looks at a run of another process, and between heartbeats.
_LEAST, _LOOK, _HEARTBEAT = 0.5, 1.0, 15.0
_GOING = ("queued", "running")
LAST_EVENT = Header("Last-Event-ID", "Sent by browsers that connect again.", {"type": "string"})


@dataclass
class Feed:
    """What the streams of one run in one language send: the last event, and whether it is the end."""

    listeners: int = 0
    number: int = 0
    data: bytes = b""
    ended: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def publish(self, run: Run) -> None:
        """Send a run to all streams, if it has changed."""
        data, ended = write_json(run), run.state not in _GOING
        if (data, ended) != (self.data, self.ended):
            self.number, self.data, self.ended = self.number + 1, data, ended
            self.changed.set()
            self.changed = asyncio.Event()


class Feeds:
    """The feeds that have listeners."""

    def __init__(self) -> None:
        self._feeds: dict[tuple[str, str], Feed] = {}

    @property
    def listeners(self) -> int:
        """The number of open streams."""
        return sum(feed.listeners for feed in self._feeds.values())

    @contextlib.asynccontextmanager
    async def listen(self, service: Service, run: str, language: str) -> AsyncIterator[Feed]:
        """The feed of a run, which is watched while somebody listens. Raises Problem if there is no such run."""
        first = await view_run(service, run, language)
        feed = self._feeds.get((run, language))
        if feed is None:
            feed = self._feeds[run, language] = Feed()
            feed.publish(first)
            feed.task = asyncio.create_task(_watch(service, feed, run, language))
        feed.listeners += 1
        try:
            yield feed
        finally:
            feed.listeners -= 1
            if not feed.listeners and self._feeds.get((run, language)) is feed:
                del self._feeds[run, language]
                if feed.task is not None:
                    feed.task.cancel()


async def _watch(service: Service, feed: Feed, run: str, language: str) -> None:
    """Publish a run whenever it changes, until it ends."""
    while not feed.ended:
        live = service.jobs.live.get(run)
        changed = None if live is None else live.changed
        with contextlib.suppress(StorageError, Problem):  # between two processes, or deleted: look again
            feed.publish(await view_run(service, run, language))
        await asyncio.sleep(_LEAST)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK):
                await (changed.wait() if changed is not None else asyncio.sleep(_LOOK))


async def stream_events(call: Call[NoQuery, NoBody]) -> web.StreamResponse:
    """Send a run as event ``run`` whenever it changes, and as event ``end`` when it has ended."""
    service, feeds = call.service, call.service.feeds
    async with feeds.listen(service, call.path["id"], call.language) as feed:
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM, "X-Accel-Buffering": "no"})
        await response.prepare(call.request)
        sent = 0
        while not service.draining:
            changed = feed.changed
            if feed.number > sent:
                sent = feed.number
                await response.write(b"id: %d\nevent: run\ndata: %b\n\n" % (sent, feed.data))
                if feed.ended:
                    await response.write(b"id: %d\nevent: end\ndata: %b\n\n" % (sent, feed.data))
                    break
            try:
                async with asyncio.timeout(_HEARTBEAT):
                    await service.first_of(changed)
            except TimeoutError:
                await response.write(b": heartbeat\n\n")
        return response


ROUTES = (
    Route(
        "GET",
        "/v1/runs/{id}/events",
        stream_events,
        "Follow a run",
        media=EVENT_STREAM,
        headers=(LAST_EVENT,),
        errors=(HTTPStatus.NOT_FOUND,),
    ),
)
