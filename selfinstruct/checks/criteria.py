"""Criteria: what the rows of one data set are judged by, with the checks that its recipe turns on."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from selfinstruct.checks import leftovers, relation, schema, tests
from selfinstruct.checks.custom import CustomCheck
from selfinstruct.checks.leftovers import SeedMarks
from selfinstruct.checks.table import FIELD_CHECKS, REASONS, RUNNING_CHECKS, FieldCheck
from selfinstruct.execution import shared_runner
from selfinstruct.recipe import Field, Recipe, import_extension
from selfinstruct.recipe.methods import REFERRING_KEYS, Constraints
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.text import caseless


class AppliedCheck(NamedTuple):
    """A check of one field, applied to rows in which each field of ``when`` has one of its texts."""

    check: FieldCheck
    name: str
    constraints: Constraints
    when: tuple[tuple[str, frozenset[str]], ...] = ()
    optional: tuple[str, ...] = ()

    def rejection(self, row: Row) -> Rejection | None:
        """The rejection of a row; None if it lacks one of the ``optional`` fields that the check reads."""
        return self.check(row, self.name, self.constraints) if self.applies(row) else None

    def applies(self, row: Row) -> bool:
        """Whether a row has the fields that the check reads, and the values of ``when``."""
        if self.optional and any(name not in row for name in self.optional):
            return False
        return not self.when or all(_is_one_of(row[name], wanted) for name, wanted in self.when)

    def fields(self) -> Iterator[str]:
        """The fields that the check reads."""
        yield self.name
        yield from (name for name, _ in self.when)
        for key in (*FIELD_CHECKS.get(self.check, ()), *RUNNING_CHECKS.get(self.check, ())):
            other = getattr(self.constraints, key) if key in REFERRING_KEYS else None
            if other is not None:
                yield other


@dataclass(frozen=True, slots=True)
class Criteria:
    """What rows are judged by: the recipe, each category's largest ROUGE-L, and a row's category.

    The keys of ``thresholds`` are the known categories; ``categorise`` returns "" for a row of none. It is called only
    for rows that have the recipe's fields and types, and must not raise for those. ``marks`` are what the seeds have of
    placeholders and damage; with None, neither is refused. The recipe's own checks are
    imported here: raises RecipeError where one cannot be, and InputError if it runs tests and code cannot be run here.
    """

    recipe: Recipe
    thresholds: Mapping[str, float]
    categorise: Callable[[Row], str]
    marks: SeedMarks | None = None
    # Made once, so that a check that the recipe does not turn on costs nothing.
    applied: tuple[AppliedCheck, ...] = field(init=False, repr=False, compare=False)
    custom: tuple[CustomCheck, ...] = field(init=False, repr=False, compare=False)
    running: tuple[AppliedCheck, ...] = field(init=False, repr=False, compare=False)
    _written: Mapping[str, Field] = field(init=False, repr=False, compare=False)
    _templated: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "applied", applied_checks(self.recipe))
        object.__setattr__(self, "custom", custom_checks(self.recipe))
        object.__setattr__(self, "running", running_checks(self.recipe))
        object.__setattr__(self, "_written", leftovers.leftover_fields(self.recipe))
        object.__setattr__(self, "_templated", leftovers.templated_fields(self.recipe))

    def leftover(self, row: Row) -> Rejection | None:
        """The rejection of a row with a placeholder or with damage that the seeds lack."""
        return None if self.marks is None else leftovers.check(row, self._written, self._templated, self.marks)

    def custom_rejection(self, row: Row) -> Rejection | None:
        """The first rejection by one of the recipe's own checks."""
        return custom_rejection(row, self.recipe, self.custom)

    def failed_tests(self, row: Row) -> Rejection | None:
        """The rejection of a row whose code does not pass its tests."""
        return first_rejection(row, self.running)

    def run_ahead(self, rows: Sequence[Row]) -> None:
        """Run the tests of many rows at once, which is faster; ``failed_tests`` then knows what came out.

        Not of rows that other checks of their fields reject. May be called in another thread.
        """
        if not self.running:
            return
        shaped = (row for row in rows if schema.check(row, self.recipe.fields) is None)
        sound = [row for row in shaped if field_faults(row, self.recipe, tuple(row), self.applied) is None]
        run_ahead(sound, self.running)


