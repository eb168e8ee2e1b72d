"""How many rows a call asks for: few at first of an endpoint that may be weak or slow, and more as its replies succeed.

    whole, and enough accepted -> twice as many, as long as such a call would end well before its deadline
    half of the rows missing or malformed -> half          no reply before the deadline -> a quarter

An endpoint that nothing speaks against is asked for all rows at once, from the first call on. Of its replies only those
that come too late matter here; ``prompt_size`` judges the malformed ones by their share.

Pure, and a function of the results in their order, so that a resumed run comes to the same number. Does not handle:
whether an endpoint may be weak (the backend's ``weakness``).
"""

from __future__ import annotations

import math

from selfinstruct.growth.batch_result import BatchResult

#: The first calls to a weak endpoint ask for this part of the rows.
_FIRST = 5
#: A reply succeeds with this share of the rows that were asked for whole, and this share of them accepted.
_WHOLE, _ACCEPTED = 0.75, 0.25
#: A reply with a smaller share of whole rows fails.
_FAILED = 0.5
#: Calls are to take at most this share of the time that they have: others may be ahead of them in a queue.
_OF_DEADLINE = 0.25


class RowsPerCall:
    """The ``rows`` that a call asks for now, from ``least`` to ``most``.

    ``deadline`` is the seconds that a call may take. With ``few``, the first calls ask for few rows.
    """

    def __init__(self, most: int, deadline: float = math.inf, *, few: bool = False, least: int = 1) -> None:
        self.most = most
        self.rows = max(least, math.ceil(most / _FIRST)) if few else most
        self._least = least
        self._longest = deadline * _OF_DEADLINE

    @property
    def can_be_fewer(self) -> bool:
        """Whether a call may ask for fewer rows than now."""
        return self.rows > self._least

    def record(self, result: BatchResult) -> None:
        """Follow the result of a batch that was answered."""
        asked, whole = result.asked, result.whole
        if self.rows == self.most:
            return
        if whole < _FAILED * asked:
            self._lower(asked // 2)
        elif asked >= self.rows and whole >= _WHOLE * asked and result.accepted >= _ACCEPTED * asked:
            # More than now was asked for before a failure, and is only restored.
            wanted = asked if asked > self.rows else 2 * asked
            if asked * self._longest < wanted * result.seconds:
                wanted = int(asked * self._longest / result.seconds)
            self.rows = max(self.rows, min(self.most, wanted))

    def record_timeout(self, asked: int) -> bool:
        """Follow a call without a reply before its deadline; whether calls ask for fewer rows now."""
        return self._lower(asked // 4)

    def _lower(self, rows: int) -> bool:
        before, self.rows = self.rows, min(self.rows, max(self._least, rows))
        return self.rows < before
