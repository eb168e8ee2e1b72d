"""Numbers as people write them: ``1,234.50``, ``$95.50``, ``29 %``, ``three``, ``forty-two``.

>>> number_of("1,234.50"), number_of("$3"), number_of("forty-two"), number_of("28.0.1"), number_of(True)
(Decimal('1234.50'), Decimal('3'), Decimal('42'), None, None)
>>> decimal_places("95.50"), decimal_places(95.5), decimal_places("n/a")
(2, 1, 0)
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from selfinstruct.records import JSON
from selfinstruct.text import number_value

_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
#: Number words with their values, from 0 to 99.
WORDS = {word: at for at, word in enumerate(_UNITS)} | {word: 10 * at for at, word in enumerate(_TENS, 2)}
WORDS |= {f"{ten}-{unit}": WORDS[ten] + WORDS[unit] for ten in _TENS for unit in _UNITS[1:10]}
#: A number in text, without its sign: digits, in groups of three or not, with decimal places or not.
NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
#: The same with a decimal comma: 1.234,50.
NUMBER_WITH_COMMA = r"\d+(?:\.\d{3})*,\d{1,2}(?!\d)"
_WRITTEN = re.compile(rf"([-+−]?)\s?[$€£¥₹]?\s?({NUMBER})\s?[%€]?")
# Longer ones are codes or hashes, not quantities.
_MOST_DIGITS = 30


def number_of(value: JSON) -> Decimal | None:
    """Return the number that a JSON value is or writes; None for booleans, other texts and more than 30 digits."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return _parsed(repr(value))
    return _parsed(value) if isinstance(value, str) and len(value) <= 2 * _MOST_DIGITS else None


def decimal_places(value: JSON) -> int:
    """Return the number of decimal places that a number is written with; 0 for anything else."""
    number = number_of(value)
    exponent = 0 if number is None else number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@lru_cache(maxsize=65536)
def _parsed(text: str) -> Decimal | None:
    folded = unicodedata.normalize("NFKC", text).strip()
    written = _WRITTEN.fullmatch(folded)
    if written is not None:
        sign, digits = written.groups()
        digits = digits.replace(",", "")
        if len(digits) > _MOST_DIGITS:
            return None
        return -Decimal(digits) if sign in ("-", "−") else Decimal(digits)
    word = WORDS.get(folded.lower().replace(" ", "-"))
    return number_value(folded) if word is None else Decimal(word)
