"""Check digits: whether those of a text are right, and a text with the right ones for other digits.

A scheme is tried on the whole text without blanks, hyphens and full stops. Sources: ISO 7064 MOD 97-10 (IBAN,
ISO 13616), ISO 2108 (ISBN), the GS1 General Specifications (EAN, GTIN), ISO/IEC 7812-1 (Luhn: payment cards), GB 11643
(Chinese resident identity number).

>>> completed("DE89370400440532013000", "DE11210501701000427796", "iban"))
'DE81210501701000427796'
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_MARKS = re.compile(r"[ .-]")
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of number with check digits.

    ``shape`` matches it without marks. ``free`` are the first and the end of the positions in it that may have any
    digit, ``check`` those of the check digits, and ``compute`` returns these for the whole text with zeros there.
    """

    shape: re.Pattern[str]
    free: tuple[int, int]
    check: tuple[int, int]
    compute: Callable[[str], str | None]


def _mod_97(text: str) -> str | None:
    rest = int("".join(str(int(character, 36)) for character in text[4:] + text[:2])) * 100 % 97
    return f"{98 - rest:02d}"


def _isbn_10(text: str) -> str | None:
    digit = -sum((10 - at) * int(character) for at, character in enumerate(text[:9])) % 11
    return "X" if digit == 10 else str(digit)


def _gs1(text: str) -> str | None:
    weighted = sum(int(digit) * (3 - 2 * (at % 2)) for at, digit in enumerate(reversed(text[:-1])))
    return str(-weighted % 10)


def _luhn(text: str) -> str | None:
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(text[:-1])))
    return str(-sum(number - 9 if number > 9 else number for number in doubled) % 10)


def _resident(text: str) -> str | None:
    try:
        datetime.date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None
    total = sum(int(digit) * weight for digit, weight in zip(text, _RESIDENT_WEIGHTS, strict=False))
    return "10X98765432"[total % 11]


#: The schemes by name, the most telling first. The first digits of most name a country, a bank or a publisher.
SCHEMES: Mapping[str, Scheme] = {
    "iban": Scheme(re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}"), (12, 0), (2, 4), _mod_97),
    "resident_id": Scheme(re.compile(r"[1-9]\d{5}(?:19|20)\d{9}[\dX]"), (14, -1), (-1, 0), _resident),
    "isbn": Scheme(re.compile(r"97[89]\d{10}"), (7, -1), (-1, 0), _gs1),
    "isbn10": Scheme(re.compile(r"\d{9}[\dX]"), (4, -1), (-1, 0), _isbn_10),
    "luhn": Scheme(re.compile(r"\d{12,19}"), (6, -1), (-1, 0), _luhn),
    "ean": Scheme(re.compile(r"\d{8}|\d{12,14}"), (3, -1), (-1, 0), _gs1),
}
#: The chance that a random text of the right shape has the right check digits.
CHANCES = {"iban": 0.01, "resident_id": 0.03, "isbn": 0.1, "isbn10": 0.09, "luhn": 0.1, "ean": 0.1}


def is_valid(text: str, name: str) -> bool:
    """Whether a text has the shape of a scheme and its check digits are right."""
    scheme, plain = SCHEMES[name], _MARKS.sub("", text.upper())
    if scheme.shape.fullmatch(plain) is None or not plain.isascii():
        return False
    return _with_check(plain, scheme) == plain


def completed(text: str, name: str) -> str | None:
    """Return a text with the right check digits of a scheme in the places of its own; None if there are none."""
    scheme, plain = SCHEMES[name], _MARKS.sub("", text.upper())
    right = _with_check(plain, scheme) if scheme.shape.fullmatch(plain) else None
    if right is None:
        return None
    characters = iter(right)
    return "".join(each if _MARKS.match(each) else next(characters) for each in text)


def scheme_of(texts: Iterable[str]) -> str:
    """Return the scheme whose check digits are right in all texts, and hardly by chance; "" for none."""
    distinct = {_MARKS.sub("", text) for text in texts}
    for name, chance in CHANCES.items():
        most = 0.0011 if name in ("luhn", "ean", "isbn10") else 0.011  # a shape that says little needs more texts
        if distinct and chance ** len(distinct) <= most and all(is_valid(text, name) for text in distinct):
            return name
    return ""


def free_places(text: str, name: str) -> list[int]:
    """Return the positions in a text, marks included, whose digits may be replaced."""
    places = [at for at, character in enumerate(text) if not _MARKS.match(character)]
    first, last = SCHEMES[name].free
    free = places[first:last] if last else places[first:]
    return [at for at in free if text[at].isdigit()]


def _with_check(plain: str, scheme: Scheme) -> str | None:
    start, end = scheme.check
    start, end = (start % len(plain), end if end > 0 else len(plain))
    zeros = plain[:start] + "0" * (end - start) + plain[end:]
    try:
        digits = scheme.compute(zeros)
    except ValueError:
        return None
    return None if digits is None else plain[:start] + digits + plain[end:]
