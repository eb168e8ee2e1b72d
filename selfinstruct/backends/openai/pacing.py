"""The gate in front of an endpoint: how many calls are in flight, how fast they follow, and when none may go.

``concurrency`` and ``outage`` decide, purely; this waits. Requests and tokens a minute are held by leaky buckets
(aiolimiter), from the recipe or else from the endpoint's own headers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random

from aiolimiter import AsyncLimiter

from selfinstruct.backends.openai.concurrency import Concurrency
from selfinstruct.backends.openai.outage import Outage
from selfinstruct.backends.openai.rate_limit_headers import rate_limits
from selfinstruct.backends.openai.settings import PacingSettings
from selfinstruct.events import Pace

# A bucket of requests holds one second's worth, one of tokens a quarter of a minute's: servers count in such windows.
_TOKEN_WINDOW = 15.0
# Limits that headers state are adopted anew where they differ by more than this share.
_SAME_LIMIT = 0.1
_DEFAULTS = PacingSettings()
# The first calls follow each other at so many seconds. All at once they would be answered all at once, by an endpoint
# whose replies take the same time, and so in step for ever: a burst of work here, with nothing under way there.
_STAGGER = 0.002


@dataclass(slots=True)
class Permit:
    """One call's leave to be sent; ``sent`` is when. A ``probe`` is to see whether the endpoint is back."""

    sent_at: float
    probe: bool


