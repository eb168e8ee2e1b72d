"""Keys that only some rows have: optional ones, and those that are missing or unknown by mistake.

A key is optional if at least two rows have it, and at least two and more than a tenth of the rows lack it. A key that
fewer rows lack is missing there by mistake, and so is one that is written in another way.

>>> optional_keys([{"q": 1}, {"q": 2, "note": 3}, {"q": 4}, {"q": 5, "note": 6}])
frozenset({'note'})
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from selfinstruct.records import Row

#: The keys of rows, in the order in which they are written, with the number of these rows; first met first.
Shapes: TypeAlias = Mapping[tuple[str, ...], int]
_LEAST = 2
_SHARE = 0.1


def shapes_of(rows: Iterable[Row]) -> Counter[tuple[str, ...]]:
    """The shapes of rows."""
    return Counter(map(tuple, rows))


def optional_keys(rows: Sequence[Row], given: Collection[str] = ()) -> frozenset[str]:
    """Return the keys that are optional by the rule above, and those ``given``; none if no other key is left."""
    return optional_of(shapes_of(rows), given)


def optional_of(shapes: Shapes, given: Collection[str] = ()) -> frozenset[str]:
    """The ``optional_keys`` of rows of these shapes."""
    rows, counts = sum(shapes.values()), _counted(shapes)
    some = [
        key
        for key, present in counts.items()
        if present >= _LEAST and rows - present >= _LEAST and rows - present > _SHARE * rows
    ]
    misspelled = {key for pair in _spellings(shapes, [key for key in some if key not in given]) for key in pair}
    found = frozenset(key for key in some if key not in misspelled) | frozenset(given)
    return found if any(present == rows for key, present in counts.items() if key not in found) else frozenset()


def odd_rows(rows: Sequence[Row], optional: Collection[str]) -> Iterator[tuple[int, list[str], list[str]]]:
    """The positions of the rows that lack a key which most rows have, or have one which most lack, with both keys.

    Keys in ``optional`` are neither.
    """
    odd = odd_shapes(shapes_of(rows), optional)
    for at, row in enumerate(rows) if odd else ():
        if (found := odd.get(tuple(row))) is not None:
            yield at, *found


def odd_shapes(shapes: Shapes, optional: Collection[str]) -> dict[tuple[str, ...], tuple[list[str], list[str]]]:
    """The shapes of ``odd_rows``, with the keys that are missing and those that are unknown."""
    rows, counts = sum(shapes.values()), _counted(shapes)
    first = next(iter(shapes), ())
    wanted = [
        key
        for key, present in counts.items()
        if key not in optional and (2 * present > rows or (2 * present == rows and key in first))
    ]
    known = {*wanted, *optional}
    odd = {}
    for shape in shapes:
        missing = [key for key in wanted if key not in shape]
        unknown = [key for key in shape if key not in known]
        if missing or unknown:
            odd[shape] = missing, unknown
    return odd


def _counted(shapes: Shapes) -> Counter[str]:
    """The number of rows that have each key."""
    counts = Counter[str]()
    for shape, rows in shapes.items():
        for key in shape:
            counts[key] += rows
    return counts


def _spellings(shapes: Shapes, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The pairs of keys of which every row has exactly one, and which look alike."""
    import difflib

    for one, other in combinations(keys, 2):
        alike = difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio() >= 0.6
        if alike and all((one in shape) != (other in shape) for shape in shapes):
            yield one, other
