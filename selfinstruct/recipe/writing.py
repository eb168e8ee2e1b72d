"""A Recipe -> commented TOML that loads back to an equal one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from selfinstruct import toml
from selfinstruct.recipe.tables import Field, Recipe


def to_toml(recipe: Recipe, comments: Mapping[str, str], folder: str | os.PathLike[str] = ".") -> str:
    """The recipe as commented TOML that loads back to an equal recipe from a file in ``folder``.

    ``comments`` maps a key path (``fields.Answer.appears_in``) or a table's (``categories``), its parts joined
    by dots, to the text above it, of one line or several; "" is the top of the file. A comment stands in the
    place of its key or table even where that is not set. Of a field, only keys that differ from the default or
    have a comment are written; of the rest everything, so that later defaults change nothing.

    Raises ValueError for a comment on a path that no recipe has.
    """
    return toml.write(_tables(recipe, comments, folder), comments)


def _tables(
    recipe: Recipe, comments: Mapping[str, str], folder: str | os.PathLike[str]
) -> Iterator[tuple[toml.KeyPath, Mapping[str, Any] | None]]:
    data = recipe.model_dump()
    yield (), {"name": recipe.name, "task": recipe.task}
    yield ("seeds",), {"file": _relative(recipe.seeds.file, folder)}
    yield ("fields",), None
    for name, field in data["fields"].items():
        yield (
            ("fields", name),
            {
                key: value
                for key, value in field.items()
                if value != Field.model_fields[key].default or f"fields.{name}.{key}" in comments
            },
        )
    for table in ("categories", "quota", "novelty", "prompt", "model"):
        keys = data[table]
        weights = keys.pop("weights", None) if keys else None
        if table == "model" and keys is not None and keys["weight"] == 1:
            del keys["weight"]  # of one model, it says nothing
        yield (table,), keys
        if weights or "quota.weights" in comments:
            yield ("quota", "weights"), weights
    for at, model in enumerate(data["models"]):
        yield ("models", at), model


def _relative(file: str, folder: str | os.PathLike[str]) -> str:
    """A seed file as a recipe in ``folder`` names it; "-" is stdin, and absolute paths stay."""
    if file == "-" or Path(file).is_absolute():
        return file
    return Path(os.path.relpath(file, folder)).as_posix()
