"""The checks: what refuses a candidate, in which order, and the stable slug of each reason.

    candidate -> schema -> FIELD_CHECKS, field by field -> ROW_CHECKS, against the pool -> Judgement

Cheap comes first, and novelty, the dearest, last; a candidate is counted under the first reason that holds. An
echo may stand behind the field checks because what it repeats has passed them. ``judge`` stops at the first
reason; ``examine`` asks the same tables for every fault of a row in a file.

Does not handle: adding accepted rows to the pool, which is the caller's part, between two calls.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from selfinstruct.checks import (
    contradiction,
    duplicate,
    echo,
    empty,
    grounding,
    identifiers,
    label,
    length,
    novelty,
    quota,
    schema,
)
from selfinstruct.recipe import Field, Recipe
from selfinstruct.records import Candidate, Judgement, Rejection, Row
from selfinstruct.twins import answer_fields

#: Every reason for a rejection; journals and reports hold these slugs, so none ever changes its meaning.
REASONS = (
    "schema",
    "empty",
    "length",
    "echo",
    "ungrounded",
    "identifiers",
    "label",
    "blocked",
    "contradiction",
    "holdout",
    "pii",
    "near-duplicate",
    "duplicate",
    "quota",
    "judge",
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What rows are judged by: the recipe, each category's largest ROUGE-L, and a row's category.

    The keys of ``thresholds`` are the known categories; ``categorise`` gives "" for a row of none. It is asked
    only for rows that have the recipe's fields and types, and must not raise for those.
    """

    recipe: Recipe
    thresholds: Mapping[str, float]
    categorise: Callable[[Row], str]


class Neighbours(Protocol):
    """The rows that a row is compared with, by their ids."""

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """The row that agrees in all question fields, and whether in the others too (see ``twins``)."""
        ...

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """The nearest row whose ROUGE-L F1 is strictly above ``threshold``, with its score."""
        ...


class Pool(Neighbours, Protocol):
    """The pool of a run: ids 1..``seed_count`` are seeds, those above are grown rows."""

    @property
    def seed_count(self) -> int:
        """How many seed rows the pool has."""
        ...

    def room(self, category: str) -> int:
        """How many rows a category still misses; 0 when it is full."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """A rejection of a row in a file, and the field that it is about ("" where it is the row as a whole)."""

    field: str
    rejection: Rejection


#: Judgements of one field's value by the row alone.
FIELD_CHECKS: tuple[Callable[[Row, str, Field], Rejection | None], ...] = (
    empty.check,
    length.check,
    grounding.check,
    identifiers.check,
)


@dataclass(slots=True)
class _Case:
    """A row with the right fields, and what is known of its surroundings."""

    row: Row
    category: str
    twin: tuple[int, bool] | None
    terms: Terms
    demos: Container[int]
    seed_count: int
    room: Callable[[str], int]
    nearest: Callable[[Row, float], tuple[int, float] | None]


#: Judgements of a row among its categories and neighbours.
ROW_CHECKS: tuple[Callable[[_Case], Rejection | None], ...] = (
    lambda case: echo.check(case.twin, case.demos, case.seed_count),
    lambda case: label.check(case.row, case.category, case.terms.recipe.categories, case.terms.thresholds),
    lambda case: contradiction.check(case.twin, case.terms.recipe),
    lambda case: duplicate.check(case.twin),
    lambda case: quota.check(case.category, case.room(case.category)),
    lambda case: novelty.check(case.row, case.terms.thresholds[case.category], case.nearest),
)


def judge(candidate: Candidate, demos: Container[int], terms: Terms, pool: Pool) -> Judgement:
    """Judge one candidate of a run; ``demos`` are the pool ids of its batch's demonstrations.

    A row of the right shape always gets its category, also when it is refused, so that drift can be counted;
    an accepted one gets its spans.
    """
    row, fields = candidate.row, terms.recipe.fields
    if row is None:
        return Judgement(candidate, "", Rejection("schema", candidate.problem or "not a row"))
    rejection = schema.check(row, fields)
    if rejection is not None:
        return Judgement(candidate, "", rejection)
    category = terms.categorise(row)
    for of_field in FIELD_CHECKS:
        for name, field in fields.items():
            rejection = of_field(row, name, field)
            if rejection is not None:
                return Judgement(candidate, category, rejection)
    case = _Case(row, category, pool.twin(row), terms, demos, pool.seed_count, pool.room, pool.nearest)
    rejection = _first(case)
    return Judgement(candidate, category, rejection, {} if rejection else grounding.spans(row, fields))


def examine(row: Row, terms: Terms, earlier: Neighbours) -> list[Fault]:
    """Every fault of one row of a file, ``earlier`` being the rows before it; the caller then adds it to those.

    One fault a field, since a value that is empty is ungrounded too, and one of the row as a whole. A row of
    another shape cannot be looked at further, nor be added.
    """
    fields = terms.recipe.fields
    faults = [Fault(name, Rejection("schema", message)) for name, message in schema.faults(row, fields)]
    if faults:
        return faults
    for name, field in fields.items():
        found = (check(row, name, field) for check in FIELD_CHECKS)
        faults.extend(Fault(name, rejection) for rejection in islice(filter(None, found), 1))
    case = _Case(row, terms.categorise(row), earlier.twin(row), terms, (), 0, _unlimited, earlier.nearest)
    rejection = _first(case)
    if rejection is not None:
        faults.append(Fault(_field_of(rejection, terms.recipe), rejection))
    return faults


def _field_of(rejection: Rejection, recipe: Recipe) -> str:
    if rejection.reason == "contradiction":
        return answer_fields(recipe)[0]
    return (recipe.categories.field or "") if rejection.reason == "label" else ""


def _first(case: _Case) -> Rejection | None:
    for check in ROW_CHECKS:
        rejection = check(case)
        if rejection is not None:
            return rejection
    return None


def _unlimited(category: str) -> int:
    return 1


def field_faults(row: Row, recipe: Recipe, names: Container[str]) -> Rejection | None:
    """The first rejection of a row that is not complete yet, by its fields in ``names`` alone."""
    for name, message in schema.faults(row, {name: field for name, field in recipe.fields.items() if name in row}):
        if name in names:
            return Rejection("schema", message)
    for of_field in FIELD_CHECKS:
        for name, field in recipe.fields.items():
            refers = [other for other in (field.appears_in, field.identifiers_in) if other is not None]
            if name in row and all(other in row for other in refers):
                rejection = of_field(row, name, field)
                if rejection is not None:
                    return rejection
    return None
