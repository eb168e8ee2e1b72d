"""Weekdays in a text, and by how much the times of one row may be shifted together.

Does not handle: holidays, or time zones with daylight saving.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import gcd
from random import Random

from selfinstruct.values.calendar_names import WEEKDAY_SETS, WEEKDAYS, other_name
from selfinstruct.values.time_forms import whole_form
from selfinstruct.values.written_times import TimeStyle, has_clock, has_date, has_day, has_year, is_ambiguous, read_time

_DAY = 86400
_SPREAD_DAYS = 60
#: The steps that clocks of a file may have, in seconds, and the number of different times that shows the longer ones.
_STEPS = (300, 60)
_LEAST_TIMES, _LEAST_TIMES_OF_STEP = 3, 8
# A short name is a weekday only beside a date, where its form contains it: "So" and "Do" are words.
_LONG_NAMES = [name for each in WEEKDAY_SETS for name in each.names if len(name) > 3 or not name.isascii()]
_WEEKDAY = re.compile(
    "|".join(
        re.escape(name) if name[0] in "（(星周月火水木金土日월화수목금토일" else rf"\b{re.escape(name)}\b"
        for name in sorted(set(_LONG_NAMES), key=len, reverse=True)
    ),
    re.IGNORECASE,
)


def is_time(value: str, form: str) -> bool:
    """Whether ``value`` is a valid time in ``form``; of two numbers in unknown order, whether one order is valid."""
    if is_ambiguous(form):
        first = form.replace("%1", "%d").replace("%2", "%m")
        second = form.replace("%1", "%m").replace("%2", "%d")
        return read_time(value, first) is not None or read_time(value, second) is not None
    return read_time(value, form) is not None


def is_date(text: str) -> bool:
    """Whether all of a text is a date in one of the forms."""
    form = whole_form(text)
    return form is not None and has_date(form) and is_time(text, form)


def is_moment(text: str) -> bool:
    """Whether all of a text is a date or a time in one of the forms."""
    form = whole_form(text)
    return form is not None and is_time(text, form)


def weekdays(text: str) -> list[tuple[int, int]]:
    """The [start, end) of each weekday's name in ``text``; a short name only if it is the whole text."""
    if text.strip().rstrip(".").casefold() in WEEKDAYS:
        start = len(text) - len(text.lstrip())
        return [(start, start + len(text.strip().rstrip(".")))]
    return [match.span() for match in _WEEKDAY.finditer(text)]


def is_weekday_of(name: str, moment: datetime) -> bool:
    """Whether ``name`` is the weekday of ``moment``."""
    return WEEKDAYS.get(name.casefold()) == moment.weekday()


def write_weekday(name: str, moment: datetime, moved: datetime, style: TimeStyle) -> str:
    """The weekday of ``moved`` in the language of ``name``, which is that of ``moment``."""
    return other_name(name, moment.weekday(), moved.weekday(), WEEKDAY_SETS, style.languages)


