"""Translations: two texts in different scripts or languages with the same numbers.

Does not handle: languages without a list of function words here, if their script is the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from fractions import Fraction
from functools import lru_cache

from selfinstruct.preparation.arithmetic import MOST_CHARACTERS, numbers
from selfinstruct.records import JSON

_QUESTION = re.compile(r"[?？؟]\s*[\"'”」]?\s*$")
_CACHED = 8192
_FUNCTION_WORDS = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the of and is in to that for with was are on it you this from",
        "de": "der die das und ist in zu mit den nicht ein eine auf für von sich wir ich sie",
        "fr": "le la les et est dans de des un une pour que qui sur vous nous je du",
        "es": "el la los las y es en de un una para que por con se no está",
        "it": "il la gli e è di un una per che con non si del sono nel",
        "pt": "o a os as e é em de um uma para que com não se do da no",
        "nl": "de het een en is in van te dat op voor met niet zijn aan wij",
    }.items()
}


def is_question(value: JSON) -> bool:
    """Whether a value is a text that ends as a question."""
    return isinstance(value, str) and _QUESTION.search(value) is not None


def is_translation(one: JSON, other: JSON) -> bool:
    """Whether two texts are in different scripts or languages and have the same numbers."""
    if not isinstance(one, str) or not isinstance(other, str) or is_question(one) != is_question(other):
        return False
    found = _numbers(one), _numbers(other)
    if all(found) and found[0] != found[1]:
        return False
    scripts = _script(one), _script(other)
    if "" in scripts:
        return False
    return scripts[0] != scripts[1] or ("" not in (pair := (_language(one), _language(other))) and pair[0] != pair[1])


# Every text is compared with every other one of its row.
@lru_cache(maxsize=_CACHED)
def _numbers(text: str) -> tuple[Fraction, ...]:
    return tuple(sorted(numbers(text)))


@lru_cache(maxsize=_CACHED)
def _script(text: str) -> str:
    """The script of most letters of a text ("" without letters); kana and ideographs are Japanese together."""
    counts: Counter[str] = Counter()
    for character in text[:400]:
        if character.isalpha():
            counts[unicodedata.name(character, "?").split()[0]] += 1
    if counts["HIRAGANA"] + counts["KATAKANA"] > 0.2 * counts.total():
        return "JAPANESE"
    found = counts.most_common(1)
    return found[0][0] if found and found[0][1] >= 0.6 * counts.total() else ""


@lru_cache(maxsize=_CACHED)
def _language(text: str) -> str:
    """The language whose function words a text has most, at least two and more than any other; "" if unknown."""
    words = text[:MOST_CHARACTERS].casefold().split()
    counts = Counter({code: sum(word in known for word in words) for code, known in _FUNCTION_WORDS.items()})
    (first, most), (_, next_most) = counts.most_common(2)
    return first if most >= 2 and most > next_most else ""
