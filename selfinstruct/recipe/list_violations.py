"""How a row violates a relation about lists or labels: their order, their lengths, the labels of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from selfinstruct.messages import Phrase
from selfinstruct.recipe.relation_paths import parse_pattern, places
from selfinstruct.recipe.relation_values import listed, shown, values_of
from selfinstruct.records import JSON, Row
from selfinstruct.text import value_text
from selfinstruct.values import moment_of, number_of

if TYPE_CHECKING:
    from selfinstruct.recipe.relations import Relation

_SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


def neighbours(row: Row, path: str) -> Iterator[tuple[JSON, JSON]]:
    """Yield each value of a list with the next one; lists of lists are taken one by one."""
    lists: dict[tuple[int, ...], list[JSON]] = {}
    for position, value in places(row, parse_pattern(path)).items():
        lists.setdefault(position[:-1], []).append(value)
    for values in lists.values():
        yield from pairwise(values)


def between(first: JSON, second: JSON, unit: str | None) -> Decimal | None:
    """Return the second number less the first one, or the time between two moments in ``unit``; None if unknown."""
    if unit is None:
        numbers = number_of(first), number_of(second)
        return None if numbers[0] is None or numbers[1] is None else numbers[1] - numbers[0]
    moments = [moment_of(value) if isinstance(value, str) else None for value in (first, second)]
    if moments[0] is None or moments[1] is None:
        return None
    seconds = 86400 * (moments[1][0] - moments[0][0]) + moments[1][1] - moments[0][1]
    return Decimal(repr(seconds)) / _SECONDS.get(unit, 1)


def uneven(relation: Relation, row: Row) -> Iterator[str]:
    """Yield the neighbours in a list that are not ``step`` apart."""
    (path,) = relation.paths
    for first, second in neighbours(row, path):
        distance = between(first, second, relation.unit)
        if distance is not None and relation.step and distance != Decimal(repr(relation.step)):
            yield Phrase(
                "{path}: {first} and {second} are not {step:g} {unit} apart"
                if relation.unit
                else "{path}: {first} and {second} are not {step:g} apart",
                path=path,
                first=shown(first),
                second=shown(second),
                step=relation.step,
                unit=Phrase(relation.unit or ""),
            )


def same_length(relation: Relation, row: Row) -> Iterator[str]:
    """Yield that lists have different lengths."""
    first, *others = relation.paths
    lengths = {path: len_at(row, path) for path in relation.paths}
    for other in others:
        if None not in (lengths[first], lengths[other]) and lengths[first] != lengths[other]:
            yield Phrase(
                "{first} has {count} items, {other} has {others}",
                first=first,
                count=lengths[first],
                other=other,
                others=lengths[other],
            )


def len_at(row: Row, path: str) -> int | None:
    """Return the length of the list at a path; None if there is none."""
    value = places(row, parse_pattern(path)).get(())
    return len(value) if isinstance(value, list) else None


def labels(relation: Relation, row: Row) -> Iterator[str]:
    """Yield the values that are none of the labels."""
    for path, known in (relation.labels or {}).items():
        for value in places(row, parse_pattern(path)).values():
            if value_text(value).strip() not in known:
                yield Phrase(
                    "{path} {value} is not one of {values}", path=path, value=shown(value), values=listed(known)
                )


def bands(relation: Relation, row: Row) -> Iterator[str]:
    """Yield the numbers that lie in the band of another label, or beyond one."""
    label_path, number_path = relation.paths
    for label, value in values_of(relation, row):
        number, limits = number_of(value), relation.limits or {}
        own = limits.get(value_text(label).strip())
        if number is None or own is None:
            continue
        for other, (least, most) in limits.items():
            low, high = Decimal(repr(least)), Decimal(repr(most))
            is_above = least > own[1] and number >= low
            is_below = most < own[0] and number <= high
            if is_above or is_below:
                bands = Phrase(
                    '{label} is {low:g} to {high:g}, "{other}" {least:g} to {most:g}',
                    label=shown(label),
                    low=own[0],
                    high=own[1],
                    other=other,
                    least=least,
                    most=most,
                )
                yield Phrase(
                    "{number_path}: {bands} for {label_path}, got {value}",
                    number_path=number_path,
                    bands=bands,
                    label_path=label_path,
                    value=shown(value, bare=True),
                )
                break
