"""The table of checks in their order, and the slug of each reason for a rejection.

To add a check: its own file in this package, a line in the table here, and the meaning of a new reason in
``render.summary``.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from selfinstruct.checks import (
    choices,
    contradiction,
    difference,
    duplicate,
    echo,
    empty,
    grounding,
    holdout,
    identifiers,
    label,
    length,
    novelty,
    patterns,
    quota,
    rewording,
    snippets,
    tests,
    unique,
)
from selfinstruct.recipe import Recipe
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Rejection, Row

#: Every reason for a rejection. Journals and reports contain these slugs, so their meanings never change.
REASONS = (
    "schema",
    "empty",
    "length",
    "echo",
    "same",
    "ungrounded",
    "identifiers",
    "label",
    "blocked",
    "check",
    "relation",
    "contradiction",
    "holdout",
    "pii",
    "near-duplicate",
    "duplicate",
    "quota",
    "judge",
    "unanswered",
    "tests",
)

FieldCheck: TypeAlias = Callable[[Row, str, Constraints], Rejection | None]

#: The checks of one field's value, which look at the row alone, each with the keys that turn it on (none: always on).
FIELD_CHECKS: Mapping[FieldCheck, tuple[str, ...]] = {
    empty.check: (),
    length.check: ("min_chars", "max_chars", "min_words", "max_words"),
    patterns.check: ("pattern", "refuse"),
    grounding.check: ("appears_in",),
    identifiers.check: ("identifiers_in",),
    choices.check: ("one_of", "choice_of"),
    difference.check: ("differs_from", "differs_by"),
    snippets.check: ("snippets",),
}

#: The checks of one field's value that run code. They come after the others and after checks of the user's own.
RUNNING_CHECKS: Mapping[FieldCheck, tuple[str, ...]] = {tests.check: ("passes",)}


@dataclass(slots=True)
class Context:
    """A row that has the recipe's fields, its category, and the rows that it is compared with.

    ``same_question`` is the earlier row that agrees in all question fields, and whether it agrees in the others too;
    ``reused`` is a unique field whose value an earlier row has, and that row; ``reworded`` an earlier row about the
    same passage that asks for the same in nearly the same words, and their ROUGE-L F1.
    ``demos`` are the ids of the demonstrations of its batch; ids up to ``seed_count`` are seeds. ``room`` returns how
    many rows a category is short of, ``nearest`` the nearest row above a ROUGE-L F1, ``near_held_out`` a held-out one.
    """

    row: Row
    category: str
    same_question: tuple[int, bool] | None
    reused: tuple[str, int] | None
    reworded: tuple[int, float] | None
    recipe: Recipe
    thresholds: Mapping[str, float]
    demos: Container[int]
    seed_count: int
    room: Callable[[str], int]
    nearest: Callable[[Row, float], tuple[int, float] | None]
    near_held_out: Callable[[Row, float], tuple[int, float] | None]


#: The checks of a row among its category and its neighbours. An echo is looked for after the field checks, which the
#: row that it repeats has passed.
ROW_CHECKS: tuple[Callable[[Context], Rejection | None], ...] = (
    lambda it: echo.check(it.same_question, it.demos, it.seed_count),
    lambda it: label.check(it.row, it.category, it.recipe.categories, it.thresholds),
    lambda it: contradiction.check(it.row, it.same_question, it.recipe),
    lambda it: holdout.check(it.row, it.thresholds[it.category], it.near_held_out),
    lambda it: duplicate.check(it.same_question),
    lambda it: unique.check(it.row, it.reused),
    lambda it: quota.check(it.category, it.room(it.category)),
    lambda it: rewording.check(it.reworded),
    lambda it: novelty.check(it.row, it.thresholds[it.category], it.nearest),
)
