"""How many calls may be in flight, learnt from how they end; pure, on a clock that is passed in.

Additive increase, multiplicative decrease (Chiu and Jain 1989), as TCP does it: a burst of failures is one decrease;
growth is fast up to where trouble last began and slow beyond it, and gathers pace while nothing goes wrong, as
CUBIC's does (RFC 9438). An endpoint that shows overload by slowness alone (vLLM) is believed when the median of its
replies takes several times as long as before; a cut that does not make them faster is taken back.

Does not handle: waiting (``pacing``), or an endpoint that is not there at all (``outage``).
"""

from __future__ import annotations

from collections import deque
from statistics import median

#: A decrease halves what is in flight, as TCP Reno does.
_DECREASE = 0.5
# Up to this share of where trouble began, each success makes room for one more: doubling with each round of replies.
_FAST_UP_TO = 0.9
# Beyond it: one more a round, two after so many seconds without trouble, then four, ...
_GATHERS_PACE = 10.0
# Replies are compared in windows of this size. One is slow at this multiple of the quickest so far.
_WINDOW = 32
_SLOW = 2.5
_SLOW_DECREASE = 0.7
# A deadline leaves this much room above the median reply.
_PATIENCE = 20.0


class Concurrency:
    """The number of calls that may be in flight: between 1 and ``most``, where it starts.

    ``limit`` is that number, ``why`` says in words why it is what it is. Times are in seconds of one clock.
    """

    def __init__(self, most: int) -> None:
        self.maximum = most
        self.reason = ""
        self._limit = float(most)
        self._trouble_at = float(most)
        self._cut = float("-inf")
        self._unproven = False
        self._times: deque[float] = deque(maxlen=_WINDOW)
        self._new = 0
        self._typical = 0.0
        self._quickest: float | None = None
        self._trial: tuple[float, float] | None = None

    @property
    def limit(self) -> int:
        """How many calls may be in flight."""
        return max(1, int(self._limit + 1e-9))

    def failed(self, sent: float, now: float, what: str) -> bool:
        """A call sent at ``sent`` met overload at ``now``; whether that was a decrease, or part of an earlier one."""
        if sent <= self._cut:
            return False
        if not self._unproven:
            self._trouble_at = self._limit
        self._unproven = True
        self._decrease(now, _DECREASE, f"cut after {what}")
        self._trial = None
        return True

    def succeeded(self, sent: float, now: float, *, busy: bool) -> None:
        """A call sent at ``sent`` was answered at ``now``; ``busy``: the limit held others back."""
        self._note(now - sent, now)
        if sent <= self._cut:
            return
        self._unproven = False
        if busy and self._limit < self.maximum:
            if self._limit < self._trouble_at * _FAST_UP_TO:
                self._limit += 1
            else:
                self._limit += 2.0 ** min((now - self._cut) // _GATHERS_PACE, 10) / self._limit
                self._trouble_at = max(self._trouble_at, self._limit)
        if self._limit >= self.maximum:
            self._limit, self.reason = float(self.maximum), ""

    def deadline(self, least: float, most: float) -> float:
        """The seconds after which a reply will not come any more, judging by those that came."""
        if len(self._times) < _WINDOW // 2 or self._quickest is None:
            return most
        return min(most, max(least, _PATIENCE * self._typical))

    def _decrease(self, now: float, factor: float, why: str) -> None:
        self._limit = max(1.0, self._limit * factor)
        self._cut = now
        self.reason = why

    def _note(self, seconds: float, now: float) -> None:
        """Take down how long a reply took, and judge each window by its median."""
        self._times.append(seconds)
        self._new += 1
        if self._new < (_WINDOW if self._quickest is not None else _WINDOW // 2):
            return
        self._new = 0
        typical = self._typical = median(self._times)
        if self._trial is not None:
            limit, before = self._trial
            self._trial = None
            if typical > 0.85 * before:
                # As slow with less to do: it is the work that takes longer, not the queue.
                self._limit, self.reason = max(self._limit, limit), ""
            self._quickest = typical
        elif self._quickest is not None and typical > _SLOW * self._quickest and self._limit > 1:
            self._trial = self._limit, typical
            slower = typical / self._quickest
            self._decrease(now, _SLOW_DECREASE, f"cut because replies take {slower:.1f} times as long as before")
        else:
            self._quickest = min(typical, self._quickest or typical)
