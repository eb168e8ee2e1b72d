"""``empty``: a blank text."""

from __future__ import annotations

from selfinstruct.messages import Phrase
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Rejection, Row


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject a blank string, unless the field allows it with ``min_chars = 0``.

    A string of invisible characters, such as zero-width spaces, is blank too.
    """
    value = row[name]
    if not isinstance(value, str) or constraints.min_chars == 0 or _has_visible_character(value):
        return None
    return Rejection("empty", Phrase("{name} is blank" if value else "{name} is empty", name=name))


def _has_visible_character(text: str) -> bool:
    return any(character.isprintable() and not character.isspace() for character in text)
