"""How a row violates a relation, and a relation in words."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from selfinstruct.messages import Phrase, joined
from selfinstruct.recipe import list_violations, text_violations
from selfinstruct.recipe.list_violations import between, neighbours
from selfinstruct.recipe.relation_paths import aligned, parse_pattern, places
from selfinstruct.recipe.relation_values import listed, shown, values_of
from selfinstruct.recipe.relation_words import named_formula, range_words
from selfinstruct.recipe.text_violations import has_words, index_of, is_named
from selfinstruct.records import JSON, Row
from selfinstruct.text import value_text
from selfinstruct.values import decimal_places, moment_of, number_of, occurs_in, seconds_of
from selfinstruct.values.calendar_names import WEEKDAYS
from selfinstruct.values.readings import same_meaning

if TYPE_CHECKING:
    from selfinstruct.recipe.relations import Relation

#: Decimal places beyond these are rounding errors of a binary fraction.
_FINEST = 9
_STATISTICS: Mapping[str, Callable[[Sequence[Decimal]], Decimal]] = {
    "max": max,
    "min": min,
    "mean": lambda numbers: sum(numbers, Decimal(0)) / len(numbers),
}


def violation(relation: Relation, row: Row) -> str | None:
    """Return how ``row`` violates ``relation``, or None. Pure; raises for no row."""
    return next(_KINDS[relation.kind](relation, row), None)


def computed(relation: Relation, values: Sequence[JSON]) -> Decimal | None:
    """Return the number that a sum, difference, product or ratio yields for the values of its operands, or None."""
    if relation.kind == "difference" and len(values) == 2 and relation.unit is not None:
        return between(values[1], values[0], relation.unit)
    numbers = [number_of(value) for value in values]
    if not numbers or any(number is None for number in numbers):
        return None
    known = [number for number in numbers if number is not None]
    factor = Decimal(1) if relation.factor is None else Decimal(repr(relation.factor))
    plus = Decimal(0) if relation.plus is None else Decimal(repr(relation.plus))
    if relation.kind == "sum":
        less = sum(known[len(known) - len(relation.minus or ()) :], Decimal(0))
        return (sum(known, Decimal(0)) - 2 * less) * factor + plus
    if relation.kind == "difference":
        return (known[0] - sum(known[1:], Decimal(0))) * factor + plus
    if relation.kind == "product":
        return Decimal(math.prod(known)) * factor + plus
    if relation.kind in _STATISTICS:
        return _STATISTICS[relation.kind](known) * factor + plus
    if relation.kind == "sum_product":
        return _sum_product(known, len(relation.paths) - 1, factor, plus)
    try:
        return known[0] / math.prod(known[1:], start=Decimal(1)) * factor + plus
    except (InvalidOperation, ZeroDivisionError):
        return None


def _sum_product(numbers: Sequence[Decimal], lists: int, factor: Decimal, plus: Decimal) -> Decimal | None:
    """Multiply the numbers at each position of some lists, which follow each other, and add up the products."""
    length = len(numbers) // lists
    if length * lists != len(numbers):
        return None
    products = (math.prod(numbers[at::length], start=Decimal(1)) for at in range(length))
    return sum(products, Decimal(0)) * factor + plus


def tolerance(relation: Relation, value: JSON) -> Decimal:
    """Return how far a number may be from the computed one: half a unit of its precision, or ``tolerance``."""
    if relation.tolerance is not None:
        return Decimal(repr(relation.tolerance))
    exact = min(decimal_places(value), _FINEST) if relation.precision is None else relation.precision
    return Decimal(5).scaleb(-exact - 1)


def length_of(value: JSON, unit: str) -> int:
    """Return the number of items, words, lines or characters of a text, a list or an object."""
    if isinstance(value, (list, dict)):
        return len(value)
    text = value_text(value)
    if unit == "words":
        return len(text.split())
    if unit == "lines":
        return len(text.splitlines())
    return len(text) if unit == "characters" else len([part for part in re.split("[,;|]", text) if part.strip()])


def in_order(first: JSON, second: JSON) -> bool | None:
    """Whether two numbers, dates or times do not decrease; None if they cannot be compared."""
    numbers = number_of(first), number_of(second)
    if numbers[0] is not None and numbers[1] is not None:
        return numbers[0] <= numbers[1]
    if isinstance(first, str) and isinstance(second, str):
        moments = moment_of(first), moment_of(second)
        if moments[0] is not None and moments[1] is not None and bool(moments[0][0]) == bool(moments[1][0]):
            # A date alone is compared with a date and time by its day.
            return moments[0] <= moments[1] or (moments[0][0] == moments[1][0] != 0 and moments[1][1] == 0.0)
    return None


def is_weekday(day: JSON, date: JSON) -> bool | None:
    """Whether ``day`` names the weekday of ``date``; None if that is no unambiguous date."""
    moment = moment_of(date) if isinstance(date, str) else None
    name = value_text(day).strip().strip(".").casefold()
    if moment is None or not moment[0]:
        return None
    return WEEKDAYS.get(name) == datetime.date.fromordinal(moment[0]).weekday()


def is_at(start: JSON, value: JSON, text: JSON) -> bool:
    """Whether a text contains ``value`` at ``start``, counted in code points."""
    if isinstance(start, bool) or not isinstance(start, int) or start < 0:
        return False
    return isinstance(text, str) and text[start : start + len(value_text(value))] == value_text(value)


def _equal(relation: Relation, row: Row) -> Iterator[str]:
    one, other = relation.paths
    for first, second in values_of(relation, row):
        if not same_meaning(first, second):
            yield Phrase(
                "{one} {first} differs from {other} {second}",
                one=one,
                first=shown(first),
                other=other,
                second=shown(second),
            )


def _contained(relation: Relation, row: Row) -> Iterator[str]:
    one, other = relation.paths
    occurs = {"words": has_words, "end": text_violations.ends_in}.get(relation.by, _occurs)
    for value, text in values_of(relation, row):
        if not occurs(value, text):
            yield Phrase(
                "{one} {value} is not the end of {other} {text}"
                if relation.by == "end"
                else "{one} {value} does not occur in {other} {text}",
                one=one,
                value=shown(value),
                other=other,
                text=shown(text),
            )


def _occurs(value: JSON, text: JSON) -> bool:
    return occurs_in(value, value_text(text))


def _distinct(relation: Relation, row: Row) -> Iterator[str]:
    seen: list[tuple[str, JSON]] = []
    for path in relation.paths:
        for value in places(row, parse_pattern(path)).values():
            for earlier, other in seen:
                if value == other or same_meaning(value, other):
                    yield Phrase(
                        "{earlier} and {path} are both {value}", earlier=earlier, path=path, value=shown(value)
                    )
            seen.append((path, value))


def _one_of(relation: Relation, row: Row) -> Iterator[str]:
    first, *others = relation.paths
    options = [(path, value) for path in others for value in places(row, parse_pattern(path)).values()]
    if not options:
        return
    for value in places(row, parse_pattern(first)).values():
        if relation.by == "value":
            if not any(value == option or same_meaning(value, option) for _, option in options):
                yield Phrase(
                    "{path} {value} is not one of {values}",
                    path=first,
                    value=shown(value),
                    values=listed(option for _path, option in options),
                )
        elif relation.by == "name":
            if not any(is_named(value, path) for path, _ in options):
                yield Phrase(
                    "{first} {value} is not the name of one of {others}",
                    first=first,
                    value=shown(value),
                    others=joined(others),
                )
        elif not 0 <= index_of(value, relation.by) < len(options):
            yield Phrase(
                "{first} {value} is not the {by} of one of {options} values of {other}",
                first=first,
                value=shown(value),
                by=relation.by,
                options=len(options),
                other=others[0],
            )


def _order(relation: Relation, row: Row) -> Iterator[str]:
    if len(relation.paths) == 1:
        for one, other in neighbours(row, relation.target):
            if in_order(one, other) is False:
                yield Phrase(
                    "{target}: {one} is before {other}", target=relation.target, one=shown(one), other=shown(other)
                )
        yield from list_violations.uneven(relation, row)
    for first, second in zip(relation.paths, relation.paths[1:], strict=False):
        for one, other in aligned(row, (parse_pattern(first), parse_pattern(second))):
            if in_order(one, other) is False:
                yield Phrase(
                    "{first} {one} is after {second} {other}",
                    first=first,
                    one=shown(one),
                    second=second,
                    other=shown(other),
                )


def _computed(relation: Relation, row: Row) -> Iterator[str]:
    target = relation.target
    for value, operands in operands_of(relation, row):
        expected = computed(relation, operands)
        if expected is None:
            continue
        got = number_of(value)
        if got is None and isinstance(value, str) and (seconds := seconds_of(value)) is not None:
            got = Decimal(seconds)
        if got is None or abs(got - expected) > tolerance(relation, value):
            yield Phrase(
                "{path}: expected {expected} ({formula}), got {value}",
                path=target,
                expected=_rounded(expected, relation, value),
                formula=named_formula(relation),
                value=shown(value, bare=True),
            )


def operands_of(relation: Relation, row: Row) -> Iterator[tuple[JSON, list[JSON]]]:
    """Yield each computed value of a row with the values that it is computed from.

    An operand with more ``[*]`` than the value means all its positions below the value's. The values of ``minus`` are
    last.
    """
    target, *others = (parse_pattern(path) for path in relation.paths)
    depth = target.count(None)
    found = [places(row, other) for other in others]
    for position, value in places(row, target).items():
        operands: list[JSON] = []
        for other, each in zip(others, found, strict=True):
            if other.count(None) > depth:
                below = [item for at, item in each.items() if at[:depth] == position]
            else:
                at = position[: other.count(None)]
                below = [each[at]] if at in each else []
            if not below:
                break
            operands.extend(below)
        else:
            yield value, operands


def _count(relation: Relation, row: Row) -> Iterator[str]:
    number, counted = relation.paths
    unit = relation.unit or "items"
    for value, items in aligned(row, (parse_pattern(number), parse_pattern(counted))):
        length = length_of(items, unit)
        if number_of(value) != length:
            yield Phrase(
                "{path}: expected {length} (the number of {unit} of {other}), got {value}",
                path=number,
                length=length,
                unit=Phrase(unit),
                other=counted,
                value=shown(value, bare=True),
            )


def _offset(relation: Relation, row: Row) -> Iterator[str]:
    start_path, value_path, text_path = relation.paths[:3]
    patterns = [parse_pattern(path) for path in relation.paths]
    starts, values = (places(row, pattern) for pattern in patterns[:2])
    if patterns[0].count(None) == patterns[1].count(None) and starts and values and starts.keys() != values.keys():
        yield Phrase(
            "{start_path} has {starts} values, {value_path} has {values}",
            start_path=start_path,
            starts=len(starts),
            value_path=value_path,
            values=len(values),
        )
        return
    for start, value, text, *end in aligned(row, patterns):
        if not is_at(start, value, text):
            found = value_text(text).find(value_text(value))
            yield Phrase(
                "{path}: expected {position} (the position of {value}), got {start}"
                if found >= 0
                else "{path}: {value} does not occur in {text} (the position of {value}), got {start}",
                path=start_path,
                position=found,
                value=shown(value),
                text=text_path,
                start=shown(start, bare=True),
            )
        elif end and end[0] != start + len(value_text(value)):
            stop = start + len(value_text(value))
            yield Phrase(
                "{path}: expected {stop} (the end of {value}), got {end}",
                path=relation.end,
                stop=stop,
                value=shown(value),
                end=end[0],
            )


def _weekday(relation: Relation, row: Row) -> Iterator[str]:
    day_path, date_path = relation.paths
    for day, date in values_of(relation, row):
        if is_weekday(day, date) is False:
            moment = moment_of(date)
            name = datetime.date.fromordinal(moment[0]).strftime("%A") if moment else ""
            yield Phrase(
                "{path}: expected {name} (the weekday of {other} {date}), got {day}",
                path=day_path,
                name=name,
                other=date_path,
                date=shown(date),
                day=shown(day, bare=True),
            )


def _range(relation: Relation, row: Row) -> Iterator[str]:
    for path, (least, most) in (relation.range or {}).items():
        for value in places(row, parse_pattern(path)).values():
            number = number_of(value)
            if number is None or not Decimal(repr(least)) <= number <= Decimal(repr(most)):
                bounds = range_words(least, most)
                yield Phrase("{path} {value} is not {bounds}", path=path, value=shown(value), bounds=bounds)
            elif relation.step and number % Decimal(repr(relation.step)):
                yield Phrase(
                    "{path} {value} is not a multiple of {step:g}", path=path, value=shown(value), step=relation.step
                )


_KINDS: Mapping[str, Callable[[Relation, Row], Iterator[str]]] = {
    "": lambda relation, row: iter(()),
    "equal": _equal,
    "contained": _contained,
    "distinct": _distinct,
    "one_of": _one_of,
    "order": _order,
    "sum": _computed,
    "difference": _computed,
    "product": _computed,
    "ratio": _computed,
    "max": _computed,
    "min": _computed,
    "mean": _computed,
    "sum_product": _computed,
    "count": _count,
    "offset": _offset,
    "weekday": _weekday,
    "range": _range,
    "format": text_violations.formats,
    "composed": text_violations.composed,
    "numbers_in": text_violations.numbers_in,
    "names_in": text_violations.names_in,
    "query": text_violations.query,
    "supported": text_violations.supported,
    "span": text_violations.span,
    "same_length": list_violations.same_length,
    "labels": list_violations.labels,
    "bands": list_violations.bands,
}


def _rounded(expected: Decimal, relation: Relation, value: JSON) -> str:
    exact = decimal_places(value) if relation.precision is None else relation.precision
    text = f"{expected:.{exact}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
