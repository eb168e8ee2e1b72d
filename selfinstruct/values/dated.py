"""Dates and times inside a text that no calendar or clock has.

>>> impossible("Signed on February 29, 2015."), impossible("at 26:10"), impossible("Signed on 2015-02-28 at 23:59.")
('February 29, 2015', '26:10', None)
>>> impossible("Le train part à 25h10."), impossible("13 月 3 日に発送"), impossible("02-30 16:13:45.316 stream 3")
('25h10', '13 月 3 日', '02-30 16:13:45')
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator

from selfinstruct.values.moments import DATE, MONTHS, dates_in_match

#: A time of day; a longer run of digits and colons (an address, a ratio of three) is none.
_CLOCK = re.compile(r"(?<![\d:.])(\d\d):(\d\d)(?::(\d\d))?(?![\d:])")
#: 14h53, as in French.
_HOURS = re.compile(r"(?<![\w.,])(\d{1,2})h(\d\d)(?![\w:])")
#: 3月1日, with or without a year before it.
_MONTH_DAY = re.compile(r"(?<!\d)(\d{1,2})\s?月\s?(\d{1,2})\s?日")
#: 03-17 16:13:45 and Jan 14 03:12:09, as in logs without years.
_LOG = re.compile(r"(?<![\w-])(?:(\d\d)-(\d\d)|([A-Z][a-z]{2}) {1,2}(\d{1,2})) \d\d:\d\d:\d\d")
#: 05/Feb/2024, as in logs of web servers.
_WEB = re.compile(r"(?<!\w)(\d{1,2})/([A-Z][a-z]{2})/(\d{4})")
_LEAP_YEAR = 2024


def accident(text: str) -> float:
    """Return the chance that random digits in the form of a text's dates and times exist as such; 1 without any.

    A month and a day of two digits exist in 366 of 10,000 cases, a time in 1,440.
    """
    forms = [0.144 if re.fullmatch(r"[\d:h]+", written) else 0.04 for written, _ in _moments(text)]
    return min(forms, default=1.0)


def impossible(text: str) -> str | None:
    """Return the first date or time of day in a text that does not exist; None if all exist."""
    return next((written for written, exists in _moments(text) if not exists), None)


def _moments(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each part of a text in the form of a date or a time, and whether it exists."""
    for date in DATE.finditer(text):
        yield date[0], next(dates_in_match(date), None) is not None
    for written in _LOG.finditer(text):
        month = int(written[1]) if written[1] else MONTHS.get(written[3].lower(), 0)
        if month or written[1]:
            yield written[0], _is_day(_LEAP_YEAR, month, int(written[2] or written[4]))
    for written in _WEB.finditer(text):
        if written[2].lower() in MONTHS:
            yield written[0], _is_day(int(written[3]), MONTHS[written[2].lower()], int(written[1]))
    for written in _MONTH_DAY.finditer(text):
        yield written[0], _is_day(_LEAP_YEAR, int(written[1]), int(written[2]))
    for written in _CLOCK.finditer(text):
        hour, minute, second = (int(part or 0) for part in written.groups())
        # A leap second is the 60th; 24:00 is the end of a day.
        is_end = (hour, minute, second) == (24, 0, 0)
        yield written[0], is_end or (hour < 24 and minute < 60 and second <= 60)
    for written in _HOURS.finditer(text):
        yield written[0], int(written[1]) < 24 and int(written[2]) < 60


def _is_day(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and year > 0 and 1 <= day <= calendar.monthrange(year, month)[1]
