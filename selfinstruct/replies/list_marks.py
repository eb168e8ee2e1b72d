"""Numbers and bullets that a model puts in front of its rows, inside their values; pure.

They are list marks only if all rows of a reply carry them, and numbers only if they are consecutive.

>>> without_list_marks([{"q": "1. Who?"}, {"q": "2. Where?"}], ["q"])[0]
[{'q': 'Who?'}, {'q': 'Where?'}]
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from selfinstruct.records import JSON, Row

_NUMBER = re.compile(
    r"\s*(?:[*_]{0,2}(?:(?:q|question|row|item|example|record|no\.?|#|问题|问|第)\s?)?"
    r"(?:[(（\[]?(\d{1,4})(?:[.)\]:](?=[\s*_])|[.:](?=[^\W\d_])|[)、．）：】]|\s?[题条行问个][.:：、]?)|([①-⑳]))[*_]{0,2})\s*",
    re.IGNORECASE,
)
_BULLET = re.compile(r"\s*([-*•·‣–])\s+")
_FIRST_CIRCLED = ord("①") - 1


def has_list_mark(text: str) -> bool:
    """Whether a text begins with a number or a bullet of a list."""
    return _NUMBER.match(text) is not None or _BULLET.match(text) is not None


def without_list_marks(
    rows: Sequence[Row | None], fields: Collection[str], kept: Collection[str] = ()
) -> tuple[list[Row | None], bool]:
    """Return the rows of one reply without list marks, and whether there were any.

    None stands for a row that could not be read. Marks are looked for in the texts of ``fields``, except those in
    ``kept``, and in keys beside the fields, whose values only count the rows: these keys are removed.
    """
    read = [(at, row) for at, row in enumerate(rows) if row is not None]
    if len(read) < 2:
        return list(rows), False
    changed = {at: dict(row) for at, row in read}
    found = False
    for name in read[0][1]:
        values = [(at, row.get(name)) for at, row in read]
        if name not in fields:
            if _counts(values):
                found = True
                for row in changed.values():
                    del row[name]
        elif name not in kept and (texts := _unmarked(values)):
            found = True
            for at, text in texts.items():
                changed[at][name] = text
    return [changed.get(at) for at in range(len(rows))] if found else list(rows), found


def _counts(values: Sequence[tuple[int, JSON]]) -> bool:
    """Whether the values of a key are the numbers of the rows, from 0 or 1."""
    numbers = []
    for at, value in values:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
            value = int(value)
        if type(value) is not int:
            return False
        numbers.append(value - at)
    return len(set(numbers)) == 1 and numbers[0] in (0, 1)


def _unmarked(values: Sequence[tuple[int, JSON]]) -> dict[int, str]:
    """Return the texts of one field without their marks; empty unless all have one, of the same kind."""
    texts: dict[int, str] = {}
    marks = set()
    for at, value in values:
        if not isinstance(value, str):
            return {}
        mark = _NUMBER.match(value) or _BULLET.match(value)
        if mark is None or not value[mark.end() :].strip():
            return {}
        texts[at] = value[mark.end() :]
        if mark.re is _BULLET:
            marks.add(mark[1])
        else:
            marks.add(int(mark[1]) - at if mark[1] else ord(mark[2]) - _FIRST_CIRCLED - at)
        if len(marks) > 1:
            return {}
    return texts
