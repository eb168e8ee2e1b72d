"""Checking seeds by the rules of their recipe: which of them are used, and what is wrong with the others.

Does not handle: inferring the rules (``infer``), or held-out rows (``holdout``).
"""

from __future__ import annotations

from collections.abc import Sequence

from selfinstruct.checks import (
    AppliedCheck,
    CustomCheck,
    applied_checks,
    custom_checks,
    custom_rejection,
    field_faults,
    first_rejection,
    running_checks,
    schema,
)
from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase, joined
from selfinstruct.preparation.infer import Inferred
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.rows import RowFile
from selfinstruct.similarity.duplicates import DuplicateIndex, unique_field_names


def check_seeds(seeds: RowFile, recipe: Recipe | None, *, skip: bool) -> tuple[RowFile, list[str]]:
    """Return the seeds without duplicates and those that break the rules of the recipe, and the faults of these.

    Raises RowError with all faults unless ``skip``; and in any case if no seed is left.
    """
    faults: list[tuple[str, str]] = []
    kept: list[int] = []
    unique = () if recipe is None else unique_field_names(recipe)
    duplicates = DuplicateIndex([name for name in seeds.fields if name not in unique] or seeds.fields, ignored=unique)
    own_checks = () if recipe is None else custom_checks(recipe)
    applied = () if recipe is None else applied_checks(recipe)
    running = () if recipe is None else running_checks(recipe)
    for at, row in enumerate(seeds.rows):
        earlier = duplicates.find(row)
        duplicates.add(row)
        fault = (
            _fault(row, recipe, applied, own_checks, running)
            if earlier is None
            else _same_row(_other(seeds, earlier[0], at), unique)
        )
        if fault:
            faults.append((seeds.place(at), fault))
        else:
            kept.append(at)
    lines = [Phrase("{where}: {problem}", where=where, problem=problem) for where, problem in faults]
    if faults and (not skip or not kept):
        where, problem = faults[0]
        raise RowError(
            where,
            joined([problem, *lines[1:]], "\n"),
            hint=Phrase("Fix the seeds or the recipe, or leave out these rows with `skip_bad_seeds=True`.")
            if kept
            else Phrase("No seed row is valid: fix the seeds or the recipe."),
        )
    return seeds.selected(kept), list[str](lines)


def _other(seeds: RowFile, other: int, at: int) -> str:
    """The place of another row, as messages about the row ``at`` name it."""
    if seeds.file(other) != seeds.file(at):
        return seeds.place(other)
    return Phrase("line {number}", number=seeds.lines[other])


def without_doubtful(seeds: RowFile, inferred: Inferred) -> tuple[RowFile, list[str]]:
    """Return the seeds that the rules were inferred from, and the faults of the others with file and line."""
    kept = [at for at in range(len(seeds.rows)) if at not in inferred.doubtful]
    faults: list[str] = [
        Phrase("{where}: {problem}", where=seeds.place(at), problem=fault) for at, fault in inferred.doubtful.items()
    ]
    return seeds.selected(kept), faults


def first_fault(seeds: RowFile, recipe: Recipe, inferred: Recipe) -> str:
    """The first fault of seeds that break the rules of a built-in recipe but not the inferred ones, or "".

    A recipe may take no seeds.
    """
    if not recipe.seeds.file or recipe is inferred:
        return ""
    applied = applied_checks(recipe)
    faults = ((line, _fault(row, recipe, applied, ())) for row, line in zip(seeds.rows, seeds.lines, strict=True))
    first = next(((line, fault) for line, fault in faults if fault), None)
    return Phrase("line {number}: {problem}", number=first[0], problem=first[1]) if first else ""


def _same_row(place: str, unique: Sequence[str]) -> Phrase:
    if not unique:
        return Phrase("the same row as {place}", place=place)
    return Phrase("the same row as {place}, apart from {fields}", place=place, fields=joined(unique, " and "))


def _fault(
    row: Row,
    recipe: Recipe | None,
    applied: Sequence[AppliedCheck],
    own_checks: Sequence[CustomCheck],
    running: Sequence[AppliedCheck] = (),
) -> str:
    """The message of the first fault of a seed, or ""."""
    if recipe is None:
        return ""
    rejection = schema.check(row, recipe.fields)
    if rejection is not None:
        return rejection.message
    rejection = (
        field_faults(row, recipe, tuple(row), applied)
        or custom_rejection(row, recipe, own_checks)
        or first_rejection(row, running)
    )
    return rejection.message if rejection is not None else ""
