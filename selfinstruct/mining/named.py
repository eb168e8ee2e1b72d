"""Relations that the names of fields suggest: options that differ, keys of options, ranges, starts and ends.

A name is evidence that chance is not: these need no test of chance, but must hold in every seed that has the values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations

from selfinstruct.mining.columns import Column
from selfinstruct.mining.significance import MIN_SUPPORT
from selfinstruct.recipe import Relation
from selfinstruct.values import number_of

#: Fields whose values are alternatives to each other.
_OPPOSITES = (
    {"chosen", "rejected"},
    {"correct", "incorrect"},
    {"positive", "negative"},
    {"accepted", "rejected"},
    {"better", "worse"},
    {"winner", "loser"},
)
_OPTIONS = re.compile(r"(?:option|choice|distractor|opt|candidate|alternative)s?", re.IGNORECASE)
_NUMBERED_OPTION = re.compile(r"(option|choice|distractor|opt|candidate|alternative)[_ -]?([a-h]|\d)", re.IGNORECASE)
_KEYS = {"answer", "label", "correct", "gold", "solution", "key", "target", "ans", "cop"}
_ENDS = (
    ("start", "end"),
    ("start", "stop"),
    ("begin", "end"),
    ("from", "to"),
    ("min", "max"),
    *((low, middle) for low in ("min", "minimum") for middle in ("mean", "median", "avg", "average")),
    *((middle, high) for middle in ("mean", "median", "avg", "average") for high in ("max", "maximum")),
    ("minimum", "maximum"),
    ("low", "high"),
    ("lower", "upper"),
    ("first", "last"),
    ("opened", "closed"),
    ("created", "updated"),
    ("checkin", "checkout"),
    ("departure", "arrival"),
    ("birth", "death"),
    ("born", "died"),
    ("open", "high"),
    ("close", "high"),
    ("low", "open"),
    ("low", "close"),
)
#: The bounds of whole numbers and others whose names mean a kind.
_RANGES: dict[str, tuple[float, float]] = {
    "age": (0, 120),
    "percent": (0, 100),
    "percentage": (0, 100),
    "pct": (0, 100),
    "port": (0, 65535),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
    "probability": (0, 1),
    "confidence": (0, 1),
    "lat": (-90, 90),
    "latitude": (-90, 90),
    "lon": (-180, 180),
    "lng": (-180, 180),
    "longitude": (-180, 180),
    "celsius": (-273.15, math.inf),
    "kelvin": (0, math.inf),
    **dict.fromkeys(("alter", "edad", "年龄", "年齢"), (0, 120)),
    **dict.fromkeys(("prozent", "百分比"), (0, 100)),
    **dict.fromkeys(("端口", "ポート"), (0, 65535)),
    **dict.fromkeys(("monat", "月份"), (1, 12)),
}
#: Names of numbers that are never negative; those of whole things are never a fraction of one.
_COUNTED_NAMES = """
    count quantity qty number nights days weeks pages seats votes voters clicks views likes downloads goals bytes items
    pieces stock copies passengers guests rooms employees people population anzahl stück seiten nächte cantidad quantité
    nombre 数量 人数 件数 个数 页数
"""
_MEASURED_NAMES = """
    hours minutes seconds duration length width height depth weight size price distance area volume speed opening
    closing received issued cost menge preis gewicht länge breite höhe dauer precio peso prix poids
    价格 单价 重量 长度 面积 時間