class Pacing:
    """Lets calls through; every one that enters leaves by ``succeeded``, ``failed`` or ``left``.

    ``most`` bounds the calls in flight. ``requests`` and ``tokens`` are a minute's, None for what the endpoint's
    headers say.
    """

    def __init__(
        self,
        most: int,
        *,
        requests: float | None = None,
        tokens: float | None = None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        rng: Random,
        settings: PacingSettings = _DEFAULTS,
    ) -> None:
        self.concurrency = Concurrency(most)
        self.outage = Outage(rng, settings)
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._given = {"requests": requests, "tokens": tokens}
        self._limits: dict[str, float] = {}
        self._limiters: dict[str, AsyncLimiter] = {}
        for kind, limit in self._given.items():
            if limit is not None:
                self._adopt(kind, limit)
        self._in_flight = 0
        self._entered = 0
        self._probing = False
        self._waiting: deque[asyncio.Future[Permit]] = deque()
        self._timer: asyncio.Task[None] | None = None
        self._stopped: Callable[[], Exception] | None = None

    def inspect(self) -> Pace:
        """How calls go at the moment."""
        now = self._clock()
        limit = 1 if self.outage.open else self.concurrency.limit
        if now < self.outage.until:
            why = f"waiting {self.outage.until - now:.1f} s: {self.outage.reason}"
        elif self.outage.open:
            why = "one call, to see whether the endpoint is back"
        elif self.concurrency.limit < self.concurrency.maximum:
            why = f"{self.concurrency.reason}; {self.concurrency.maximum} were asked for"
        elif self._limits:
            per = " and ".join(f"{limit:,.0f} {kind}" for kind, limit in self._limits.items())
            who = "the recipe" if any(self._given[kind] for kind in self._limits) else "the endpoint"
            why = f"as many as asked for, at {per} a minute ({who})"
        else:
            why = "as many as asked for"
        free = now >= self.outage.until and not self.outage.open and limit == self.concurrency.maximum
        return Pace(limit, self._in_flight, why, free)

    async def enter(self, tokens: int, *, retry: bool = False) -> Permit:
        """Wait until a call of about ``tokens`` may be sent; one that is tried ``again`` goes before the others.

        Raises what ``stop`` was given, where the gate is closed.
        """
        if self._waiting or not self._free():
            turn: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
            (self._waiting.appendleft if retry else self._waiting.append)(turn)
            self._set_timer()
            try:
                permit = await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.released(turn.result())
                raise
        else:
            permit = self._grant()
        try:
            self._raise_if_stopped()
            self._entered += 1
            if 1 < self._entered <= self.concurrency.maximum:
                await self._sleep(self._entered * _STAGGER)
            if self._limiters:
                await self._take_allowance(tokens)
            self._raise_if_stopped()
        except BaseException:
            self.released(permit)
            raise
        permit.sent_at = self._clock()
        return permit

    def succeeded(self, permit: Permit, headers: Mapping[str, str], unix_time: float) -> None:
        """The call was answered; ``headers`` may say what the endpoint allows."""
        busy = bool(self._waiting) or self._in_flight >= self.concurrency.limit
        self.outage.succeeded()
        self.concurrency.succeeded(permit.sent_at, self._clock(), busy=busy)
        if "x-ratelimit-limit-requests" in headers or "x-ratelimit-limit-tokens" in headers:
            allowed = rate_limits(headers, unix_time)
            for kind, limit in (("requests", allowed.requests), ("tokens", allowed.tokens)):
                if limit is not None and self._given[kind] is None:
                    self._adopt(kind, limit)
        self.released(permit)

    def failed(self, permit: Permit, what: str, wait: float | None = None) -> None:
        """The call met overload, or nobody; ``what`` says it in a word or two, ``wait`` what the endpoint asks for."""
        now = self._clock()
        was_open = self.outage.open
        self.outage.failed(permit.sent_at, now, wait, what)
        if not was_open:
            # While the circuit is open, a failure tells that the endpoint is away, not that there is too much.
            self.concurrency.failed(permit.sent_at, now, what)
        self.released(permit)

    def released(self, permit: Permit) -> None:
        """The call ended in a way that says nothing about the endpoint's load."""
        self._in_flight -= 1
        self._probing = self._probing and not permit.probe
        self._admit()

    async def back_off(self, tries: int) -> None:
        """Wait before a call is tried again that has failed ``tries`` times."""
        # Full jitter (Brooker 2015, "Exponential Backoff And Jitter", AWS): uniform between 0 and a doubling bound.
        bound = min(self._settings.longest_backoff, self._settings.first_backoff * 2.0 ** min(tries, 10))
        await self._sleep(self._rng.uniform(0, bound))

    def stop(self, error: Callable[[], Exception]) -> None:
        """Let nobody through any more: who waits, or comes, gets ``error()``."""
        self._stopped = error
        self._admit()

    async def close(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.wait([self._timer])

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise self._stopped()

    def _free(self) -> bool:
        if self._stopped is not None:
            return True
        # A call that hangs since before the circuit opened does not stand in the way of the probe.
        room = not self._probing if self.outage.open else self._in_flight < self.concurrency.limit
        return room and self._clock() >= self.outage.until

    def _grant(self) -> Permit:
        permit = Permit(self._clock(), self.outage.open)
        self._in_flight += 1
        self._probing = self._probing or permit.probe
        return permit

    def _admit(self) -> None:
        while self._waiting and self._free():
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(self._grant())
        self._set_timer()

    def _set_timer(self) -> None:
        """Have somebody wake up at the end of a cool-down."""
        if self._waiting and self._clock() < self.outage.until and (self._timer is None or self._timer.done()):
            self._timer = asyncio.create_task(self._wake())

    async def _wake(self) -> None:
        while (wait := self.outage.until - self._clock()) > 0:
            await self._sleep(wait)
        self._timer = None
        self._admit()

    def _adopt(self, kind: str, per_minute: float) -> None:
        old = self._limits.get(kind)
        if old is not None and abs(per_minute - old) <= _SAME_LIMIT * old:
            return
        self._limits[kind] = per_minute
        size = max(1.0, per_minute / 60 if kind == "requests" else per_minute * _TOKEN_WINDOW / 60)
        self._limiters[kind] = AsyncLimiter(size, size * 60 / per_minute)

    async def _take_allowance(self, tokens: int) -> None:
        for kind, limiter in list(self._limiters.items()):
            left = 1.0 if kind == "requests" else float(tokens)
            while left > 0:
                # A bucket gives no more at once than it holds.
                await limiter.acquire(min(left, limiter.max_rate))
                left -= limiter.max_rate
