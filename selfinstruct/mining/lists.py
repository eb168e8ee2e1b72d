"""Relations within and between the lists of a row: ascending values, equal lengths, items that differ, extremes."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations, pairwise

from selfinstruct.mining.columns import Column, list_paths
from selfinstruct.mining.significance import MAX_CHANCE, MIN_SUPPORT, Evidence, weigh
from selfinstruct.recipe import Relation
from selfinstruct.recipe.list_violations import between
from selfinstruct.recipe.relation_paths import parse_pattern, places
from selfinstruct.recipe.violations import in_order
from selfinstruct.records import JSON, Row
from selfinstruct.text import value_text
from selfinstruct.values import decimal_places, number_of

#: Lists of equal lengths that never vary are believed from this number of rows on.
_LEAST_OF_ONE_LENGTH = 6
#: From this number of lists on, one may have other distances than the rest.
_LEAST_FOR_ODD_STEP = 8
#: Names of lists that are sets.
_SETS = re.compile(
    r"(?:.*[_-])?(?:tag|label|keyword|category|categorie|topic|genre|language|skill|author|member|ingredient|symptom|"
    r"colou?r|feature|role|country|countrie|citie|city|name|schlagw[oö]rt|stichw[oö]rt)(?:s|er|e)?|标签|关键词|类别|タグ",
    re.IGNORECASE,
)
_SHORT = 40
_STATISTICS: Mapping[str, Callable[[Sequence[Decimal]], Decimal]] = {
    "max": max,
    "min": min,
    "mean": lambda numbers: sum(numbers, Decimal(0)) / len(numbers),
}
_UNITS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


def ascending_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the lists whose values ascend in every row; the chance of n different ones in order is 1 to n!."""
    usable = [column for column in columns if column.depth and (column.is_numeric or column.is_moment)]
    for column in usable:
        lists = _lists(column)
        ordered = [
            values for values in lists if len(values) > 1 and all(in_order(*pair) is True for pair in pairwise(values))
        ]
        total = sum(len(values) > 1 for values in lists)
        if len(ordered) < MIN_SUPPORT:
            continue
        kinds = {tuple(map(value_text, values)) for values in ordered}
        chance = min(1.0, len(usable) * math.prod(1 / math.factorial(min(len(set(each)), 20)) for each in kinds))
        evidence = Evidence(len(ordered), total, len(kinds), chance)
        if evidence.is_believed and evidence.is_strict:
            yield _with_step(column, lists), evidence


