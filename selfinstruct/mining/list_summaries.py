"""Summaries of the numbers of a list: maximum, sum, mean, and so on.

>>> numbers = [Decimal(14), Decimal(22), Decimal(9)]
>>> summary_of("max", numbers, like=Decimal(22)), summary_of("mean", numbers, like=Decimal("15.0"))
(Decimal('22'), Decimal('15.0'))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Final

#: The kinds of summaries; where several fit the seeds, the first one is taken.
SUMMARIES: Final[Mapping[str, Callable[[Sequence[Decimal]], Decimal]]] = {
    "sum": lambda numbers: sum(numbers, Decimal(0)),
    "max": max,
    "min": min,
    "mean": lambda numbers: sum(numbers, Decimal(0)) / len(numbers),
    "median": median,
    "range": lambda numbers: max(numbers) - min(numbers),
    "last": lambda numbers: numbers[-1],
    "first": lambda numbers: numbers[0],
    "length": lambda numbers: Decimal(len(numbers)),
}


def summary_of(kind: str, numbers: Sequence[Decimal], *, like: Decimal) -> Decimal:
    """Return a summary of at least one number, rounded to the decimal places of ``like``."""
    exponent = like.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return SUMMARIES[kind](numbers).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
