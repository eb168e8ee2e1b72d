"""Judging a candidate of a run, and examining a row of a file, by the same table of checks.

Does not handle: adding rows to what later ones are compared with, which the caller does between two calls.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol

from selfinstruct.checks import grounding, relation, schema
from selfinstruct.checks.criteria import Criteria
from selfinstruct.checks.table import ROW_CHECKS, Context
from selfinstruct.recipe import Recipe
from selfinstruct.records import Candidate, Judgement, Rejection, Row
from selfinstruct.similarity import answer_fields


class Neighbours(Protocol):
    """The rows that a row is compared with, by their ids."""

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """The row that agrees in all question fields, and whether it agrees in the others too."""
        ...

    def reused(self, row: Row) -> tuple[str, int] | None:
        """The first unique field whose value another row has, and the id of that row."""
        ...

    def reworded(self, row: Row) -> tuple[int, float] | None:
        """A row about the same passage that asks for the same in nearly the same words, with their ROUGE-L F1."""
        ...

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """The nearest row whose ROUGE-L F1 is strictly above ``threshold``, with its score."""
        ...


class PoolView(Neighbours, Protocol):
    """The pool of a run: ids 1..``seed_count`` are seeds, those above are grown rows."""

    @property
    def seed_count(self) -> int:
        """The number of seed rows in the pool."""
        ...

    def near_held_out(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """The number of a held-out row that is too near, from 1, with the ROUGE-L F1."""
        ...

    def room(self, category: str) -> int:
        """The number of rows that a category is short of; 0 when it is full."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """A rejection of a row in a file, and the field that it is about ("" for the row as a whole)."""

    field: str
    rejection: Rejection


def judge(candidate: Candidate, demos: Container[int], criteria: Criteria, pool: PoolView) -> Judgement:
    """Judge one candidate of a run; ``demos`` are the pool ids of its batch's demonstrations.

    A row of the right shape always gets its category, also when it is rejected, so that drift can be counted; an
    accepted one gets its spans. Raises ExtensionError where a check of the user's own fails.
    """
    return judge_in_pool(judge_alone(candidate, criteria), demos, criteria, pool)


def judge_alone(candidate: Candidate, criteria: Criteria) -> Judgement:
    """Judge a candidate by all checks that need no other row: those of its fields, its relations, its tests."""
    row, fields = candidate.row, criteria.recipe.fields
    if row is None:
        return Judgement(candidate, "", Rejection("schema", candidate.problem or "not a row"))
    rejection = schema.check(row, fields)
    if rejection is not None:
        return Judgement(candidate, "", rejection)
    category = criteria.categorise(row)
    rejection = criteria.leftover(row)
    if rejection is not None:
        return Judgement(candidate, category, rejection)
    for each in criteria.applied:
        rejection = each.rejection(row)
        if rejection is not None:
            return Judgement(candidate, category, rejection)
    rejection = (
        relation.check(row, criteria.recipe.relations) or criteria.custom_rejection(row) or criteria.failed_tests(row)
    )
    return Judgement(candidate, category, rejection)


def judge_in_pool(judged: Judgement, demos: Container[int], criteria: Criteria, pool: PoolView) -> Judgement:
    """Judge a candidate that ``judge_alone`` has let pass by its category and its neighbours in the pool."""
    row = judged.candidate.row
    if judged.rejection is not None or row is None:
        return judged
    rejection = _row_rejection(
        Context(
            row,
            judged.category,
            pool.twin(row),
            pool.reused(row),
            pool.reworded(row),
            criteria.recipe,
            criteria.thresholds,
            demos,
            pool.seed_count,
            pool.room,
            pool.nearest,
            pool.near_held_out,
        )
    )
    if rejection is not None:
        return Judgement(judged.candidate, judged.category, rejection)
    return Judgement(judged.candidate, judged.category, None, grounding.spans(row, criteria.recipe.fields))


def examine(row: Row, criteria: Criteria, earlier: Neighbours) -> list[Fault]:
    """Every fault of one row of a file; ``earlier`` are the rows before it, to which the caller then adds it.

    At most one fault a field, since an empty value is ungrounded too, one by a check of the user's own, and one of the
    row among its neighbours. A row with other fields is examined no further, and must not be added. Raises
    ExtensionError where a check of the user's own fails.
    """
    fields = criteria.recipe.fields
    faults = [Fault(name, Rejection("schema", message)) for name, message in schema.faults(row, fields)]
    if faults:
        return faults
    found: dict[str, Rejection] = {}
    for each in criteria.applied:
        if each.name not in found and (rejection := each.rejection(row)) is not None:
            found[each.name] = rejection
    for name, broken in relation.violations(row, criteria.recipe.relations):
        found.setdefault(name, broken)
    faults.extend(Fault(name, found[name]) for name in fields if name in found)
    if not faults and (rejection := criteria.custom_rejection(row)) is not None:
        faults.append(Fault("", rejection))
    if not faults:
        failed = ((each.name, each.rejection(row)) for each in criteria.running)
        faults.extend(Fault(name, rejection) for name, rejection in failed if rejection is not None)
    rejection = _row_rejection(
        Context(
            row,
            criteria.categorise(row),
            earlier.twin(row),
            earlier.reused(row),
            earlier.reworded(row),
            criteria.recipe,
            criteria.thresholds,
            demos=(),
            seed_count=0,
            room=_unlimited,
            nearest=earlier.nearest,
            near_held_out=_none_held_out,
        )
    )
    if rejection is not None:
        faults.append(Fault(_field_of(rejection, criteria.recipe), rejection))
    return faults


def _field_of(rejection: Rejection, recipe: Recipe) -> str:
    if rejection.reason == "contradiction":
        return answer_fields(recipe)[0]
    return (recipe.categories.field or "") if rejection.reason == "label" else ""


def _row_rejection(context: Context) -> Rejection | None:
    for check in ROW_CHECKS:
        rejection = check(context)
        if rejection is not None:
            return rejection
    return None


def _none_held_out(row: Row, threshold: float) -> None:
    return None


def _unlimited(category: str) -> int:
    return 1
