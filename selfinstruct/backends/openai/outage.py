"""When nothing may be sent at all: the shared cool-down and the circuit breaker; pure, on a clock that is passed in.

A wait that the endpoint asks for holds everybody back. After several failures in a row the circuit opens: nothing is
sent until a wait is over, then one call to see whether the endpoint is back. Each wait grows with how long the outage
has lasted, so that the calls spent on an outage grow with the logarithm of its length, and then by two a minute; and so
that, once it is over, at most a third of its length is lost.
"""

from __future__ import annotations

from random import Random

from selfinstruct.backends.openai.settings import PacingSettings

#: So many failures in a row, whoever's they are, open the circuit.
_IN_A_ROW = 5
_SHARE_OF_OUTAGE = 0.4
_DEFAULTS = PacingSettings()


class Outage:
    """Whether calls may be sent now. ``until`` is when the present cool-down ends; ``open`` allows one call at most.

    ``rng`` spreads the waits, so that many clients do not come back together.
    """

    def __init__(self, rng: Random, settings: PacingSettings = _DEFAULTS) -> None:
        self._rng = rng
        self._settings = settings
        self.until = float("-inf")
        self.open = False
        self.reason = ""
        self._row = 0
        self._began = 0.0
        self._decided = float("-inf")

    def failed(self, sent: float, now: float, wait: float | None, what: str) -> None:
        """A call sent at ``sent`` met overload at ``now``; ``wait`` are the seconds that the endpoint asks for."""
        if self._row == 0:
            self._began = now
        self._row += 1
        if wait is not None:
            self.until = max(self.until, now + wait)
            self.reason = f"the endpoint asked for it with {what}"
        if self._row < _IN_A_ROW or sent <= self._decided:
            return
        self.open = True
        self._decided = now
        share = max(self._settings.shortest_cool_down, _SHARE_OF_OUTAGE * (now - self._began))
        longest = min(self._settings.longest_cool_down, share)
        # Half to full jitter: a probe at once would tell nothing that is not known.
        self.until = max(self.until, now + longest * self._rng.uniform(0.5, 1))
        self.reason = f"then one call to see whether it is back, after {what}"

    def succeeded(self) -> None:
        """A call was answered: the circuit closes. A wait that was asked for goes on."""
        self._row = 0
        self.open = False
