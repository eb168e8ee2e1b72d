"""``schema`` and ``blocked``: a text that is not as a regular expression says, or as one says that it must not be."""

from __future__ import annotations

import re

from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Rejection, Row

#: Expressions are tried on no longer text: some take time that grows with the square of its length.
MOST_CHARACTERS = 20_000


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Refuse a string that ``pattern`` does not match as a whole, or in which one of ``refuse`` is found."""
    value = row[name]
    if not isinstance(value, str):
        return None
    if len(value) > MOST_CHARACTERS:
        message = f"{name} has {len(value)} characters; patterns are checked on at most {MOST_CHARACTERS}"
        return Rejection("schema" if constraints.pattern is not None else "blocked", message)
    if constraints.pattern is not None and re.fullmatch(constraints.pattern, value) is None:
        return Rejection("schema", f"{name} does not match {constraints.pattern[:80]}")
    for pattern in constraints.refuse:
        if (found := re.search(pattern, value)) is not None:
            shown = f": {found[0][:80]!r}" if found[0] else ""
            return Rejection("blocked", f"{name} matches the refused pattern {pattern[:80]}{shown}")
    return None
