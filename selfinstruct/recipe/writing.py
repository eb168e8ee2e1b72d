"""Writing a Recipe as commented TOML that loads back to an equal one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from selfinstruct.recipe import toml
from selfinstruct.recipe.endpoint_url import without_secrets
from selfinstruct.recipe.gate import Gate
from selfinstruct.recipe.methods import Attribute
from selfinstruct.recipe.tables import Model, Recipe
from selfinstruct.recipe.types import Table

_RARE = ("weight", "api", "batch", "presence_penalty", "extra_body", "extra_headers", "extra_query", "stream")


def to_toml(recipe: Recipe, comments: Mapping[str, str], folder: str | os.PathLike[str] = ".") -> str:
    """Return the recipe as commented TOML that loads back to an equal recipe from a file in ``folder``.

    ``comments`` maps the path of a key (``fields.Answer.appears_in``) or table (``categories``), joined by dots, to the
    text above it, of one line or several; "" is the top of the file. A comment is written even if its key or table is
    not set. Fields are written with the keys that differ from their defaults or have a comment; the other tables in
    full, so that a later change of defaults changes nothing.

    Raises ValueError for a comment on a path that no recipe has.
    """
    return toml.write(_tables(recipe, comments, folder), comments)


def attributes_to_toml(attributes: Mapping[str, Attribute]) -> str:
    """Return tables of attributes as TOML, for a recipe that does not have them yet."""
    return toml.write(((("attributes", name), _set_keys(each)) for name, each in attributes.items()), {})


def _tables(
    recipe: Recipe, comments: Mapping[str, str], folder: str | os.PathLike[str]
) -> Iterator[tuple[toml.KeyPath, Mapping[str, Any] | None]]:
    data = recipe.model_dump()
    yield (), {"name": recipe.name, "task": recipe.task, "language": recipe.language, "backend": recipe.backend}
    if recipe.seeds.file or "seeds" in comments:
        yield ("seeds",), _set_keys(recipe.seeds) | {"file": _relative(recipe.seeds.file, folder)}
    yield ("fields",), None
    for name, field in recipe.fields.items():
        yield ("fields", name), _set_keys(field, comments, f"fields.{name}.")
    for at, rule in enumerate(recipe.rules):
        yield ("rules", at), _set_keys(rule)
    for at, relation in enumerate(recipe.relations):
        yield ("relations", at), _set_keys(relation)
    if recipe.checks.use or "checks" in comments:
        yield ("checks",), {"use": recipe.checks.use}
    yield from _gate(recipe.gate)
    if "attributes" in comments:
        yield ("attributes",), None
    for name, attribute in recipe.attributes.items():
        yield ("attributes", name), _set_keys(attribute) | _files(attribute.file, folder)
    if recipe.documents is not None:
        files = [_relative(file, folder) for file in recipe.documents.files]
        yield ("documents",), {**_set_keys(recipe.documents), "files": files}
    if recipe.passages is not None:
        own = {key: [_relative(file, folder) for file in getattr(recipe.passages, key)] for key in ("files", "against")}
        yield ("passages",), {key: value for key, value in (_set_keys(recipe.passages) | own).items() if value}
    if recipe.questions.weights:
        yield ("questions", "weights"), recipe.questions.weights
    for at, step in enumerate(recipe.steps):
        yield ("steps", at), _set_keys(step)
    for at, judge in enumerate(recipe.judge):
        yield ("judge", at), _set_keys(judge)
    for at, verify in enumerate(recipe.verify):
        yield ("verify", at), _set_keys(verify)
    for at, expand in enumerate(recipe.expand):
        yield ("expand", at), _set_keys(expand) | _files(expand.file, folder)
    for table in ("categories", "quota", "novelty", "prompt"):
        keys = data[table]
        shares = {key: keys.pop(key) for key in ("weights", "categories") if key in keys}
        if table == "categories" and not keys["attributes"]:
            del keys["attributes"]
        if table == "prompt" and not keys["demos"]["pool"]:
            del keys["demos"]["pool"]
        if table == "prompt" and not keys["verbalized_sampling"]:
            del keys["verbalized_sampling"]
        if table == "novelty" and not keys["per_field"]:
            del keys["per_field"]
        yield (table,), keys
        for key, share in shares.items():
            if share or f"{table}.{key}" in comments:
                yield (table, key), share
    if recipe.roles is not None:
        yield ("roles",), recipe.roles.names
    yield ("model",), _model(recipe.model) if recipe.model is not None else None
    for at, model in enumerate(recipe.models):
        yield ("models", at), _model(model) | {"weight": model.weight}


def _gate(gate: Gate) -> Iterator[tuple[toml.KeyPath, Mapping[str, Any] | None]]:
    own = _set_keys(gate)
    if "personal_data" in own:
        yield ("gate",), {"personal_data": own["personal_data"]}
    for key in ("severity", "tolerances"):
        if own.get(key):
            yield ("gate", key), own[key]
    for at, waiver in enumerate(gate.waivers):
        yield ("gate", "waivers", at), _set_keys(waiver)


def _set_keys(table: Table, comments: Mapping[str, str] | None = None, path: str = "") -> dict[str, Any]:
    """Return the keys that differ from their defaults or have a comment."""
    dumped = {key: _set_keys(value) if isinstance(value, Table) else value for key, value in table}
    # The keys of a table itself come before those that it inherits.
    keys = {key: dumped[key] for key in ("description", "type", *dumped) if key in dumped}
    defaults = {name: info.get_default() for name, info in type(table).model_fields.items()}
    return {key: value for key, value in keys.items() if value != defaults[key] or f"{path}{key}" in (comments or {})}


def _model(model: Model) -> dict[str, Any]:
    """Return the keys of a model, without rarely used ones that have their defaults, and without secrets."""
    keys = model.model_dump()
    if model.base_url is not None:
        keys["base_url"] = without_secrets(model.base_url)
    if model.price is not None:
        keys["price"] = model.price.model_dump(exclude_none=True, exclude_defaults=True)
    return {key: keys[key] for key in keys if key not in _RARE or keys[key] != Model.model_fields[key].default}


def _files(file: str | None, folder: str | os.PathLike[str]) -> dict[str, str]:
    return {} if file is None else {"file": _relative(file, folder)}


def _relative(file: str, folder: str | os.PathLike[str]) -> str:
    """Return the path of a file relative to ``folder``; "-" (stdin) and absolute paths stay as they are."""
    if file == "-" or Path(file).is_absolute():
        return file
    return Path(os.path.relpath(file, folder)).as_posix()
