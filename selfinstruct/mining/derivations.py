"""Derivations: fields of numbers that follow from other fields of their row, by a wider family of formulas.

    mean, sum     of fields side by side
    balance       opening + received - issued
    change        (new - old) / old, margin (price - cost) / price, part of a sum; as fractions or in percent
    line          another field times a short or well-known factor, plus a short number: 1.8 C + 32
    power         products and ratios with a constant and squares: w / (h / 100)^2, pi r^2 h, p r t / 100

A formula must give every row's number, and so many hypotheses must not be expected to do so by chance: a number that
varies over s values agrees in n rows with a chance of s^-n. What agrees but may do so by chance is not understood.

Does not handle: formulas of more than three fields, but sums and means; fields of which some rows have none.

>>> table = {"a": [78, 64, 90], "b": [92, 71, 88], "c": [85, 80, 97], "mean": [85, "71.7", "91.7"]}
>>> found = derive({name: [Decimal(each) for each in column] for name, column in table.items()}, {})
>>> [(each.target, each.operands) for each in found]
[('mean', ('a', 'b', 'c'))]
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from decimal import Decimal, DivisionByZero, InvalidOperation
from itertools import permutations
from typing import Generic, NamedTuple, TypeVar

from selfinstruct.mining.formulas import FORMULAS, Formula, is_rounded, places_of

Name = TypeVar("Name", bound=Hashable)

_MAX_CHANCE = 1e-3
# Of more fields, the first ones are tried: in pairs, and in triples.
_MOST_PAIRED, _MOST_OF_THREE = 12, 7
_HUNDRED = Decimal(100)
_PI = Decimal("3.14159265358979")
#: Constants of units, percentages, circles and time; each also as its reciprocal.
_WHOLE = "2 3 4 10 100 1000 10000 1000000 3.6 7 12 24 60 360 365 3600 1024 86400 9.81 3.14 3.1416 3.14159"
_OVER_ONE = (*map(Decimal, _WHOLE.split()), _PI)
_CONSTANTS = (Decimal(1), *_OVER_ONE, *(1 / each for each in _OVER_ONE), _PI / 4, _PI / 6, 4 * _PI / 3, _PI / 3)
#: Factors between units of measurement: degrees, inches, feet, miles, pounds, ounces, gallons, knots, calories, acres.
_UNITS = (
    "1.8 2.54 0.3048 3.28084 1.609344 1.60934 0.621371 0.453592 0.45359237 2.20462 2.20462262 28.3495 3.78541 0.264172 "
    "1.852 0.539957 4.184 4.1868 0.393701 2.471 1.05506 0.9144"
)
_FACTORS = tuple(each for unit in map(Decimal, _UNITS.split()) for each in (unit, 1 / unit))
_PLUS = Decimal(32), Decimal("-273.15"), Decimal("273.15"), Decimal(-32) / Decimal("1.8")


class Derivation(NamedTuple, Generic[Name]):
    """A field that ``formula`` gives from others, with at most ``places`` decimal places.

    Not ``is_certain`` if chance may explain it, or if no formula is known for sure.
    """

    target: Name
    formula: Formula
    operands: tuple[Name, ...]
    places: int
    is_certain: bool


class _Hypothesis(NamedTuple):
    """A formula, the positions of its operands, how many ``forms`` its kind has, and the rows that it was fitted to."""

    formula: Formula
    operands: tuple[int, ...]
    forms: float
    free: int = 0


def derive(
    columns: Mapping[Name, Sequence[Decimal]], known: Mapping[Name, Sequence[Name]]
) -> Iterator[Derivation[Name]]:
    """Yield the fields that follow from others, an operand that is derived itself before what depends on it.

    ``known`` has the operands of those that need no derivation. Numbers with the most decimal places are results
    first, then the last ones.
    """
    order = {name: at for at, name in enumerate(columns)}
    depends = {name: set(operands) for name, operands in known.items()}
    found: dict[Name, Derivation[Name]] = {}
    for target in sorted(columns, key=lambda name: (-places_of(columns[name]), -order[name])):
        if target in known:
            continue
        others = [name for name in columns if name != target and not _reaches(name, target, depends)]
        each = _derivation(target, columns[target], {name: columns[name] for name in others})
        if each is not None:
            found[target] = each
            depends[target] = set(each.operands)
    done: set[Name] = set()
    while len(done) < len(found):
        for target, each in found.items():
            if target not in done and not (set(each.operands) & found.keys()) - done:
                done.add(target)
                yield each


def _reaches(name: Name, target: Name, depends: Mapping[Name, set[Name]]) -> bool:
    """Whether a field is computed from the target."""
    return any(each == target or _reaches(each, target, depends) for each in depends.get(name, ()))


def _derivation(
    target: Name, results: Sequence[Decimal], others: Mapping[Name, Sequence[Decimal]]
) -> Derivation[Name] | None:
    names, places = list(others), places_of(results)
    unit = Decimal(1).scaleb(-places)
    spread = float((max(results) - min(results)) / unit) + 1
    possible: Derivation[Name] | None = None
    for each in _hypotheses(results, list(others.values()), unit / 2):
        rows = zip(*(others[names[at]] for at in each.operands), strict=True)
        if not all(_gives(each.formula, row, result, places) for result, row in zip(results, rows, strict=True)):
            continue
        distinct = len(set(zip(results, *(others[names[at]] for at in each.operands), strict=True)))
        logarithm = math.log10(each.forms) - (distinct - each.free) * math.log10(max(spread, 2))
        operands = tuple(names[at] for at in each.operands)
        if logarithm < math.log10(_MAX_CHANCE):
            return Derivation(target, each.formula, operands, places, is_certain=True)
        possible = possible or Derivation(target, each.formula, operands, places, is_certain=False)
    return possible


def _gives(formula: Formula, row: Sequence[Decimal], result: Decimal, places: int) -> bool:
    try:
        return is_rounded(result, formula(*row), places=places)
    except (DivisionByZero, InvalidOperation):
        return False


def _hypotheses(
    results: Sequence[Decimal], columns: Sequence[Sequence[Decimal]], half: Decimal
) -> Iterator[_Hypothesis]:
    """The formulas that may give the results: those that give the first one, the simplest first."""
    count = min(len(columns), _MOST_PAIRED)
    for at in range(count):
        for complement in (_complement_of_100, _complement_of_1):
            yield _Hypothesis(complement, (at,), 2.0 * count)
    pairs = list(permutations(range(count), 2))
    for pair in pairs:
        for formula in _OF_TWO:
            yield _Hypothesis(formula, pair, float(len(pairs) * len(_OF_TWO)))
    for start in range(len(columns)):
        for stop in range(start + 2, len(columns) + 1):
            for total in (_mean, _sum):
                yield _Hypothesis(total, tuple(range(start, stop)), float(len(columns) ** 2))
    triples = list(permutations(range(min(count, _MOST_OF_THREE)), 3))
    for triple in triples:
        for formula in _OF_THREE:
            yield _Hypothesis(formula, triple, float(len(triples) * len(_OF_THREE)))
    for at in range(count):
        yield from (
            _Hypothesis(_line(factor, plus), (at,), cost * count, free)
            for factor, plus, cost, free in _lines(results, columns[at], half)
        )
    for powers in _POWERS:
        tried = list(permutations(range(count if len(powers) < 3 else min(count, _MOST_OF_THREE)), len(powers)))
        for operands in tried:
            for constant in _constants(results, [columns[at] for at in operands], powers, half):
                cost = float(len(tried) * len(_POWERS) * len(_CONSTANTS))
                yield _Hypothesis(_power(constant, powers), operands, cost)


# --- formulas ---


def _complement_of_100(part: Decimal) -> Decimal:
    return _HUNDRED - part


def _complement_of_1(part: Decimal) -> Decimal:
    return 1 - part


def _mean(*numbers: Decimal) -> Decimal:
    return sum(numbers, Decimal(0)) / len(numbers)


def _sum(*numbers: Decimal) -> Decimal:
    return sum(numbers, Decimal(0))


#: The usual ones first, see ``FORMULAS``; those of a sum or a difference as fractions and in percent.
_OF_TWO: tuple[Formula, ...] = (
    *FORMULAS.values(),
    lambda new, old: _HUNDRED * (new - old) / old,
    lambda new, old: (new - old) / old,
    lambda price, cost: _HUNDRED * (price - cost) / price,
    lambda price, cost: (price - cost) / price,
    lambda part, rest: _HUNDRED * part / (part + rest),
    lambda part, rest: part / (part + rest),
    lambda one, other: abs(one - other),
)
_OF_THREE: tuple[Formula, ...] = (
    lambda one, other, less: one + other - less,
    lambda one, less, other: one - less - other,
    lambda count, price, percent: count * price * (1 - percent / _HUNDRED),
    lambda count, price, percent: count * price * (1 + percent / _HUNDRED),
    lambda part, second, third: _HUNDRED * part / (part + second + third),
    lambda one, other, factor: (one + other) * factor,
    lambda one, other, factor: (one - other) * factor,
    lambda one, other, divisor: (one - other) / divisor,
    lambda one, other, plus: one * other + plus,
)


def _line(factor: Decimal, plus: Decimal) -> Formula:
    return lambda number: factor * number + plus


def _lines(
    results: Sequence[Decimal], given: Sequence[Decimal], half: Decimal
) -> Iterator[tuple[Decimal, Decimal, float, int]]:
    """The factors and addends of lines through the results; how many there are, and the rows that fit any line."""
    low, high = min(range(len(given)), key=given.__getitem__), max(range(len(given)), key=given.__getitem__)
    width = given[high] - given[low]
    if not width:
        return
    least, most = ((results[high] - results[low] + sign * 2 * half) / width for sign in (-1, 1))
    short = [Decimal(f"{(least + most) / 2:.{digits}g}") for digits in (1, 2, 3)]
    for factor in dict.fromkeys((*short, *_FACTORS)):
        if not least <= factor <= most or not factor:
            continue
        rest = [result - factor * number for result, number in zip(results, given, strict=True)]
        middle = (min(rest) + max(rest)) / 2
        digits = 20.0 if factor in _FACTORS else 10.0 ** len(factor.as_tuple().digits)
        for plus in dict.fromkeys((Decimal(0), *_PLUS, Decimal(f"{middle:.2g}"), Decimal(f"{middle:.3g}"))):
            if max(rest) - half <= plus <= min(rest) + half:
                yield factor, plus, digits * (1 if not plus else 4 if plus in _PLUS else 1000), 0 if not plus else 1


#: The exponents of two or three operands.
_POWERS = ((1,), (2,), (3,), (1, 1), (1, -1), (1, 2), (1, -2), (2, -1), (1, 1, 1), (1, 1, -1), (1, -1, -1))


def _power(constant: Decimal, powers: Sequence[int]) -> Formula:
    def formula(*numbers: Decimal) -> Decimal:
        return constant * math.prod(number**power for number, power in zip(numbers, powers, strict=True))

    return formula


def _constants(
    results: Sequence[Decimal], columns: Sequence[Sequence[Decimal]], powers: Sequence[int], half: Decimal
) -> list[Decimal]:
    """The constants with which the powers give the first two results."""
    fitting = list(_CONSTANTS)
    for row in (0, -1):
        try:
            product = math.prod(column[row] ** power for column, power in zip(columns, powers, strict=True))
            least, most = sorted(((results[row] - half) / product, (results[row] + half) / product))
        except (DivisionByZero, InvalidOperation):
            return []
        fitting = [each for each in fitting if least <= each <= most]
    return fitting
