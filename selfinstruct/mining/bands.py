"""Bands: numbers whose value decides a label, such as a score and its grade, or a load and how severe it is.

The numbers of each label are then within a band that no number of another label is in. A new number stays in the band
that its own label shows. A band that is there by chance costs a little variety, one that is overlooked costs truth: so
little evidence is enough, and none where the name of the label means a band (``grade``, ``risk``). The chance of such
bands, if the label were independent of the number, is that of a random order of the labels with all equal ones beside
each other.

A label may also follow from which of two numbers is the greater one (a price rises or falls): their order is kept.

Does not handle: labels that two numbers decide together in other ways.

>>> rows = [{"score": s, "grade": g} for s, g in ((93, "A"), (97, "A"), (91, "A"), (85, "B"), (81, "B"), (89, "B"))]
>>> Bands(rows).of(rows[0], ("score",))
('91', '93', '97')
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations, pairwise

from selfinstruct.mining.labels import BAND_NAMES
from selfinstruct.mining.leaf_texts import is_plain_number
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path, leaves
from selfinstruct.text import value_text

# Two rows of one label beside three of another are apart in a fifth of all orders, two beside two in a third.
_CHANCE = 0.4
# Of fewer rows, the sign of a difference shows nothing.
_LEAST_SIGNS = 4
_MOST_COMPARED = 12
_LABEL_CHARACTERS = 40


class Bands:
    """The bands that a set of rows shows.

    ``places`` are the numbers in the texts of each row, by a key of their place.
    """

    def __init__(self, rows: Sequence[Row], places: Sequence[Mapping[Hashable, str]] = ()) -> None:
        columns: dict[Hashable, dict[int, str]] = defaultdict(dict)
        for at, row in enumerate(rows):
            for leaf, value in leaves(row).items():
                columns[leaf][at] = value_text(value)
            for place, text in (places[at] if places else {}).items():
                columns[place][at] = text
        complete = {path: column for path, column in columns.items() if len(column) == len(rows)}
        labels = {
            path: column for path, column in complete.items() if _are_labels(column, is_band=_is_band(path, column))
        }
        numbers = {path: column for path, column in columns.items() if all(map(is_plain_number, column.values()))}
        self._signs = list(_signs(numbers, labels, len(rows)))
        self._bands: dict[Hashable, tuple[Hashable, Mapping[str, tuple[str, ...]]]] = {}
        for path, column in numbers.items() if labels else ():
            if path not in labels:
                found = (
                    (label, bands)
                    for label, texts in labels.items()
                    for bands in _bands(column, texts, is_band=_is_band(label, texts))
                )
                if (first := next(found, None)) is not None:
                    self._bands[path] = first

    def of(self, row: Row, place: Hashable) -> tuple[str, ...]:
        """The numbers that rows with this row's label have at a path or place, ascending; none if no label matters."""
        if place not in self._bands:
            return ()
        label, bands = self._bands[place]
        return bands.get(value_text(leaves(row).get(label)), ())  # type: ignore[call-overload]

    def orders(self, row: Row) -> Iterator[tuple[Path, Path]]:
        """The leaves of two numbers whose order decides a label of the row, the smaller one first."""
        found = leaves(row)
        for one, other in self._signs:
            if is_plain_number(first := value_text(found.get(one))) and is_plain_number(
                second := value_text(found.get(other))
            ):
                yield (one, other) if Decimal(first) <= Decimal(second) else (other, one)


def _is_band(path: Hashable, column: Mapping[int, str]) -> bool:
    """Whether the name of a leaf means that it is a band of a number, and its texts are single words."""
    name = path[-1] if isinstance(path, tuple) and path else ""
    return (
        isinstance(name, str)
        and BAND_NAMES.fullmatch(name) is not None
        and not any(each.isspace() for text in set(column.values()) for each in text)
    )


def _are_labels(column: Mapping[int, str], *, is_band: bool) -> bool:
    """Whether there are few different texts, no numbers; a band by name may be another one in every row."""
    kinds = set(column.values())
    short = all(0 < len(text) <= _LABEL_CHARACTERS and not is_plain_number(text) for text in kinds)
    return short and 2 <= len(kinds) <= (len(column) if is_band else len(column) * 2 // 3)


def _signs(
    numbers: Mapping[Hashable, Mapping[int, str]], labels: Mapping[Hashable, Mapping[int, str]], rows: int
) -> Iterator[tuple[Path, Path]]:
    """The leaves of two numbers whose order decides a label."""
    complete = [path for path, column in numbers.items() if path not in labels and len(column) == rows]
    if rows < _LEAST_SIGNS:
        return
    for one, other in combinations(complete[:_MOST_COMPARED], 2):
        pairs = [(Decimal(numbers[one][row]), Decimal(numbers[other][row])) for row in range(rows)]
        signs = [(first > second) - (first < second) for first, second in pairs]
        if {1, -1} <= set(signs) and any(_decides(signs, column) for column in labels.values()):
            yield one, other  # type: ignore[misc]  # both are paths, as places are in the texts of some rows only


def _decides(signs: Sequence[int], labels: Mapping[int, str]) -> bool:
    """Whether each label has one sign; and each sign one label, unless there are several."""
    seen = {(labels[row], sign) for row, sign in enumerate(signs)}
    return len(seen) == len(set(labels.values())) == len(set(signs))


def _bands(
    numbers: Mapping[int, str], labels: Mapping[int, str], *, is_band: bool
) -> Iterator[Mapping[str, tuple[str, ...]]]:
    """The numbers of each label, if these are bands and not by chance."""
    order = sorted((Decimal(text), text, labels[row]) for row, text in numbers.items())
    changes = sum(one[2] != other[2] for one, other in pairwise(order))
    bands: dict[str, list[str]] = defaultdict(list)
    for _, text, label in order:
        bands[label].append(text)
    edges = [(Decimal(values[0]), Decimal(values[-1])) for values in bands.values()]
    apart = all(one[1] < other[0] for one, other in pairwise(edges))
    sizes = [len(values) for values in bands.values()]
    ways = math.factorial(len(sizes)) * math.prod(map(math.factorial, sizes))
    likely = ways > _CHANCE * math.factorial(len(order))
    if changes == len(sizes) - 1 and apart and (is_band or not likely):
        yield {label: tuple(values) for label, values in bands.items()}
