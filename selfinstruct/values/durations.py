"""Lengths of time of several parts, or in the form of a clock: ``1h 20m``, ``PT1H20M``, ``1時間20分``, ``01:20:00``.

Does not handle: months and years, which differ in length, and decimal parts.

>>> length_of("1 Std. 20 Min."), length_of("PT1H20M"), write_length("01:20:00", 4505)
(4800, 4800, '01:15:05')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

#: Units of lengths of time, in seconds, and their words.
UNITS = {
    86400: r"days?|d|D|Tage?|jours?|días?|giorni|天|日|일|दिन|أيام",
    3600: r"hours?|hrs?|h|H|Std\.?|Stunden?|heures?|horas?|ore|小时|時間|시간|घंटे|घंटा|ساعات|ساعة",
    60: r"minutes?|mins?\.?|m|M|Min\.?|Minuten?|minutos?|minuti|分钟|分間|分|분|मिनट|دقيقة|دقائق",
    1: r"seconds?|secs?|s|S|Sek\.?|Sekunden?|secondes?|segundos?|secondi|秒|초|सेकंड|ثانية|ثوان",
}
_BETWEEN = r"(?:T|,? ?(?:and |und |et |y |e |और |و ?)?)"


def _one(number: str, words: str) -> str:
    return rf"{number} ?(?:{words})(?![a-z])"


def _several(number: str, units: Mapping[int, str]) -> str:
    """The pattern of two or more parts, the longest unit first."""
    sizes = list(units)
    forms = []
    for at, first in enumerate(sizes[:-1]):
        parts = [f"{_BETWEEN}{_one(number, units[size])}" for size in sizes[at + 1 :]]
        rest = "".join(f"(?:{part})?" for part in parts)
        # At least one of the shorter units.
        forms.append(f"{_one(number, units[first])}(?={'|'.join(parts)}){rest}")
    return "|".join(forms)


@cache
def length_pattern(*, ascii_only: bool) -> str:
    """The pattern of a length of two or more parts, or of one of ISO 8601, in a text; smaller for ASCII texts."""
    units: Mapping[int, str] = UNITS
    if ascii_only:
        units = {size: "|".join(filter(str.isascii, words.split("|"))) for size, words in UNITS.items()}
    several = _several(r"\d{1,5}", units)
    return rf"(?<![\w.,:])(?:P(?=T?\d)(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?|{several})(?![^\W_])"


@cache  # compiled on first use
def _length() -> re.Pattern[str]:
    return re.compile(length_pattern(ascii_only=False))


@cache
def _part() -> re.Pattern[str]:
    return re.compile("|".join(rf"(?P<n{size}>\d+)(?= ?(?:{words})(?![a-z]))" for size, words in UNITS.items()))


_CLOCK = re.compile(r"(\d{1,3}):(\d\d)(?::(\d\d))?")


def length_of(text: str) -> int | None:
    """Return a length of time in seconds; None for other text. A clock of two numbers is hours and minutes."""
    sizes = _sizes(text)
    return None if not sizes else sum(int(text[start:end]) * size for size, (start, end) in sizes.items())


def write_length(like: str, seconds: int) -> str:
    """Return a length of ``seconds`` in the form of ``like``, which has the same parts and padding."""
    sizes = _sizes(like)
    written, at, left = "", 0, seconds
    for size, (start, end) in sizes.items():
        number, left = divmod(left, size)
        width = end - start if like[start] == "0" or (":" in like and start > 0) else 0
        written += like[at:start] + str(number).zfill(width)
        at = end
    written += like[at:]
    # One hour, but two hours.
    return re.sub(r"\b(\d+) (day|hour|minute|second)s?\b", lambda m: f"{m[1]} {m[2]}{'s' * (m[1] != '1')}", written)


def unit_of(text: str) -> int:
    """Return the shortest unit of a length of time, in seconds."""
    return min(_sizes(text), default=1)


def _sizes(text: str) -> dict[int, tuple[int, int]]:
    """The units of a length with the places of their numbers, the longest first."""
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        units = (3600, 60, 1)
        return {units[at - 1]: clock.span(at) for at in (1, 2, 3) if clock[at] is not None}
    if _length().fullmatch(text) is None:
        return {}
    found = [(int((match.lastgroup or "n1")[1:]), match.span()) for match in _part().finditer(text)]
    if [size for size, _ in found] != sorted({size for size, _ in found}, reverse=True):
        return {}
    return dict(found)
