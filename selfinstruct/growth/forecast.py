"""Forecast: how many rows a category is heading for, from the fall of its acceptance.

Acceptance falls as the values that seeds can vary are used up: if a category has N distinct rows, its rate falls on a
straight line that reaches zero at N; if each row makes the next one less novel by the same factor, its logarithm does.
Both lines are fitted to the rates of equal numbers of requested rows, and the closer one is extended. Only a certain
fall, and an end that stays where it was forecast before, is reported.

Does not handle: the reason, or giving up (``stagnation``).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

from selfinstruct.messages import Phrase, joined

# Measured after this many requested rows, or this share of the quota.
_LEAST_WINDOW = 200
_WINDOWS = 20
# About the rate at which a category is exhausted: 200 requested rows without an accepted one.
_LAST_RATE = 0.02
#: A forecast within this share of the quota is as good as met.
_MARGIN = 0.98
#: A fall of the rate by less than this many standard deviations may be chance.
_DEVIATIONS = 4
# An end of the line has stayed if it is at most this factor beyond the one forecast at 0.8 of the accepted rows.
_STAYS, _EARLIER = 1.08, 0.8
_LEAST_MARKS = 5


@dataclass(slots=True)
class Forecast:
    """The acceptance of one category that misses ``quota`` rows; a shortfall is reported once.

    ``before`` counts the rows that were accepted earlier, which a forecast includes.
    """

    quota: int
    before: int = 0
    _reported: bool = False
    _accepted: int = 0
    _requested: int = 0
    _marks: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    _ends: list[tuple[int, int]] = field(default_factory=list)

    def add_batch(self, requested: int, accepted: int) -> int | None:
        """Count a judged batch; return the expected rows the first time that they are short of the quota, else None."""
        self._accepted += accepted
        self._requested += requested
        window = max(_LEAST_WINDOW, self.quota // _WINDOWS)
        last_accepted, last_requested = self._marks[-1]
        if self._reported or self._requested - last_requested < window:
            return None
        rate = (self._accepted - last_accepted) / (self._requested - last_requested)
        self._marks.append((self._accepted, self._requested))
        end = self._accepted if rate < _LAST_RATE < self._overall / 4 else self._end_of_line()
        if end is None:
            self._ends.clear()
            return None
        earlier = [before for at, before in self._ends if at <= _EARLIER * self._accepted]
        self._ends.append((self._accepted, end))
        stays = end == self._accepted or (bool(earlier) and end <= _STAYS * earlier[-1])
        if not stays or end >= _MARGIN * self.quota or self._accepted >= self.quota:
            return None
        self._reported = True
        return _rounded(self.before + end)

    @property
    def _overall(self) -> float:
        return self._accepted / self._requested

    def _end_of_line(self) -> int | None:
        """The accepted rows at which the rate reaches ``_LAST_RATE`` on its line; None if no fall is certain."""
        if not self._falls() or len(self._marks) < _LEAST_MARKS:
            return None
        accepted, requested = np.array(self._marks, dtype=float).T
        rates = np.diff(accepted) / np.diff(requested)
        at = (accepted[1:] + accepted[:-1]) / 2
        slope, start = np.polyfit(at, rates, 1)
        straight = (_LAST_RATE - start) / slope
        error = float(np.sum((start + slope * at - rates) ** 2))
        slope, start = np.polyfit(at, np.log(np.maximum(rates, _LAST_RATE / 4)), 1)
        if float(np.sum((np.exp(start + slope * at) - rates) ** 2)) < error:
            straight = (math.log(_LAST_RATE) - start) / slope
        return max(self._accepted, round(straight)) if slope < 0 else None

    def _falls(self) -> bool:
        """Whether the rate of the second half of the accepted rows is certainly lower than that of the first half."""
        middle, requested = self._marks[bisect_left(self._marks, (self._accepted // 2, 0))]
        later, later_requested = self._accepted - middle, self._requested - requested
        if not middle or not later:
            return False
        before, now = middle / requested, later / later_requested
        deviation = math.sqrt(before * (1 - before) / requested + now * (1 - now) / later_requested)
        return before - now > _DEVIATIONS * deviation


def shortfall_note(expected: int, quota: int, reason: str, where: str = "", *, by_imitator: bool) -> str:
    """Say how many rows a category is heading for, and what to do about it.

    ``reason`` is the commonest one of rejections, "" if there is none; ``where`` is the category, "" for the only one.
    """
    note = Phrase(
        "fewer and fewer rows are accepted (most often rejected as {reason}): heading for about "
        "{expected:,} of {quota:,}"
        if reason
        else "fewer and fewer rows are accepted: heading for about {expected:,} of {quota:,}",
        reason=reason,
        expected=expected,
        quota=quota,
    )
    if where:
        note = Phrase("{where}: {problem}", where=where, problem=note)
    advice = remedy(reason, by_imitator=by_imitator)
    return joined([note, advice], "; ") if advice else note


def remedy(reason: str, *, by_imitator: bool) -> str:
    """What to do about a shortfall whose candidates are most often rejected for ``reason``; "" if that is not known.

    >>> remedy("near-duplicate", by_imitator=True)
    'add more varied seeds, or raise novelty.max_rouge_l'
    """
    if reason == "near-duplicate":
        return Phrase("add more varied seeds, or raise novelty.max_rouge_l")
    if reason in ("echo", "duplicate", "same"):
        if by_imitator:
            return Phrase("use a model, or add seeds")
        return Phrase("show the model fewer demonstrations, or add seeds")
    return ""


def _rounded(rows: int) -> int:
    """A number of rows with three significant digits."""
    unit: int = max(10 ** (len(str(rows)) - 3), 1)
    return rows // unit * unit
