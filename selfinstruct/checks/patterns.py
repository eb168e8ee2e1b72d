"""``schema`` and ``blocked``: a text that does not match a required pattern, or matches a refused one."""

from __future__ import annotations

import re

from selfinstruct.messages import Phrase
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Rejection, Row

#: Longer texts are not matched: some expressions take time that grows with the square of the length.
MOST_CHARACTERS = 20_000


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject a string that ``pattern`` does not match as a whole, or in which one of ``refuse`` matches."""
    value = row[name]
    if not isinstance(value, str):
        return None
    if len(value) > MOST_CHARACTERS:
        message = Phrase(
            "{name} has {count} characters; patterns are checked on at most {most}",
            name=name,
            count=len(value),
            most=MOST_CHARACTERS,
        )
        return Rejection("schema" if constraints.pattern is not None else "blocked", message)
    if constraints.pattern is not None and re.fullmatch(constraints.pattern, value) is None:
        return Rejection(
            "schema", Phrase("{name} does not match {pattern}", name=name, pattern=constraints.pattern[:80])
        )
    for pattern in constraints.refuse:
        if (found := re.search(pattern, value)) is not None:
            text = found[0][:80]
            return Rejection(
                "blocked",
                Phrase(
                    "{name} matches the refused pattern {pattern}: {text!r}"
                    if text
                    else "{name} matches the refused pattern {pattern}",
                    name=name,
                    pattern=pattern[:80],
                    text=text,
                ),
            )
    return None
