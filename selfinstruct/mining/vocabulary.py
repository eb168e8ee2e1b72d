"""Vocabulary: words that are values (a user, a city, a book's title), and the words that may replace them.

The form of a word does not show whether it is a value. It is one if it is on the list of its kind and either occurs
where that kind occurs (``user X``, ``X`` after a log's time) or equals another field of the row. For proper names the
list is enough, and for Chinese titles the title marks.

Does not handle: inflected names, or words on no list; these are kept.

>>> [(a.kind, a.text) for a in Vocabulary().find("Invalid user admin from 10.0.0.7", [], [], {})]
[('user', 'admin')]
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from selfinstruct.mining.entities import Entity, preceding_word
from selfinstruct.mining.generators import CompoundGenerator, WordGenerator
from selfinstruct.mining.lexicon import words
from selfinstruct.mining.number_generators import Generator
from selfinstruct.text import find_span, find_spans, is_bound

# Proper names: capitalised, so that their list is enough.
_NAMES = {
    "first-name": "first-names",
    "surname": "surnames",
    "city": "cities",
    "country": "countries",
    "product": "products",
    "company": "companies",
    "browser": "browsers",
    "app": "apps",
    "system": "operating-systems",
    "device": "devices",
}
# Common words: on the list, and in their usual place or equal to another field.
_COMMON = {
    "user": ("user-names", "first-names"),
    "host": ("host-names",),
    "method": ("authentication-methods",),
    "reason": ("disconnect-reasons",),
}
_PLACES = {
    "user": re.compile(r"(?:\b(?:user|login|account)\s|user[=:]\s?)['\"]?$", re.IGNORECASE),
    "host": re.compile(r"\d\d:\d\d:\d\d\s$|(?:\bhost|\bserver|\bnode|host[=:])\s?$", re.IGNORECASE),
    "method": re.compile(r"\bAccepted\s$"),
    "reason": re.compile(r"(?!)"),
}
# Cities on the list that are far more often a word of praise, which decides a label: "Nice lobby".
_PRAISE = frozenset(("Nice",))
# Words that introduce a value; never a value themselves, even if they are on a list.
_ROLES = frozenset(("user", "account", "login", "name", "host", "server", "node"))
_WORD = re.compile(r"[A-Za-z][\w./-]*[\w]|[A-Za-z]")
_NAME_WORD = re.compile(r"[A-Za-z0-9][\w./-]*\w|[A-Za-z0-9]")
_LIST = re.compile(r"\{(zh-[a-z-]+)\}")
_LONGEST_NAME = 4
# Words before a place.
_PLACE_BEFORE = re.compile(
    r"\b(?:in|to|from|near|via|at|between|around|nach|aus|bei|über|à|de|vers|en|desde|hacia|cerca de|da|di|a) $",
    re.IGNORECASE,
)
# The characters before a word that show where it occurs.
_BEFORE = 40
_HAN = "[\u4e00-\u9fff]"
_AUTHOR_VERB = "(?=所|撰|著|编|注|作|主)"
# Chinese values by the marks and words around them; {list} is replaced by the words of that list.
_CHINESE = (
    ("zh-chapter", r"(?<=《)[^《》]+·[^《》]+(?=》)"),
    ("zh-title", r"(?<=《)[^《》]+(?=》)"),
    ("zh-omen", r"(?<=为：“)[^“”]+?(?=。?”)"),
    ("zh-saying", r"(?<=“)[^“”]{4,}[。？！](?=”)"),
    ("zh-speaker", rf"(?:^|(?<=[。，])){_HAN}{{2,3}}(?=说：“|曰：“)"),
    ("zh-hexagram", r"{zh-hexagrams}(?=卦)"),
    ("zh-trigram", r"(?<=[上下]){zh-trigrams}(?=[上下，。])"),
    ("zh-genre", r"(?<=一部){zh-genres}"),
    ("zh-dynasty", rf"{{zh-dynasties}}(?={_HAN}{{2,4}}{_AUTHOR_VERB})|{{zh-dynasties}}(?=时期|年间)"),
    ("zh-place", r"{zh-places}(?=人)"),
)
_LISTS = {
    "zh-chapter": "zh-chapters",
    "zh-saying": "zh-sayings",
    "zh-speaker": "zh-speakers",
    "zh-hexagram": "zh-hexagrams",
    "zh-trigram": "zh-trigrams",
    "zh-genre": "zh-genres",
    "zh-dynasty": "zh-dynasties",
    "zh-place": "zh-places",
}


class Vocabulary:
    """Find words that are values, by the lists in ``selfinstruct.mining.lexicon``."""

    def find(
        self, text: str, others: Collection[str], taken: Sequence[Entity], known: Mapping[str, Entity]
    ) -> list[Entity]:
        """Return the words of ``text`` that are values, without overlaps with each other or with ``taken``.

        ``others`` are the row's other fields; ``known`` are the values found in them so far, which are values in
        this text too if they occur between token boundaries.
        """
        found = _Finder(text, taken)
        for value in sorted(known, key=len, reverse=True):
            found.add_all(known[value].kind, value, numbered=known[value].kind == "id")
        if text.isascii() or not _is_chinese(text):
            self._find_names(text, others, found)
            self._find_common(text, others, found)
        else:
            self._find_chinese(text, found)
        return found.entities

    def generator(self, kind: str, seen: Sequence[str], salt: int) -> Generator:
        """The generator of values that may replace those in ``seen``, all of one kind."""
        if kind == "user":
            listed = words("user-names")
            return WordGenerator(_merged(listed, seen), salt, more=lambda word, turn: f"{word}{turn}")
        if kind in _COMMON:
            return WordGenerator(_merged(words(_COMMON[kind][0]), seen), salt)
        if kind in _NAMES:
            return WordGenerator(_merged(words(_NAMES[kind]), seen), salt)
        if kind == "zh-person":
            given = words("zh-given-characters")
            return CompoundGenerator((words("zh-surnames"), given, ("", *given)), salt)
        if kind == "zh-title":
            return CompoundGenerator((words("zh-title-stems"), words("zh-title-suffixes")), salt)
        if kind == "zh-omen":
            omens = words("zh-omens")
            return CompoundGenerator((omens, ("，",), omens), salt)
        return WordGenerator(_merged(words(_LISTS[kind]), seen), salt)

    def _find_names(self, text: str, others: Collection[str], found: _Finder) -> None:
        starts, first_words = list(_NAME_WORD.finditer(text)), _first_words()
        for at, first in enumerate(starts):
            word = first.group()
            if word not in first_words or not (word[0].isupper() or word.islower()):
                continue
            for last in reversed(starts[at : at + _LONGEST_NAME]):
                name = text[first.start() : last.end()]
                kind = _kinds().get(name)
                if name in _ambiguous():
                    kind = _meant(name, (text, *others))
                if kind is not None and found.add(kind, first.start(), last.end(), numbered=_contains_digit(name)):
                    break

    def _find_common(self, text: str, others: Collection[str], found: _Finder) -> None:
        for match in _WORD.finditer(text):
            word = match.group()
            kinds = _common_kinds(word)
            if not kinds or word in _ROLES:
                continue
            for kind in kinds:
                start, end = match.span()
                before = text[max(0, start - _BEFORE) : start]
                placed = _PLACES[kind].search(before) is not None
                placed = placed or (kind == "user" and before.endswith(" for ") and text.startswith(" from ", end))
                if placed or (word in others and word not in _ambiguous()):
                    found.add(kind, match.start(), match.end())
        for reason in words("disconnect-reasons"):
            span = find_span(reason, text) if reason in others else None
            if span is not None:
                found.add("reason", *span)

    def _find_chinese(self, text: str, found: _Finder) -> None:
        for kind, pattern in _chinese():
            for match in pattern.finditer(text):
                found.add(kind, match.start(), match.end())
        for dynasty in [entity for entity in found.entities if entity.kind == "zh-dynasty"]:
            person = _person().match(text, dynasty.end)
            if person is not None:
                found.add("zh-person", person.start(), person.end())


class _Finder:
    """Collect entities that do not overlap."""

    def __init__(self, text: str, taken: Sequence[Entity]) -> None:
        self.entities: list[Entity] = []
        self._text = text
        self._taken = sorted((entity.start, entity.end) for entity in taken)
        self._longest = max((end - start for start, end in self._taken), default=0)

    def add(self, kind: str, start: int, end: int, *, numbered: bool = False) -> bool:
        """Add an entity if its place is free; a ``numbered`` name may cover the numbers inside it."""
        text = self._text
        first = bisect_left(self._taken, (start - self._longest, 0))
        for taken_start, taken_end in self._taken[first : bisect_left(self._taken, (end, 0))]:
            inside = start <= taken_start and taken_end <= end
            if start < taken_end and taken_start < end and not (numbered and inside):
                return False
        if not (is_bound(text, start) and is_bound(text, end)):
            return False
        insort(self._taken, (start, end))
        self._longest = max(self._longest, end - start)
        self.entities.append(
            Entity(start, end, kind, text[start:end], preceding_word(text[max(0, start - 40) : start]))
        )
        return True

    def add_all(self, kind: str, value: str, *, numbered: bool = False) -> None:
        start = self._text.find(value)
        while start >= 0:
            self.add(kind, start, start + len(value), numbered=numbered)
            start = self._text.find(value, start + len(value))


def _meant(name: str, texts: Iterable[str]) -> str | None:
    """Whether a word that may be a place or a person is one, by the words beside it in a row; None if none shows it."""
    place = person = False
    for text in texts:
        for start, end in find_spans(name, text):
            person = person or text[end + 1 : end + 1 + _BEFORE].split(" ")[0].rstrip(".,;:!?’'") in _set("surnames")
            place = place or _PLACE_BEFORE.search(text[max(0, start - _BEFORE) : start]) is not None
    if place == person:
        return None
    return "first-name" if person else next(kind for kind in ("city", "country") if name in _set(_NAMES[kind]))


def _contains_digit(name: str) -> bool:
    return any(map(str.isdigit, name))


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def _merged(listed: Sequence[str], seen: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*seen, *listed)))


@cache
def _set(name: str) -> frozenset[str]:
    return frozenset(words(name))


@cache
def _kinds() -> dict[str, str]:
    listed = {word: kind for kind, name in reversed(_NAMES.items()) for word in words(name) if len(word) > 1}
    return {word: kind for word, kind in listed.items() if word not in _PRAISE}


@cache
def _ambiguous() -> frozenset[str]:
    """The words that are first names and places: Milan, Florence, Jordan."""
    return _set("first-names") & (_set("cities") | _set("countries"))


@cache
def _first_words() -> frozenset[str]:
    """The first words of all proper names: a quick test that most words fail."""
    return frozenset(match.group() for name in _kinds() if (match := _NAME_WORD.match(name)) is not None)


def _common_kinds(word: str) -> tuple[str, ...]:
    """The kinds of common word that a word may be, as it is or capitalised, in the order of ``_COMMON``."""
    table = _listed_kinds()
    own, capitalised = table.get(word, ()), table.get(word.capitalize(), ())
    if not own or not capitalised:
        return own or capitalised
    return tuple(kind for kind in _COMMON if kind in own or kind in capitalised)


@cache
def _listed_kinds() -> dict[str, tuple[str, ...]]:
    listed = {word for lists in _COMMON.values() for name in lists for word in words(name)}
    return {
        word: tuple(kind for kind, lists in _COMMON.items() if any(word in _set(name) for name in lists))
        for word in listed
    }


@cache
def _chinese() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (kind, re.compile(_LIST.sub(lambda m: _alternatives(m.group(1)), pattern))) for kind, pattern in _CHINESE
    )


@cache
def _person() -> re.Pattern[str]:
    return re.compile(f"{_alternatives('zh-surnames')}{_HAN}{{1,2}}?{_AUTHOR_VERB}")


def _alternatives(name: str) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, words(name)), key=len, reverse=True)) + ")"
