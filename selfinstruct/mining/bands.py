"""Bands: numbers whose value decides a label, such as a score and its grade, or a load and how severe it is.

The numbers of each label are then within a band that no number of another label is in. A new number stays in the band
that its own label shows. A band that is there by chance costs a little variety, one that is overlooked costs truth: so
little evidence is enough. The chance of such bands, if the label were independent of the number, is that of a random
order of the labels with all equal ones beside each other.

Does not handle: labels that two numbers decide together.

>>> rows = [{"score": s, "grade": g} for s, g in ((93, "A"), (97, "A"), (91, "A"), (85, "B"), (81, "B"), (89, "B"))]
>>> Bands(rows).of(rows[0], ("score",))
('91', '93', '97')
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from selfinstruct.mining.leaf_texts import is_plain_number
from selfinstruct.records import Row
from selfinstruct.rows.leaves import leaves
from selfinstruct.text import value_text

# Two rows of one label beside three of another are apart in a fifth of all orders.
_CHANCE = 0.3
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
        labels = {path: column for path, column in columns.items() if len(column) == len(rows) and _are_labels(column)}
        self._bands: dict[Hashable, tuple[Hashable, Mapping[str, tuple[str, ...]]]] = {}
        for path, column in columns.items():
            if labels and path not in labels and all(map(is_plain_number, column.values())):
                found = next(((label, bands) for label in labels for bands in _bands(column, labels[label])), None)
                if found is not None:
                    self._bands[path] = found

    def of(self, row: Row, place: Hashable) -> tuple[str, ...]:
        """The numbers that rows with this row's label have at a path or place, ascending; none if no label matters."""
        if place not in self._bands:
            return ()
        label, bands = self._bands[place]
        return bands.get(value_text(leaves(row).get(label)), ())  # type: ignore[call-overload]


def _are_labels(column: Mapping[int, str]) -> bool:
    """Whether there are few different texts, no numbers, each in several rows on average."""
    kinds = set(column.values())
    short = all(0 < len(text) <= _LABEL_CHARACTERS and not is_plain_number(text) for text in kinds)
    return short and 2 <= len(kinds) <= len(column) // 2


def _bands(numbers: Mapping[int, str], labels: Mapping[int, str]) -> Iterator[Mapping[str, tuple[str, ...]]]:
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
    if changes == len(sizes) - 1 and apart and ways <= _CHANCE * math.factorial(len(order)):
        yield {label: tuple(values) for label, values in bands.items()}