"""
_COUNTED, _MEASURED = frozenset(_COUNTED_NAMES.split()), frozenset(_MEASURED_NAMES.split())
#: Of this number of values, one may be odd.
_LEAST_FOR_ODD = 20
#: Years may be this far from those of the seeds, and at least twice as far as these are from each other.
_YEARS = 50


def option_groups(columns: Sequence[Column]) -> Iterator[tuple[Column, ...]]:
    """Yield columns with names of options: A, B, C; option_a, option_b; chosen, rejected; options[*]."""
    scalars = [column for column in columns if not column.depth]
    by_name = {column.name.lower(): column for column in scalars}
    for first, second in (sorted(pair) for pair in _OPPOSITES):
        if first in by_name and second in by_name:
            yield by_name[first], by_name[second]
    letters = [column for column in scalars if re.fullmatch("[A-H]", column.name)]
    if len(letters) >= 2 and [column.name for column in letters] == list("ABCDEFGH")[: len(letters)]:
        yield tuple(letters)
    stems: dict[str, list[Column]] = {}
    for column in scalars:
        if found := _NUMBERED_OPTION.fullmatch(column.name):
            stems.setdefault(found[1].lower(), []).append(column)
    yield from (tuple(group) for group in stems.values() if len(group) >= 2)
    for column in columns:
        if column.depth == 1 and column.pattern[-1] is None and _OPTIONS.fullmatch(column.name):
            yield (column,)


def option_relations(columns: Sequence[Column]) -> Iterator[Relation]:
    """Yield that options differ, and the field that is the key of one of them."""
    for group in option_groups(columns):
        paths = tuple(column.path for column in group)
        if not any(column.varies for column in group):
            continue
        yield Relation(distinct=paths)
        if len(group) == 2 and {column.name.lower() for column in group} in _OPPOSITES:
            continue
        for column in columns:
            if column.depth or column in group or not _is_key(column):
                continue
            if len(group) > 1:
                yield Relation(one_of=(column.path, *paths), by="name")
            for by in ("letter", "index") if len(group) == 1 else ():
                if _are_nearly_all(_fits(cell.value, by) for cell in column.cells):
                    yield Relation.model_validate({"one_of": (column.path, *paths), "by": by})
            yield Relation(one_of=(column.path, *paths))


def ordered_relations(columns: Sequence[Column]) -> Iterator[Relation]:
    """Yield starts and ends, minima and maxima, by their names."""
    usable = [column for column in columns if column.is_numeric or column.is_moment]
    words = {column.path: _words(column.name) for column in usable}
    for first, second in permutations(usable, 2):
        if first.inner != second.inner or first.is_moment != second.is_moment:
            continue
        for low, high in _ENDS:
            one, other = words[first.path], words[second.path]
            if low in one and [high if word == low else word for word in one] == other:
                yield Relation(order=(first.path, second.path))


def range_relations(columns: Sequence[Column]) -> Iterator[Relation]:
    """Yield the ranges of numbers whose names mean a kind of number with bounds, and of years near the seeds'."""
    for column in columns:
        if not column.is_numeric or column.is_moment:
            continue
        yield from _at_least_zero(column)
        kind = next((word for word in reversed(_words(column.name)) if word in _RANGES or word == "year"), "")
        numbers = [number for cell in column.cells if (number := number_of(cell.value)) is not None]
        near = [int(number) for number in numbers if 1000 <= number <= 2999]
        if kind == "year" and column.is_integer and len(near) > 2 and len(near) >= 0.9 * len(numbers):
            least, most = min(near), max(near)
            room = max(_YEARS, 2 * (most - least))
            yield Relation(range={column.path: (least - room, most + room)})
        elif kind in _RANGES and _words(column.name)[-1] == kind:
            yield Relation(range={column.path: _RANGES[kind]})


def _at_least_zero(column: Column) -> Iterator[Relation]:
    """Yield that a quantity is not negative, and that one of whole things that is written as text is whole."""
    last = _words(column.name)[-1:]
    numbers = [number for cell in column.cells if (number := number_of(cell.value)) is not None]
    is_quantity = len(numbers) >= MIN_SUPPORT and not _COUNTED.union(_MEASURED).isdisjoint(last)
    if is_quantity and _are_nearly_all(number >= 0 for number in numbers):
        is_whole = column.is_text and column.is_integer and not _COUNTED.isdisjoint(last)
        yield Relation(range={column.path: (0, math.inf)}, step=1 if is_whole else None)


def _are_nearly_all(flags: Iterable[bool]) -> bool:
    """Whether at least two values have a property, and all have it but one in fifty, or one of twenty or more."""
    known = list(flags)
    return sum(known) >= 2 and len(known) - sum(known) <= max(len(known) // 50, int(len(known) >= _LEAST_FOR_ODD))


def _is_key(column: Column) -> bool:
    return bool(_KEYS & set(_words(column.name))) and not column.is_prose


def _fits(value: object, by: str) -> bool:
    if by == "letter":
        return isinstance(value, str) and len(value.strip()) == 1 and value.strip().isupper()
    return isinstance(value, int) and not isinstance(value, bool)


def _words(name: str) -> list[str]:
    """Return the words of a name in lower case: ``startDate`` and ``start_date`` are start, date."""
    if not name.isascii():
        return [word.casefold() for word in re.findall(r"[^\W\d_]+|\d+", name)]
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]
