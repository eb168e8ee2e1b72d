"""The changes to a recipe that a run cannot resume with, since its earlier rows were judged by another rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selfinstruct.recipe import toml
from selfinstruct.recipe.methods import Field
from selfinstruct.recipe.tables import Recipe


def frozen_changes(old: Recipe, new: Recipe) -> list[str]:
    """Return the key paths whose change would judge earlier rows by another rule; empty if the run may resume.

    Descriptions, prompt, model and backend may change, and a quota may grow. The same seed file by another path is no
    change; whether its rows are the same is checked by the journal.
    """
    before, after = dict(_judging(old)), dict(_judging(new))
    changed = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    for key in ("rows", "per_category"):
        was, now = getattr(old.quota, key), getattr(new.quota, key)
        if was is not None and (now is None or now < was):
            changed.append(("quota", key))
    return [toml.key_path(path) for path in changed]


def _judging(recipe: Recipe) -> Iterator[tuple[toml.KeyPath, Any]]:
    yield ("seeds", "file"), Path(recipe.seeds.file).resolve()
    yield ("seeds", "holdout"), recipe.seeds.holdout
    yield ("seeds", "split_field"), recipe.seeds.split_field
    for name, field in recipe.fields.items():
        yield ("fields", name), "a field"
        for key, value in field:
            if key != "description" and value != Field.model_fields[key].default:
                yield ("fields", name, key), value
    for table, keys in (("categories", recipe.categories), ("novelty", recipe.novelty)):
        yield from (((table, key), value) for key, value in keys)
    yield from ((("quota", "weights", name), weight) for name, weight in recipe.quota.weights.items())
    yield ("checks", "use"), recipe.checks.use
    yield from ((("rules", at), rule) for at, rule in enumerate(recipe.rules))
    yield from ((("relations", at), relation) for at, relation in enumerate(recipe.relations))
    for at, verify in enumerate(recipe.verify):
        yield from ((("verify", at, key), value) for key, value in verify if key != "model")
    yield from ((("steps", at, "writes"), step.writes) for at, step in enumerate(recipe.steps))
    yield from ((("expand", at, "writes"), expand.writes) for at, expand in enumerate(recipe.expand))
    yield ("documents", "by"), recipe.documents and recipe.documents.by
    # By name, since a run may be moved; what the files contained is recorded.
    yield ("passages", "files"), recipe.passages and [Path(file).name for file in recipe.passages.files]
    yield ("passages", "field"), recipe.passages and recipe.passages.field
