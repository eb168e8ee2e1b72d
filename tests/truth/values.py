"""Whether a value is one of its kind: calendar dates, addresses, check digits, plausible quantities.

Independent of the engine: nothing here imports it.
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

_MONTH_NAMES = "January February March April May June July August September October November December"
MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES.split(), 1)}
_NUMBER_NAMES = "zero one two three four five six seven eight nine ten eleven twelve"
NUMBER_WORDS = {word: number for number, word in enumerate(_NUMBER_NAMES.split())}
_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])")
_GERMAN = re.compile(r"(?<![\d.])(\d+)\.(\d{1,2})\.(\d{4})(?![\d.])")
_WRITTEN = re.compile(rf"\b({'|'.join(MONTHS)}) (\d+), (\d+)\b")
_DAY_MONTH = re.compile(rf"\b(\d+) ({'|'.join(MONTHS)})\b")
_CLOCK = re.compile(r"(?<![\w:.-])(\d+):(\d{2})(?::(\d{2}))?(?![\w:])")
_QUAD = re.compile(r"(?<![\w.])(\d+)\.(\d+)\.(\d+)\.(\d+)(?![\w.])")


def leaves(value: Any) -> Iterator[Any]:
    """Yield every string, number, boolean and null of a JSON value."""
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def is_date(year: int | str, month: int | str, day: int | str) -> bool:
    """Whether the calendar has this day, in a year that records are about."""
    try:
        return 1000 <= datetime.date(int(year), int(month), int(day)).year <= 2100
    except ValueError:
        return False


def is_iso_date(text: str) -> bool:
    """Whether ``text`` is ``YYYY-MM-DD`` and in the calendar."""
    match = _ISO.fullmatch(text)
    return match is not None and is_date(*match.groups())


def is_clock(text: str) -> bool:
    """Whether ``text`` is a time of day, ``HH:MM`` or ``HH:MM:SS``."""
    return re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?", text) is not None


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv4 address."""
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdecimal() and str(int(part)) == part and int(part) < 256 for part in parts)


def is_uuid(text: str) -> bool:
    """Whether ``text`` is a UUID of versions 1 to 5 in the usual notation."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return False
    return str(value) == text and value.variant == uuid.RFC_4122 and value.version in range(1, 6)


def is_iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 7064, MOD 97-10)."""
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def is_isbn(text: str) -> bool:
    """Whether ``text`` is an ISBN-13 with the right check digit."""
    if not re.fullmatch(r"97[89]\d{10}", text):
        return False
    return sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(text)) % 10 == 0


def decimal(value: Any) -> Decimal:
    """Return the number that a JSON number, or a text such as ``1234.50`` or ``12,5``, stands for.

    Raises:
        ValueError: it is not a number.
    """
    try:
        if isinstance(value, bool) or value is None:
            raise ValueError(f"not a number: {value!r}")
        return Decimal(str(value).replace(",", "."))
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r}") from None


def is_rounded(value: Any, exact: Decimal, places: int) -> bool:
    """Whether ``value`` is ``exact`` rounded to ``places``, by either rule for halves."""
    unit = Decimal(1).scaleb(-places)
    return decimal(value) in {exact.quantize(unit, ROUND_HALF_UP), exact.quantize(unit, ROUND_HALF_EVEN)}


def _bad_dates(text: str) -> Iterator[str]:
    """Yield what is written as a date, a time or an address and is none."""
    found: list[tuple[re.Pattern[str], Callable[..., bool]]] = [
        (_ISO, is_date),
        (_GERMAN, lambda day, month, year: is_date(year, month, day)),
        (_WRITTEN, lambda month, day, year: is_date(year, MONTHS[month], day)),
        (_DAY_MONTH, lambda day, month: is_date(2000, MONTHS[month], day)),
        (_CLOCK, lambda hour, minute, second: int(hour) < 24 and int(minute) < 60 and int(second or 0) < 60),
        (_QUAD, lambda *parts: all(int(part) < 256 for part in parts)),
    ]
    for pattern, valid in found:
        for match in pattern.finditer(text):
            if not valid(*match.groups()):
                yield match.group()


def implausible(row: Any) -> str | None:
    """Return the first date, time or address of any text of ``row`` that cannot be one.

    >>> implausible({"log": "2024-02-30 10:00:00 ok"})
    '2024-02-30 is not possible'
    """
    for leaf in leaves(row):
        if isinstance(leaf, str):
            for bad in _bad_dates(leaf):
                return f"{bad} is not possible"
    return None
