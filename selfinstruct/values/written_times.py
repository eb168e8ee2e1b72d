"""Dates and times in their written forms: reading one, and writing another one in the same form.

What a form leaves out is taken from the first second of 2021; a date without a year is read in a year that has no leap
day and in which its weekday, if it has one, is right.

Does not handle: time zones. An offset is kept, so that the clock of its place is shifted.

>>> write_time("31.12.2023", "%d.%m.%Y", 86400)
'01.01.2024'
>>> write_time("3月1日下午3点20分", "%m月%d日%p%H点%M分", -4 * 3600)
'3月1日上午11点20分'
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from selfinstruct.values.calendar_names import MONTH_SETS, MONTHS, WEEKDAY_SETS, WEEKDAYS, other_name
from selfinstruct.values.time_forms import form_pattern

_YEAR = 2021
#: A year without a leap day that begins with each weekday, Monday first; the year after it has no leap day either.
_YEARS = {date(year, 1, 1).weekday(): year for year in (2018, 2013, 2014, 2009, 2021, 2022, 2017)}
#: The first year and day of the Japanese eras.
_ERAS = {
    "令和": date(2019, 5, 1),
    "平成": date(1989, 1, 8),
    "昭和": date(1926, 12, 25),
    "大正": date(1912, 7, 30),
    "明治": date(1868, 1, 25),
}
#: The parts of the day: the first and the last hour of each, by language.
_PARTS_OF_DAY = tuple(
    {part.partition("=")[0]: tuple(map(int, part.partition("=")[2].split("-"))) for part in parts.split()}
    for parts in (
        "上午=0-11 下午=12-23",
        "凌晨=0-4 清晨=5-7 早上=5-8 上午=9-11 中午=12-12 下午=13-17 傍晚=17-18 晚上=18-23",
        "午前=0-11 午後=12-23",
        "오전=0-11 오후=12-23",
        "새벽=0-5 아침=6-11 오후=12-17 저녁=18-20 밤=21-23",
        "रात=0-3 सुबह=4-11 दोपहर=12-15 शाम=16-19 रात=20-23",
        "صباحًا=0-11 مساءً=12-23",
        "صباحاً=0-11 مساءا=12-23",
        "صباحا=0-11 مساء=12-23",
    )
)
_ORDINAL = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


@dataclass(frozen=True, slots=True)
class TimeStyle:
    """How a file writes its times where one of them alone does not show it.

    ``day_first`` says whether 03/04/2023 is in April, None if it is not known. ``padding`` is what stands before a
    single digit in a part (by form and code), ``months`` are the names of months seen, and ``languages`` those of the
    texts.
    """

    day_first: bool | None = None
    padding: Mapping[tuple[str, str], str] = field(default_factory=dict)
    months: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()


PLAIN = TimeStyle()


def has_year(form: str) -> bool:
    """Whether the form determines a year."""
    return any(mark in form for mark in ("%Y", "%y", "%G", "%N"))


def has_date(form: str) -> bool:
    """Whether the form contains a day of a month, or a week, a month or a quarter."""
    return has_year(form) or any(mark in form for mark in ("%B", "%m"))


def has_day(form: str) -> bool:
    """Whether the form contains a day."""
    return any(mark in form for mark in ("%d", "%1", "%u"))


def has_clock(form: str) -> bool:
    """Whether the form contains a time of day."""
    return "%H" in form


def resolved(form: str, day_first: bool) -> str:
    """The form with a day before a month, or after it, for two numbers of unknown order."""
    return form.replace("%1", "%d" if day_first else "%m").replace("%2", "%m" if day_first else "%d")


def is_ambiguous(form: str) -> bool:
    """Whether the order of day and month is unknown."""
    return "%1" in form


@lru_cache(maxsize=65536)
def read_time(text: str, form: str) -> datetime | None:
    """Return the time that ``text`` is in ``form``, or None: no such day, another weekday, or an unknown order."""
    match = form_pattern(form).fullmatch(text)
    if match is None or is_ambiguous(form):
        return None
    parts = {name[1:]: value for name, value in match.groupdict().items()}
    try:
        return _read(parts)
    except ValueError:
        return None


def _read(parts: Mapping[str, str]) -> datetime:
    number = {code: _number(value) for code, value in parts.items() if code in "YymdHMSGVuq"}
    clock = _hour(number["H"], parts.get("p", "")) if "H" in number else 0, number.get("M", 0), number.get("S", 0)
    if "G" in number:
        week_day = date.fromisocalendar(number["G"], number["V"], number.get("u", 1))
        return datetime(week_day.year, week_day.month, week_day.day, *clock)
    month = MONTHS[parts["B"].casefold()] if "B" in parts else number.get("m", 3 * number.get("q", 1) - 2)
    day = number.get("d", 1)
    weekday = WEEKDAYS[parts["A"].casefold()] if "A" in parts else None
    moment = datetime(_year(parts, number, month, day, weekday), month, day, *clock)
    if not 1000 <= moment.year < 3000 or (weekday is not None and weekday != moment.weekday()):
        raise ValueError("another weekday, or no such year")
    if "E" in parts and _era_of(moment) != parts["E"]:
        raise ValueError("another era")
    return moment


def _year(parts: Mapping[str, str], number: Mapping[str, int], month: int, day: int, weekday: int | None) -> int:
    if "Y" in number:
        return number["Y"]
    if "y" in number:
        return number["y"] + (2000 if number["y"] < 69 else 1900)
    if "N" in parts:
        return _ERAS[parts["E"]].year + (1 if parts["N"] == "元" else _number(parts["N"])) - 1
    if weekday is None:
        return _YEAR
    return _YEARS[(weekday - (date(_YEAR, month, day) - date(_YEAR, 1, 1)).days) % 7]


def _hour(hour: int, part: str) -> int:
    """The hour of 24 of an hour and a part of the day."""
    if not part:
        return hour
    if part[0].lower() in "ap":
        if not 1 <= hour <= 12:
            raise ValueError("not an hour of twelve")
        return hour % 12 + (12 if part[0].lower() == "p" else 0)
    if hour > 12:
        return hour
    first, last = _hours(part)
    # Of the two hours that the number may mean, the one in this part of the day.
    later = hour % 12 + 12
    if first <= hour % 12 <= last and hour % 12 < 12 and not first <= later <= last:
        return hour % 12
    if part == "रात":
        return hour % 12 if hour % 12 <= 3 else later
    return later if first >= 12 or last >= 12 else hour % 12


def _hours(part: str) -> tuple[int, int]:
    for parts in _PARTS_OF_DAY:
        if part in parts:
            return parts[part][0], parts[part][1]
    raise ValueError(f"not a part of the day: {part!r}")


def write_time(text: str, form: str, shift: int, style: TimeStyle = PLAIN) -> str:
    """Return the time ``text`` shifted by ``shift`` seconds, in the same form.

    The digits, the names and the padding are those of ``text``, or of ``style`` where it does not show them. Raises
    ValueError if ``text`` is no time in ``form``.
    """
    match = form_pattern(form).fullmatch(text)
    moment = read_time(text, form)
    if match is None or moment is None:
        raise ValueError(f"not a time: {text!r}")
    moved = _middle(moment, form) + timedelta(seconds=shift)
    written, at = "", 0
    for group, value in match.groupdict().items():
        start, end = match.span(group)
        written += text[at:start] + _written(group[1:], value, moment, moved, form, match, style)
        at = end
    return written + text[at:]


def _middle(moment: datetime, form: str) -> datetime:
    """The middle of a month or a quarter, which a shift by about as many days takes to the middle of another one."""
    if has_day(form) or has_clock(form) or "%V" in form:
        return moment
    return moment.replace(day=15, month=moment.month + (1 if "%q" in form else 0))


def _written(
    code: str, like: str, moment: datetime, moved: datetime, form: str, match: re.Match[str], style: TimeStyle
) -> str:
    """One part of a time, in the style of ``like``."""
    if code == "B":
        return other_name(like, moment.month, moved.month, MONTH_SETS, style.languages, style.months)
    if code == "A":
        return other_name(like, moment.weekday(), moved.weekday(), WEEKDAY_SETS, style.languages)
    if code in "zf":
        return like
    if code == "o":
        return _ordinal(like, moment.day, moved.day)
    if code == "p":
        return _part_of_day(like, moved.hour)
    if code == "E":
        return _era_of(moved)
    week = moved.isocalendar()
    if code == "N":
        year = moved.year - _ERAS[_era_of(moved)].year + 1
        return "元" if year == 1 and moved.year != 1989 else _digits(str(year), like)
    value = {
        "Y": moved.year,
        "y": moved.year % 100,
        "m": moved.month,
        "d": moved.day,
        "H": moved.hour,
        "M": moved.minute,
        "S": moved.second,
        "G": week.year,
        "V": week.week,
        "u": week.weekday,
        "q": (moved.month + 2) // 3,
    }[code]
    if code == "H" and "%p" in form and _number(like) <= 12:
        value = value % 12 or (0 if like.lstrip("0") == "" or (moved.hour == 0 and _is_zero_based(form)) else 12)
    return _padded(value, code, like, form, match, style)


def _is_zero_based(form: str) -> bool:
    """Whether midnight is the hour 0 of the form: 凌晨0点, but 12 am."""
    return any(mark in form for mark in ("点", "時", "时"))


def _padded(value: int, code: str, like: str, form: str, match: re.Match[str], style: TimeStyle) -> str:
    plain = str(value)
    if code in "YyGVuq" or len(plain) > 1:
        return _digits(plain.zfill(len(like) if code in "YyGV" else 1), like)
    fill = padding(like)
    if fill is None:
        fill = style.padding.get((form, code))
    if fill is None and code in "md":
        fill = padding((match.groupdict().get("_d" if code == "m" else "_m")) or "10")
    if fill is None:
        fill = _usual_padding(code, form)
    return _digits(fill + plain, like)


def padding(written: str) -> str | None:
    """What stands before a single digit in a written part: "0", " ", nothing, or None if two digits do not show it."""
    if len(written) == 1:
        return ""
    if written[0] == " ":
        return " "
    return "0" if unicodedata.digit(written[0], 1) == 0 else None


def _usual_padding(code: str, form: str) -> str:
    if code in "MS":
        return "" if re.search(r"%[MS] ?[分秒분]", form) else "0"
    if code == "H":
        return "" if "%p" in form or (re.search(r"%H(?::%M)? ?(?:[时時点點시]|$)", form) and ":" not in form) else "0"
    if "%B %d" in form and "%H" in form:
        return " "  # RFC 3164
    if "/%B/" in form or "-%B-" in form or ("%A," in form and ":%S" in form):
        return "0"  # the common log format, RFC 5322
    return "" if re.search("%B|[年月년월]", form) else "0"


def _digits(written: str, like: str) -> str:
    """``written`` in the digits of ``like``: ASCII, full-width, Arabic, Devanagari."""
    first = next((character for character in like if character.isdecimal()), "0")
    zero = ord(first) - unicodedata.digit(first)
    return "".join(chr(zero + int(c)) if c.isdecimal() else c for c in written) if zero != ord("0") else written


def _number(written: str) -> int:
    return int(written)


def _ordinal(like: str, day: int, moved: int) -> str:
    if like in ("st", "nd", "rd", "th"):
        return _ORDINAL.get(moved, "th")
    if like in ("er", "º", "°", "ª") and day == 1:
        return like if moved == 1 else ""
    return like


def _part_of_day(like: str, hour: int) -> str:
    if like[0] in "AaPp":
        letter = "p" if hour >= 12 else "a"
        return (letter.upper() if like[0].isupper() else letter) + like[1:]
    parts = next(parts for parts in _PARTS_OF_DAY if like in parts)
    if any(first <= hour <= last for name, (first, last) in parts.items() if name == like):
        return like
    return next((name for name, (first, last) in parts.items() if first <= hour <= last), "रात")


def _era_of(moment: datetime) -> str:
    for name, first in _ERAS.items():
        if moment.date() >= first:
            return name
    raise ValueError(f"before the eras: {moment.year}")


def style_of(found: Iterable[tuple[str, str]], languages: tuple[str, ...] = ()) -> TimeStyle:
    """Return the style of a file that contains these times, each with its form."""
    pads: dict[tuple[str, str], str] = {}
    months: set[str] = set()
    firsts: set[bool] = set()
    for text, form in found:
        match = form_pattern(form).fullmatch(text)
        if match is None:
            continue
        for group, value in match.groupdict().items():
            if group[1:] in "mdHMS" and (fill := padding(value)) is not None:
                pads[form, group[1:]] = min(fill, pads.get((form, group[1:]), fill))
            if group == "_B":
                months.add(value.rstrip("."))
        if is_ambiguous(form):
            one, two = int(match["_1"]), int(match["_2"])
            firsts |= {True} if one > 12 else set()
            firsts |= {False} if two > 12 else set()
    day_first = firsts.pop() if len(firsts) == 1 else None
    return TimeStyle(day_first, pads, frozenset(months), languages)
