"""Bands: columns of numbers whose value decides a label, such as a score and its grade.

The numbers of each label are then within a band that no number of another label is in. A new number stays in the band
that its own label shows. The chance of such bands, if the label were independent of the number, is that of a random
order of the labels with all equal ones beside each other.

Does not handle: labels that two numbers decide together.

>>> rows = [{"score": s, "grade": g} for s, g in ((93, "A"), (97, "A"), (91, "A"), (85, "B"), (81, "B"), (89, "B"))]
>>> Bands(rows).of(rows[0], ("score",))
('91', '93', '97')
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from selfinstruct.mining.leaf_texts import is_plain_number
from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import Path, leaves
from selfinstruct.text import value_text

_CHANCE = 0.02
_LABEL_CHARACTERS = 40


class Bands:
    """The bands that a set of rows shows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        columns: dict[Path, list[JSON]] = defaultdict(list)
        for row in rows:
            for path, value in leaves(row).items():
                columns[path].append(value)
        whole = {path: list(map(value_text, values)) for path, values in columns.items() if len(values) == len(rows)}
        labels = {path: texts for path, texts in whole.items() if _are_labels(texts)}
        self._bands: dict[Path, tuple[Path, Mapping[str, tuple[str, ...]]]] = {}
        for path, texts in whole.items():
            if labels and path not in labels and all(map(is_plain_number, texts)):
                found = next(((label, bands) for label in labels for bands in _bands(texts, labels[label])), None)
                if found is not None:
                    self._bands[path] = found

    def of(self, row: Row, path: Path) -> tuple[str, ...]:
        """The numbers that rows with this row's label have at ``path``, ascending; none if no label depends on them."""
        if path not in self._bands:
            return ()
        label, bands = self._bands[path]
        return bands.get(value_text(leaves(row).get(label)), ())


def _are_labels(texts: Sequence[str]) -> bool:
    """Whether there are few different texts, no numbers, each in several rows on average."""
    kinds = set(texts)
    short = all(0 < len(text) <= _LABEL_CHARACTERS and not is_plain_number(text) for text in kinds)
    return short and 2 <= len(kinds) <= len(texts) // 2


def _bands(numbers: Sequence[str], labels: Sequence[str]) -> Iterator[Mapping[str, tuple[str, ...]]]:
    """The numbers of each label, if these are bands and not by chance."""
    order = sorted(zip(map(Decimal, numbers), numbers, labels, strict=True))
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
