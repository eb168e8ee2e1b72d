"""Words with tags: two lists, or two texts, that are equally long in every row, such as tokens and their kinds.

A new value there has as many words as the old one. A name of several words, which the tags show to continue
(``B-LOC I-LOC``), stays as it is.

Does not handle: tags of a list of texts each.

>>> rows = [{"words": ["In", "New", "York"], "tags": ["O", "B-LOC", "I-LOC"]}, {"words": ["Hi"], "tags": ["O"]}]
>>> tagged = TaggedWords(rows)
>>> sorted(tagged.fields), [tagged.continues(rows[0], "words", at) for at in range(3)]
(['tags', 'words'], [False, True, True])
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from selfinstruct.records import JSON, Row

_CONTINUES = re.compile(r"[IEM](?:[-_].+)?|[^BOS]*_CONT", re.IGNORECASE)
_LEAST_WORDS = 2
# Of more rows, the first ones are looked at.
_MOST_ROWS = 200
_MOST_FIELDS = 20


class TaggedWords:
    """The tagged fields of some rows; ``fields`` are their names, those of the tags among them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        names = list(dict.fromkeys(name for row in rows[:_MOST_ROWS] for name in row))[:_MOST_FIELDS]
        lengths = {name: [len(words_of(row.get(name))) for row in rows[:_MOST_ROWS]] for name in names}
        long = [
            name
            for name, each in lengths.items()
            if min(each) > 0 and len(set(each)) > 1 and max(each) > _LEAST_WORDS - 1
        ]
        self._pairs = [(one, other) for one, other in combinations(long, 2) if lengths[one] == lengths[other]]
        self.fields = frozenset(name for pair in self._pairs for name in pair)

    def continues(self, row: Row, name: str, at: int) -> bool:
        """Whether the word at a position of a field is part of a name of several words, by its tag or the next one."""
        others = [pair[pair[0] == name] for pair in self._pairs if name in pair]
        tags = [each for other in others for each in words_of(row.get(other))[at : at + 2]]
        return any(_CONTINUES.fullmatch(tag) is not None for tag in tags)


def words_of(value: JSON) -> list[str]:
    """The words of a text between blanks, or of a list of texts."""
    if isinstance(value, list):
        return [each if isinstance(each, str) else "" for each in value]
    return value.split() if isinstance(value, str) else []
