"""``length``: a text shorter or longer than the recipe allows, in characters or in words."""

from __future__ import annotations

from selfinstruct.messages import Phrase
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Rejection, Row
from selfinstruct.text import is_unspaced, tokens


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject a string with fewer code points or words than the minimum, or more than the maximum."""
    value = row[name]
    if not isinstance(value, str):
        return None
    rejection = _outside(name, len(value), "characters", constraints.min_chars, constraints.max_chars)
    if rejection is None and (constraints.min_words is not None or constraints.max_words is not None):
        rejection = _outside(name, count_words(value), "words", constraints.min_words, constraints.max_words)
    return rejection


def count_words(text: str) -> int:
    """Return the number of words of a text: the pieces between white space.

    In scripts without spaces every character counts as a word.

    >>> count_words("It's a well-known fact."), count_words("乾卦 is 元亨")
    (4, 5)
    """
    if text.isascii():
        return len(text.split())
    return sum(len(tokens(piece)) if any(map(is_unspaced, piece)) else 1 for piece in text.split())


def _outside(name: str, count: int, unit: str, least: int | None, most: int | None) -> Rejection | None:
    if least is not None and count < least:
        return Rejection(
            "length",
            Phrase(
                "{name} has {count} {unit}, fewer than {least}", name=name, count=count, unit=Phrase(unit), least=least
            ),
        )
    if most is not None and count > most:
        return Rejection(
            "length",
            Phrase("{name} has {count} {unit}, more than {most}", name=name, count=count, unit=Phrase(unit), most=most),
        )
    return None
