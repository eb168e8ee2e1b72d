"""Test rows whose template is in no training row.

Random splits of templated data flatter: most test rows are then training rows with other values. So results are also
reported for the other ones.

Two texts have one template where ``mining.text_template`` finds that they differ in values alone.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from selfinstruct.mining.text_template import SIMILARITY, mine_templates, split_words
from selfinstruct.readers import Example

_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"\w")
#: At most this many training texts, those that share the most words, are compared with a test text.
_MOST_COMPARED = 40


def is_new(test: Sequence[Example], training: Iterable[Example]) -> list[bool]:
    """Return for each test row whether no training row has its template (of the question; else of the context)."""
    texts: dict[tuple[str, ...], Example] = {}
    for row in training:
        texts.setdefault(_masked(_told(row)), row)
    rows_with: dict[str, list[int]] = defaultdict(list)
    for at, words in enumerate(texts):
        for word in set(words):
            rows_with[word].append(at)
    kept = list(texts.items())
    return [not _has_match(row, kept, rows_with) for row in test]


def _has_match(row: Example, texts: Sequence[tuple[tuple[str, ...], Example]], rows_with: dict[str, list[int]]) -> bool:
    words = _masked(_told(row))
    shared: Counter[int] = Counter()
    for word in set(words):
        shared.update(rows_with.get(word, ()))
    for at, count in shared.most_common(_MOST_COMPARED):
        other, example = texts[at]
        # Half of what a template needs, for words that are repeated, or values.
        if 2 * count < SIMILARITY * max(len(set(words)), len(set(other))):
            continue
        if other == words or _same_template(row, example):
            return True
    return False


def _same_template(one: Example, other: Example) -> bool:
    # The other texts of a row show which words of its question are values.
    contexts = [(each.context, each.answer) for each in (one, other)] if one.question else None
    return mine_templates([_told(one), _told(other)], contexts).of == (0, 0)


def _told(row: Example) -> str:
    return row.question or row.context


def _masked(text: str) -> tuple[str, ...]:
    return tuple("0" if _DIGIT.search(word) else word for word in split_words(text) if _WORD.search(word))
