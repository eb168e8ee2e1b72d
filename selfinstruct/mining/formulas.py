"""Formulas that give one number of a row from two others: sums, products, shares, discounts.

>>> found = find_formula([Decimal("75.0"), Decimal("79.2")], [Decimal(21), Decimal(19)], [Decimal(28), Decimal(24)])
>>> found, FORMULAS["share"](Decimal(26), Decimal(30))
('share', Decimal('86.66666666666666666666666667'))
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import partial
from typing import Final, TypeAlias

#: What gives a number from some others.
Formula: TypeAlias = Callable[..., Decimal]

_HUNDRED = Decimal(100)
#: The formulas by name, the simplest first.
FORMULAS: Final[Mapping[str, Formula]] = {
    "sum": lambda one, other: one + other,
    "product": lambda one, other: one * other,
    "share": lambda part, whole: _HUNDRED * part / whole,
    "part": lambda whole, percent: whole * percent / _HUNDRED,
    "discounted": lambda price, percent: price - price * percent / _HUNDRED,
    "increased": lambda price, percent: price + price * percent / _HUNDRED,
    "ratio": lambda one, other: one / other,
    "difference": lambda one, other: one - other,
}
#: The formulas between numbers of any kind; a difference is a sum, but of years: age = year - birth.
COMMON: Final = tuple(kind for kind in FORMULAS if kind != "difference")


def find_formula(
    results: Sequence[Decimal],
    ones: Sequence[Decimal],
    others: Sequence[Decimal],
    kinds: Collection[str] = COMMON,
    *,
    exact: bool = False,
) -> str | None:
    """Return the first formula that gives every result from the two numbers of its row; None if there is none.

    A result is rounded to its decimal places, unless it must be ``exact``. Numbers that leave the other one as it is
    (0 in a sum, 1 in a product) show nothing, so that there are none.
    """
    places = places_of(results)
    rows = list(zip(results, ones, others, strict=True))
    if any(not one or not other for _, one, other in rows):
        return None
    for kind in kinds:
        if kind == "product" and any(abs(each) == 1 for _, *operands in rows for each in operands):
            continue
        if kind == "ratio" and not places:
            continue
        compute = FORMULAS[kind]
        test = Decimal.__eq__ if exact else partial(is_rounded, places=places)
        if all(test(result, compute(one, other)) for result, one, other in rows):
            return kind
    return None


def places_of(numbers: Sequence[Decimal]) -> int:
    """Return the most decimal places that one of some numbers is written with."""
    exponents = (number.as_tuple().exponent for number in numbers)
    return max((max(-each, 0) for each in exponents if isinstance(each, int)), default=0)


def rounded(value: Decimal, places: int, like: str) -> str:
    """Return a number of at most ``places`` decimal places; with fewer where ``like`` has fewer and they are zeros."""
    text = f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"
    least = len(like.partition(".")[2])
    while least < places and text.endswith("0"):
        text, places = text[:-1], places - 1
    return text.removesuffix(".")


def is_rounded(value: Decimal, exact: Decimal, *, places: int) -> bool:
    """Return whether a value is an exact one rounded to some decimal places, half up or half to even."""
    unit = Decimal(1).scaleb(-places)
    if abs(value - exact) > unit:
        return False
    return value in (exact.quantize(unit, ROUND_HALF_UP), exact.quantize(unit, ROUND_HALF_EVEN))
