"""Dates, times and durations as people write them.

>>> date_of("2023-03-01"), date_of("March 1, 2023"), date_of("1. Mai 2023"), date_of("2023年3月1日")
(datetime.date(2023, 3, 1), datetime.date(2023, 3, 1), datetime.date(2023, 5, 1), datetime.date(2023, 3, 1))
>>> date_of("30.02.2023") is None
True
>>> seconds_of("01:05:00"), seconds_of("1 h 5 min"), seconds_of("3900 s")
(3900, 3900, 3900)
>>> moment_of("2023-03-01T12:30") < moment_of("2023-03-01 12:31")
True
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import lru_cache

#: The number of each month by its name, in lower case.
MONTHS: dict[str, int] = {}
for _names in (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
):
    MONTHS |= {name: at for at, name in enumerate(_names.split(), 1)}
MONTHS["sept"] = 9
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
#: Every written form of a date that this module reads.
DATE = re.compile(
    # An ideograph or kana before a date is no part of it: 于2023年3月1日.
    r"(?<![^\W\u3040-\u30ff\u3400-\u9fff])(?<![.:-])(?:(?P<y1>\d{4})(?P<s1>[-/.])(?P<m1>\d{1,2})(?P=s1)(?P<d1>\d{1,2})"
    r"|(?P<a2>\d{1,2})(?P<s2>[./-])(?P<b2>\d{1,2})(?P=s2)(?P<y2>\d{4})"
    rf"|(?P<n3>{_MONTH})\.? (?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y3>\d{{4}})"
    rf"|(?P<d4>\d{{1,2}})(?:st|nd|rd|th|\.)?[ -](?:de )?(?P<n4>{_MONTH})\.?,?[ -](?:de )?(?P<y4>\d{{4}})"
    r"|(?P<y5>\d{4})\s?年\s?(?P<m5>\d{1,2})\s?月\s?(?P<d5>\d{1,2})\s?日)(?![\d-])",
    re.IGNORECASE,
)
#: A time of day, or a duration in the same form.
CLOCK = re.compile(r"(?<![\d:.])(\d{1,3}):([0-5]\d)(?::([0-5]\d)(?:[.,](\d{1,6}))?)?(?![\d:])")
_DURATION = re.compile(
    r"(?:(\d{1,4})\s?(?:h|hours?|hrs?))?\s?(?:(\d{1,5})\s?(?:m|min|mins|minutes?))?\s?(?:(\d{1,8})\s?(?:s|sec|secs|seconds?))?"
)
_ZONE = re.compile(r"Z|[+-]\d\d:?\d\d")


def date_of(text: str) -> datetime.date | None:
    """Return the date that a whole text is, or None. An ambiguous one (03/04/2023) is read with the month first."""
    found = DATE.fullmatch(text.strip())
    return next(iter(dates_in_match(found)), None) if found is not None else None


def dates_in_match(found: re.Match[str]) -> Iterator[datetime.date]:
    """Yield the calendar dates that a match of ``DATE`` may mean: at most two, for 03/04/2023."""
    part = found.groupdict()
    tries: list[tuple[int, int, int]] = []
    if part["y1"]:
        tries = [(int(part["y1"]), int(part["m1"]), int(part["d1"]))]
    elif part["y2"]:
        first, second, year = int(part["a2"]), int(part["b2"]), int(part["y2"])
        day_first = (year, second, first)
        tries = [day_first] if part["s2"] == "." else [(year, first, second), day_first]
    elif part["y3"]:
        tries = [(int(part["y3"]), MONTHS[part["n3"].lower()], int(part["d3"]))]
    elif part["y4"]:
        tries = [(int(part["y4"]), MONTHS[part["n4"].lower()], int(part["d4"]))]
    elif part["y5"]:
        tries = [(int(part["y5"]), int(part["m5"]), int(part["d5"]))]
    for year, month, day in dict.fromkeys(tries):
        try:
            yield datetime.date(year, month, day)
        except ValueError:
            continue


@lru_cache(maxsize=65536)
def moment_of(text: str) -> tuple[int, float] | None:
    """Return a date, a time, or both as (day number, seconds), which compare in order; day 0 for a time alone.

    None for other text, and for a date that may mean two days (03/04/2023).
    """
    text = text.strip()
    if not 4 <= len(text) <= 40 or not any(character.isdigit() for character in text):
        return None
    date = DATE.match(text)
    days = list(dates_in_match(date)) if date is not None else []
    if date is not None and len(days) != 1:
        return None
    day = days[0] if days else None
    rest = text[date.end() :].strip(" T,") if date is not None else text
    zone = _ZONE.search(rest) if date is not None else None
    if zone is not None and zone.end() == len(rest):
        rest = rest[: zone.start()].strip()
    seconds = 0.0
    if rest:
        clock = CLOCK.fullmatch(rest)
        if clock is None or int(clock[1]) > 23:
            return None
        seconds = _clock_seconds(clock)
    return (day.toordinal() if day is not None else 0), seconds


def instant_of(text: str) -> float | None:
    """Return the seconds from year 1 (UTC) of a date and time with a time zone, such as 2024-06-03T08:15:00+02:00."""
    text = text.strip()
    zone = _ZONE.search(text, 10)
    moment = moment_of(text) if zone is not None and zone.end() == len(text) else None
    if zone is None or moment is None or not moment[0]:
        return None
    hours, minutes = (int(zone[0][1:3]), int(zone[0][-2:])) if zone[0] != "Z" else (0, 0)
    offset = (3600 * hours + 60 * minutes) * (-1 if zone[0].startswith("-") else 1)
    return 86400.0 * moment[0] + moment[1] - offset


def seconds_of(text: str) -> int | None:
    """Return a duration in whole seconds: ``01:05:00``, ``1 h 5 min``, ``3900 s``; None for other text."""
    text = text.strip()
    if len(text) > 40:
        return None
    clock = CLOCK.fullmatch(text)
    if clock is not None:
        return int(_clock_seconds(clock)) if clock[3] is not None else None
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def _clock_seconds(clock: re.Match[str]) -> float:
    hours, minutes, seconds, fraction = clock.groups()
    return 3600 * int(hours) + 60 * int(minutes) + int(seconds or 0) + float(f"0.{fraction or 0}")
