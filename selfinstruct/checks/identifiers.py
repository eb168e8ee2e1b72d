"""``identifiers``: a number or a name that the context does not contain, also inside lists and objects."""

from __future__ import annotations

import re

from selfinstruct.messages import Phrase
from selfinstruct.mining import split_words
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Rejection, Row
from selfinstruct.rows.leaves import leaf_text
from selfinstruct.text import canonical, find_span

_DIGIT = re.compile(r"\d")
# Marks that a piece may carry at its ends without being part of the name: "#12", "7%", "/var/log2/".
_LEADING = "#~&*$%"
_TRAILING = _LEADING + "/"


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject a field with a digit-bearing token that does not occur in the field named by ``identifiers_in``."""
    if constraints.identifiers_in is None:
        return None
    context = leaf_text(row[constraints.identifiers_in])
    for token in identifiers(canonical(leaf_text(row[name]))):
        if find_span(token, context) is None:
            return Rejection(
                "identifiers",
                Phrase(
                    "{name} contains {token}, which does not occur in {identifiers_in}",
                    name=name,
                    token=token[:80],
                    identifiers_in=constraints.identifiers_in,
                ),
            )
    return None


def identifiers(text: str) -> list[str]:
    """The digit-bearing tokens of a text, in order, without the marks around them.

    >>> identifiers("Why did task 28.0 (of rdd_42_18) stop after 7%?")
    ['28.0', 'rdd_42_18', '7']
    """
    if not _DIGIT.search(text):
        return []
    return [piece.lstrip(_LEADING).rstrip(_TRAILING) for piece in split_words(text) if _DIGIT.search(piece)]
