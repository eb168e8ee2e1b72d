"""The shared cool-down and the circuit breaker: when no call may be sent; pure, with times passed in.

A wait that the endpoint asks for delays every call. After several failures in a row the circuit opens: nothing is sent
until a wait is over, then one probe. Waits grow in proportion to the length of the outage, so that the number of probes
grows with its logarithm, later by two a minute, and at most half of a second, or a tenth of its length, is lost once it
is over. A probe that is refused costs nothing.

Does not handle: waiting (``pacing``), or an endpoint that is merely overloaded (``concurrency``).
"""

from __future__ import annotations

from random import Random

from selfinstruct.backends.openai.settings import PacingSettings
from selfinstruct.messages import Phrase

#: Failures in a row, over all calls, that open the circuit.
_IN_A_ROW = 5
_SHARE_OF_OUTAGE = 0.1
_DEFAULTS = PacingSettings()


class Outage:
    """Whether calls may be sent. The cool-down ends at ``until``; while ``open``, one probe at a time is allowed.

    ``reason`` explains the cool-down in words. ``rng`` spreads the waits, so that many clients do not return together.
    """

    def __init__(self, rng: Random, settings: PacingSettings = _DEFAULTS) -> None:
        self._rng = rng
        self._settings = settings
        self.until = float("-inf")
        self.open = False
        self.reason = ""
        self._failures_in_a_row = 0
        self._outage_began = 0.0
        self._last_decision = float("-inf")

    def failed(self, sent: float, now: float, wait: float | None, failure: str) -> None:
        """Record a failure at ``now`` of a call sent at ``sent``; ``wait`` is the delay that the endpoint requests."""
        if self._failures_in_a_row == 0:
            self._outage_began = now
        self._failures_in_a_row += 1
        if wait is not None:
            self.until = max(self.until, now + wait)
            self.reason = Phrase("requested by the endpoint after {failure}", failure=failure)
        if self._failures_in_a_row < _IN_A_ROW or sent <= self._last_decision:
            return
        self.open = True
        self._last_decision = now
        share = max(self._settings.shortest_cool_down, _SHARE_OF_OUTAGE * (now - self._outage_began))
        longest = min(self._settings.longest_cool_down, share)
        # Half to full jitter rather than full: an immediate probe would learn nothing new.
        self.until = max(self.until, now + longest * self._rng.uniform(0.5, 1))
        self.reason = Phrase("then one probe, after {failure}", failure=failure)

    def succeeded(self) -> None:
        """Record an answered call: close the circuit. A wait requested by the endpoint continues."""
        self._failures_in_a_row = 0
        self.open = False
