"""``label``: a value that is none of those that it may be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from selfinstruct.messages import Phrase
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.text import caseless, value_text

_LETTER = re.compile(r"\(?(?:[A-Za-z]|\d{1,2})[.):]\s*|[-*\u2022]\s+")
_BETWEEN = (re.compile("[;\uff1b]"), re.compile("[,\uff0c\u3001]"))


def check(row: Row, name: str, constraints: Constraints) -> Rejection | None:
    """Reject a value that is none of ``one_of``, or none of the choices in the field named by ``choice_of``.

    Compared are their texts (``value_text``), letter case and blanks around them aside.
    """
    said = caseless(row[name])
    if constraints.one_of and said not in _all_folded(constraints.one_of):
        return Rejection(
            "label",
            Phrase(
                "{name} {row} is not one of the {one_of} allowed values",
                name=name,
                row=_shown(row[name]),
                one_of=len(constraints.one_of),
            ),
        )
    if constraints.choice_of is not None and said not in _all_folded(choices(row[constraints.choice_of])):
        return Rejection(
            "label",
            Phrase(
                "{name} {row} is not one of the choices in {choice_of}",
                name=name,
                row=_shown(row[name]),
                choice_of=constraints.choice_of,
            ),
        )
    return None


def choices(value: JSON) -> list[JSON]:
    """What there is to choose from: the items of a list; of a text its lines, else what marks part.

    Of a choice with a letter, a number or a bullet before it, both readings count.

    >>> choices("A) red, B) green")
    ['A) red', 'red', 'B) green', 'green']
    """
    every: list[JSON] = []
    for part in value if isinstance(value, list) else _parts(value_text(value)):
        every.append(part)
        if isinstance(part, str) and (letter := _LETTER.match(part)) is not None and letter.end() < len(part):
            every.append(part[letter.end() :])
    return every


def _parts(text: str) -> list[str]:
    parts = text.strip().splitlines()
    for mark in _BETWEEN:
        if len(parts) <= 1:
            parts = mark.split(text)
    return [part.strip() for part in parts if part.strip()]


def _all_folded(values: Iterable[JSON]) -> set[str]:
    return set(map(caseless, values))


def _shown(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]
