"""Rows about one passage that ask for the same thing in nearly the same words.

"What is the size of b7?" and "What is the size for b7?" about one line, both answered by "64", are one row too many.
Rows about different lines are not compared here, however much these look alike.

Does not handle: other words for the same question, which a reader can learn from.
"""

from __future__ import annotations

import json
from hashlib import blake2b

from rapidfuzz.distance import LCSseq

from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.similarity.duplicates import answer_fields
from selfinstruct.similarity.row_index import compared_text
from selfinstruct.text import canonical, tokens

#: The largest ROUGE-L F1 of two questions about one passage with the same answer.
MOST_ALIKE = 0.8


class Rewordings:
    """The questions of rows by passage and answer; rows of a recipe without ``[passages]`` have none."""

    def __init__(self, recipe: Recipe) -> None:
        own = [name for name, field in recipe.fields.items() if field.source == "passage"]
        self._same = (*own, *answer_fields(recipe)) if recipe.passages is not None and own else ()
        self._questions = [name for name in recipe.novelty.fields if name not in self._same]
        self._rows: dict[bytes, list[tuple[int, str]]] = {}

    def add(self, row: Row, number: int) -> None:
        """Add the row with this number."""
        if self._same:
            self._rows.setdefault(self._key(row), []).append((number, compared_text(row, self._questions)))

    def find(self, row: Row) -> tuple[int, float] | None:
        """Return the most similar row about the same passage with the same answer, if it is too similar, and its F1."""
        if not self._same:
            return None
        ours = tokens(compared_text(row, self._questions))
        best: tuple[int, float] | None = None
        for number, text in self._rows.get(self._key(row), ()):
            theirs = tokens(text)
            score = 2 * LCSseq.similarity(ours, theirs) / (len(ours) + len(theirs) or 1)
            if score > (best[1] if best is not None else MOST_ALIKE):
                best = number, score
        return best

    def _key(self, row: Row) -> bytes:
        values = [canonical(value) if isinstance(value := row.get(name), str) else value for name in self._same]
        return blake2b(json.dumps(values).encode(), digest_size=12).digest()