def running_checks(recipe: Recipe) -> tuple[AppliedCheck, ...]:
    """The checks of a recipe that run code. Raises InputError if there are any and code cannot be run in safety."""
    running = applied_checks(recipe, RUNNING_CHECKS)
    if running:
        shared_runner().require()
    return running


def run_ahead(rows: Sequence[Row], running: Sequence[AppliedCheck]) -> None:
    """Run the code of rows that have the recipe's fields, several at once."""
    programs = [
        program
        for each in running
        for row in rows
        if each.applies(row) and (program := tests.program(row, each.name, each.constraints)) is not None
    ]
    shared_runner().verdicts(programs)


def first_rejection(row: Row, checks: Sequence[AppliedCheck]) -> Rejection | None:
    """The first rejection by one of ``checks``."""
    return next((found for each in checks if (found := each.rejection(row)) is not None), None)


def custom_checks(recipe: Recipe) -> tuple[CustomCheck, ...]:
    """The checks that ``[checks] use`` names, imported. Raises RecipeError where one cannot be."""
    return tuple(CustomCheck(reference, import_extension(reference)) for reference in recipe.checks.use)


def custom_rejection(row: Row, recipe: Recipe, checks: Sequence[CustomCheck]) -> Rejection | None:
    """The first rejection of a complete row by one of ``checks``."""
    for each in checks:
        rejection = each.check(row, recipe, REASONS)
        if rejection is not None:
            return rejection
    return None


def field_faults(
    row: Row, recipe: Recipe, names: Container[str], applied: Sequence[AppliedCheck] | None = None
) -> Rejection | None:
    """The first rejection of a row that may be incomplete, by its fields in ``names`` alone.

    Checks that refer to a field that is not among them are skipped, and so are rules that depend on one. ``applied``
    is the result of ``applied_checks`` for the recipe, for callers with many rows.
    """
    known = {name: constraints for name, constraints in recipe.fields.items() if name in names and name in row}
    rejection = schema.check({name: row[name] for name in known}, known)
    if rejection is not None:
        return rejection
    for each in applied_checks(recipe) if applied is None else applied:
        if all(name in known for name in each.fields()):
            rejection = each.rejection(row)
            if rejection is not None:
                return rejection
    return relation.check(row, recipe.relations, names)


def applied_checks(
    recipe: Recipe, table: Mapping[FieldCheck, tuple[str, ...]] = FIELD_CHECKS
) -> tuple[AppliedCheck, ...]:
    """The checks that a recipe turns on, in the order of the table; those of its rules come last."""
    applied = [
        AppliedCheck(check, name, constraints)
        for check, keys in table.items()
        for name, constraints in recipe.fields.items()
        if not keys or _any_set(constraints, keys)
    ]
    for rule in recipe.rules:
        when = tuple((name, frozenset(map(caseless, values))) for name, values in rule.when.items())
        applied += [
            AppliedCheck(check, rule.field, rule, when) for check, keys in table.items() if _any_set(rule, keys)
        ]
    optional = {name for name, field in recipe.fields.items() if field.optional}
    if optional:
        applied = [
            each._replace(optional=tuple(name for name in each.fields() if name in optional)) for each in applied
        ]
    return tuple(applied)


def _any_set(constraints: Constraints, keys: Sequence[str]) -> bool:
    return any(getattr(constraints, key) not in (None, ()) for key in keys)


def _is_one_of(value: JSON, wanted: Container[str]) -> bool:
    """Whether a value, or an item of a list, is one of these texts."""
    return any(caseless(item) in wanted for item in (value if isinstance(value, list) else (value,)))
