"""Sums, products, ratios and differences between the numbers of seed rows, with the chance of an accident."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from selfinstruct.mining.columns import Column
from selfinstruct.mining.elapsed_times import elapsed_times
from selfinstruct.mining.linear_relations import linear_relations
from selfinstruct.mining.printed_numbers import fits_exactly, is_exact_product, is_exact_ratio
from selfinstruct.mining.significance import Evidence
from selfinstruct.mining.targets import Places, Target, numbers_of, target_of, weigh
from selfinstruct.recipe import Relation
from selfinstruct.values import number_of

#: Numeric columns that are combined, at most.
_MOST_NUMBERS = 16
#: Four columns are combined only where there are at most this many.
_MOST_BALANCED = 10
#: The longest run of neighbouring columns that may be the parts of a sum.
_LONGEST_RUN = 10


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
        targets = {column.path: target_of(column, numbers_of(column, places)) for column in numeric}
        # total = nights x rate, so rate = total / nights: one of them says it all.
        claimed: dict[frozenset[str], str] = {}
        # A part is about a rounded percentage of the whole; it says more that the percentage is that of the part.
        ratios = {frozenset(relation.paths) for relation, _ in _ratios(numeric, targets)}
        for mine in (_sums, _products, _ratios, _balances, linear_relations):
            for relation, evidence in sorted(mine(numeric, targets), key=_by_chance_of_ratio):
                members = frozenset(relation.paths)
                if relation.kind == "product" and members in ratios and not fits_exactly(relation, targets):
                    continue
                only_unclaimed = mine in (_balances, linear_relations)
                is_implied = members in claimed or (only_unclaimed and relation.target in claimed.values())
                if not is_implied:
                    claimed[members] = relation.target
                    yield relation, evidence
        if not inner:
            yield from _list_sums(columns, targets, rows)
            yield from elapsed_times(together, targets, places)


def _by_chance_of_ratio(found: tuple[Relation, Evidence]) -> float:
    """The least likely ratio of three numbers first, which is that of the most decimal places; the rest as found."""
    relation, evidence = found
    return evidence.chance if relation.kind == "ratio" else 0.0


def _sums(numeric: Sequence[Column], targets: Mapping[str, Target]) -> Iterator[tuple[Relation, Evidence]]:
    pairs = list(combinations(numeric, 2))
    for target in numeric:
        found: tuple[Sequence[Column], Evidence] | None = None
        for parts in pairs:
            if target in parts:
                continue
            operands = [targets[part.path].values for part in parts]
            evidence = weigh(targets[target.path], operands, np.add, 0.0, len(pairs) * len(numeric))
            if evidence is not None:
                found = (list(parts), evidence)
                break
        if found is None:
            found = _run_sum(target, numeric, targets)
        if found is not None:
            summed, evidence = found
            yield targets[target.path].relation("sum", [part.path for part in summed]), evidence


def _run_sum(
    target: Column, numeric: Sequence[Column], targets: Mapping[str, Target]
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
                evidence = weigh(targets[target.path], (total,), None, 0.0, hypotheses)
                if evidence is not None:
                    return parts, evidence
    return None


def _products(numeric: Sequence[Column], targets: Mapping[str, Target]) -> Iterator[tuple[Relation, Evidence]]:
    pairs = list(combinations(numeric, 2))
    for target in numeric:
        goal = targets[target.path]
        for parts in pairs:
            if target in parts:
                continue
            operands = tuple(targets[part.path].values for part in parts)
            hypotheses = 2 * len(pairs) * len(numeric)
            for factor in (1.0, 0.01):
                scaled = (operands[0] * factor, operands[1]) if factor != 1 else operands
                evidence = weigh(goal, scaled, np.multiply, 1.0, hypotheses)
                if evidence is not None and is_exact_product(goal, [targets[part.path] for part in parts], factor):
                    yield goal.relation("product", [part.path for part in parts], factor), evidence
                    break


def _ratios(numeric: Sequence[Column], targets: Mapping[str, Target]) -> Iterator[tuple[Relation, Evidence]]:
    count = len(numeric)
    for target in numeric:
        goal = targets[target.path]
        for part in numeric:
            for whole in numeric:
                if len({target.path, part.path, whole.path}) < 3:
                    continue
                for factor in (1.0, 100.0):
                    operands = (targets[part.path].values * factor, targets[whole.path].values)
                    evidence = weigh(goal, operands, np.divide, 1.0, 2 * count**3)
                    if evidence is not None and is_exact_ratio(goal, targets[part.path], targets[whole.path]):
                        yield goal.relation("ratio", [part.path, whole.path], factor), evidence


def _balances(numeric: Sequence[Column], targets: Mapping[str, Target]) -> Iterator[tuple[Relation, Evidence]]:
    """Sums of two numbers less a third one, such as closing = opening + received - issued; the target comes last."""
    if not 4 <= len(numeric) <= _MOST_BALANCED:
        return
    hypotheses = len(numeric) ** 4 // 2
    for target in reversed(numeric):
        others = [column for column in numeric if column is not target]
        for minus in others:
            for parts in combinations([column for column in others if column is not minus], 2):
                first, second, less = (targets[column.path].values for column in (*parts, minus))
                evidence = weigh(targets[target.path], (first + second, -less), np.add, 0.0, hypotheses)
                if evidence is not None:
                    goal = targets[target.path]
                    relation = goal.relation("sum", [part.path for part in parts])
                    yield relation.model_copy(update={"minus": (minus.path,)}), evidence


def _list_sums(
    columns: Sequence[Column], targets: Mapping[str, Target], rows: int
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
            evidence = weigh(target, (total,), None, 0.0, len(lists) * len(targets))
            if evidence is not None:
                yield target.relation("sum", [column.path]), evidence
