"""Dates and times: their written forms, reading, and writing a shifted one in the same form.

A form is a format of ``strptime``. ``DAY_OR_MONTH`` stands for two numbers before a year of which it is not known
which one is the day; see ``resolved``.

Does not handle: names of months and weekdays in other languages than English and Chinese.

>>> write_time(read_time("31.12.2023", "%d.%m.%Y"), "86400", "%d.%m.%Y", "31.12.2023")
'01.01.2024'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_LONG_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
DAY_OR_MONTH = "%d/%m/%Y?"
_CLOCKS = ((r" \d\d:\d\d:\d\d", " %H:%M:%S"), (r" \d\d:\d\d", " %H:%M"), ("", ""))
#: Forms of times, the most specific first: a pattern, and the format that reads and writes it.
TIMES = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "%Y-%m-%dT%H:%M:%S"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%d %H:%M:%S"),
    (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "%Y/%m/%d %H:%M:%S"),
    (r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d", "%y/%m/%d %H:%M:%S"),
    (rf"\d\d/{_MONTH}/\d{{4}}:\d\d:\d\d:\d\d", "%d/%b/%Y:%H:%M:%S"),
    (rf"{_DAY}, \d\d {_MONTH} \d{{4}} \d\d:\d\d:\d\d", "%a, %d %b %Y %H:%M:%S"),
    (rf"{_DAY} {_MONTH} [ 0123]\d \d\d:\d\d:\d\d \d{{4}}", "%a %b %d %H:%M:%S %Y"),
    (rf"{_LONG_DAY}, {_LONG_MONTH} \d{{1,2}}, \d{{4}}", "%A, %B %d, %Y"),
    (rf"{_LONG_DAY}, \d{{1,2}} {_LONG_MONTH} \d{{4}}", "%A, %d %B %Y"),
    (rf"{_DAY}, \d{{1,2}} {_MONTH} \d{{4}}", "%a, %d %b %Y"),
    (rf"{_MONTH} [ 123]\d \d\d:\d\d:\d\d", "%b %d %H:%M:%S"),
    (r"\d{6} \d{6}", "%y%m%d %H%M%S"),
    (r"(?:19|20)\d{12}", "%Y%m%d%H%M%S"),
    (r"(?:19|20)\d{10}", "%Y%m%d%H%M"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d", "%Y-%m-%dT%H:%M"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "%Y-%m-%d %H:%M"),
    (r"\d{4}/\d\d/\d\d \d\d:\d\d", "%Y/%m/%d %H:%M"),
    *((rf"\d{{1,2}}\.\d{{1,2}}\.\d{{4}}{clock}", f"%d.%m.%Y{form}") for clock, form in _CLOCKS),
    *((rf"\d{{1,2}}/\d{{1,2}}/\d{{4}}{clock}", f"{DAY_OR_MONTH}{form}") for clock, form in _CLOCKS),
    (r"\d\d-\d\d \d\d:\d\d:\d\d", "%m-%d %H:%M:%S"),
    (r"\d{4}-W\d\d-\d", "%G-W%V-%u"),
    (r"\d{4}-W\d\d", "%G-W%V"),
    (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"),
    (r"\d{4}/\d\d/\d\d", "%Y/%m/%d"),
    (r"\d{4}年\d{1,2}月\d{1,2}日", "%Y年%m月%d日"),
    (r"\d{1,2}月\d{1,2}日", "%m月%d日"),
    (rf"\d{{1,2}} {_LONG_MONTH} \d{{4}}", "%d %B %Y"),
    (rf"{_LONG_MONTH} \d{{1,2}}, \d{{4}}", "%B %d, %Y"),
    (rf"\d{{1,2}} {_LONG_MONTH}", "%d %B"),
    (rf"{_LONG_MONTH} \d{{1,2}}", "%B %d"),
    (rf"\d{{1,2}} {_MONTH}", "%d %b"),
    (rf"{_MONTH} \d{{1,2}}", "%b %d"),
    (r"\d\d:\d\d:\d\d", "%H:%M:%S"),
    (r"\d{1,2}:\d\d", "%H:%M"),
)
#: A time zone after a clock time: not a number.
ZONE = r"(?:(?<=:\d\d)|(?<=:\d\d\.\d{3})|(?<=:\d\d\.\d{6})) ?[+-](?:0\d|1[0-4]):?(?:00|15|30|45)(?![\d:])"
# Formats whose fields strftime pads: these are written with the padding of the original.
_PADDED = re.compile(r"%d\.%m\.|%[dm]/%[dm]/%Y")
_WEEKDAYS = (
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
)
_WEEKDAY = re.compile("|".join(rf"\b{d}\b" if d.isascii() else d for names in _WEEKDAYS for d in names))


def is_time(value: str, form: str) -> bool:
    """Whether ``value`` is a valid time in ``form``, in a plausible year (1970 to 2069)."""
    if form.startswith(DAY_OR_MONTH):
        return any(is_time(value, resolved(form, day_first)) for day_first in (True, False))
    moment = read_time(value, form)
    return moment is not None and (not has_year(form) or 1970 <= moment.year <= 2069)


def is_date(text: str) -> bool:
    """Whether all of a text is a date in one of the forms."""
    return any(has_date(form) and re.fullmatch(pattern, text) is not None for pattern, form in TIMES)


def is_moment(text: str) -> bool:
    """Whether all of a text is a date or a time in one of the forms."""
    return any(re.fullmatch(pattern, text) is not None for pattern, _ in TIMES)


def has_year(form: str) -> bool:
    """Whether the form contains a year, so that it determines a date."""
    return any(mark in form for mark in ("%Y", "%y", "%G"))


def has_date(form: str) -> bool:
    """Whether the form contains a date, so that a shift by hours may change it."""
    return has_year(form) or any(mark in form for mark in ("%b", "%B", "%m"))


def read_time(value: str, form: str) -> datetime | None:
    """``value`` as a time, or None.

    A form without a year is read in 2021: neither that year nor the next has a leap day.
    """
    if form == "%G-W%V":
        value, form = f"{value}-1", f"{form}-%u"
    try:
        moment = datetime.strptime(value, form) if has_year(form) else datetime.strptime(f"2021 {value}", f"%Y {form}")
    except ValueError:
        return None
    return moment


def write_time(moment: datetime, shift: str, form: str, like: str) -> str:
    """Return ``moment`` shifted by ``shift`` seconds, in the format ``form`` and the padding of ``like``.

    strftime always pads the day, which ``like`` may not.
    """
    moved = moment + timedelta(seconds=int(shift))
    if form.startswith("%b %d %H"):
        return f"{moved:%b} {moved.day:{'02' if like[4] == '0' else '2'}d} {moved:%H:%M:%S}"
    if form.startswith("%a %b %d %H"):
        return f"{moved:%a %b} {moved.day:{'02' if like[8] == '0' else '2'}d} {moved:%H:%M:%S %Y}"
    if _PADDED.match(form):
        if not _is_padded(like):
            form = form.replace("%d", str(moved.day)).replace("%m", str(moved.month))
    elif not form.startswith("%a, %d %b %Y %H") and ("%B" in form or "%b" in form or "月" in form):
        form = form.replace("%d", str(moved.day)).replace("%m", str(moved.month)) if "/" not in form else form
    return moved.strftime(form)


def resolved(form: str, day_first: bool) -> str:
    """The form with the day before the month, or after it."""
    return form.replace(DAY_OR_MONTH, "%d/%m/%Y" if day_first else "%m/%d/%Y")


def day_first(values: Iterable[str]) -> bool | None:
    """Whether the day comes first in dates such as 17/03/2023; None if no number above 12 decides, or two disagree."""
    starts = [tuple(map(int, value.split("/")[:2])) for value in values]
    first, second = any(a > 12 for a, _ in starts), any(b > 12 for _, b in starts)
    return None if first == second else first


def weekdays(text: str) -> list[tuple[int, int]]:
    """The [start, end) of each weekday's name in ``text``."""
    return [match.span() for match in _WEEKDAY.finditer(text)]


def is_weekday_of(name: str, moment: datetime) -> bool:
    """Whether ``name`` is the weekday of ``moment``."""
    return any(names[moment.weekday()] == name for names in _WEEKDAYS)


def write_weekday(moment: datetime, shift: str, like: str) -> str:
    """The weekday of ``moment`` shifted by ``shift`` seconds, in the language of ``like``."""
    moved = moment + timedelta(seconds=int(shift))
    return next(names for names in _WEEKDAYS if like in names)[moved.weekday()]


def _is_padded(like: str) -> bool:
    first, second = re.split(r"\D", like)[:2]
    return len(first) == len(second) == 2
