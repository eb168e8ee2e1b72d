"""Keys that only some rows have: optional ones, and those that are missing or unknown by mistake.

A key is optional if at least two rows have it, and at least two and more than a tenth of the rows lack it. A key that
fewer rows lack is missing there by mistake, and so is one that is written in another way.

>>> optional_keys([{"q": 1}, {"q": 2, "note": 3}, {"q": 4}, {"q": 5, "note": 6}])
frozenset({'note'})
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

from selfinstruct.records import Row

_LEAST = 2
_SHARE = 0.1


def optional_keys(rows: Sequence[Row], given: Collection[str] = ()) -> frozenset[str]:
    """Return the keys that are optional by the rule above, and those ``given``; none if no other key is left."""
    counts = Counter(key for row in rows for key in row)
    some = [
        key
        for key, present in counts.items()
        if present >= _LEAST and len(rows) - present >= _LEAST and len(rows) - present > _SHARE * len(rows)
    ]
    misspelled = {key for pair in _spellings(rows, [key for key in some if key not in given]) for key in pair}
    found = frozenset(key for key in some if key not in misspelled) | frozenset(given)
    return found if any(present == len(rows) for key, present in counts.items() if key not in found) else frozenset()


def odd_rows(rows: Sequence[Row], optional: Collection[str]) -> Iterator[tuple[int, list[str], list[str]]]:
    """The positions of the rows that lack a key which most rows have, or have one which most lack, with both keys.

    Keys in ``optional`` are neither.
    """
    counts = Counter(key for row in rows for key in row)
    first = rows[0] if rows else {}
    wanted = [
        key
        for key, present in counts.items()
        if key not in optional and (2 * present > len(rows) or (2 * present == len(rows) and key in first))
    ]
    known = {*wanted, *optional}
    for at, row in enumerate(rows):
        missing = [key for key in wanted if key not in row]
        unknown = [key for key in row if key not in known]
        if missing or unknown:
            yield at, missing, unknown


def _spellings(rows: Sequence[Row], keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The pairs of keys of which every row has exactly one, and which look alike."""
    import difflib

    for one, other in combinations(keys, 2):
        alike = difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio() >= 0.6
        if alike and all((one in row) != (other in row) for row in rows):
            yield one, other
