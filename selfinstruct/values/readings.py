"""The meanings of a value and of the parts of a text, so that equal ones are found in any written form.

>>> readings("2023-03-01") & readings("March 1, 2023")
frozenset({('date', 738580)})
>>> occurs_in(69, "Ann Reed, 69 y/o"), occurs_in(3, "three nights"), occurs_in("Rome", "in Rome."), occurs_in(9, "29")
(True, True, True, False)
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from selfinstruct.records import JSON
from selfinstruct.text import find_span, is_bound, value_text
from selfinstruct.values.moments import CLOCK, DATE, date_of, dates_in_match, instant_of, seconds_of
from selfinstruct.values.numbers import NUMBER, NUMBER_WITH_COMMA, WORDS, number_of

#: A kind of meaning (``text``, ``number``, ``date``, ``seconds``, ``instant``) and what is meant.
Reading: TypeAlias = tuple[str, str | Decimal | int]

_NUMBER = re.compile(f"{NUMBER_WITH_COMMA}|{NUMBER}")
_WORD = re.compile(r"\b[^\W\d_]{3,9}(?:[- ][A-Za-z]{3,5})?\b")
#: Number words of other languages, from two on; those that mean something else elsewhere (neuf, once) are left out.
_MORE_WORDS = {
    word: at
    for words in (
        "zwei drei vier fünf sechs sieben acht - zehn - zwölf",
        "deux trois quatre cinq - sept huit - dix onze douze",
        "- tres cuatro cinco seis siete ocho nueve diez - doce",
        "due tre quattro cinque sei sette otto nove dieci undici dodici",
    )
    for at, word in enumerate(words.split(), 2)
    if word != "-"
}
#: Chinese and Japanese numerals up to 99; 一 alone is part of too many words.
_HAN_NUMBER = re.compile("[二两三四五六七八九]?十[一二三四五六七八九]?|[二两三四五六七八九]")
_HAN_DIGITS = {character: at for at, character in enumerate("零一二三四五六七八九")} | {"两": 2}


def readings(value: JSON) -> frozenset[Reading]:
    """Return the meanings of a whole value; empty for null, blank text, booleans, lists and objects."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return frozenset()
    return _readings(value if isinstance(value, str) else repr(value))


@lru_cache(maxsize=65536)
def _readings(text: str) -> frozenset[Reading]:
    folded = unicodedata.normalize("NFC", text).strip()
    if not folded:
        return frozenset()
    found: set[Reading] = {("text", folded)}
    number = number_of(folded)
    if number is not None:
        found.add(("number", number.normalize()))
    if len(folded) <= 40:
        date = DATE.fullmatch(folded)
        if date is not None:
            found.update(("date", day.toordinal()) for day in dates_in_match(date))
        seconds = seconds_of(folded)
        if seconds is not None:
            found.add(("seconds", seconds))
        instant = instant_of(folded)
        if instant is not None:
            found.add(("instant", Decimal(repr(instant))))
    return frozenset(found)


@lru_cache(maxsize=16384)
def mentions(text: str) -> frozenset[Reading]:
    """Return the numbers, dates and durations in a text. Its words are found by ``occurs_in``."""
    found: set[Reading] = set()
    for number in _NUMBER.finditer(text):
        # "9.0" is no number of "29.0", nor "12" of "rdd_12".
        if is_bound(text, number.start()) and is_bound(text, number.end()):
            value = number_of(number[0])
            if value is not None:
                found.add(("number", value.normalize()))
    for word in _WORD.finditer(text):
        for part in (word[0], *re.split("[- ]", word[0])):
            written = part.lower().replace(" ", "-")
            count = WORDS.get(written, _MORE_WORDS.get(written))
            if count is not None:
                found.add(("number", Decimal(count).normalize()))
    found.update(("number", Decimal(_han_number(han[0])).normalize()) for han in _HAN_NUMBER.finditer(text))
    for date in DATE.finditer(text):
        found.update(("date", day.toordinal()) for day in dates_in_match(date))
    for clock in CLOCK.finditer(text):
        seconds = seconds_of(clock[0])
        if seconds is not None:
            found.add(("seconds", seconds))
    return frozenset(found)


def _han_number(text: str) -> int:
    """The number of Chinese numerals: 三 is 3, 十二 is 12, 四十二 is 42."""
    tens, ten, ones = text.rpartition("十")
    return (10 * _HAN_DIGITS.get(tens, 1) if ten else 0) + _HAN_DIGITS.get(ones, 0)


def occurs_in(value: JSON, text: str) -> bool:
    """Whether a value occurs in a text, between token boundaries, as it is or in another written form."""
    meant = readings(value)
    if not meant:
        return False
    if find_span(value_text(value).strip(), text) is not None:
        return True
    written = unicodedata.normalize("NFC", text)
    exact = next((str(what) for kind, what in meant if kind == "text"), "")
    if written != text and find_span(exact, written) is not None:
        return True
    sought = {reading for reading in meant if reading[0] != "text"}
    if not sought:
        return False
    # A number of seconds may be a duration in the text: 3900 and 01:05:00.
    sought |= {("seconds", int(what)) for kind, what in sought if kind == "number" and what == int(what)}
    sought |= {("number", Decimal(what).normalize()) for kind, what in sought if kind == "seconds"}
    return not sought.isdisjoint(mentions(text))


def same_meaning(one: JSON, other: JSON) -> bool:
    """Whether two values mean the same: equal numbers, dates or durations, or the same text."""
    first, second = readings(one), readings(other)
    if not first.isdisjoint(second):
        return True
    return not _seconds(first).isdisjoint(_seconds(second))


def _seconds(meant: frozenset[Reading]) -> set[int]:
    return {int(what) for kind, what in meant if kind == "seconds" or (kind == "number" and what == int(what))}


def is_date(value: JSON) -> bool:
    """Whether a value is a calendar date."""
    return isinstance(value, str) and date_of(value) is not None
