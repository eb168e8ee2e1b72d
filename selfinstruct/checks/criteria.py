"""Criteria: what the rows of one data set are judged by, with the checks that its recipe turns on."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from selfinstruct.checks import relation, schema
from selfinstruct.checks.custom import CustomCheck
from selfinstruct.checks.table import FIELD_CHECKS, REASONS, FieldCheck
from selfinstruct.recipe import Recipe, import_extension
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
        if self.optional and any(name not in row for name in self.optional):
            return None
        if self.when and not all(_is_one_of(row[name], wanted) for name, wanted in self.when):
            return None
        return self.check(row, self.name, self.constraints)

    def fields(self) -> Iterator[str]:
        """The fields that the check reads."""
        yield self.name
        yield from (name for name, _ in self.when)
        for key in FIELD_CHECKS[self.check]:
            other = getattr(self.constraints, key) if key in REFERRING_KEYS else None
            if other is not None:
                yield other


@dataclass(frozen=True, slots=True)
class Criteria:
    """What rows are judged by: the recipe, each category's largest ROUGE-L, and a row's category.

    The keys of ``thresholds`` are the known categories; ``categorise`` returns "" for a row of none. It is called only
    for rows that have the recipe's fields and types, and must not raise for those. The recipe's own checks are
    imported here: raises RecipeError where one cannot be.
    """

    recipe: Recipe
    thresholds: Mapping[str, float]
    categorise: Callable[[Row], str]
    # Made once, so that a check that the recipe does not turn on costs nothing.
    applied: tuple[AppliedCheck, ...] = field(init=False, repr=False, compare=False)
    custom: tuple[CustomCheck, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "applied", applied_checks(self.recipe))
        object.__setattr__(self, "custom", custom_checks(self.recipe))

    def custom_rejection(self, row: Row) -> Rejection | None:
        """The first rejection by one of the recipe's own checks."""
        return custom_rejection(row, self.recipe, self.custom)


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


def applied_checks(recipe: Recipe) -> tuple[AppliedCheck, ...]:
    """The checks that a recipe turns on, in the order of the table; those of its rules come last."""
    applied = [
        AppliedCheck(check, name, constraints)
        for check, keys in FIELD_CHECKS.items()
        for name, constraints in recipe.fields.items()
        if not keys or _any_set(constraints, keys)
    ]
    for rule in recipe.rules:
        when = tuple((name, frozenset(map(caseless, values))) for name, values in rule.when.items())
        applied += [
            AppliedCheck(check, rule.field, rule, when) for check, keys in FIELD_CHECKS.items() if _any_set(rule, keys)
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
