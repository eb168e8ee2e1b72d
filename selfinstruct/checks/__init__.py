"""The checks: what refuses a candidate, in which order, and the stable slug of each reason.

    candidate -> schema -> FIELD_CHECKS, field by field -> rules -> ROW_CHECKS, against the pool -> Judgement

Cheap comes first, and novelty, the dearest, last; a candidate is counted under the first reason that holds. An
echo may stand behind the field checks because what it repeats has passed them. ``judge`` stops at the first
reason; ``examine`` asks the same tables for every fault of a row in a file.

Does not handle: adding accepted rows to the pool, which is the caller's part, between two calls.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from selfinstruct.checks import (
    choices,
    contradiction,
    difference,
    duplicate,
    echo,
    empty,
    grounding,
    identifiers,
    label,
    length,
    novelty,
    patterns,
    quota,
    schema,
    snippets,
)
from selfinstruct.recipe import Recipe
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import JSON, Candidate, Judgement, Rejection, Row
from selfinstruct.similarity.duplicates import answer_fields
from selfinstruct.text import value_text

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


FieldCheck: TypeAlias = Callable[[Row, str, Constraints], Rejection | None]

#: Judgements of one field's value by the row alone, each with the keys that it is about (none: it is about any field).
FIELD_CHECKS: Mapping[FieldCheck, tuple[str, ...]] = {
    empty.check: (),
    length.check: ("min_chars", "max_chars", "min_words", "max_words"),
    patterns.check: ("pattern", "refuse"),
    grounding.check: ("appears_in",),
    identifiers.check: ("identifiers_in",),
    choices.check: ("one_of", "choice_of"),
    difference.check: ("differs_from",),
    snippets.check: ("snippets",),
}
#: The keys that name another field.
_REFERRING = ("appears_in", "identifiers_in", "choice_of", "differs_from")


class _Held(NamedTuple):
    """A check that a field is held to, where the fields of ``when`` have one of the texts."""

    check: FieldCheck
    name: str
    held: Constraints
    when: tuple[tuple[str, frozenset[str]], ...] = ()

    def fault(self, row: Row) -> Rejection | None:
        """The rejection of a row that has all fields that this is about."""
        if self.when and not all(_is_one_of(row[name], wanted) for name, wanted in self.when):
            return None
        return self.check(row, self.name, self.held)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What rows are judged by: the recipe, each category's largest ROUGE-L, and a row's category.

    The keys of ``thresholds`` are the known categories; ``categorise`` gives "" for a row of none. It is asked
    only for rows that have the recipe's fields and types, and must not raise for those.
    """

    recipe: Recipe
    thresholds: Mapping[str, float]
    categorise: Callable[[Row], str]
    # Made once: a check that a recipe does not ask for costs nothing.
    _held: tuple[_Held, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_held", tuple(_held(self.recipe)))


class Neighbours(Protocol):
    """The rows that a row is compared with, by their ids."""

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """The row that agrees in all question fields, and whether in the others too (see ``twins``)."""
        ...

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """The nearest row whose ROUGE-L F1 is strictly above ``threshold``, with its score."""
        ...


class PoolView(Neighbours, Protocol):
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


@dataclass(slots=True)
class _Case:
    """A row with the right fields, and what is known of its surroundings."""

    row: Row
    category: str
    twin: tuple[int, bool] | None
    terms: Criteria
    demos: Container[int]
    seed_count: int
    room: Callable[[str], int]
    nearest: Callable[[Row, float], tuple[int, float] | None]


#: Judgements of a row among its categories and neighbours.
ROW_CHECKS: tuple[Callable[[_Case], Rejection | None], ...] = (
    lambda case: echo.check(case.twin, case.demos, case.seed_count),
    lambda case: label.check(case.row, case.category, case.terms.recipe.categories, case.terms.thresholds),
    lambda case: contradiction.check(case.row, case.twin, case.terms.recipe),
    lambda case: duplicate.check(case.twin),
    lambda case: quota.check(case.category, case.room(case.category)),
    lambda case: novelty.check(case.row, case.terms.thresholds[case.category], case.nearest),
)


def judge(candidate: Candidate, demos: Container[int], terms: Criteria, pool: PoolView) -> Judgement:
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
    for held in terms._held:
        rejection = held.fault(row)
        if rejection is not None:
            return Judgement(candidate, category, rejection)
    case = _Case(row, category, pool.twin(row), terms, demos, pool.seed_count, pool.room, pool.nearest)
    rejection = _first(case)
    return Judgement(candidate, category, rejection, {} if rejection else grounding.spans(row, fields))


def examine(row: Row, terms: Criteria, earlier: Neighbours) -> list[Fault]:
    """Every fault of one row of a file, ``earlier`` being the rows before it; the caller then adds it to those.

    One fault a field, since a value that is empty is ungrounded too, and one of the row as a whole. A row of
    another shape cannot be looked at further, nor be added.
    """
    fields = terms.recipe.fields
    faults = [Fault(name, Rejection("schema", message)) for name, message in schema.faults(row, fields)]
    if faults:
        return faults
    found: dict[str, Rejection] = {}
    for held in terms._held:
        if held.name not in found and (rejection := held.fault(row)) is not None:
            found[held.name] = rejection
    faults.extend(Fault(name, found[name]) for name in fields if name in found)
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


def _held(recipe: Recipe) -> Iterator[_Held]:
    """What a recipe holds its fields to, in the order of the checks; what its rules say comes after."""
    for check, keys in FIELD_CHECKS.items():
        for name, held in recipe.fields.items():
            if not keys or _says(held, keys):
                yield _Held(check, name, held)
    for rule in recipe.rules:
        when = tuple((name, frozenset(map(_folded, values))) for name, values in rule.when.items())
        for check, keys in FIELD_CHECKS.items():
            if _says(rule, keys):
                yield _Held(check, rule.field, rule, when)


def _says(held: Constraints, keys: Sequence[str]) -> bool:
    return any(getattr(held, key) not in (None, ()) for key in keys)


def _is_one_of(value: JSON, wanted: Container[str]) -> bool:
    """Whether a value, or an item of a list, is one of these texts."""
    return any(_folded(item) in wanted for item in (value if isinstance(value, list) else (value,)))


def _folded(value: JSON) -> str:
    return value_text(value).strip().casefold()


def field_faults(row: Row, recipe: Recipe, names: Container[str]) -> Rejection | None:
    """The first rejection of a row that need not be complete yet, by its fields in ``names`` alone.

    What refers to a field that is not among them is passed over, and so is a rule that depends on one.
    """
    known = {name: held for name, held in recipe.fields.items() if name in names and name in row}
    rejection = schema.check({name: row[name] for name in known}, known)
    if rejection is not None:
        return rejection
    for held in _held(recipe):
        if all(name in known for name in _about(held)):
            rejection = held.fault(row)
            if rejection is not None:
                return rejection
    return None


def _about(held: _Held) -> Iterator[str]:
    """The fields that a check looks at."""
    yield held.name
    yield from (name for name, _ in held.when)
    for key in FIELD_CHECKS[held.check]:
        other = getattr(held.held, key) if key in _REFERRING else None
        if other is not None:
            yield other
