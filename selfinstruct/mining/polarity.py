"""Polarity: whether a sentence praises or blames, by lists of words; and whether the labels of rows follow it.

    "The food was good." -> 1      "The food was not good." -> -1      "We had a table for two." -> 0

It tells which sentences must not be mixed: a text of a label that first blames and then praises loses its label when it
loses one of its parts.

Does not handle: irony, comparisons, words on neither list.

>>> polarity("The food was not good."), polarity("服务员很热情。"), polarity("不满意。")
(-1, 1, -1)
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from selfinstruct.mining.lexicon import words
from selfinstruct.records import Row
from selfinstruct.text import value_text

_NEGATION = re.compile(
    r"(?:\b(?:not|no|never|nobody|nothing|without|hardly)\b|n['’]t\b)(?:\W+\w+){0,2}\W+$|[不没未别无][有是很太]?$",
    re.IGNORECASE,
)
# The characters before a word in which a negation is looked for.
_BEFORE = 40
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
# Each label has at least this many rows, and its texts lean this far to one side on average.
_LEAST_ROWS = 2
_LEAST_LEANING = 0.3
_MOST_LABELS = 12


def polarity(sentence: str) -> int:
    """1 if a sentence has more praise than blame, -1 if less, else 0."""
    signs, pattern = _words()
    score = 0
    for match in pattern.finditer(sentence):
        sign = signs[match[0].lower()]
        score += -sign if _NEGATION.search(sentence[max(0, match.start() - _BEFORE) : match.start()]) else sign
    return (score > 0) - (score < 0)


def is_mixed(text: str) -> bool:
    """Whether some sentence of a text praises and another one blames."""
    return {1, -1} <= set(map(polarity, _SENTENCE.findall(text)))


def labels_follow_polarity(rows: Sequence[Row], name: str) -> bool:
    """Whether the texts in the field ``name`` praise under one label of the rows and blame under another."""
    leanings = [polarity(value_text(row.get(name, ""))) for row in rows]
    for label in {other: None for row in rows for other in row if other != name}:
        of: dict[str, list[int]] = defaultdict(list)
        for row, leaning in zip(rows, leanings, strict=True):
            of[value_text(row.get(label, ""))].append(leaning)
        if len(of) > _MOST_LABELS or min(map(len, of.values())) < _LEAST_ROWS:
            continue
        means = [sum(each) / len(each) for each in of.values()]
        if max(means) >= _LEAST_LEANING and min(means) <= -_LEAST_LEANING:
            return True
    return False


@cache
def _words() -> tuple[dict[str, int], re.Pattern[str]]:
    signs = {word: sign for name, sign in (("positive", 1), ("negative", -1)) for word in words(f"feelings-{name}")}
    longest_first = sorted(signs, key=len, reverse=True)
    pattern = "|".join(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in longest_first)
    return signs, re.compile(pattern, re.IGNORECASE)
