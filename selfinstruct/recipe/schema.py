"""The JSON Schema of a recipe, for editors: keys, types, limits, and what each key means, of its frozen models.

Does not handle: contradictions between keys (``contradictions``), which need the whole recipe.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel

from selfinstruct.json_schema import Schema, key_description, plain
from selfinstruct.recipe.table_names import named_tables, table_of
from selfinstruct.recipe.tables import Recipe
from selfinstruct.recipe.types import Language

_VARIANTS = (
    "What the recipe has in other words in other languages, such as [languages.zh]: the same tables with the keys that "
    "differ; `replace` lists the tables that are replaced as a whole."
)
_ITEMS = {"minLength": "minItems", "maxLength": "maxItems"}


def recipe_schema() -> Schema:
    """Return the schema of recipe files: what TOML can write, where a name is optional and there are no nulls."""
    schema: Schema = _without_null(Recipe.model_json_schema(by_alias=True))
    models = {model.__name__: model for _, model in named_tables()}
    for name, table in (*schema["$defs"].items(), ("Recipe", schema)):
        _describe(table, models[name])
    schema["required"].remove("name")
    schema["properties"]["languages"] = {
        "description": _VARIANTS,
        "type": "object",
        "properties": {
            each: {"description": f"What differs in the language {each}.", "type": "object"}
            for each in get_args(Language)
        },
        "additionalProperties": False,
    }
    return schema


def _describe(table: Schema, model: type[BaseModel]) -> None:
    """Give a table and its keys the sentences of its docstring."""
    del table["title"]
    table["description"] = _first(model)
    for key, info in model.model_fields.items():
        said = key_description(model, key)
        inner, _ = table_of(info.annotation)
        words = [each for each in info.metadata if isinstance(each, str)][-1:]
        parts = [said or _first(inner or model), *(f"Value: {word}." for word in words)]
        value = {name: each for name, each in table["properties"][key].items() if name != "title"}
        if described := " ".join(filter(None, parts)):
            value["description"] = described
        table["properties"][key] = value


def _first(model: type[BaseModel]) -> str:
    return plain((inspect.getdoc(model) or "").split("\n\n")[0])


def _without_null(schema: Any) -> Any:
    """A schema without the null that stands for a key that is not set, and with the limits of lists as such."""
    if isinstance(schema, list):
        return [_without_null(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    rest = {key: _without_null(each) for key, each in schema.items() if not (key == "default" and each is None)}
    if "anyOf" in rest:
        rest["anyOf"] = [each for each in rest["anyOf"] if each != {"type": "null"}]
        if len(rest["anyOf"]) == 1:
            rest |= rest.pop("anyOf")[0]
    if "anyOf" in rest or rest.get("type") == "array":
        # pydantic writes the limits of a list behind a validator as those of a text.
        rest = {_ITEMS.get(key, key): each for key, each in rest.items()}
    return rest
