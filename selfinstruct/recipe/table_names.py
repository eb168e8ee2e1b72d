"""The tables of a recipe and what TOML calls them: ``[seeds]``, ``[fields.NAME]``, ``[[steps]]``.

>>> [heading for heading, model in named_tables()][:4]
['', '[seeds]', '[fields.NAME]', '[fields.NAME.snippets]']
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from selfinstruct.recipe.tables import Recipe


def named_tables(model: type[BaseModel] = Recipe, path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """A table and the tables inside it, each once, with the heading that a recipe writes; "" is the top level.

    ``[model]`` is left out: its keys are those of ``[[models]]``.
    """
    yield (f"[{path}]" if path and not path.startswith("[") else path), model
    for key, info in model.model_fields.items():
        inner, form = table_of(info.annotation)
        if inner is None or (model is Recipe and key == "model"):
            continue
        name = f"{path}.{key}" if path else key
        yield from named_tables(inner, {"one": name, "named": f"{name}.NAME", "many": f"[[{name}]]"}[form])


def table_of(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The model inside an annotation: ``one`` table, a table for each name (``named``), or a list (``many``)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, "one"
    origin: Any = get_origin(annotation)
    form = {dict: "named", tuple: "many"}.get(origin)
    for argument in get_args(annotation):
        inner, nested = table_of(argument)
        if inner is not None:
            return inner, form or nested
    return None, "one"
