"""Fields that are unique by construction: ids and row numbers.

A leaf is one if its values differ in all rows and end in a number with the same prefix, and either its name says so
(``id``, ``Nr.``) or the numbers count the rows from 0 or 1.

Does not handle: ids without a number (random letters, UUIDs), which are values of their own kind.

>>> sorted(unique_paths([{"id": "c1", "n": 4}, {"id": "c2", "n": 9}]))
[('id',)]
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from selfinstruct.mining.leaf_texts import leaf_texts
from selfinstruct.mining.serial_numbers import last_number
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path

_NAME = re.compile(
    r"(?:^|[_\W])(?:id|ids|uid|nr|no|num|number|nummer|index|idx|ref|key)\W*$|[a-z]I[Dd]$|[编序]号$|^$", re.IGNORECASE
)
# Counting numbers of fewer rows may agree by chance.
_LEAST_COUNTED = 3


def unique_paths(rows: Sequence[Row], fixed: Collection[str] = ()) -> frozenset[Path]:
    """Return the paths of the leaves outside lists that are unique by construction."""
    if len(rows) < 2:
        return frozenset()
    texts = [leaf_texts(row, fixed) for row in rows]
    shared = [path for path in texts[0] if all(isinstance(step, str) for step in path)]
    return frozenset(path for path in shared if _is_unique(path, [each.get(path, "") for each in texts]))


def _is_unique(path: Path, values: Sequence[str]) -> bool:
    if any(len(value) > 64 or any(map(str.isspace, value)) for value in values) or len(set(values)) < len(values):
        return False
    places = [last_number(value) for value in values]
    numbers = [value[start:end] for value, (start, end) in zip(values, places, strict=True)]
    around = {
        (re.sub(r"\d", "0", value[:start]), value[end:]) for value, (start, end) in zip(values, places, strict=True)
    }
    if not all(numbers) or len(around) > 1 or any(value.startswith("-") for value in values):
        return False
    counted = [int(number) for number in numbers]
    steps = {after - before for before, after in pairwise(counted)}
    in_order = steps == {1} and counted[0] in (0, 1) and len(values) >= _LEAST_COUNTED
    return in_order or _NAME.search(str(path[-1])) is not None
