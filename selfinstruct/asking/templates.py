r"""Templates over many lines, and the words that are values in them.

    session opened for user test        \
    session opened for user cyrus        > session opened for user *     test, cyrus and guest are users
    session opened for user guest       /

Lines are keyed by their words, with those that contain a digit masked, as in Drain (He et al., "Drain: An Online Log
Parsing Approach with Fixed Depth Tree", ICWS 2017). Among keys of the same length, a place where several words
alternate while all others are equal is a slot too: the idea of IPLoM (Makanju et al., "Clustering Event Logs Using
Iterative Partitioning", KDD 2009), here found by hashing each key with one place masked, in time linear in the keys.
Words that state something (verbs, prepositions, adjectives) never become a slot: "opened" and "closed" are two
templates.

Does not handle: slots of several words without a digit.

>>> mined = mine([f"session opened for user {name}" for name in ("test", "cyrus", "guest")] + ["login by guest"])
>>> mined.of, mined.nouns["guest"]
((0, 0, 0, 1), 'user')
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.asking import grammar
from selfinstruct.asking.chinese_words import cut, is_chinese, is_known
from selfinstruct.asking.headers import parse_header
from selfinstruct.asking.lexicon import entries
from selfinstruct.asking.tokens import Token

SLOT = "*"
#: Alternating words are sought among this many different keys; a sample of more lines teaches no other words.
_LARGEST_SAMPLE = 20_000
#: The fewest words that must alternate, and the fewest after a noun that names a thing (user, queue).
_FEWEST_WORDS = 3
_FEWEST_NAMED = 2
_LONGEST_KEY = 40
_MARKS = "[](){}<>,;:.'\"！，。；：（）【】“”"
_CALENDAR = frozenset(entries("endings")["calendar"][0].split())
_HOST = re.compile(r"[a-z-]+(?:\.[a-z-]+){2,}")
_HAS_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Mined:
    """For each line the number of its template; and words that are values: after which word, and the noun of each."""

    of: tuple[int, ...]
    after: frozenset[tuple[str, str]]
    nouns: Mapping[str, str]

    def is_value(self, text: str, token: Token) -> bool:
        """Whether a word of a line is a value: it alternates at such a place, or is a known one after a preposition."""
        if token.kind not in ("word", "code") or (not self.after and not self.nouns):
            return False
        before = text[: token.start].rstrip()
        previous = before[before.rfind(" ") + 1 :].lower()
        if (previous, token.text) in self.after:
            return True
        noun = self.nouns.get(token.text)
        return noun is not None and (previous == noun or previous in ("for", "by", "from", "to"))


def mine(texts: Sequence[str]) -> Mined:
    """Group lines into templates and learn which words are values."""
    keys = [_key(text) for text in texts]
    sample = list(dict.fromkeys(keys))[:_LARGEST_SAMPLE]
    after, nouns = _learn([key for key in sample if len(key) <= _LONGEST_KEY])
    numbers: dict[tuple[str, ...], int] = {}
    masked: dict[tuple[str, ...], int] = {}
    of = []
    for key in keys:
        number = masked.get(key)
        if number is None:
            number = masked[key] = numbers.setdefault(_mask(key, after), len(numbers))
        of.append(number)
    return Mined(tuple(of), after, nouns)


def _key(text: str) -> tuple[str, ...]:
    header = parse_header(text)
    source = [field.text for field in header.fields if field.name in ("component", "process")]
    message = text[header.end :] if header.end else text
    words = [piece for word in message.split() for piece in cut(word)] if is_chinese(message) else message.split()
    return tuple([*source, *map(_masked_word, words)])


def _masked_word(word: str) -> str:
    key, mark, _ = word.partition("=")
    if mark and key:
        return f"{key}={SLOT}"
    return SLOT if _HAS_DIGIT.search(word) or word in _CALENDAR or _HOST.fullmatch(_bare(word)) else word


def _bare(word: str) -> str:
    return word.strip(_MARKS)


def _mask(key: tuple[str, ...], after: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    previous = ""
    result = []
    for word in key:
        bare = _bare(word)
        result.append(SLOT if (previous, bare) in after else word)
        previous = bare.lower()
    return tuple(result)


def _learn(keys: Sequence[tuple[str, ...]]) -> tuple[frozenset[tuple[str, str]], dict[str, str]]:
    """The words that are values with the word before them, and the noun of a word where one is known."""
    after: set[tuple[str, str]] = set()
    for _ in range(2):  # the second time, places are found beside those found the first time
        masked = list(dict.fromkeys(_mask(key, frozenset(after)) for key in keys))
        groups: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        for key in masked:
            for at, word in enumerate(key):
                if at and word != SLOT and _may_be_value(_bare(word)):
                    groups[*key[:at], "", *key[at + 1 :]].add(_bare(word))
        for place, words in groups.items():
            previous = _bare(place[place.index("") - 1]).lower()
            enough = _FEWEST_NAMED if _names_things(previous) else _FEWEST_WORDS
            if previous and len(words) >= enough and 2 * sum(map(_is_unlisted, words)) >= len(words):
                after.update((previous, word) for word in words)
    return frozenset(after), _nouns(after)


def _may_be_value(word: str) -> bool:
    """Whether a word states nothing by itself, so that it may be a name: no verb form, preposition, adjective."""
    if not word or not _WORD.search(word) or "=" in word:
        return False
    if not word.isascii():
        return not is_known(word)
    verb = grammar.verb_of(word)
    if (verb is not None and verb.form != "base") or grammar.is_closed_class(word) or grammar.is_adverb(word):
        return False
    return not grammar.is_adjective(word)


def _is_unlisted(word: str) -> bool:
    flags = grammar.noun_flags(word)
    is_noun = grammar.is_noun_like(word) and "p" not in (flags or "")
    return not word.isascii() or (grammar.verb_of(word) is None and not is_noun)


def _names_things(word: str) -> bool:
    flags = grammar.noun_flags(word)
    return flags is not None and "a" not in flags


def _nouns(after: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The noun that a value most often follows; values that stand in one place with it share its noun."""
    pairs = sorted(after)
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    by_place: defaultdict[str, list[str]] = defaultdict(list)
    for previous, word in pairs:
        by_place[previous].append(word)
        if _names_things(previous):
            seen[word][previous] += 1
    nouns = {word: counts.most_common(1)[0][0] for word, counts in seen.items()}
    for previous, words in by_place.items():
        known = Counter(nouns[word] for word in words if word in nouns)
        if known and previous in grammar.PREPOSITIONS and 2 * known.total() >= len(words):
            noun = known.most_common(1)[0][0]
            for word in words:
                nouns.setdefault(word, noun)
    return nouns