def _with_step(column: Column, lists: Sequence[Sequence[JSON]]) -> Relation:
    """The order of a list, with the distance of its neighbours if that is the same in nearly all rows.

    One wrong value has two wrong distances.
    """
    pairs = [pair for values in lists for pair in pairwise(values)]
    units = ("minutes", "seconds", "days") if column.is_moment else (None,)
    for unit in units:
        steps = Counter(between(*pair, unit) for pair in pairs)
        step, count = steps.most_common(1)[0] if steps else (None, 0)
        if (
            len(pairs) >= 6
            and len(pairs) - count <= 2 * max(len(lists) // 50, int(len(lists) >= _LEAST_FOR_ODD_STEP))
            and step
            and step == int(step)
        ):
            return Relation.model_validate({"order": (column.path,), "step": int(step), "unit": unit})
    return Relation(order=(column.path,))


def length_relations(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the lists that have as many items in every row, each with the first such list."""
    paths = list_paths(columns)
    known: set[str] = set()
    for first, second in combinations(paths, 2):
        if second in known or parse_pattern(first)[:-1] != parse_pattern(second)[:-1]:
            continue
        lengths = [
            (len(one), len(other))
            for row in rows
            for one, other in [(_list(row, first), _list(row, second))]
            if one is not None and other is not None
        ]
        kinds = len({one for one, _ in lengths})
        if kinds < 2:
            is_shown = len(lengths) >= _LEAST_OF_ONE_LENGTH and all(one == other >= 2 for one, other in lengths)
            evidence = Evidence(len(lengths), len(lengths), MIN_SUPPORT, MAX_CHANCE / 2) if is_shown else None
        else:
            owners = range(len(lengths))
            found = weigh(lengths, owners, _are_equal, prior=1 / kinds, hypotheses=len(paths) ** 2)
            evidence = found if found is not None and found.is_believed else None
        if evidence is not None:
            known.add(second)
            yield Relation(same_length=(first, second)), evidence


def set_relations(columns: Sequence[Column]) -> Iterator[Relation]:
    """Yield the lists of short texts that are sets by their names, if no item occurs twice."""
    for column in columns:
        if column.depth != 1 or column.pattern[-1] is not None or not column.is_text or not column.varies:
            continue
        lists = [list(map(value_text, values)) for values in _lists(column)]
        are_sets = all(len(set(values)) == len(values) for values in lists)
        several = sum(len(values) > 1 for values in lists)
        is_short = all(len(item) <= _SHORT for values in lists for item in values)
        if are_sets and is_short and several >= MIN_SUPPORT and _SETS.fullmatch(column.name):
            yield Relation(distinct=(column.path,))


def statistic_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the numbers that are the largest, the smallest or the mean of a list."""
    goals = [column for column in columns if not column.depth and column.is_numeric and column.varies]
    lists = [column for column in columns if column.depth == 1 and column.is_numeric and column.varies]
    for column in lists:
        numbers: dict[int, list[Decimal]] = {}
        for cell in column.cells:
            if (number := number_of(cell.value)) is not None:
                numbers.setdefault(cell.row, []).append(number)
        if not any(len(values) > 1 for values in numbers.values()):
            continue
        for goal in goals:
            precision = min(max(decimal_places(cell.value) for cell in goal.cells), 9)
            for kind, compute in _STATISTICS.items():
                evidence = _weighed(
                    goal, {at: compute(values) for at, values in numbers.items()}, precision, len(lists)
                )
                if evidence is not None and _tells(numbers, compute):
                    yield Relation.model_validate({kind: {goal.path: (column.path,)}, "precision": precision}), evidence
                    break


def product_sum_relations(columns: Sequence[Column]) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the numbers that are sums of the products of two numbers of each item in a list of objects."""
    goals = [column for column in columns if not column.depth and column.is_numeric and column.varies]
    inner = [column for column in columns if column.depth == 1 and column.is_numeric and column.varies]
    pairs = [(one, other) for one, other in combinations(inner, 2) if one.inner == other.inner]
    for one, other in pairs:
        second = {(cell.row, cell.position): number_of(cell.value) for cell in other.cells}
        sums: dict[int, Decimal] = {}
        for cell in one.cells:
            factors = number_of(cell.value), second.get((cell.row, cell.position))
            if factors[0] is not None and factors[1] is not None:
                sums[cell.row] = sums.get(cell.row, Decimal(0)) + factors[0] * factors[1]
        for goal in goals:
            precision = min(max(decimal_places(cell.value) for cell in goal.cells), 9)
            evidence = _weighed(goal, sums, precision, len(pairs) * len(goals))
            if evidence is not None:
                given = {"sum_product": {goal.path: (one.path, other.path)}, "precision": precision}
                yield Relation.model_validate(given), evidence


def _weighed(goal: Column, expected: Mapping[int, Decimal], precision: int, hypotheses: int) -> Evidence | None:
    """Weigh that a number is the expected one of its row, within half a unit of its last decimal place."""
    half = Decimal(5).scaleb(-precision - 1)

    def holds(value: JSON, wanted: str) -> bool | None:
        number = number_of(value)
        return None if number is None else abs(number - Decimal(wanted)) <= half

    cells = [cell for cell in goal.cells if cell.row in expected]
    values = [(cell.value, str(expected[cell.row])) for cell in cells]
    spread = {value_text(cell.value) for cell in cells}
    prior = 1 / max(len(spread), 2)
    evidence = weigh(values, [cell.row for cell in cells], holds, prior=prior, hypotheses=hypotheses)
    return evidence if evidence is not None and evidence.is_believed else None


def _tells(numbers: Mapping[int, Sequence[Decimal]], compute: Callable[[Sequence[Decimal]], Decimal]) -> bool:
    """Whether a statistic is not simply the first or the last item of each list."""
    several = [values for values in numbers.values() if len(values) > 1]
    return any(compute(values) != values[0] for values in several) and any(
        compute(values) != values[-1] for values in several
    )


def _lists(column: Column) -> list[list[JSON]]:
    """The values of a column by the innermost list that each is in."""
    found: dict[tuple[object, ...], list[JSON]] = {}
    for cell in column.cells:
        found.setdefault((cell.row, *cell.position[:-1]), []).append(cell.value)
    return list(found.values())


def _list(row: Row, path: str) -> list[JSON] | None:
    value = places(row, parse_pattern(path)).get(())
    return value if isinstance(value, list) else None


def _are_equal(one: int, other: int) -> bool:
    return one == other
