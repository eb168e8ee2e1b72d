"""The most rows that the passages of a recipe can yield, if every one of them is accepted.

    passages x rows of the steps x templates of the expansions

Does not handle: how many of them will be accepted.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

from selfinstruct.growth import EXPAND, Draft, PromptInputs, StepReply, advance
from selfinstruct.recipe import Recipe, Step
from selfinstruct.records import JSON
from selfinstruct.text import caseless


def capacity(recipe: Recipe, inputs: PromptInputs) -> int:
    """Return the most rows that one pass over the passages can yield, at least 1."""
    if not recipe.steps and all(each.in_jinja or each.name in inputs.templates for each in recipe.expand):
        # Without a model it is known which templates fit which passage.
        replies = {EXPAND: StepReply((Draft({}, ""),))}
        return max(sum(len(advance(recipe, inputs, each, replies).drafts) for each in inputs.passages), 1)
    templates = math.prod(len(inputs.templates.get(each.name, ())) or each.size for each in recipe.expand)
    lists = {name for name, attribute in recipe.attributes.items() if attribute.draw[-1] > 1}
    lists |= {name for name, field in recipe.fields.items() if field.type in ("array", "any")}
    rows = _most_rows(recipe.steps, recipe.prompt.rows_per_request, lists)
    return max(len(inputs.passages), 1) * rows * templates


def _most_rows(steps: Sequence[Step], count: int, lists: Container[str]) -> int:
    """The most rows that the steps make of one passage; ``count`` of a step without a number of its own.

    Steps whose conditions exclude each other are alternatives; a name of ``lists`` may have several values at once.
    """
    if not steps:
        return 1
    first, rest = steps[0], steps[1:]
    together = [step for step in rest if not _exclude(first, step, lists)]
    rows = (first.rows or count) * _most_rows(together, count, lists)
    return rows if len(together) == len(rest) else max(rows, _most_rows(rest, count, lists))


def _exclude(one: Step, other: Step, lists: Container[str]) -> bool:
    """Whether the conditions of two steps never hold for the same row."""
    names = [name for name in one.when.keys() & other.when.keys() if name not in lists]
    return any(_folded(one.when[name]).isdisjoint(_folded(other.when[name])) for name in names)


def _folded(values: Sequence[JSON]) -> set[str]:
    return set(map(caseless, values))
