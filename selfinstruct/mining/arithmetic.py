"""Sums, products, ratios and differences between the numbers of seed rows, with the chance of an accident."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from selfinstruct.mining.columns import Column
from selfinstruct.mining.significance import Evidence, chance, exceptions_allowed
from selfinstruct.recipe import Relation
from selfinstruct.values import decimal_places, moment_of, number_of, seconds_of

#: Numeric columns that are combined, at most.
_MOST_NUMBERS = 16
#: Four columns are combined only where there are at most this many.
_MOST_BALANCED = 10
#: The longest run of neighbouring columns that may be the parts of a sum.
_LONGEST_RUN = 10
_LARGEST = 1e12
#: The range of possible factors, as a share of the distance between two short ones.
_NARROW = 0.02
#: Decimal places beyond these are rounding errors of a binary fraction.
_FINEST = 9
_UNITS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}

Numbers = NDArray[np.float64]
#: The place of each value in an array, by its row and the positions of its lists.
Places: TypeAlias = Mapping[tuple[int, tuple[int, ...]], int]


@dataclass(frozen=True, slots=True)
class _Target:
    """A column as the result of a computation: its values, its decimal places, and the prior of a hit."""

    column: Column
    values: Numbers
    precision: int
    prior: float

    @property
    def tolerance(self) -> float:
        """Half a unit of the last decimal place."""
        return 0.5 * 10.0**-self.precision * (1 + 1e-6)


def computed_relations(columns: Sequence[Column], rows: int) -> Iterator[tuple[Relation, Evidence]]:
    """Yield the relations by which one number of a row, or of an item of a list, is computed from others."""
    for inner in dict.fromkeys(column.inner for column in columns):
        together = [column for column in columns if column.inner == inner]
        numeric = [column for column in together if column.is_numeric and column.varies][:_MOST_NUMBERS]
        if inner:
            cells = sorted({(cell.row, cell.position) for column in numeric for cell in column.cells})
            places: Places = {place: at for at, place in enumerate(cells)}
        else:
            places = {(row, ()): row for row in range(rows)}
        targets = {column.path: _target(column, _numbers(column, places)) for column in numeric}
        # total = nights x rate, so rate = total / nights: one of them says it all.
        claimed: dict[frozenset[str], str] = {}
        # A part is about a rounded percentage of the whole; it says more that the percentage is that of the part.
        ratios = {frozenset(relation.paths) for relation, _ in _ratios(numeric, targets)}
        for mine in (_sums, _products, _ratios, _balances, _lines):
            for relation, evidence in sorted(mine(numeric, targets), key=_by_chance_of_ratio):
                members = frozenset(relation.paths)
                if relation.kind == "product" and members in ratios and not _fits_exactly(relation, targets):
                    continue
                is_implied = members in claimed or (mine in (_balances, _lines) and relation.target in claimed.values())
                if not is_implied:
                    claimed[members] = relation.target
                    yield relation, evidence
        if not inner:
            yield from _list_sums(columns, targets, rows)
            yield from _elapsed(together, targets, places)


def _by_chance_of_ratio(found: tuple[Relation, Evidence]) -> float:
    """The least likely ratio of three numbers first, which is that of the most decimal places; the rest as found."""
    relation, evidence = found
    return evidence.chance if relation.kind == "ratio" else 0.0


def _fits_exactly(product: Relation, targets: Mapping[str, _Target]) -> bool:
    """Whether the product of the numbers as printed is the target, without any rounding."""
    target, *operands = (targets[path] for path in product.paths)
    with np.errstate(all="ignore"):
        errors = np.abs(np.prod([each.values for each in operands], axis=0) * (product.factor or 1.0) - target.values)
    agreeing = errors[np.isfinite(errors) & (errors <= target.tolerance)]
    return bool((agreeing <= 1e-6 * target.tolerance).all())


def _sums(numeric: Sequence[Column], targets: Mapping[str, _Target]) -> Iterator[tuple[Relation, Evidence]]:
    pairs = list(combinations(numeric, 2))
    for target in numeric:
        found: tuple[Sequence[Column], Evidence] | None = None
        for parts in pairs:
            if target in parts:
                continue
            operands = [targets[part.path].values for part in parts]
            evidence = _weigh(targets[target.path], operands, np.add, 0.0, len(pairs) * len(numeric))
            if evidence is not None:
                found = (list(parts), evidence)
                break
        if found is None:
            found = _run_sum(target, numeric, targets)
        if found is not None:
            summed, evidence = found
            yield _relation("sum", targets[target.path], [part.path for part in summed]), evidence


def _run_sum(
    target: Column, numeric: Sequence[Column], targets: Mapping[str, _Target]
) -> tuple[Sequence[Column], Evidence] | None:
    """Find three or more neighbouring columns whose sum the target is."""
    for start in range(len(numeric)):
        total = targets[numeric[start].path].values
        for stop in range(start + 1, min(start + _LONGEST_RUN, len(numeric))):
            total = total + targets[numeric[stop].path].values
            parts = numeric[start : stop + 1]
            if target in parts:
                break
            if len(parts) >= 3:
                hypotheses = len(numeric) ** 2 * _LONGEST_RUN
                evidence = _weigh(targets[target.path], (total,), None, 0.0, hypotheses)
                if evidence is not None:
                    return parts, evidence
    return None


def _products(numeric: Sequence[Column], targets: Mapping[str, _Target]) -> Iterator[tuple[Relation, Evidence]]:
    pairs = list(combinations(numeric, 2))
    for target in numeric:
        for parts in pairs:
            if target in parts:
                continue
            operands = tuple(targets[part.path].values for part in parts)
            hypotheses = 2 * len(pairs) * len(numeric)
            for factor in (1.0, 0.01):
                scaled = (operands[0] * factor, operands[1]) if factor != 1 else operands
                evidence = _weigh(targets[target.path], scaled, np.multiply, 1.0, hypotheses)
                if evidence is not None and _is_exact(targets[target.path], [targets[p.path] for p in parts], factor):
                    yield _relation("product", targets[target.path], [p.path for p in parts], factor), evidence
                    break


def _is_exact(target: _Target, operands: Sequence[_Target], factor: float) -> bool:
    """Whether a product is that of the numbers as printed, and not of numbers that were rounded for printing.

    Of a percentage of one decimal place the product may be right by accident, as long as the whole is small. So where
    the products are not exact, each operand with decimal places must have been precise enough for all of them: were it
    rounded, the chance of errors as small as these would be below 1 in 1000.
    """
    first, second = operands
    with np.errstate(all="ignore"):
        errors = np.abs(first.values * second.values * factor - target.values)
        bounds = [np.abs(second.values) * factor * first.tolerance, np.abs(first.values) * factor * second.tolerance]
    return _are_determined(target, errors, operands, bounds)


def _is_exact_ratio(target: _Target, part: _Target, whole: _Target) -> bool:
    """Whether a ratio is that of the numbers as printed; the same as ``_is_exact``."""
    with np.errstate(all="ignore"):
        scale = np.abs(target.values)
        bounds = [scale / np.abs(part.values) * part.tolerance, scale / np.abs(whole.values) * whole.tolerance]
    return _are_determined(target, np.full(len(scale), np.inf), (part, whole), bounds)


def _are_determined(target: _Target, errors: Numbers, operands: Sequence[_Target], bounds: Sequence[Numbers]) -> bool:
    """Whether the rounding of operands, which could cause errors up to ``bounds``, is too small or shown to be none."""
    known = np.isfinite(target.values) & np.isfinite(bounds[0]) & np.isfinite(bounds[1])
    if (errors[known] <= 0.02 * target.tolerance).all():
        return True
    for operand, bound in zip(operands, bounds, strict=True):
        harmless = not operand.precision or bool((bound[known] <= 0.25 * target.tolerance).all())
        with np.errstate(all="ignore"):
            likely = np.log10(np.minimum(1.0, target.tolerance / bound[known])).sum()
        if not harmless and likely > -3:
            return False
    return True


def _ratios(numeric: Sequence[Column], targets: Mapping[str, _Target]) -> Iterator[tuple[Relation, Evidence]]:
    count = len(numeric)
    for target in numeric:
        for part in numeric:
            for whole in numeric:
                if len({target.path, part.path, whole.path}) < 3:
                    continue
                for factor in (1.0, 100.0):
                    operands = (targets[part.path].values * factor, targets[whole.path].values)
                    evidence = _weigh(targets[target.path], operands, np.divide, 1.0, 2 * count**3)
                    if evidence is not None and _is_exact_ratio(
                        targets[target.path], targets[part.path], targets[whole.path]
                    ):
                        yield _relation("ratio", targets[target.path], [part.path, whole.path], factor), evidence


def _balances(numeric: Sequence[Column], targets: Mapping[str, _Target]) -> Iterator[tuple[Relation, Evidence]]:
    """Sums of two numbers less a third one, such as closing = opening + received - issued; the target comes last."""
    if not 4 <= len(numeric) <= _MOST_BALANCED:
        return
    hypotheses = len(numeric) ** 4 // 2
    for target in reversed(numeric):
        others = [column for column in numeric if column is not target]
        for minus in others:
            for parts in combinations([column for column in others if column is not minus], 2):
                first, second, less = (targets[column.path].values for column in (*parts, minus))
                evidence = _weigh(targets[target.path], (first + second, -less), np.add, 0.0, hypotheses)
                if evidence is not None:
                    goal = targets[target.path]
                    relation = _relation("sum", goal, [part.path for part in parts])
                    yield relation.model_copy(update={"minus": (minus.path,)}), evidence


def _lines(numeric: Sequence[Column], targets: Mapping[str, _Target]) -> Iterator[tuple[Relation, Evidence]]:
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
            evidence = _weigh(goal, (given.values * factor + plus,), None, 0.0, hypotheses, free=1 if plus == 0 else 2)
            if evidence is not None and evidence.hits == evidence.total and _is_exact_line(goal, given, factor, plus):
                yield _relation("product", goal, [column.path], factor, plus), evidence


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


def _is_exact_line(goal: _Target, given: _Target, factor: float, plus: float) -> bool:
    """Whether the given number is precise enough to determine the other one."""
    if given.precision == 0:
        return True
    errors = np.abs(given.values * factor + plus - goal.values)
    exact = bool((errors[np.isfinite(errors)] <= 0.02 * goal.tolerance).all())
    return exact or given.tolerance * factor <= 0.25 * goal.tolerance


def _list_sums(
    columns: Sequence[Column], targets: Mapping[str, _Target], rows: int
) -> Iterator[tuple[Relation, Evidence]]:
    """The numbers of a list, added up."""
    lists = [column for column in columns if column.depth and column.is_numeric and column.varies]
    for column in lists:
        total = np.full(rows, np.nan)
        for cell in column.cells:
            number = number_of(cell.value)
            before = 0.0 if np.isnan(total[cell.row]) else total[cell.row]
            total[cell.row] = before + (np.nan if number is None else float(number))
        for target in targets.values():
            evidence = _weigh(target, (total,), None, 0.0, len(lists) * len(targets))
            if evidence is not None:
                yield _relation("sum", target, [column.path]), evidence


def _elapsed(
    scalars: Sequence[Column], targets: Mapping[str, _Target], places: Places
) -> Iterator[tuple[Relation, Evidence]]:
    """The time between two dates or times, as a number in some unit or as a duration in text."""
    moments = [column for column in scalars if column.is_moment and column.varies][:_MOST_NUMBERS]
    arrays = {column.path: _seconds(column, places) for column in moments}
    durations = dict(targets)
    for column in scalars:
        lengths = [seconds_of(cell.value) if isinstance(cell.value, str) else None for cell in column.cells]
        if column.path not in durations and column.varies and lengths and None not in lengths:
            values = np.full(len(places), np.nan)
            values[[cell.row for cell in column.cells]] = np.array(lengths, dtype=float)
            durations[column.path] = _target(column, values)
    for target in durations.values():
        for start in moments:
            for end in moments:
                if len({start.path, end.path, target.column.path}) < 3:
                    continue
                units = _UNITS if target.column.is_numeric else {"seconds": 1.0}
                for unit, size in units.items():
                    between = (arrays[end.path] - arrays[start.path]) / size
                    hypotheses = len(units) * len(moments) ** 2 * len(durations)
                    evidence = _weigh(target, (between,), None, 0.0, hypotheses)
                    if evidence is not None:
                        relation = Relation(
                            difference={target.column.path: (end.path, start.path)},
                            unit=unit,  # type: ignore[arg-type]
                            precision=target.precision,
                        )
                        yield relation, evidence
                        break


def _weigh(
    target: _Target,
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


def _relation(kind: str, target: _Target, operands: Sequence[str], factor: float = 1.0, plus: float = 0.0) -> Relation:
    keys = {kind: {target.column.path: tuple(operands)}, "precision": target.precision}
    constants = {"factor": factor if factor != 1 else None, "plus": plus or None}
    return Relation.model_validate(keys | constants)


def _numbers(column: Column, places: Places) -> Numbers:
    values = np.full(len(places), np.nan)
    for cell in column.cells:
        number = number_of(cell.value)
        if number is not None:
            values[places[cell.row, cell.position]] = float(number)
    return values


def _seconds(column: Column, places: Places) -> Numbers:
    values = np.full(len(places), np.nan)
    for cell in column.cells:
        moment = moment_of(cell.value) if isinstance(cell.value, str) else None
        if moment is not None:
            values[places[cell.row, cell.position]] = 86400.0 * moment[0] + moment[1]
    return values


def _target(column: Column, values: Numbers) -> _Target:
    precision = min(max((decimal_places(cell.value) for cell in column.cells), default=0), _FINEST)
    finite = values[np.isfinite(values)]
    spread = 2.0 if not len(finite) else (float(finite.max() - finite.min()) * 10.0**precision) + 1
    return _Target(column, values, precision, 1 / min(max(spread, 2.0), 1e6))
