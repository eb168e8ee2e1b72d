"""The inflected forms of an English word.

    lists of irregular verbs, nouns and adjectives, else the rules of spelling -> forms

The part of speech is unknown, so a word is inflected as a noun, a verb and an adjective; where stress decides whether a
consonant is doubled, both spellings are included (visiting, travelling).

Does not handle: derived words (quickly, dancer), the base of a form (dig, where dug is given), other languages.

>>> sorted(forms("dig"))
['dig', 'digging', 'digs', 'dug']
>>> "happier" in forms("happy"), "flower" in forms("flow")
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from selfinstruct.mining.lexicon import words

_OR = " | "
#: Longer strings are not inflected.
_LONGEST = 40
_LAST_LATIN = "\u024f"
_PREFIXES = ("be", "fore", "in", "inter", "mis", "out", "over", "re", "un", "under", "up", "with")
_VOWEL = re.compile("[aeiouy]")
_CONSONANT_Y = re.compile("[^aeiou]y$")
# A word that ends in one consonant after one vowel doubles it (stopped), surely where it has one syllable.
# qu is a consonant (quitting), and so is y before a vowel (yapping).
_MAY_DOUBLE = re.compile(r"(?:^|[^aeiou]|qu)[aeiouy][bdfgklmnprstvz]$")
_MUST_DOUBLE = re.compile(r"(?:qu|[^aeiouy]|y(?=[aeiou]))*[aeiouy][bdfgklmnprtvz]")


@lru_cache(maxsize=8192)
def forms(word: str) -> frozenset[str]:
    """Every form of a word, including itself, in lower case.

    A word that does not end in two letters, or contains a letter that is not Latin, has no other form.
    """
    word = word.casefold()
    if not 2 <= len(word) <= _LONGEST or not word[-2:].isalpha() or max(word) > _LAST_LATIN:
        return frozenset([word])
    return frozenset([word, *_inflected(word)])


def _inflected(word: str) -> Iterator[str]:
    verbs, nouns, adjectives = _listed("verbs"), _listed("nouns"), _listed("adjectives")
    yield _plural(word)
    if word.endswith("o"):
        yield f"{word}es"
    for base, plurals in nouns.items():
        if word.endswith(base):
            yield from (word[: -len(base)] + plural for plural in plurals)
    if _VOWEL.search(word):
        yield from _joined(word, "ing")
        if word not in verbs and (len(word) > 3 or not word.endswith("ee")):  # "feed" is no form of "fee"
            yield from _joined(word, "ed")
    yield from verbs.get(word, ())
    for prefix in _PREFIXES:
        rest = word.removeprefix(prefix)
        if rest != word:
            yield from (prefix + form for form in verbs.get(rest, ()))
    yield from adjectives.get(word, ())
    if word in _compared() or (_CONSONANT_Y.search(word) and len(word) > 2):
        yield from _joined(word, "er")
        yield from _joined(word, "est")


def _plural(word: str) -> str:
    """The word with -s, as nouns and verbs take it."""
    if _CONSONANT_Y.search(word):
        return f"{word[:-1]}ies"
    if word.endswith("z") and _MUST_DOUBLE.fullmatch(word):
        return f"{word}zes"
    return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s"


def _joined(word: str, ending: str) -> Iterator[str]:
    """The word with -ing, or with an ending in e-, in every spelling that it may have."""
    if ending == "ing":
        yield from _with_ing(word)
    elif word.endswith("e"):
        yield word[:-1] + ending
    elif _CONSONANT_Y.search(word):
        yield f"{word[:-1]}i{ending}"
        if ending != "ed":
            yield word + ending  # shyer
    else:
        yield from _after_consonant(word, ending)


def _with_ing(word: str) -> Iterator[str]:
    if word.endswith("ie"):
        yield f"{word[:-2]}ying"
    elif word.endswith("e") and len(word) > 2 and not word.endswith(("ee", "oe", "ye")):
        yield f"{word[:-1]}ing"
        if word.endswith(("ge", "ue")):
            yield f"{word}ing"  # ageing, singeing, glueing
    else:
        yield from _after_consonant(word, "ing")


def _after_consonant(word: str, ending: str) -> Iterator[str]:
    if word.endswith("c"):
        yield f"{word}k{ending}"  # picnicking
    if _MAY_DOUBLE.search(word):
        yield word + word[-1] + ending
    if not _MUST_DOUBLE.fullmatch(word):
        yield word + ending


@cache
def _listed(kind: str) -> dict[str, tuple[str, ...]]:
    """The irregular words of a kind, each with its other forms."""
    entries = (line.split(_OR) for line in words(f"irregular-{kind}"))
    return {base: tuple(others) for base, *others in entries}


@cache
def _compared() -> frozenset[str]:
    return frozenset(words("compared"))
