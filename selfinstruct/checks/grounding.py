"""``ungrounded``: a value that is no span of the field that it must come from.

Does not handle: items of an array one by one; an array is grounded where its JSON text stands in the context.

>>> find("MASSE 4", "Die Maße 4 und 5", "casefold")
(4, 10)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from selfinstruct.recipe import Field
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.text import find_span, is_bound, value_text

_UNIT = re.compile(r"\s+|\S")
_INSIDE = -1


def check(row: Row, name: str, field: Field) -> Rejection | None:
    """Refuse a value that is not a token-bounded span of the field named by ``appears_in``."""
    if field.appears_in is None or find(row[name], row[field.appears_in], field.match):
        return None
    shown = json.dumps(row[name], ensure_ascii=False)
    return Rejection("ungrounded", f"{name} {shown[:80]} does not occur in {field.appears_in}")


def spans(row: Row, fields: Mapping[str, Field]) -> dict[str, tuple[int, int]]:
    """For each grounded field of a row that passed, the [start, end) code points of its value in its context."""
    found = {}
    for name, field in fields.items():
        if field.appears_in is not None and (span := find(row[name], row[field.appears_in], field.match)):
            found[name] = span
    return found


def find(value: JSON, context: JSON, match: str) -> tuple[int, int] | None:
    """The first token-bounded place of a value in its context, as [start, end) code points of the context.

    ``match`` is ``exact``, ``casefold`` (Unicode full case folding) or ``whitespace`` (any run of white space is
    as good as any other, and the value's ends are trimmed). What is not text is compared as JSON text.
    """
    needle, text = value_text(value), value_text(context)
    if match == "exact":
        return find_span(needle, text)
    if match == "casefold":
        return _find_folded(needle.casefold(), text, enumerate(character.casefold() for character in text))
    units = ((unit.start(), " " if unit[0].isspace() else unit[0]) for unit in _UNIT.finditer(text))
    return _find_folded(" ".join(needle.split()), text, units)


def _find_folded(needle: str, text: str, units: Iterable[tuple[int, str]]) -> tuple[int, int] | None:
    """The first place in ``text`` whose folding is ``needle``; ``units`` are the folded pieces with their starts.

    A piece may fold to more characters than it has (ß to ss) or to fewer (a run of spaces to one), so each folded
    character keeps where its piece begins, and a place may not begin or end inside a piece.
    """
    if not needle:
        return None
    folded, starts = [], []
    for start, piece in units:
        folded.append(piece)
        starts.append(start)
        starts.extend([_INSIDE] * (len(piece) - 1))
    starts.append(len(text))
    haystack = "".join(folded)
    at = haystack.find(needle)
    while at >= 0:
        start, end = starts[at], starts[at + len(needle)]
        if _INSIDE not in (start, end) and is_bound(text, start) and is_bound(text, end):
            return start, end
        at = haystack.find(needle, at + 1)
    return None
