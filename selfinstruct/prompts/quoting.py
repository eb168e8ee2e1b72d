"""Rows, names and values as a prompt shows them: JSON that cannot be taken for the prompt's own words."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from selfinstruct.recipe import PROBABILITY, Recipe, Rule
from selfinstruct.recipe.methods import Scalar
from selfinstruct.records import Row
from selfinstruct.rows import to_json
from selfinstruct.text import value_text

#: What a category's template has in place of each varying value.
SLOT = "<*>"
#: Example values of the types other than text, in the form of a reply.
PLACEHOLDERS = {"integer": 0, "number": 0.5, "boolean": True, "array": [], "object": {}}
#: An example of the probability of a row: unlikely, as most are to be.
EXAMPLE_PROBABILITY = 0.05
_BACKTICKS = re.compile("`{3,}")


def demonstrations(rows: Sequence[Row]) -> str:
    """Rows as JSON Lines in a fence that they cannot close; "" for none."""
    if not rows:
        return ""
    return fenced("\n".join(map(to_json, rows)), "jsonl")


def fenced(text: str, language: str = "") -> str:
    """A text in a fence that it cannot close."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def reply_shape(recipe: Recipe, ellipsis: str) -> str:
    """The form of a reply as an example; ``ellipsis`` is the value of text fields."""
    row = {name: PLACEHOLDERS.get(field.type, ellipsis) for name, field in recipe.fields.items()}
    return to_json({"rows": [row | stated_probability(recipe)]})


def stated_probability(recipe: Recipe) -> Row:
    """The probability of an example row, where replies state it."""
    return {PROBABILITY: EXAMPLE_PROBABILITY} if recipe.prompt.verbalized_sampling else {}


def quoted(text: str) -> str:
    """A name or a label as JSON: on one line, with lone surrogates escaped, so that it encodes as UTF-8."""
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def listed(values: Sequence[Scalar], joint: str) -> str:
    """Values as JSON, joined by ``joint``."""
    return joint.join(quoted(value) if isinstance(value, str) else value_text(value) for value in values)


def rule_condition(rule: Rule, alternative: str, equals: str, joint: str) -> str:
    """The condition of a rule, in the words of a language."""
    return joint.join(f"{quoted(name)}{equals}{listed(values, alternative)}" for name, values in rule.when.items())


def category_label(recipe: Recipe, category: str) -> str:
    """A category as a value of its field: labels that are not text are JSON already."""
    field = recipe.fields.get(recipe.categories.field or "")
    return quoted(category) if field is None or field.type in ("string", "any") else category