@dataclass(frozen=True, slots=True)
class ShiftGenerator:
    """The shifts that keep order and distances of the times of one row: "3 -600" is three days less ten minutes.

    The days are from ``first_day`` to ``last_day``, times ``unit``, and the seconds from ``first`` to ``last`` in
    steps of ``step``. The seconds move clocks alone: a date without a time of day needs clocks that stay in their day.
    """

    first_day: int = 0
    last_day: int = _SPREAD_DAYS - 1
    unit: float = 1
    first: int = 0
    last: int = 0
    step: int = 1

    def draw(self, place: int, rng: Random) -> str:
        """Return a random number of days and of seconds."""
        if self.first_day == self.last_day == 0 and self.last > self.first:
            return f"0 {self._seconds(place)}"
        days = round(rng.randint(self.first_day, self.last_day) * self.unit)
        return f"{days} {rng.randint(self.first // self.step, self.last // self.step) * self.step}"

    def _seconds(self, place: int) -> int:
        """The seconds at ``place`` of all shifts but none at all, in scattered order."""
        count = max((self.last - self.first) // self.step, 1)
        stride = next(each for each in range(round(count * 0.618) or 1, 2 * count + 2) if gcd(each, count) == 1)
        seconds = self.first + place * stride % count * self.step
        return seconds + self.step * (seconds >= 0)


#: No shift.
STILL = "0 0"


def seconds_of_shift(shift: str, form: str) -> int:
    """The seconds by which a shift moves a time in ``form``."""
    days, seconds = map(int, shift.split())
    return days * _DAY + (seconds if has_clock(form) else 0)


def clock_step(seconds: Iterable[int]) -> int:
    """The step in seconds of the clock times of a file, which are seconds of their day; 1 if they show none."""
    known = set(seconds)
    common = gcd(*known)
    enough = len(known) >= _LEAST_TIMES_OF_STEP
    fitting = [step for step in _STEPS if common % step == 0 and (enough or step == _STEPS[-1])]
    return fitting[0] if len(known) >= _LEAST_TIMES and fitting else 1


def shifts(times: Sequence[tuple[str, str]], years: Iterable[int], step: int) -> ShiftGenerator | None:
    """Return how far a row's times, each with its form, may be shifted together; None if they must stay.

    ``years`` are the years in the row that stand alone, ``step`` that of the file's clocks. A date and a time of day
    that stand apart are one moment, so that a clock must not pass midnight; a month or a quarter contains the row's
    days.
    """
    known = {(text, form): moment for text, form in times if (moment := read_time(text, form)) is not None}
    forms = {form for _, form in times}
    if len(known) < len(set(times)):
        return None
    coarse = {form for form in forms if has_date(form) and not has_day(form)}
    if coarse:
        return _coarse(forms, coarse)
    first_day, last_day = _days([moment for (_, form), moment in known.items() if has_year(form)], set(years))
    clocks = {text: moment for (text, form), moment in known.items() if has_clock(form)}
    if not clocks:
        return ShiftGenerator(first_day, last_day)
    lacking = [60 for form in forms if has_clock(form) and "%S" not in form]
    lacking += [3600 for form in forms if has_clock(form) and "%M" not in form]
    step = max([step, *lacking])
    alone = len(clocks) == 1 and not any(map(has_date, forms))
    whole = all(has_clock(form) and has_date(form) for form in forms)
    seconds = [moment.hour * 3600 + moment.minute * 60 + moment.second for moment in clocks.values()]
    first, last = -min(seconds), _DAY - 1 - max(seconds)
    if not any(map(has_date, forms)):
        first_day = last_day = 0
    if alone:
        first, last = 0, _DAY - 1
    elif whole and first_day == 0:
        first, last = 0, _DAY - 1
        last_day -= last_day < _SPREAD_DAYS - 1
    return ShiftGenerator(first_day, max(last_day, 0), 1, -(-first // step) * step, last // step * step, step)


def _coarse(forms: set[str], coarse: set[str]) -> ShiftGenerator | None:
    """The shifts of months, quarters or weeks: a whole number of the longest of them."""
    weeks = {form for form in coarse if "%V" in form}
    if weeks:
        return ShiftGenerator(0, 7, 7) if weeks == coarse else None
    if coarse != forms:
        return None
    return ShiftGenerator(0, 11, 91.3125) if any("%q" in form for form in coarse) else ShiftGenerator(0, 23, 30.4375)


def _days(moments: Sequence[datetime], years: set[int]) -> tuple[int, int]:
    """The days by which the moments may be shifted: within their year if it stands alone in the row."""
    first, last = 0, _SPREAD_DAYS - 1
    for moment in moments:
        if moment.year in years:
            day = moment.timetuple().tm_yday
            first, last = max(first - _SPREAD_DAYS, 1 - day), min(last, 365 + calendar.isleap(moment.year) - day)
    return first, last
