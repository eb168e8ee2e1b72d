"""What the candidates were checked by: each stage and each relation, how often it was reached and how often it refused.

Does not handle: reasons against candidates by their slugs, which ``Summary.rejected`` counts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from selfinstruct.journal import History
from selfinstruct.recipe import Recipe

#: Rejections that are read to tell which relation refused a candidate.
_READ = 2000
#: The reasons of each stage, in the order in which a candidate passes them.
_STAGES = (
    ("judges", ("judge",)),
    ("fields and types", ("schema",)),
    ("rules of fields", ("empty", "length", "blocked", "pii", "ungrounded", "identifiers", "same")),
    ("relations", ("relation",)),
    ("own checks", ("check",)),
    ("tests of code", ("tests",)),
    ("other rows", ("echo", "label", "contradiction", "holdout", "duplicate", "quota", "near-duplicate")),
    ("readers", ("unanswered",)),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A check by its ``name``: how many candidates were ``checked`` by it, and how many it ``refused``."""

    name: str
    checked: int
    refused: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The stages of checking that the recipe turns on, and its relations.

    ``stages`` are in the order of checks, ``relations`` in that of the recipe. ``unattributed`` counts
    rejections by a relation of which it is not known by which one.
    """

    stages: tuple[Rule, ...]
    relations: tuple[Rule, ...]
    unattributed: int


def rules(history: History, recipe: Recipe, candidates: int, rejected: Mapping[str, int]) -> Rules:
    """Return how often each check was reached: a candidate is refused by the first check that it does not pass."""
    stages, left, reached = [], candidates, 0
    turned_on = {
        "judges": bool(recipe.judge),
        "relations": bool(recipe.relations),
        "own checks": bool(recipe.checks.model_fields_set),
        "tests of code": any(field.passes for field in recipe.fields.values()),
        "readers": bool(recipe.verify),
    }
    # A label that is not one of a field's choices is refused by the rules of that field.
    chosen = any(each.one_of or each.choice_of for each in (*recipe.fields.values(), *recipe.rules))
    moved = {"rules of fields": rejected.get("label", 0), "other rows": -rejected.get("label", 0)} if chosen else {}
    for name, reasons in _STAGES:
        refused = sum(rejected.get(reason, 0) for reason in reasons) + moved.get(name, 0)
        if name == "relations":
            reached = left
        if refused or turned_on.get(name, True):
            stages.append(Rule(name, left, refused))
        left -= refused
    counts, unattributed = _refused_by_relation(history, recipe, rejected.get("relation", 0))
    relations = []
    for at, relation in enumerate(recipe.relations):
        relations.append(Rule(relation.describe(), reached, counts[at]))
        reached -= counts[at]
    return Rules(tuple(stages), tuple(relations), unattributed)


def _refused_by_relation(history: History, recipe: Recipe, total: int) -> tuple[Counter[int], int]:
    """How many candidates each relation refused, by its place; the number of those that cannot be told."""
    found: Counter[int] = Counter()
    for refused in islice(history.rejections("relation"), _READ):
        try:
            row = json.loads(refused.text)
        except ValueError:
            continue
        if not isinstance(row, dict):
            continue
        for at, relation in enumerate(recipe.relations):
            if all(name in row for name in relation.fields) and relation.violation(row) == refused.message:
                found[at] += 1
                break
    return found, total - found.total()
