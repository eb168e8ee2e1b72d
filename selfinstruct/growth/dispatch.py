"""Dispatch: the calls in flight, and how many of them are sent together.

Calls that are sent together are answered together, and the endpoint is idle while their replies are judged and the next
calls are built. So calls are sent in small groups: each group is under way before the next is built, and while replies
wait to be judged, some of them are judged between two groups.

Does not handle: rate limits and overload (the backend's own pacing), or the content of the calls (``loop``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from selfinstruct.growth.batch_state import BatchState
from selfinstruct.growth.step_call import StepCall
from selfinstruct.records import Failure, Reply, Request

#: Calls in a group. Measurements are in benchmarks/LOG.md.
GROUP_SIZE = 4
#: Seconds after which ``collect`` returns without a call, to show what the calls are waiting for.
HEARTBEAT = 2.0


@dataclass(frozen=True, slots=True)
class BatchCall:
    """A call of a batch, to be made or made; ``id`` and ``reply`` are set once the journal has recorded it."""

    state: BatchState
    step_call: StepCall
    id: int = 0
    reply: Reply | None = None

    @property
    def batch_number(self) -> int:
        """The number of its batch."""
        return self.state.batch.number


class Dispatched(NamedTuple):
    """How many calls were started, and whether more were ready but held back for the backlog."""

    started: int
    held_back: bool


class EndedCall(NamedTuple):
    """A call with its finished task, which has a result or an exception."""

    call: BatchCall
    task: asyncio.Task[Reply | Failure]


class Dispatcher:
    """Sends calls by ``complete``, at most ``concurrency`` at a time."""

    def __init__(self, complete: Callable[[Request], Awaitable[Reply | Failure]], concurrency: int) -> None:
        self._complete = complete
        self._concurrency = concurrency
        self._calls: dict[asyncio.Task[Reply | Failure], BatchCall] = {}
        self._unstarted = 0
        self._all_started = asyncio.Event()

    @property
    def in_flight(self) -> int:
        """The number of calls that have not been collected."""
        return len(self._calls)

    async def fill(
        self, ready: Callable[[], bool], take: Callable[[], tuple[BatchCall, Request]], *, backlog: bool
    ) -> Dispatched:
        """Start calls until no slot is free or none is ``ready``; with a ``backlog`` of replies, at most one group.

        Returns once all of them are under way: an endpoint that waits costs as much as one that works.
        """
        started, held_back = 0, False
        while self.in_flight < self._concurrency and ready():
            if backlog and started == GROUP_SIZE:
                held_back = True
                break
            self._start(*take())
            started += 1
            if started % GROUP_SIZE == 0:
                await self._all_under_way()
        await self._all_under_way()
        return Dispatched(started, held_back)

    async def collect(self, *, wait: bool) -> list[EndedCall]:
        """The calls that have ended, by batch number; where none has, ``wait`` for the first, ``HEARTBEAT`` at most."""
        if not self._calls:
            return []
        done, _ = await asyncio.wait(
            self._calls, timeout=HEARTBEAT if wait else 0.0, return_when=asyncio.FIRST_COMPLETED
        )
        return sorted(self._pop(done), key=lambda ended: ended.call.batch_number)

    def collect_ended(self) -> list[EndedCall]:
        """The calls that have ended, in the order in which they were started."""
        return self._pop([task for task in self._calls if task.done()])

    async def cancel(self) -> None:
        """Cancel every call in flight, and wait until each has ended."""
        for task in self._calls:
            task.cancel()
        if self._calls:
            await asyncio.wait(self._calls)

    def _start(self, call: BatchCall, request: Request) -> None:
        self._unstarted += 1
        self._all_started.clear()
        self._calls[asyncio.create_task(self._send(request))] = call

    async def _send(self, request: Request) -> Reply | Failure:
        self._unstarted -= 1
        if not self._unstarted:
            self._all_started.set()
        return await self._complete(request)

    async def _all_under_way(self) -> None:
        """Wait until every task has run as far as it can without waiting: to a closed gate, or to the wire."""
        if self._unstarted:
            await self._all_started.wait()

    def _pop(self, tasks: Iterable[asyncio.Task[Reply | Failure]]) -> list[EndedCall]:
        return [EndedCall(self._calls.pop(task), task) for task in tasks]
