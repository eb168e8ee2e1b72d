"""``ungrounded``: a value that is not a span of its context field.

A context contains a number in its written form or by value (29.0 and 29, 1,234 and 1234), and a boolean in any letter
case. A context that is a list or an object is searched as the text of its leaves.

Each item of an array must occur in the context.

Does not handle: items that are lists or objects; the array is grounded if the context contains its JSON text.

>>> find("MASSE 4", "Die Maße 4 und 5", "casefold")
(4, 10)
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from selfinstruct.messages import Phrase
from selfinstruct.mining.lexicon.inflections import forms
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.rows.leaves import leaf_text
from selfinstruct.text import MARK, UNSPACED, align, canonical, find_span, is_bound, number_value, value_text

_UNIT = re.compile(r"\s+|\S")
_LETTER = re.compile(rf".{MARK}*", re.DOTALL)
_INSIDE = -1
# Digits with the characters that may group or separate them, as number_value reads them.
# Full-width ones do so among full-width digits alone: otherwise they are punctuation.
_NUMBER = re.compile(
    r"[-+\u2212\uff0b\uff0d]?\d(?:(?:[\d.,'\u2019\u00a0\u2009\u202f]|(?<=[\uff10-\uff19])[\uff0c\uff0e](?=[\uff10-\uff19]))*"
    r"\d)?(?:[eE][-+]?\d+)?"
)
#: Longer values are not words or phrases, and are searched for unchanged.
_LONGEST_PHRASE = 80
# Text without inflected forms: scripts without spaces, and numbers (see is_bound for their boundaries).
_PLAIN = re.compile(rf"[\d{UNSPACED}]")


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject a value that is not a token-bounded span of the field named by ``appears_in``.

    Of a list, each item must occur there (in one of its forms if ``match`` is ``inflected``), unless the context
    contains the JSON text of the list. A blank text and null pass if the field may be blank (``min_chars = 0``).
    """
    if constraints.appears_in is None:
        return None
    value, context = row[name], row[constraints.appears_in]
    if constraints.min_chars == 0 and not has_value(value):
        return None
    inflected = constraints.match == "inflected"
    for item in items(value):
        if find(item, context, constraints.match) is None:
            if isinstance(value, list) and not inflected and find(value, context, constraints.match) is not None:
                return None
            shown = json.dumps(item, ensure_ascii=False)[:80]
            return Rejection(
                "ungrounded",
                Phrase(
                    "{name} {shown} does not occur in {appears_in} in any form"
                    if inflected
                    else "{name} {shown} does not occur in {appears_in}",
                    name=name,
                    shown=shown,
                    appears_in=constraints.appears_in,
                ),
            )
    return None


def spans(row: Row, fields: Mapping[str, Constraints]) -> dict[str, tuple[int, int]]:
    """For each grounded field of a row that passed, the [start, end) code points of its value in its context.

    A list of inflected words has no one place, and is left out.
    """
    found = {}
    for name, constraints in fields.items():
        context = None if constraints.appears_in is None else row.get(constraints.appears_in)
        # A place in a list or an object is not a place in a text.
        if isinstance(context, str) and name in row and (span := find(row[name], context, constraints.match)):
            found[name] = span
    return found


def items(value: JSON) -> Sequence[JSON]:
    """The values to find one by one: the items of a list without lists and objects in it, else the value alone."""
    plain = isinstance(value, list) and not any(isinstance(item, list | dict) for item in value)
    return value if isinstance(value, list) and plain else (value,)


def find(value: JSON, context: JSON, match: str) -> tuple[int, int] | None:
    """The first token-bounded place of a value in its context, as [start, end) code points of the context.

    ``match`` is ``exact``, ``casefold`` (Unicode full case folding) or ``whitespace`` (any run of white space is
    as good as any other, and the value's ends are trimmed), or ``inflected`` (each word in any of its forms, letter
    case and white space aside). Numbers are compared by value too, other values that are not text as JSON text.
    """
    needle, text = value_text(value), leaf_text(context)
    if isinstance(value, bool):
        match = "casefold"
    elif isinstance(value, int | float):
        return find_span(needle, text) or _find_number(needle, text)
    if match == "exact":
        return find_span(needle, text)
    alignment = align(text)
    for place in _places(canonical(needle), alignment.text, match):
        span = alignment.stored(*place)
        if span is not None and is_bound(text, span[0]) and is_bound(text, span[1]):
            return span
    return None


def has_value(value: JSON) -> bool:
    """Whether a value is neither null nor a blank text."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def _find_number(needle: str, text: str) -> tuple[int, int] | None:
    """The first number in ``text`` that has the value of ``needle``."""
    wanted = number_value(needle)
    for place in _NUMBER.finditer(text) if wanted is not None else ():
        start, end = place.span()
        if is_bound(text, start) and is_bound(text, end) and number_value(place[0]) == wanted:
            return start, end
    return None


def _places(needle: str, text: str, match: str) -> Iterator[tuple[int, int]]:
    """The places of a needle in a text, token-bounded or not; both are in canonical form."""
    if match == "inflected" and len(needle) <= _LONGEST_PHRASE and not _PLAIN.search(needle):
        return _find_inflected(needle, text)
    if match == "whitespace":
        units = ((unit.start(), " " if unit[0].isspace() else unit[0]) for unit in _UNIT.finditer(text))
        return _find_folded(" ".join(needle.split()), text, units)
    folded = text.casefold()
    if len(folded) == len(text) and unicodedata.is_normalized("NFC", folded):
        pieces: Iterable[tuple[int, str]] = enumerate(folded)
    else:  # a letter may fold to several, or to one with its marks apart
        pieces = ((letter.start(), _fold_case(letter[0])) for letter in _LETTER.finditer(text))
    return _find_folded(_fold_case(needle), text, pieces)


def _fold_case(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def _find_inflected(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    pattern = _inflected(phrase)
    place = pattern.search(text)
    # A form that begins another one is tried after it, and is bounded only where the other is not there.
    while place is not None:
        yield place.span()
        place = pattern.search(text, place.start() + 1)


@lru_cache(maxsize=4096)
def _inflected(phrase: str) -> re.Pattern[str]:
    """What finds a phrase with each of its words in any form, longer ones first; nothing where it is blank."""
    words = [sorted(map(re.escape, forms(word)), key=len, reverse=True) for word in phrase.split()]
    return re.compile(r"\s+".join(f"(?:{'|'.join(word)})" for word in words) or "(?!)", re.IGNORECASE)


def _find_folded(needle: str, text: str, units: Iterable[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """The places in ``text`` whose folding is ``needle``; ``units`` are the folded pieces with their starts.

    A piece may fold to more characters than it has (ß to ss) or to fewer (a run of spaces to one), so each folded
    character keeps where its piece begins, and a place may not begin or end inside a piece.
    """
    if not needle:
        return
    folded, starts = [], []
    for start, piece in units:
        folded.append(piece)
        starts.append(start)
        starts.extend([_INSIDE] * (len(piece) - 1))
    starts.append(len(text))
    haystack = "".join(folded)
    at = haystack.find(needle)
    while at >= 0:
        start, end = starts[at], starts[at + len(needle)]
        if _INSIDE not in (start, end):
            yield start, end
        at = haystack.find(needle, at + 1)
