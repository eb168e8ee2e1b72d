"""Jobs: the runs that this service grows, each in a child process over its run directory, and the queue before them.

What is wanted is in the store, what was grown in the journal of each run. So after a crash, a kill or an upgrade the
service queues what was queued or running again, and each run resumes from its journal.

Does not handle: which run is next (``queue``); the figures of other runs (``state``).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selfinstruct.journal import holder_of
from selfinstruct.messages import Phrase
from selfinstruct.service.child import in_all_languages
from selfinstruct.service.logs import say
from selfinstruct.service.metrics import Metrics
from selfinstruct.service.processes import Child
from selfinstruct.service.queue import next_job, order
from selfinstruct.service.settings import Settings
from selfinstruct.service.sources import names_of
from selfinstruct.service.store import UNFINISHED, Job, JobState, Store

#: Seconds that the last process of a run, whose service was killed, may take to end.
_LAST_HOLDER = 20.0
#: Seconds over which the rate of rows is measured.
_RATE_WINDOW = 10.0
#: Seconds that interrupted children may take to end in order when the service ends.
DRAIN = 6.0
#: Seconds that a cancelled child may take.
_CANCEL = 12.0


@dataclass
class Live:
    """A run that a child of this service is growing: what it has told so far.

    ``changed`` is set at each message. ``goal`` is the state that its job gets when it ends after an interruption.
    """

    job: Job
    started: float
    child: Child | None = None
    plan: Mapping[str, Any] | None = None
    snapshot: Mapping[str, Any] | None = None
    goal: JobState | None = None
    error: Mapping[str, Mapping[str, str]] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    pace: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def seconds(self) -> float:
        """The seconds since this session of the run was started."""
        return time.monotonic() - self.started

    @property
    def rate(self) -> float | None:
        """Accepted rows a second, lately; None before that is known."""
        if len(self.pace) < 2 or self.pace[-1][0] - self.pace[0][0] < 0.5:
            return None
        (first, before), (last, now) = self.pace[0], self.pace[-1]
        return round((now - before) / (last - first), 1)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Take up a message of the child."""
        if "plan" in message:
            self.plan = message["plan"]
        if "snapshot" in message:
            self.snapshot = message["snapshot"]
            now = time.monotonic()
            self.pace.append((now, message["snapshot"]["accepted"]))
            while self.pace[-1][0] - self.pace[0][0] > _RATE_WINDOW:
                self.pace.popleft()
        self.changed.set()
        self.changed = asyncio.Event()


