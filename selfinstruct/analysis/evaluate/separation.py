"""Rows that must not be in training, since they would give the test away: the test rows, their contexts, near copies.

Two logs that differ in values alone share a template; that is no leak, and is what ``templates`` tells apart.

Does not handle: paraphrases and translations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from selfinstruct.readers import Example
from selfinstruct.similarity import NoveltyIndex
from selfinstruct.text import caseless

#: ROUGE-L F1 of question and context above which a row is a near copy: the highest that a run allows between two rows.
NEAR = 0.95


class Separation:
    """Knows the test rows, and takes out of other rows those that are too close to one of them."""

    def __init__(self, test: Iterable[Example]) -> None:
        test = list(test)
        self._rows = {_key(row) for row in test}
        self._contexts = {caseless(row.context) for row in test if row.question}
        self._index = NoveltyIndex(min_threshold=NEAR)
        self._index.add_all(_text(row) for row in test)

    def reason(self, row: Example) -> str:
        """Return why a row is too close to a test row: ``row``, ``context`` or ``near-duplicate``; "" if it is not."""
        if _key(row) in self._rows:
            return "row"
        if row.question and caseless(row.context) in self._contexts:
            return "context"
        return "near-duplicate" if self._index.nearest(_text(row), NEAR) is not None else ""

    def kept(self, rows: Iterable[Example]) -> tuple[list[Example], dict[str, int]]:
        """Return the rows that are not too close, and how many others there are by reason."""
        kept = []
        removed: Counter[str] = Counter()
        for row in rows:
            if reason := self.reason(row):
                removed[reason] += 1
            else:
                kept.append(row)
        return kept, dict(removed)


def _key(row: Example) -> tuple[str, str]:
    return caseless(row.question), caseless(row.context)


def _text(row: Example) -> str:
    return f"{row.question}\n{row.context}"
