"""The number of calls that may be in flight, adapted to their outcomes; pure, with times passed in.

Additive increase, multiplicative decrease (Chiu and Jain 1989), as in TCP: a burst of failures is one decrease; growth
is fast up to the limit at which calls last failed and slow beyond it, and accelerates while none fails, as in CUBIC
(RFC 9438). Slowness counts as overload (vLLM shows no other sign) when the median reply takes several times as long as
before; a cut that does not make replies faster is undone.

Does not handle: waiting (``pacing``), or an endpoint that does not answer at all (``outage``).
"""

from __future__ import annotations

from collections import deque
from statistics import median

from selfinstruct.messages import Phrase

#: A decrease halves the limit, as in TCP Reno.
_DECREASE = 0.5
# Up to this share of the limit that failed, each success adds one call: the limit doubles with each round of replies.
_FAST_UP_TO = 0.9
# Beyond it: one call a round, two after this many seconds without a failure, then four, ...
_ACCELERATE_EVERY = 10.0
# Replies are compared in windows of this size. A window is slow at this multiple of the fastest window so far.
_WINDOW = 32
_SLOW = 2.5
_SLOW_DECREASE = 0.7
# A deadline is this multiple of the median reply time.
_DEADLINE_FACTOR = 20.0


class Concurrency:
    """The ``limit`` of calls in flight: between 1 and ``maximum``, where it starts.

    ``reason`` explains a lower limit in words. Times are in seconds of one clock.
    """

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.reason = ""
        self._limit = float(maximum)
        self._failed_limit = float(maximum)
        self._last_cut = float("-inf")
        self._cut_unproven = False
        self._seconds: deque[float] = deque(maxlen=_WINDOW)
        self._unjudged = 0
        self._median = 0.0
        self._fastest: float | None = None
        self._trial: tuple[float, float] | None = None

    @property
    def limit(self) -> int:
        """The number of calls that may be in flight."""
        return max(1, int(self._limit + 1e-9))

    def failed(self, sent: float, now: float, failure: str) -> bool:
        """Record an overload at ``now`` of a call sent at ``sent``; False where an earlier decrease covers it."""
        if sent <= self._last_cut:
            return False
        if not self._cut_unproven:
            self._failed_limit = self._limit
        self._cut_unproven = True
        self._decrease(now, _DECREASE, Phrase("cut after {failure}", failure=failure))
        self._trial = None
        return True

    def succeeded(self, sent: float, now: float, *, busy: bool) -> None:
        """Record the answer at ``now`` to a call sent at ``sent``; ``busy`` if the limit held other calls back."""
        self._record(now - sent, now)
        if sent <= self._last_cut:
            return
        self._cut_unproven = False
        if busy and self._limit < self.maximum:
            if self._limit < self._failed_limit * _FAST_UP_TO:
                self._limit += 1
            else:
                self._limit += 2.0 ** min((now - self._last_cut) // _ACCELERATE_EVERY, 10) / self._limit
                self._failed_limit = max(self._failed_limit, self._limit)
        if self._limit >= self.maximum:
            self._limit, self.reason = float(self.maximum), ""

    def outage_over(self) -> None:
        """Record the end of an outage: the limit was cut at its beginning, which says nothing about the limit."""
        self._failed_limit = self.maximum / _FAST_UP_TO

    def deadline(self, least: float, most: float) -> float:
        """The seconds after which a reply is not to be expected any more, between ``least`` and ``most``."""
        if len(self._seconds) < _WINDOW // 2 or self._fastest is None:
            return most
        return min(most, max(least, _DEADLINE_FACTOR * self._median))

    def _decrease(self, now: float, factor: float, reason: str) -> None:
        self._limit = max(1.0, self._limit * factor)
        self._last_cut = now
        self.reason = reason

    def _record(self, seconds: float, now: float) -> None:
        """Record how long a reply took, and compare each full window by its median."""
        self._seconds.append(seconds)
        self._unjudged += 1
        if self._unjudged < (_WINDOW if self._fastest is not None else _WINDOW // 2):
            return
        self._unjudged = 0
        current = self._median = median(self._seconds)
        if self._trial is not None:
            limit, before = self._trial
            self._trial = None
            if current > 0.85 * before:
                # Fewer calls are as slow: the work takes longer, not the queue.
                self._limit, self.reason = max(self._limit, limit), ""
            self._fastest = current
        elif self._fastest is not None and current > _SLOW * self._fastest and self._limit > 1:
            self._trial = self._limit, current
            slower = current / self._fastest
            why = Phrase("cut because replies take {times:.1f} times as long as before", times=slower)
            self._decrease(now, _SLOW_DECREASE, why)
        else:
            self._fastest = min(current, self._fastest or current)
