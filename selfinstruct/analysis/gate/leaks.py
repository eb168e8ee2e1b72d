"""``holdout``: a row about the same context as a row of a file that it is checked against.

Such a row asks another question, so it is no duplicate; but a model that was trained on it has read the text that a
test asks about. The context is the field that others are spans of.

Does not handle: duplicates and near-duplicates of these rows, which have reasons of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from selfinstruct.analysis.gate.fingerprint import digest
from selfinstruct.analysis.gate.found import Found
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.rows.leaves import leaf_text

#: Shorter texts are the same by chance.
_LEAST_CHARACTERS = 24


class Contexts:
    """The contexts of rows that must not be met again, each with the place of its first row."""

    def __init__(self, recipe: Recipe) -> None:
        self._fields = tuple(dict.fromkeys(each.appears_in for each in recipe.fields.values() if each.appears_in))
        self._places: dict[bytes, tuple[str, int]] = {}

    def add(self, row: Row, file: str, line: int) -> None:
        """Add a row of the other file."""
        for name in self._fields:
            if (key := _key(row, name)) is not None:
                self._places.setdefault(key, (file, line))

    def find(self, row: Row) -> Iterator[Found]:
        """Each context of a row that the other files contain."""
        if not self._places:
            return
        for name in self._fields:
            key = _key(row, name)
            if key is not None and (place := self._places.get(key)) is not None:
                message = Phrase("{field} is that of a row to keep apart, which asks something else", field=name)
                yield Found("holdout", name, message, {"file": place[0], "line": place[1]})


def _key(row: Row, name: str) -> bytes | None:
    value = row.get(name)
    return digest([name, value]) if len(leaf_text(value)) >= _LEAST_CHARACTERS else None
