"""Named formats of a text, with the rules that a pattern cannot express: calendar dates and check digits.

>>> matches_format("30.02.2023", "date"), matches_format("4539 1488 0343 6467", "luhn"), matches_format("::1", "ip")
(False, True, True)
"""

from __future__ import annotations

import ipaddress
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from selfinstruct.records import JSON
from selfinstruct.values.dated import accident, impossible
from selfinstruct.values.moments import DATE, date_of, moment_of

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#]+[^\s]*", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MAC = re.compile(r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4})", re.IGNORECASE)
_TIME = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def _is_date(text: str) -> bool:
    return date_of(text) is not None


def _is_datetime(text: str) -> bool:
    date = DATE.match(text)
    return date is not None and date.end() < len(text) and moment_of(text) is not None


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_luhn(text: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1, as on payment cards)."""
    digits = re.sub(r"[ -]", "", text)
    if not (digits.isascii() and digits.isdigit() and 8 <= len(digits) <= 24):
        return False
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616, ISO 7064 MOD 97-10)."""
    compact = text.replace(" ", "")
    if not _IBAN.fullmatch(compact):
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def _is_isbn(text: str) -> bool:
    """Whether the check digit of an ISBN-10 or ISBN-13 is right (ISO 2108)."""
    digits = re.sub(r"[ -]", "", text).upper()
    if re.fullmatch(r"\d{13}", digits):
        return sum(int(digit) * (1 + 2 * (at % 2)) for at, digit in enumerate(digits)) % 10 == 0
    if re.fullmatch(r"\d{9}[\dX]", digits):
        return sum((10 - at) * (10 if digit == "X" else int(digit)) for at, digit in enumerate(digits)) % 11 == 0
    return False


def _is_json(text: str) -> bool:
    """Whether a text is an object or a list in JSON."""
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_dated(text: str) -> bool:
    """Whether a text contains dates or times, and all of them exist."""
    return accident(text) < 1 and impossible(text) is None


#: The formats by name, the strictest first, each with its test of a text.
FORMATS: Mapping[str, Callable[[str], Any]] = {
    "iban": _is_iban,
    "isbn": _is_isbn,
    "luhn": _is_luhn,
    "uuid": _UUID.fullmatch,
    "mac": _MAC.fullmatch,
    "ip": _is_ip,
    "email": _EMAIL.fullmatch,
    "url": _URL.fullmatch,
    "json": _is_json,
    "datetime": _is_datetime,
    "date": _is_date,
    "time": _TIME.fullmatch,
    "dated": _is_dated,
}


def matches_format(value: JSON, name: str) -> bool:
    """Whether a value is a text, or a whole number, of the format called ``name``."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return False
    return bool(FORMATS[name](unicodedata.normalize("NFKC", str(value)).strip()))
