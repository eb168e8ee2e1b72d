"""The gate in front of an endpoint: it lets calls through as concurrency, rate limits and outages allow.

``concurrency`` and ``outage`` decide without waiting; the gate waits. Requests and tokens a minute are limited by leaky
buckets (aiolimiter), from the recipe or else from the endpoint's headers.

Does not handle: how many calls are started together, which the loop of a run decides.
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
from selfinstruct.messages import Phrase, joined

# A bucket of requests holds one second's worth, one of tokens fifteen seconds' worth: servers count in such windows.
_TOKEN_WINDOW = 15.0
# A limit in headers replaces the present one if it differs by more than this share.
_SAME_LIMIT = 0.1
_DEFAULTS = PacingSettings()


class NotNeeded(Exception):
    """A call that waited to be sent is not needed any more."""


@dataclass(slots=True)
class Permit:
    """Permission for one call, sent at ``sent_at``. A ``probe`` tests whether the endpoint is available again."""

    sent_at: float
    probe: bool


class Pacing:
    """The gate; a call that has entered must be ended by ``succeeded``, ``failed`` or ``released``.

    At most ``maximum`` calls are in flight. ``requests`` and ``tokens`` are limits a minute; None to follow the
    endpoint's headers.
    """

    def __init__(
        self,
        maximum: int,
        *,
        requests: float | None = None,
        tokens: float | None = None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        rng: Random,
        settings: PacingSettings = _DEFAULTS,
    ) -> None:
        self.concurrency = Concurrency(maximum)
        self.outage = Outage(rng, settings)
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._configured = {"requests": requests, "tokens": tokens}
        self._limits: dict[str, float] = {}
        self._limiters: dict[str, AsyncLimiter] = {}
        for kind, limit in self._configured.items():
            if limit is not None:
                self._adopt(kind, limit)
        self._in_flight = 0
        self._probing = False
        self._waiting: deque[asyncio.Future[Permit]] = deque()
        self._timer: asyncio.Task[None] | None = None
        self._stopped: Callable[[], Exception] | None = None

    def inspect(self) -> Pace:
        """The present pace."""
        now = self._clock()
        limit = 1 if self.outage.open else self.concurrency.limit
        if now < self.outage.until:
            reason = Phrase(
                "waiting {seconds:.1f} s: {why}", seconds=self.outage.until - now, why=Phrase(self.outage.reason)
            )
        elif self.outage.open:
            reason = Phrase("one probe, to see whether the endpoint is available again")
        elif self.concurrency.limit < self.concurrency.maximum:
            reason = Phrase(
                "{why}; {maximum} configured", why=Phrase(self.concurrency.reason), maximum=self.concurrency.maximum
            )
        elif self._limits:
            per = joined([f"{limit:,.0f} {kind}" for kind, limit in self._limits.items()], " and ")
            by_recipe = any(self._configured[kind] for kind in self._limits)
            source = Phrase("the recipe") if by_recipe else Phrase("the endpoint")
            reason = Phrase("as configured, at {limit} a minute ({source})", limit=per, source=source)
        else:
            reason = Phrase("as configured")
        unrestricted = now >= self.outage.until and not self.outage.open and limit == self.concurrency.maximum
        return Pace(limit, self._in_flight, reason, unrestricted)

    async def enter(self, tokens: int, *, retry: bool = False) -> Permit:
        """Wait until a call of about ``tokens`` tokens may be sent; a ``retry`` goes before the others.

        Raises the error of ``stop`` once the gate is closed, and NotNeeded if ``drop_waiting`` is called meanwhile.
        """
        if self._waiting or not self._free(self._clock()):
            admission: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
            (self._waiting.appendleft if retry else self._waiting.append)(admission)
            self._admit()
            try:
                permit = await admission
            except asyncio.CancelledError:
                if admission.done() and not admission.cancelled():
                    self.released(admission.result())
                raise
        else:
            permit = self._grant()
        try:
            self._raise_if_stopped()
            if self._limiters:
                await self._acquire_rate(tokens)
            self._raise_if_stopped()
        except BaseException:
            self.released(permit)
            raise
        permit.sent_at = self._clock()
        return permit

    def succeeded(self, permit: Permit, headers: Mapping[str, str], unix_time: float) -> None:
        """End an answered call; its ``headers`` may contain rate limits."""
        busy = bool(self._waiting) or self._in_flight >= self.concurrency.limit
        if self.outage.open:
            self.concurrency.outage_over()
        self.outage.succeeded()
        self.concurrency.succeeded(permit.sent_at, self._clock(), busy=busy)
        if "x-ratelimit-limit-requests" in headers or "x-ratelimit-limit-tokens" in headers:
            allowed = rate_limits(headers, unix_time)
            for kind, limit in (("requests", allowed.requests), ("tokens", allowed.tokens)):
                if limit is not None and self._configured[kind] is None:
                    self._adopt(kind, limit)
        self.released(permit)

    def failed(self, permit: Permit, failure: str, wait: float | None = None) -> None:
        """End a call that met overload or no endpoint; ``wait`` is the delay in seconds that the endpoint requests."""
        now = self._clock()
        was_open = self.outage.open
        self.outage.failed(permit.sent_at, now, wait, failure)
        if not was_open:
            # While the circuit is open, a failure means that the endpoint is unavailable, not overloaded.
            self.concurrency.failed(permit.sent_at, now, failure)
        self.released(permit)

    def released(self, permit: Permit) -> None:
        """End a call whose outcome is no evidence about the endpoint's load."""
        self._in_flight -= 1
        self._probing = self._probing and not permit.probe
        self._admit()

    async def back_off(self, tries: int) -> None:
        """Wait before a call that has failed ``tries`` times is retried."""
        # Full jitter (Brooker 2015, "Exponential Backoff And Jitter", AWS): uniform between 0 and a doubling bound.
        bound = min(self._settings.longest_backoff, self._settings.first_backoff * 2.0 ** min(tries, 10))
        await self._sleep(self._rng.uniform(0, bound))

    def stop(self, error: Callable[[], Exception]) -> None:
        """Close the gate: every call that waits or enters raises ``error()``."""
        self._stopped = error
        self._admit()

    def drop_waiting(self) -> None:
        """Let every call that waits at the gate raise NotNeeded; others may enter as before."""
        for admission in self._waiting:
            if not admission.done():
                admission.set_exception(NotNeeded())
        self._waiting.clear()

    async def close(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.wait([self._timer])

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise self._stopped()

    def _free(self, now: float) -> bool:
        if self._stopped is not None:
            return True
        # Calls that have hung since before the circuit opened do not prevent the probe.
        room = not self._probing if self.outage.open else self._in_flight < self.concurrency.limit
        return room and now >= self.outage.until

    def _grant(self) -> Permit:
        permit = Permit(self._clock(), self.outage.open)
        self._in_flight += 1
        self._probing = self._probing or permit.probe
        return permit

    def _admit(self) -> None:
        """Let waiting calls through; if a cool-down holds them back, once more at its end."""
        # One reading of the clock: if the cool-down ended between two, no call would be let through and no timer set.
        now = self._clock()
        while self._waiting and self._free(now):
            admission = self._waiting.popleft()
            if not admission.done():
                admission.set_result(self._grant())
        if self._waiting and now < self.outage.until and (self._timer is None or self._timer.done()):
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

    async def _acquire_rate(self, tokens: int) -> None:
        for kind, limiter in list(self._limiters.items()):
            remaining = 1.0 if kind == "requests" else float(tokens)
            while remaining > 0:
                # A bucket cannot hand out more at once than it holds.
                await limiter.acquire(min(remaining, limiter.max_rate))
                remaining -= limiter.max_rate
