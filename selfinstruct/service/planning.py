"""A spec planned, in a child process: what a stranger sent becomes a prepared run, or an error of the library.

A recipe from a request never imports code and never names a file outside the folder of its spec, which is the working
directory of the process; its models are asked at the endpoint of the spec alone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from selfinstruct import api
from selfinstruct.errors import InputError
from selfinstruct.preparation import Prepared
from selfinstruct.preparation.language_choice import language_of
from selfinstruct.recipe import Model, Price, Recipe, has_variants, is_recipe, parse_recipe, recipe_name

#: What a recipe from a request is called in messages.
RECIPE = "recipe"


def plan_spec(spec: Mapping[str, Any], *, needs_writer: bool = True) -> Prepared:
    """Return the prepared run of a spec; with ``needs_writer``, refuse one that needs an endpoint and has none.

    Raises InputError for whatever cannot be used.
    """
    recipe = _recipe_of(spec)
    passages = spec["passages"]
    endpoint = spec["endpoint"]
    quota = {"rows": spec["rows"], "per_category": spec["per_category"]}
    given: dict[str, Any] = {**quota, "language": spec["language"], "concurrency": spec["concurrency"]}
    if recipe is None:
        model = {} if endpoint is None else {"model": _model_of(spec), "base_url": endpoint["base_url"]}
        prepared = api.plan(spec["file"], passages=passages, skip_bad_seeds=True, **given, **model)
    else:
        recipe = _with_models(recipe, spec)
        prepared = api.plan(recipe, passages=passages, skip_bad_seeds=True, **given)
    recipe = with_endpoint(prepared.recipe, endpoint)
    if spec["name"] is not None and not (spec["toml"] and "name" in recipe.model_fields_set):
        recipe = recipe.model_copy(update={"name": recipe_name(spec["name"].replace(".", "-"))})
    prepared = replace(prepared, recipe=recipe)
    if needs_writer and recipe.needs_model and not recipe.all_models:
        raise InputError("{name}: needs a model", hint="Choose an endpoint.", name=recipe.name)
    if (rows := sum(prepared.quotas.values())) > spec["most_rows"] and not prepared.use_passages_once:
        raise InputError(
            "the quotas are {rows:,} rows, and the service allows {most:,}",
            hint="Ask for fewer rows.",
            rows=rows,
            most=spec["most_rows"],
        )
    return prepared


def _recipe_of(spec: Mapping[str, Any]) -> Recipe | None:
    """The recipe that a spec names, contains, or whose text its file is; None for seed rows or passages alone."""
    file = spec["file"]
    text, name = spec["toml"], RECIPE
    if spec["recipe"] is not None:
        text, name = api.recipe_text(spec["recipe"]), spec["recipe"]
    if file is not None and text is None:
        data = Path(file).read_bytes()
        if not is_recipe(data):
            return None
        text, file = data.decode("utf-8-sig", "replace"), None
    if text is None:
        return None
    recipe = _parsed(text, name, spec["language"])
    if file is not None:
        recipe = recipe.model_copy(update={"seeds": recipe.seeds.model_copy(update={"file": file})})
    found = None
    if spec["language"] is None and has_variants(text, name) and (spec["passages"] or spec["recipe"] is None or file):
        found = language_of(recipe, spec["passages"])
    if found is not None and found != recipe.language:
        seeds = recipe.seeds
        recipe = _parsed(text, name, found)
        recipe = recipe.model_copy(update={"seeds": seeds}) if file is not None else recipe
    return recipe


def _parsed(text: str, name: str, language: Any, known: Collection[str] = ()) -> Recipe:
    recipe = parse_recipe(text, name, ".", importer=None, language=language)
    for path in _files_of(recipe):
        if os.path.realpath(path) in known:
            continue
        if path == "-" or Path(path).is_absolute() or ".." in Path(path).parts:
            raise InputError(
                "{name}: names a file: {path}",
                hint='Upload the file, and write "upload:ID" with its id.',
                name=name,
                path=path,
            )
    for model in recipe.all_models if name == RECIPE else ():
        for key in ("base_url", "api_key_env"):
            if key in model.model_fields_set:
                raise InputError(
                    "{name}: {key} is not allowed here",
                    hint="Choose one of the service's endpoints instead.",
                    name=name,
                    key=f"model.{key}",
                )
    return recipe


def parsed_recipe(text: str, own: Recipe | None = None) -> Recipe:
    """The recipe of a text from a request. Raises InputError for one that imports code or names files elsewhere.

    Files that the recipe ``own`` of a run names already are allowed, too.
    """
    return _parsed(text, RECIPE, None, {os.path.realpath(path) for path in _files_of(own)} if own is not None else ())


def _files_of(recipe: Recipe) -> Iterator[str]:
    """Every path that a recipe names."""
    yield from filter(None, [recipe.seeds.file])
    yield from filter(None, (each.file for each in recipe.attributes.values()))
    yield from filter(None, (each.file for each in recipe.expand))
    if recipe.documents is not None:
        yield from recipe.documents.files
    if recipe.passages is not None:
        yield from (*recipe.passages.files, *recipe.passages.against)


def _model_of(spec: Mapping[str, Any]) -> str | None:
    """The model that a spec names, or the first one of its endpoint; None is the first one that this lists."""
    models = spec["endpoint"]["models"]
    name: str | None = spec["model"] or (models[0] if models else None)
    return name


def _with_models(recipe: Recipe, spec: Mapping[str, Any]) -> Recipe:
    """The recipe with the models of its endpoint; without one, with none."""
    endpoint = spec["endpoint"]
    if endpoint is None:
        return recipe.model_copy(update={"model": None, "models": ()})
    name, allowed = _model_of(spec), endpoint["models"]
    models = [
        each.model_copy(update={"name": name} if spec["model"] or (allowed and each.name not in allowed) else {})
        for each in recipe.all_models
    ] or [Model(name=name or "default")]
    models = [each.model_copy(update={"base_url": endpoint["base_url"]}) for each in models]
    if recipe.models:
        return recipe.model_copy(update={"models": tuple(models)})
    return recipe.model_copy(update={"model": models[0]})


def with_endpoint(recipe: Recipe, endpoint: Mapping[str, Any] | None) -> Recipe:
    """The recipe with the key and the price of its endpoint. Raises InputError for a model anywhere else."""
    for model in recipe.all_models:
        if endpoint is None or model.base_url != endpoint["base_url"]:
            raise InputError("{name}: names a model of its own", hint="Choose an endpoint.", name=recipe.name)
    if endpoint is None:
        return recipe
    changes: dict[str, Any] = {"price": Price(**endpoint["price"]) if endpoint["price"] else None}
    if endpoint["key"]:
        changes["api_key_env"] = endpoint["key"]
    models = tuple(each.model_copy(update=changes) for each in recipe.all_models)
    if recipe.models:
        return recipe.model_copy(update={"models": models})
    return recipe.model_copy(update={"model": models[0] if models else None})


def without_endpoint(recipe: Recipe) -> Recipe:
    """The recipe as a user may edit it: its models without their endpoint."""
    clean = {"base_url": None, "price": None}
    models = tuple(_unset(each.model_copy(update=clean), "api_key_env") for each in recipe.all_models)
    if recipe.models:
        return recipe.model_copy(update={"models": models})
    return recipe.model_copy(update={"model": models[0] if models else None})


def _unset(model: Model, key: str) -> Model:
    values = {name: getattr(model, name) for name in model.model_fields_set - {key, "base_url", "price"}}
    return Model(**values)
