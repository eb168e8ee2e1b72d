"""Waiting times and sizes of the model backend as frozen values; the defaults suit every endpoint known so far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds to connect, between two bytes of a reply (``idle``), and for the whole of one call (``total``).

    Once it is known how long replies take, a call is given up sooner than ``total``, but not before ``least``.
    """

    connect: float = 10.0
    idle: float = 600.0
    total: float = 600.0
    least: float = 15.0

    def capped_at(self, total: float) -> Deadlines:
        """The deadlines with ``total`` seconds for a call, and none of the others longer."""
        return Deadlines(min(self.connect, total), total, total, min(self.least, total))


@dataclass(frozen=True, slots=True)
class PreflightSettings:
    """How long the first call may take.

    A busy endpoint is retried for ``patience`` seconds. After ``silent`` seconds without a reply another call is sent
    beside those in flight, up to ``most_calls`` in all: loading a model may take minutes, and a server stops loading
    when the call is given up; but some calls are never answered. After ``accepted_after`` seconds without a reply the
    call counts as accepted: the others need not wait for it (see ``trial``).
    """

    patience: float = 30.0
    silent: float = 20.0
    most_calls: int = 5
    accepted_after: float = 0.3


@dataclass(frozen=True, slots=True)
class PacingSettings:
    """Pauses in seconds: before a retry (full jitter up to a doubling bound), and while an endpoint is down."""

    first_backoff: float = 0.25
    longest_backoff: float = 5.0
    shortest_cool_down: float = 0.5
    longest_cool_down: float = 30.0


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """All settings of one backend.

    A failed call is retried for ``retry_seconds`` after its first failure. A reply is read up to ``max_reply_bytes``,
    before and after decompression; the default is 2,000 times a usual reply.
    """

    deadlines: Deadlines = Deadlines()
    preflight: PreflightSettings = PreflightSettings()
    pacing: PacingSettings = PacingSettings()
    retry_seconds: float = 300.0
    max_reply_bytes: int = 16 * 2**20
