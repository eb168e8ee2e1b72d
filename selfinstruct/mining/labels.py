"""Labels: those that exist, and the bands of numbers that they stand for."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from selfinstruct.mining.columns import Column, together
from selfinstruct.mining.significance import MAX_CHANCE, Evidence
from selfinstruct.recipe import Relation
from selfinstruct.text import value_text
from selfinstruct.values import number_of

#: Names of fields with few, fixed values.
LABEL_NAMES = re.compile(
    r"(?:.*[_-])?(?:label|type|kind|class|category|status|state|role|from|severity|level|sentiment|polarity|unit|method|"
    r"gender|sex|priority|tag|pos|currency|typ|klasse|art|statut|tipo|estado)|标签|类别|类型|状态|等级|级别|種類|状態",
    re.IGNORECASE,
)
#: Names of labels that stand for bands of a number, which make a smaller number of rows sufficient.
BAND_NAMES = re.compile(
    r"(?:.*[_-])?(?:grade|band|tier|level|risk|severity|size|group|rank|rating|note|stufe|niveau|grado)|等级|级别|等級|段階",
    re.IGNORECASE,
)
_SIZES = re.compile(
    r"score|point|mark|percent|size|weight|age|amount|value|length|height|punkte|gewicht|alter|nota|分|年龄|重量|点",
    re.IGNORECASE,
)
_MAX_NAMED = 0.0125
_MOST_LABELS = 20
_MOSTBAND_NAMES = 8
#: Each label is seen so often at least, and the least frequent a third as often as the average.
_LEAST_OF_EACH = 3
#: From this number of values on, a label that occurs once is doubtful if each of the others is a tenth of them.
_LEAST_FOR_ODD = 60
#: The chance that one more label, as frequent as these, was not seen.
_MOST_UNSEEN = 0.01
_LABEL_CHARACTERS = 40
#: In fewer rows, none is odd.
_LEAST_SPLIT = 20


def label_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the nested fields whose names say that they are labels, with their labels.

    Labels of whole rows are the categories of a recipe.
    """
    for column in columns:
        if len(column.pattern) < 2 or not column.is_text or column.is_prose or not LABEL_NAMES.fullmatch(column.name):
            continue
        counts = Counter(value_text(cell.value).strip() for cell in column.cells)
        total = sum(counts.values())
        odd = min(counts, key=lambda label: counts[label])
        if total >= _LEAST_FOR_ODD and counts[odd] == 1 and min(set(counts.values()) - {1}, default=0) >= total / 10:
            del counts[odd]
        if not 2 <= len(counts) <= _MOST_LABELS or max(map(len, counts)) > _LABEL_CHARACTERS:
            continue
        unseen = (1 - 1 / (len(counts) + 1)) ** total
        if min(counts.values()) >= max(_LEAST_OF_EACH, total / (3 * len(counts))) and unseen <= _MOST_UNSEEN:
            yield Relation(labels={column.path: tuple(sorted(counts))}), Evidence(total, total, total, unseen)


def band_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the labels of rows that follow a number: grades by score, sizes by weight.

    If label and number were independent, n numbers in k groups of given sizes would be in k separate bands in k! of
    n! / (n1! ... nk!) cases.
    """
    numbers = [column for column in columns if column.is_numeric and column.varies]
    labels = [column for column in columns if column.is_text and column.varies and not column.is_numeric]
    pairs = [(one, other) for one in labels for other in numbers if not one.depth and not other.depth]
    for label, number in pairs:
        kinds = Counter(value_text(cell.value).strip() for cell in label.cells)
        if (
            not 2 <= len(kinds) <= _MOSTBAND_NAMES
            or max(map(len, kinds)) > _LABEL_CHARACTERS
            or min(kinds.values()) < 2
        ):
            continue
        values, _ = together((label, number))
        bands: dict[str, list[float]] = {}
        for one, other in values:
            if (size := number_of(other)) is not None:
                bands.setdefault(value_text(one).strip(), []).append(float(size))
        ordered = _separate(bands)
        if len(ordered) < 2:
            continue
        # Equal numbers are one observation.
        sizes = [len(set(each)) for each in bands.values()]
        total = sum(sizes)
        logarithm = math.lgamma(len(bands) + 1) + sum(math.lgamma(size + 1) for size in sizes) - math.lgamma(total + 1)
        is_named = BAND_NAMES.fullmatch(label.name) is not None and _SIZES.search(number.name) is not None
        chance = min(1.0, math.exp(logarithm) * (1 if is_named else len(pairs)))
        evidence = Evidence(len(values), len(values), total, chance)
        if chance < (_MAX_NAMED if is_named else MAX_CHANCE):
            limits: dict[str, tuple[int | float, ...]] = {
                name: (_plain(low), _plain(high)) for low, high, name in ordered
            }
            yield Relation(bands=(label.path, number.path), limits=limits), evidence


def _separate(bands: dict[str, list[float]]) -> list[tuple[float, float, str]]:
    """Return the limits of each label in ascending order; none if they overlap even without one odd row.

    The odd row is removed from ``bands``.
    """
    ordered = _limits(bands)
    if ordered or sum(map(len, bands.values())) < _LEAST_SPLIT:
        return ordered
    for name, sizes in bands.items():
        for odd in (min(sizes), max(sizes)) if len(sizes) > 2 else ():
            fewer = sizes.copy()
            fewer.remove(odd)
            if without := _limits({**bands, name: fewer}):
                sizes.remove(odd)
                return without
    return []


def _limits(bands: dict[str, list[float]]) -> list[tuple[float, float, str]]:
    ordered = sorted((min(sizes), max(sizes), name) for name, sizes in bands.items())
    return [] if any(low[1] >= high[0] for low, high in pairwise(ordered)) else ordered


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) else number
