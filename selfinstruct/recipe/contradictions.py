"""What no single key of a recipe is to blame for: names that are not there, keys that exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from selfinstruct import toml
from selfinstruct.mistakes import Mistake, no_such_field
from selfinstruct.recipe.namings import naming_mistakes
from selfinstruct.recipe.tables import Recipe


def contradictions(recipe: Recipe) -> Iterator[Mistake]:
    """Everything in ``recipe`` that contradicts itself."""
    yield from naming_mistakes(recipe)
    if not recipe.fields:
        yield Mistake(("fields",), "names no field", "add a table for each field of a row, such as [fields.Question]")
    for path, name in _named_fields(recipe):
        if name not in recipe.fields:
            yield no_such_field(path, name, recipe.fields)
        elif path[0] == "fields" and path[1] == name:
            yield Mistake(path, "names the field itself", "name the field that its values come from, or remove the key")
    for name, field in recipe.fields.items():
        if field.match != "exact" and field.appears_in is None:
            yield Mistake(("fields", name, "match"), "says how appears_in compares, and there is no appears_in")
        if field.max_chars is not None and (field.min_chars or 0) > field.max_chars:
            message = f"is below min_chars, {field.min_chars}: no text is long enough and short enough"
            yield Mistake(("fields", name, "max_chars"), message)
    yield from _quota_contradictions(recipe)
    if recipe.models and recipe.model is not None:
        yield Mistake(("models",), "excludes [model]: keep one of the two", "make [model] one of the [[models]]")
    if len({(model.name, model.base_url) for model in recipe.models}) < len(recipe.models):
        yield Mistake(("models",), "names the same model at the same base_url twice", "keep one, with a larger weight")


def _named_fields(recipe: Recipe) -> Iterator[tuple[toml.KeyPath, str]]:
    for name, field in recipe.fields.items():
        for key in ("appears_in", "identifiers_in"):
            if (other := getattr(field, key)) is not None:
                yield ("fields", name, key), other
    if recipe.categories.field is not None:
        yield ("categories", "field"), recipe.categories.field
    for other in recipe.novelty.fields:
        yield ("novelty", "fields"), other


def _quota_contradictions(recipe: Recipe) -> Iterator[Mistake]:
    categories, quota = recipe.categories, recipe.quota
    if categories.by in ("field", "template") and categories.field is None:
        yield Mistake(("categories", "field"), f'missing; by = "{categories.by}" needs the field to look at')
    if categories.by == "none" and categories.field is not None:
        yield Mistake(("categories", "field"), 'means nothing with by = "none"', 'say by = "template" or by = "field"')
    if quota.rows is not None and quota.per_category is not None:
        yield Mistake(("quota", "per_category"), "excludes rows: keep one of the two")
    if quota.weights and quota.rows is None:
        yield Mistake(("quota", "weights"), "shares out rows, and there is no rows", "add, for example, rows = 1000")
    if quota.weights and categories.by == "none":
        yield Mistake(("quota", "weights"), 'needs categories, and [categories] has by = "none"')
    if not recipe.novelty.fields:
        yield Mistake(("novelty", "fields"), "names no field: nothing could be compared")
