"""Chinese words of the lists: cut a run of characters into known words and the rest.

Of all ways to cut, the one that leaves the fewest characters outside known words is taken, and of these the one with
the fewest words; characters between known words stay together, as they are mostly names.

Does not handle: words outside the lists that contain one of them.

>>> cut("用户张三登录成功"), cut("rdd_4"), is_known("登录")
(['用户', '张三', '登录', '成功'], ['rdd_4'], True)
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from selfinstruct.asking.lexicon import entries, flagged
from selfinstruct.text import UNSPACED

_HAN = re.compile(f"[{UNSPACED}]")
#: A number in characters.
NUMERAL = re.compile("[一二三四五六七八九十百千万零两]+")
_LONGEST = 6
#: Known words of one character; others are too often a part of a name.
_SINGLE = frozenset("从由向对把被在于到至为是未不已的了共")
_PIECES = re.compile(rf"[{UNSPACED}]+|[^{UNSPACED}]+")


def is_chinese(text: str) -> bool:
    """Whether a text contains characters of a script without spaces."""
    return not text.isascii() and _HAN.search(text) is not None


@cache
def word_classes() -> dict[str, str]:
    """Known words with their class: noun, verb, unit, preposition, outcome, negation, be, other.

    A noun that is also a verb is a verb here.
    """
    names = {"p": "preposition", "o": "outcome", "n": "negation", "v": "be", "c": "other"}
    classes = {word: "unit" for word in entries("chinese-units") if not word.isascii()}
    classes |= {word: "noun" for word in flagged("chinese-nouns")}
    classes |= {word: "verb" for word in flagged("chinese-verbs")}
    return classes | {word: names[flag] for word, flag in flagged("chinese-words").items()}


def is_known(word: str) -> bool:
    """Whether a word is in the lists."""
    return word in word_classes()


def noun_flags(noun: str) -> str:
    """The flags of a noun or of the listed noun that it ends in; "" if it ends in none."""
    nouns = flagged("chinese-nouns")
    return next((nouns[noun[at:]] for at in range(len(noun)) if noun[at:] in nouns), "")


def cut(run: str) -> list[str]:
    """Return the known words of a run and the pieces between them, in order; joined, they are the run."""
    result: list[str] = []
    for piece in _PIECES.findall(run):
        result += _cut_unspaced(piece) if _HAN.match(piece) else [piece]
    return result


@lru_cache(maxsize=65536)
def _cut_unspaced(piece: str) -> list[str]:
    classes = word_classes()
    best: list[tuple[int, int, int]] = [(0, 0, 0)]  # characters outside words, words, where the last word starts
    for end in range(1, len(piece) + 1):
        unknown, words, _ = best[end - 1]
        choice = (unknown + 1, words, end - 1)
        for start in range(max(0, end - _LONGEST), end):
            word = piece[start:end]
            if word in classes and (len(word) > 1 or word in _SINGLE):
                choice = min(choice, (best[start][0], best[start][1] + 1, start))
        best.append(choice)
    cuts: list[str] = []
    at = len(piece)
    while at:
        start = best[at][2]
        word = piece[start:at]
        is_rest = at - start == 1 and best[at][0] > best[start][0]
        if is_rest and cuts and cuts[-1].startswith("\0"):
            cuts[-1] = f"\0{word}{cuts[-1][1:]}"
        else:
            cuts.append(f"\0{word}" if is_rest else word)
        at = start
    return [word.removeprefix("\0") for word in reversed(cuts)]