class Jobs:
    """The queue and the children of a service."""

    def __init__(self, settings: Settings, store: Store, log: logging.Logger, metrics: Metrics) -> None:
        self._metrics = metrics
        self._settings = settings
        self._store = store
        self._log = log
        self._live: dict[str, Live] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns: dict[str, int] = {}
        self._closed = False

    @property
    def live(self) -> Mapping[str, Live]:
        """The runs that are growing, by id."""
        return self._live

    def position(self, run: str) -> int | None:
        """The place of a run in the queue, from 1; None if it does not wait."""
        waiting = order(self._waiting(), [live.job.user for live in self._live.values()], self._turns)
        return waiting.index(run) + 1 if run in waiting else None

    def waiting(self) -> int:
        """The number of runs that wait."""
        return len(self._waiting())

    def _waiting(self) -> list[Job]:
        return [job for job in self._store.jobs() if job.state == "queued" and job.run not in self._live]

    def resume_all(self) -> None:
        """Queue again what was growing when the service ended, and start."""
        for job in self._store.jobs():
            if job.state in UNFINISHED and job.state != "queued":
                self._store.set_state(job.run, "queued")
        self.start_next()

    def start_next(self) -> None:
        """Start waiting runs, as many as may grow."""
        while not self._closed and len(self._live) < self._settings.limits.running:
            job = next_job(self._waiting(), [live.job.user for live in self._live.values()], self._turns)
            if job is None:
                return
            self._turns[job.user] = max(self._turns.values(), default=0) + 1
            self._store.set_state(job.run, "running")
            live = self._live[job.run] = Live(job, time.monotonic())
            self._tasks[job.run] = asyncio.create_task(self._grow(live))

    async def cancel(self, run: str) -> bool:
        """Have a run end in order, with everything kept; False if it neither grows here nor waits."""
        live = self._live.get(run)
        if live is None:
            job = self._store.job(run)
            if job is None or job.state != "queued":
                return False
            self._store.set_state(run, "cancelled")
            return True
        self._interrupt(live, "cancelled")
        return True

    async def fail_all(self, message: str, hint: str) -> None:
        """Have every run end in order, as failed with this error."""
        error = {"message": in_all_languages(message, {}), "hint": in_all_languages(hint, {})}
        for live in list(self._live.values()):
            live.error = error
            self._interrupt(live, "failed")

    def _interrupt(self, live: Live, goal: JobState) -> None:
        live.goal = live.goal or goal
        if live.child is not None:
            live.child.interrupt()
            asyncio.get_running_loop().call_later(_CANCEL, live.child.kill)

    async def drain(self) -> None:
        """End all children in order, so that they resume when the service starts again; kill those that do not end."""
        self._closed = True
        for live in self._live.values():
            self._interrupt(live, "queued")
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=DRAIN)
        for live in self._live.values():
            if live.child is not None:
                live.child.kill()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    async def _grow(self, live: Live) -> None:
        """Grow one run to its end, record how it ended, and start the next one."""
        run = live.job.run
        state: JobState = "failed"
        error: Mapping[str, Any] | None = None
        try:
            state, error = await self._talk(live)
        except OSError as problem:  # no process could be started
            error = _internal(type(problem).__name__)
        finally:
            if live.goal is not None:
                state, error = live.goal, live.error
            await asyncio.to_thread(self._store.set_state, run, state, error)
            del self._live[run], self._tasks[run]
            self._metrics.runs_ended.labels(state).inc()
            say(self._log, "run ended", run=run, state=state)
            live.tell({})
            self.start_next()

    async def _talk(self, live: Live) -> tuple[JobState, Mapping[str, Any] | None]:
        """Start the child of a run and listen until it ends; returns the state of the job, and its error."""
        run, spec = live.job.run, dict(live.job.spec)
        where = self._settings.root / run
        if not await self._is_free(live, where):
            return "failed", _said(Phrase("another process is writing this run"), Phrase("Wait for it, then resume."))
        key = None
        if spec.get("endpoint") is not None:
            endpoint = self._settings.endpoints.get(spec["endpoint"]["id"])
            if endpoint is None:
                missing = Phrase("the service no longer has the endpoint {name}", name=spec["endpoint"]["id"])
                return "failed", _said(missing, Phrase("Create the run again, with another endpoint."))
            spec["endpoint"] = {"id": spec["endpoint"]["id"], **endpoint.model_dump()}
            key = None if endpoint.key is None else (endpoint.key, os.environ.get(endpoint.key, ""))
        folder = self._settings.root / spec["folder"] if "folder" in spec else self._settings.root
        live.child = await Child.start(folder, key)
        await live.child.give(
            "run",
            {**spec, "out": str(where)},
            language="en",
            names=names_of(spec, self._settings.root),
            memory_bytes=self._settings.limits.memory_bytes,
            folder=folder,
        )
        say(self._log, "run started", run=run, user=live.job.user)
        if live.goal is not None:  # cancelled while it was started
            self._interrupt(live, live.goal)
        ended: tuple[JobState, Mapping[str, Any] | None] | None = None
        async for message in live.child.messages():
            live.tell(message)
            if "result" in message:
                ended = "ended", None
            elif "error" in message:
                ended = "failed", {key: message["error"][key] for key in ("message", "hint")}
            elif "interrupted" in message:
                ended = "cancelled", None
            elif "internal" in message:
                say(self._log, "internal error", logging.ERROR, run=run, **message["internal"])
                ended = "failed", _internal(message["internal"]["kind"])
        status = await live.child.wait()
        return ended or (
            "failed",
            _said(Phrase("the process of the run ended (status {status})", status=status), _AGAIN),
        )

    async def _is_free(self, live: Live, where: Any) -> bool:
        """Wait until no process holds the run: that of a service that was killed ends soon."""
        until = time.monotonic() + _LAST_HOLDER
        while await asyncio.to_thread(holder_of, where) is not None:
            if time.monotonic() > until or live.goal is not None:
                return False
            await asyncio.sleep(0.1)
        return True


_AGAIN = Phrase("Resume the run; every row that was accepted is kept.")


def _said(message: str, hint: str) -> dict[str, Any]:
    return {"message": in_all_languages(message, {}), "hint": in_all_languages(hint, {})}


def _internal(kind: str) -> dict[str, Any]:
    message = Phrase("internal error: {kind}", kind=kind)
    return _said(message, Phrase("This is a bug. Please report it with the lines of the service's log."))
