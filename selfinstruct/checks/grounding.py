"""``ungrounded``: a value that is not a span of its context field.

Does not handle: single items of an array, except inflected words; other arrays are grounded if the context contains
their JSON text.

>>> find("MASSE 4", "Die Maße 4 und 5", "casefold")
(4, 10)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from selfinstruct.mining.lexicon.inflections import forms
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.text import UNSPACED, find_span, is_bound, value_text

_UNIT = re.compile(r"\s+|\S")
_INSIDE = -1
#: Longer values are not words or phrases, and are searched for unchanged.
_LONGEST_PHRASE = 80
# Text without inflected forms: scripts without spaces, and numbers (see is_bound for their boundaries).
_PLAIN = re.compile(rf"[\d{UNSPACED}]")


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Refuse a value that is not a token-bounded span of the field named by ``appears_in``.

    Of a list of words, each must stand there in one of its forms where ``match`` is ``inflected``.
    """
    if constraints.appears_in is None:
        return None
    value, context = row[name], row[constraints.appears_in]
    inflected = constraints.match == "inflected"
    for item in value if inflected and isinstance(value, list) else (value,):
        if find(item, context, constraints.match) is None:
            form = " in any form" if inflected else ""
            shown = json.dumps(item, ensure_ascii=False)[:80]
            return Rejection("ungrounded", f"{name} {shown} does not occur in {constraints.appears_in}{form}")
    return None


def spans(row: Row, fields: Mapping[str, Constraints]) -> dict[str, tuple[int, int]]:
    """For each grounded field of a row that passed, the [start, end) code points of its value in its context.

    A list of inflected words has no one place, and is left out.
    """
    found = {}
    for name, constraints in fields.items():
        if constraints.appears_in is not None and (
            span := find(row[name], row[constraints.appears_in], constraints.match)
        ):
            found[name] = span
    return found


def find(value: JSON, context: JSON, match: str) -> tuple[int, int] | None:
    """The first token-bounded place of a value in its context, as [start, end) code points of the context.

    ``match`` is ``exact``, ``casefold`` (Unicode full case folding) or ``whitespace`` (any run of white space is
    as good as any other, and the value's ends are trimmed), or ``inflected`` (each word in any of its forms, letter
    case and white space aside). What is not text is compared as JSON text.
    """
    needle, text = value_text(value), value_text(context)
    if match == "inflected":
        if len(needle) <= _LONGEST_PHRASE and not _PLAIN.search(needle):
            return _find_inflected(needle, text)
        match = "casefold"
    if match == "exact":
        return find_span(needle, text)
    if match == "casefold":
        return _find_folded(needle.casefold(), text, enumerate(character.casefold() for character in text))
    units = ((unit.start(), " " if unit[0].isspace() else unit[0]) for unit in _UNIT.finditer(text))
    return _find_folded(" ".join(needle.split()), text, units)


def _find_inflected(phrase: str, text: str) -> tuple[int, int] | None:
    pattern = _inflected(phrase)
    place = pattern.search(text)
    # A form that begins another one is tried after it, and is bounded only where the other is not there.
    while place is not None and not (is_bound(text, place.start()) and is_bound(text, place.end())):
        place = pattern.search(text, place.start() + 1)
    return place.span() if place is not None else None


@lru_cache(maxsize=4096)
def _inflected(phrase: str) -> re.Pattern[str]:
    """What finds a phrase with each of its words in any form, longer ones first; nothing where it is blank."""
    words = [sorted(map(re.escape, forms(word)), key=len, reverse=True) for word in phrase.split()]
    return re.compile(r"\s+".join(f"(?:{'|'.join(word)})" for word in words) or "(?!)", re.IGNORECASE)


def _find_folded(needle: str, text: str, units: Iterable[tuple[int, str]]) -> tuple[int, int] | None:
    """The first place in ``text`` whose folding is ``needle``; ``units`` are the folded pieces with their starts.

    A piece may fold to more characters than it has (ß to ss) or to fewer (a run of spaces to one), so each folded
    character keeps where its piece begins, and a place may not begin or end inside a piece.
    """
    if not needle:
        return None
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
        if _INSIDE not in (start, end) and is_bound(text, start) and is_bound(text, end):
            return start, end
        at = haystack.find(needle, at + 1)
    return None
