"""``empty``: a text that says nothing."""

from __future__ import annotations

from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Rejection, Row


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Refuse a blank string, unless the field allows it with ``min_chars = 0``.

    Blank is also what holds only characters that cannot be seen, such as zero-width spaces.
    """
    value = row[name]
    if not isinstance(value, str) or constraints.min_chars == 0 or _says_something(value):
        return None
    return Rejection("empty", f"{name} is {'blank' if value else 'empty'}")


def _says_something(text: str) -> bool:
    return any(character.isprintable() and not character.isspace() for character in text)
