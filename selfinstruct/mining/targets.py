"""Columns as the results of computations, and the evidence that the seeds give for one.

Does not handle: the search for computations, see ``arithmetic``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from selfinstruct.mining.columns import Column
from selfinstruct.mining.significance import Evidence, chance, exceptions_allowed
from selfinstruct.recipe import Relation
from selfinstruct.values import decimal_places, number_of

_LARGEST = 1e12
#: Decimal places beyond these are rounding errors of a binary fraction.
_FINEST = 9

Numbers = NDArray[np.float64]
#: The place of each value in an array, by its row and the positions of its lists.
Places: TypeAlias = Mapping[tuple[int, tuple[int, ...]], int]


@dataclass(frozen=True, slots=True)
class Target:
    """A column as the result of a computation: its values, its decimal places, and the prior of a hit."""

    column: Column
    values: Numbers
    precision: int
    prior: float

    @property
    def tolerance(self) -> float:
        """Half a unit of the last decimal place."""
        return 0.5 * 10.0**-self.precision * (1 + 1e-6)

    def relation(self, kind: str, operands: Sequence[str], factor: float = 1.0, plus: float = 0.0) -> Relation:
        """The relation of this ``kind`` by which the column is computed from those at the paths ``operands``."""
        keys = {kind: {self.column.path: tuple(operands)}, "precision": self.precision}
        constants = {"factor": factor if factor != 1 else None, "plus": plus or None}
        return Relation.model_validate(keys | constants)


def target_of(column: Column, values: Numbers) -> Target:
    """The column, whose numbers are ``values``, as a target."""
    precision = min(max((decimal_places(cell.value) for cell in column.cells), default=0), _FINEST)
    finite = values[np.isfinite(values)]
    spread = 2.0 if not len(finite) else (float(finite.max() - finite.min()) * 10.0**precision) + 1
    return Target(column, values, precision, 1 / min(max(spread, 2.0), 1e6))


def numbers_of(column: Column, places: Places) -> Numbers:
    """The numbers of a column at their ``places``; NaN where it has none."""
    values = np.full(len(places), np.nan)
    for cell in column.cells:
        number = number_of(cell.value)
        if number is not None:
            values[places[cell.row, cell.position]] = float(number)
    return values


def weigh(
    target: Target,
    operands: Sequence[Numbers],
    compute: np.ufunc | None,
    neutral: float,
    hypotheses: int,
    *,
    free: int = 0,
) -> Evidence | None:
    """Weigh ``target = compute(operands)``; rows in which an operand changes nothing (``neutral``) count for nothing.

    ``free`` is the number of rows that the computation was fitted to.
    """
    with np.errstate(all="ignore"):
        expected = operands[0] if compute is None else compute(*operands)
        known = np.isfinite(target.values) & np.isfinite(expected) & (np.abs(expected) < _LARGEST)
        total = int(known.sum())
        agrees = known & (np.abs(expected - target.values) <= target.tolerance)
        if total < 2 or total - agrees.sum() > exceptions_allowed(total):
            return None
        telling = agrees.copy()
        if compute is not None:
            for operand in operands:
                telling &= (operand != neutral) & (operand != 0)
        hits = int(telling.sum())
        keys = np.round(target.values[telling], 9)
        distinct = len(np.unique(keys))
        crossed = crossed_hits = 0
        places = np.flatnonzero(known)
        for shift in sorted({1, 1 + total // 3, 1 + total // 2}):
            if shift % total == 0:
                continue
            other = target.values[np.roll(places, shift)]
            crossed += total
            crossed_hits += int((np.abs(expected[places] - other) <= target.tolerance).sum())
    hits, distinct = hits - free, distinct - free
    if min(hits, distinct) < (3 if free else 2):
        return None
    failed = total - int(agrees.sum())
    likely = chance(
        hits,
        hits + failed,
        distinct,
        crossed_hits=crossed_hits,
        crossed=crossed,
        prior=target.prior,
        hypotheses=hypotheses,
    )
    evidence = Evidence(hits, hits + failed, distinct, likely)
    return evidence if evidence.is_believed else None
