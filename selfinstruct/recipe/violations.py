"""How a row violates a relation, and a relation in words."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from selfinstruct.recipe.relation_paths import aligned, parse_pattern, places
from selfinstruct.records import JSON, Row
from selfinstruct.text import value_text
from selfinstruct.values import decimal_places, matches_format, moment_of, number_of, occurs_in, seconds_of
from selfinstruct.values.readings import same_meaning

if TYPE_CHECKING:
    from selfinstruct.recipe.relations import Relation

_SHOWN_CHARACTERS = 80
_SYMBOLS = {"sum": " + ", "difference": " - ", "product": " x ", "ratio": " / "}
#: Decimal places beyond these are rounding errors of a binary fraction.
_FINEST = 9
_SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
#: The names of the days of the week, Monday first.
WEEKDAYS = tuple(
    names.split()
    for names in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "mon tue wed thu fri sat sun",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "mo di mi do fr sa so",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "lunes martes miércoles jueves viernes sábado domingo",
        "星期一 星期二 星期三 星期四 星期五 星期六 星期日",
        "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日",
    )
)


def violation(relation: Relation, row: Row) -> str | None:
    """Return how ``row`` violates ``relation``, or None. Pure; raises for no row."""
    return next(_KINDS[relation.kind](relation, row), None)


def description(relation: Relation) -> str:
    """Return a relation in words."""
    kind, paths = relation.kind, relation.paths
    if kind in _SYMBOLS:
        return f"{relation.target} = {_formula(relation)}"
    if kind == "range":
        bounds = [f"{path} from {least} to {most}" for path, (least, most) in (relation.range or {}).items()]
        return ", ".join(bounds) + (f" in steps of {relation.step:g}" if relation.step else "")
    if kind == "format":
        return ", ".join(f"{path} is a valid {name}" for path, name in (relation.format or {}).items())
    if kind == "offset":
        ends = f", which ends at {relation.end}" if relation.end else ""
        return f"{paths[0]} is the position of {paths[1]} in {paths[2]}{ends}"
    if kind == "one_of":
        how = {"value": "one of", "name": "the name of one of", "index": "the index of one of"}
        return f"{paths[0]} is {how.get(relation.by, 'the letter of one of')} {', '.join(paths[1:])}"
    words: Mapping[str, Callable[[], str]] = {
        "equal": lambda: f"{paths[0]} equals {paths[1]}",
        "contained": lambda: f"{paths[0]} occurs in {paths[1]}",
        "distinct": lambda: f"{', '.join(paths)} differ",
        "order": lambda: " <= ".join(paths),
        "count": lambda: f"{paths[0]} is the number of {relation.unit or 'items'} of {paths[1]}",
        "weekday": lambda: f"{paths[0]} is the weekday of {paths[1]}",
    }
    return words[kind]()


def computed(relation: Relation, values: Sequence[JSON]) -> Decimal | None:
    """Return the number that a sum, difference, product or ratio yields for the values of its operands, or None."""
    if relation.kind == "difference" and len(values) == 2 and relation.unit is not None:
        return _elapsed(values[0], values[1], relation.unit)
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
    try:
        return known[0] / math.prod(known[1:], start=Decimal(1)) * factor + plus
    except (InvalidOperation, ZeroDivisionError):
        return None


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


def is_named(value: JSON, path: str) -> bool:
    """Whether a value is the name of the option at a path: its last name, or what follows its last _ or blank."""
    name = str(parse_pattern(path)[-1]).strip().casefold()
    given = value_text(value).strip().casefold()
    return given == name or given == re.split(r"[_\s-]", name)[-1]


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
    at = datetime.date.fromordinal(moment[0]).weekday()
    return any(names[at] == name for names in WEEKDAYS)


def is_at(start: JSON, value: JSON, text: JSON) -> bool:
    """Whether a text contains ``value`` at ``start``, counted in code points."""
    if isinstance(start, bool) or not isinstance(start, int) or start < 0:
        return False
    return isinstance(text, str) and text[start : start + len(value_text(value))] == value_text(value)


def _equal(relation: Relation, row: Row) -> Iterator[str]:
    one, other = relation.paths
    for first, second in _values(relation, row):
        if not same_meaning(first, second):
            yield f"{one} {_shown(first)} differs from {other} {_shown(second)}"


def _contained(relation: Relation, row: Row) -> Iterator[str]:
    one, other = relation.paths
    for value, text in _values(relation, row):
        if not occurs_in(value, value_text(text)):
            yield f"{one} {_shown(value)} does not occur in {other} {_shown(text)}"


def _distinct(relation: Relation, row: Row) -> Iterator[str]:
    seen: list[tuple[str, JSON]] = []
    for path in relation.paths:
        for value in places(row, parse_pattern(path)).values():
            for earlier, other in seen:
                if value == other or same_meaning(value, other):
                    yield f"{earlier} and {path} are both {_shown(value)}"
            seen.append((path, value))


def _one_of(relation: Relation, row: Row) -> Iterator[str]:
    first, *others = relation.paths
    options = [(path, value) for path in others for value in places(row, parse_pattern(path)).values()]
    if not options:
        return
    for value in places(row, parse_pattern(first)).values():
        if relation.by == "value":
            if not any(value == option or same_meaning(value, option) for _, option in options):
                yield f"{first} {_shown(value)} is not one of {_listed(option for _, option in options)}"
        elif relation.by == "name":
            if not any(is_named(value, path) for path, _ in options):
                yield f"{first} {_shown(value)} is not the name of one of {', '.join(others)}"
        elif not 0 <= index_of(value, relation.by) < len(options):
            yield f"{first} {_shown(value)} is not the {relation.by} of one of {len(options)} values of {others[0]}"


def index_of(value: JSON, by: str) -> int:
    """Return the index from 0 that a number or a letter (A is 0) means; -1 if it is none."""
    if by == "letter":
        text = value_text(value).strip().upper()
        return ord(text) - ord("A") if len(text) == 1 and "A" <= text <= "Z" else -1
    number = number_of(value)
    return int(number) if number is not None and number == int(number) else -1


def _order(relation: Relation, row: Row) -> Iterator[str]:
    for first, second in zip(relation.paths, relation.paths[1:], strict=False):
        for one, other in aligned(row, (parse_pattern(first), parse_pattern(second))):
            if in_order(one, other) is False:
                yield f"{first} {_shown(one)} is after {second} {_shown(other)}"


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
            wanted = f"{_rounded(expected, relation, value)} ({_formula(relation)})"
            yield f"{target}: expected {wanted}, got {_shown(value, bare=True)}"


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
            yield f"{number}: expected {length} (the number of {unit} of {counted}), got {_shown(value, bare=True)}"


def _offset(relation: Relation, row: Row) -> Iterator[str]:
    start_path, value_path, text_path = relation.paths[:3]
    patterns = [parse_pattern(path) for path in relation.paths]
    starts, values = (places(row, pattern) for pattern in patterns[:2])
    if patterns[0].count(None) == patterns[1].count(None) and starts and values and starts.keys() != values.keys():
        yield f"{start_path} has {len(starts)} values, {value_path} has {len(values)}"
        return
    for start, value, text, *end in aligned(row, patterns):
        if not is_at(start, value, text):
            found = value_text(text).find(value_text(value))
            expected = f"expected {found}" if found >= 0 else f"{_shown(value)} does not occur in {text_path}"
            yield f"{start_path}: {expected} (the position of {_shown(value)}), got {_shown(start, bare=True)}"
        elif end and end[0] != start + len(value_text(value)):
            stop = start + len(value_text(value))
            yield f"{relation.end}: expected {stop} (the end of {_shown(value)}), got {end[0]}"


def _weekday(relation: Relation, row: Row) -> Iterator[str]:
    day_path, date_path = relation.paths
    for day, date in _values(relation, row):
        if is_weekday(day, date) is False:
            moment = moment_of(date)
            name = datetime.date.fromordinal(moment[0]).strftime("%A") if moment else ""
            wanted = f"{name} (the weekday of {date_path} {_shown(date)})"
            yield f"{day_path}: expected {wanted}, got {_shown(day, bare=True)}"


def _range(relation: Relation, row: Row) -> Iterator[str]:
    for path, (least, most) in (relation.range or {}).items():
        for value in places(row, parse_pattern(path)).values():
            number = number_of(value)
            if number is None or not Decimal(repr(least)) <= number <= Decimal(repr(most)):
                yield f"{path} {_shown(value)} is not between {least} and {most}"
            elif relation.step and number % Decimal(repr(relation.step)):
                yield f"{path} {_shown(value)} is not a multiple of {relation.step:g}"


def _format(relation: Relation, row: Row) -> Iterator[str]:
    for path, name in (relation.format or {}).items():
        for value in places(row, parse_pattern(path)).values():
            if not matches_format(value, name):
                yield f"{path} {_shown(value)} is not a valid {name}"


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
    "count": _count,
    "offset": _offset,
    "weekday": _weekday,
    "range": _range,
    "format": _format,
}


def _values(relation: Relation, row: Row) -> Iterator[tuple[JSON, ...]]:
    return aligned(row, [parse_pattern(path) for path in relation.paths])


def _elapsed(end: JSON, start: JSON, unit: str) -> Decimal | None:
    moments = [moment_of(value) if isinstance(value, str) else None for value in (end, start)]
    if moments[0] is None or moments[1] is None:
        return None
    seconds = 86400 * (moments[0][0] - moments[1][0]) + moments[0][1] - moments[1][1]
    return Decimal(repr(seconds)) / _SECONDS.get(unit, 1)


def _formula(relation: Relation) -> str:
    minus = relation.minus or ()
    terms = _SYMBOLS[relation.kind].join(relation.paths[1 : len(relation.paths) - len(minus)])
    terms += "".join(f" - {path}" for path in minus)
    if relation.unit is not None:
        terms = f"{terms} in {relation.unit}"
    terms = terms if relation.factor is None else f"{terms} x {relation.factor:g}"
    return terms if relation.plus is None else f"{terms} + {relation.plus:g}"


def _rounded(expected: Decimal, relation: Relation, value: JSON) -> str:
    exact = decimal_places(value) if relation.precision is None else relation.precision
    text = f"{expected:.{exact}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shown(value: JSON, *, bare: bool = False) -> str:
    text = value_text(value) if bare else repr(value) if isinstance(value, float) else _quoted(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _quoted(value: JSON) -> str:
    return f'"{value}"' if isinstance(value, str) else value_text(value)


def _listed(values: Iterable[JSON]) -> str:
    return ", ".join(_shown(value) for value in values)
