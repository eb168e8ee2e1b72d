"""Fields with names whose initials other fields contain: Anna Weber, AW-1987.

Does not handle: initials of more than the first and the last name.

>>> people = [("Anna Weber", "AW-1987"), ("Ben Kurz", "BK-1991"), ("Cara Lang", "CL-1979")]
>>> fields_of_initials([{"name": name, "code": code} for name, code in people])
frozenset({'name'})
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selfinstruct.records import Row

_LETTERS = re.compile(r"[^\W\d_]+")
_NAME = re.compile(r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){1,3}")
_LEAST_ROWS = 3
_LONGEST_CODE = 24
# Of more rows, the first ones are looked at.
_MOST_ROWS = 100


def fields_of_initials(rows: Sequence[Row]) -> frozenset[str]:
    """The fields with a first and a last name, whose initials are a part of another field in every row."""
    sample = rows[:_MOST_ROWS]
    if len(sample) < _LEAST_ROWS:
        return frozenset()
    shared = [name for name in sample[0] if all(isinstance(row.get(name), str) for row in sample)]
    names = [name for name in shared if all(_NAME.fullmatch(str(row[name])) for row in sample)]
    codes = [
        name
        for name in shared
        if not any(" " in str(row[name]) or len(str(row[name])) > _LONGEST_CODE for row in sample)
    ]
    return frozenset(
        name
        for name in names
        if any(all(_initials(str(row[name])) in _runs(str(row[code])) for row in sample) for code in codes)
    )


def _initials(name: str) -> str:
    words = name.split()
    return (words[0][0] + words[-1][0]).casefold()


def _runs(code: str) -> list[str]:
    return [run.casefold() for run in _LETTERS.findall(code)]
