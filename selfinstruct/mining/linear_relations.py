"""Numbers that are another one times a factor, plus a number: a tax, other units of measurement."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from selfinstruct.mining.columns import Column
from selfinstruct.mining.printed_numbers import is_exact_line
from selfinstruct.mining.significance import Evidence
from selfinstruct.mining.targets import Numbers, Target, weigh
from selfinstruct.recipe import Relation

#: The range of possible factors, as a share of the distance between two short ones.
_NARROW = 0.02


def linear_relations(numeric: Sequence[Column], targets: Mapping[str, Target]) -> Iterator[tuple[Relation, Evidence]]:
    """The numbers that are another one times a short factor, plus a short number: a tax, other units of measurement.

    Two rows determine a line, so these are no evidence. A factor and an addend of three digits each are one of a
    million hypotheses.
    """
    for target in numeric:
        for column in numeric:
            goal, given = targets[target.path], targets[column.path]
            line = _line(goal.values, given.values, goal.tolerance) if column is not target else None
            if line is None:
                continue
            factor, plus = line
            hypotheses = len(numeric) ** 2 * (1000 if plus == 0 else 1_000_000)
            evidence = weigh(goal, (given.values * factor + plus,), None, 0.0, hypotheses, free=1 if plus == 0 else 2)
            if evidence is not None and evidence.hits == evidence.total and is_exact_line(goal, given, factor, plus):
                yield goal.relation("product", [column.path], factor, plus), evidence


def _line(goal: Numbers, given: Numbers, tolerance: float) -> tuple[float, float] | None:
    """Return the factor and the addend of the line through the values, with few digits; None if there is none.

    The rounding of the values allows a range of factors. A short one among them means something only if the range is
    much narrower than the distance between two factors with that number of digits.
    """
    known = np.isfinite(goal) & np.isfinite(given)
    if known.sum() < 4:
        return None
    goal, given = goal[known], given[known]
    low, high = int(given.argmin()), int(given.argmax())
    largest = int(np.abs(given).argmax())
    if given[high] == given[low]:
        return None
    slopes = [
        (goal[largest] / given[largest], 2 * tolerance / abs(given[largest]), True),
        ((goal[high] - goal[low]) / (given[high] - given[low]), 4 * tolerance / (given[high] - given[low]), False),
    ]
    for slope, width, is_through_zero in slopes:
        if not 1e-4 < slope < 1e4:
            continue
        for digits in (1, 2, 3):
            factor = float(f"{slope:.{digits}g}")
            unit = 10.0 ** (math.floor(math.log10(slope)) - digits + 1)
            plus = 0.0 if is_through_zero else float(f"{np.median(goal - factor * given):.3g}")
            if (np.abs(factor * given + plus - goal) <= tolerance).all():
                return (factor, plus) if factor != 1 and width <= _NARROW * unit else None
    return None
