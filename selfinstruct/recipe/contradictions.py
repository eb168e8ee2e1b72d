"""What no single key of a recipe is to blame for: names that are not there, keys that exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from selfinstruct.recipe import toml
from selfinstruct.recipe.errors import Problem, no_such_field
from selfinstruct.recipe.methods import Constraints
from selfinstruct.recipe.namings import naming_problems
from selfinstruct.recipe.patterns import pattern_problem
from selfinstruct.recipe.tables import Recipe

#: The keys that name another field.
_REFERRING = ("appears_in", "identifiers_in", "choice_of", "differs_from")
_UNNEST = "repeat once, or end each turn with a character that is in none of its repeats: (a+,)+ for (a+)+"


def recipe_contradictions(recipe: Recipe) -> Iterator[Problem]:
    """Everything in ``recipe`` that contradicts itself."""
    yield from naming_problems(recipe)
    if not recipe.fields:
        yield Problem(("fields",), "names no field", "add a table for each field of a row, such as [fields.Question]")
    for path, name in _named_fields(recipe):
        if name not in recipe.fields:
            yield no_such_field(path, name, recipe.fields)
    for field_path, name, held in _held(recipe):
        for key in _REFERRING:
            if getattr(held, key) == name:
                hint = "name the field that its values are compared with, or remove the key"
                yield Problem((*field_path, key), "names the field itself", hint)
        yield from _constraint_mistakes(field_path, held)
    yield from _quota_contradictions(recipe)
    if recipe.models and recipe.model is not None:
        yield Problem(("models",), "excludes [model]: keep one of the two", "make [model] one of the [[models]]")
    if len({(model.name, model.base_url) for model in recipe.models}) < len(recipe.models):
        yield Problem(("models",), "names the same model at the same base_url twice", "keep one, with a larger weight")


def _held(recipe: Recipe) -> Iterator[tuple[toml.KeyPath, str, Constraints]]:
    """Every table of constraints, with the field that is held to it."""
    for name, field in recipe.fields.items():
        yield ("fields", name), name, field
    for at, rule in enumerate(recipe.rules):
        yield ("rules", at), rule.field, rule


def _named_fields(recipe: Recipe) -> Iterator[tuple[toml.KeyPath, str]]:
    for path, _, held in _held(recipe):
        for key in _REFERRING:
            if (other := getattr(held, key)) is not None:
                yield (*path, key), other
    for at, rule in enumerate(recipe.rules):
        yield ("rules", at, "field"), rule.field
        for name in rule.when:
            yield ("rules", at, "when"), name
    if recipe.categories.field is not None:
        yield ("categories", "field"), recipe.categories.field
    for other in recipe.novelty.fields:
        yield ("novelty", "fields"), other


def _constraint_mistakes(path: toml.KeyPath, held: Constraints) -> Iterator[Problem]:
    """What is wrong with the constraints of one field or rule by themselves."""
    if held.match != "exact" and held.appears_in is None:
        yield Problem((*path, "match"), "says how appears_in compares, and there is no appears_in")
    for unit in ("chars", "words"):
        least, most = getattr(held, f"min_{unit}"), getattr(held, f"max_{unit}")
        if most is not None and (least or 0) > most:
            message = f"is below min_{unit}, {least}: no text is long enough and short enough"
            yield Problem((*path, f"max_{unit}"), message)
    for key, patterns in (("pattern", (held.pattern,)), ("refuse", held.refuse)):
        for pattern in patterns:
            if pattern is not None and (problem := pattern_problem(pattern)):
                shown = pattern if len(pattern) <= 60 else f"{pattern[:60]}..."
                hint = "see docs.python.org/3/library/re.html" if "no regular" in problem else _UNNEST
                yield Problem((*path, key), f"{toml.literal(shown)} {problem}", hint)
    rules = held.snippets
    if rules is not None and rules.most is not None and rules.least > rules.most:
        yield Problem((*path, "snippets"), f"least, {rules.least}, is above most, {rules.most}")


def _quota_contradictions(recipe: Recipe) -> Iterator[Problem]:
    categories, quota = recipe.categories, recipe.quota
    if categories.by in ("field", "template") and categories.field is None:
        yield Problem(("categories", "field"), f'missing; by = "{categories.by}" needs the field to look at')
    if categories.function is not None and categories.field is not None:
        hint = 'remove the key, or say by = "template" or by = "field"'
        yield Problem(("categories", "field"), "unused: the function in by is given the whole row", hint)
    if categories.by == "none" and categories.field is not None:
        yield Problem(("categories", "field"), 'means nothing with by = "none"', 'say by = "template" or by = "field"')
    if quota.rows is not None and quota.per_category is not None:
        yield Problem(("quota", "per_category"), "excludes rows: keep one of the two")
    if quota.weights and quota.rows is None:
        yield Problem(("quota", "weights"), "shares out rows, and there is no rows", "add, for example, rows = 1000")
    if quota.weights and categories.by == "none":
        yield Problem(("quota", "weights"), 'needs categories, and [categories] has by = "none"')
    if recipe.novelty.categories and categories.by == "none":
        yield Problem(("novelty", "categories"), 'needs categories, and [categories] has by = "none"')
    if recipe.novelty.per_field and recipe.novelty.max_rouge_l == "seeds":
        message = 'needs a number for max_rouge_l, since "seeds" is measured on the fields together'
        yield Problem(("novelty", "per_field"), message, "for example max_rouge_l = 0.7")
    if not recipe.novelty.fields:
        yield Problem(("novelty", "fields"), "names no field: nothing could be compared")
