"""Mistakes in a recipe, in words for people: what pydantic refused, what is allowed there, and the nearest name.

What is allowed is read off the model itself: the text in an ``Annotated`` type says it, plain types speak for
themselves. So a new key needs no wording of its own.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from selfinstruct.errors import RecipeError
from selfinstruct.recipe import toml

# Never repeated in a message: people paste keys into these.
_UNSHOWN = {"base_url", "api_key_env"}
_SECRET = re.compile(
    r"(.*_)?(api_?key|(access|auth|openai|private|secret)_key|secret|password|passwd|authorization|bearer)"
    r"|((.*_)?(access|auth|api|bearer)_)?token"
)
_PLAIN = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at a key path; ``message`` goes on from the path, ``hint`` says what to do."""

    path: toml.KeyPath
    message: str
    hint: str = ""


def recipe_error(mistakes: Sequence[Problem], name: str, text: str = "") -> RecipeError:
    """One error that tells every mistake, each with its line in ``text`` where it has one.

    ``name`` is what messages call the recipe: its file.
    """
    lines = toml.lines(text)
    # A key that is missing is told at the table that it is missing from; 0: that is missing too.
    places = [
        next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), 0)
        for path in (mistake.path for mistake in mistakes)
    ]
    told = [
        RecipeError(
            f"{name}{f':{place}' if place else ''}: {toml.key_path(mistake.path)}: {mistake.message}",
            hint=mistake.hint,
        )
        for place, mistake in sorted(zip(places, mistakes, strict=True), key=lambda pair: pair[0] or math.inf)
    ]
    return told[0] if len(told) == 1 else RecipeError("\n".join(str(error) for error in told))


def nearest(name: str, allowed: Collection[str]) -> str | None:
    """The allowed name that is most like ``name``, letter case aside, or None where none is near."""
    folded = {other.casefold(): other for other in allowed}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1)
    return folded[near[0]] if near else None


def no_such_field(path: toml.KeyPath, name: str, fields: Collection[str], owner: str = "the recipe has") -> Problem:
    """The mistake of naming, at ``path``, a field that is not among ``fields``."""
    near = nearest(name, fields)
    message = f"{owner} no field {toml.literal(name)}{f'; did you mean {toml.literal(near)}?' if near else ''}"
    return Problem(path, message, f"the fields are: {', '.join(map(toml.literal, fields))}")


def no_category(key: str, name: str, categories: Collection[str]) -> RecipeError:
    """The error of giving, in the table ``key``, something to a category that there is not."""
    near = nearest(name, categories)
    return RecipeError(
        f"{key}: there is no category {name!r}{f'; did you mean {near!r}?' if near else ''}",
        hint=f"the categories are: {', '.join(map(repr, categories))}",
    )


def validation_problems(error: ValidationError, model: type[BaseModel], data: Any) -> list[Problem]:
    """What pydantic refused in ``data``: unknown and missing keys, and values of a wrong type or size.

    Values of keys that people confuse with a secret's place are never repeated.
    """
    mistakes: dict[toml.KeyPath, Problem] = {}
    for fault in error.errors(include_url=False, include_context=False):
        path, table, annotation = _locate(fault["loc"], model)
        if fault["type"] == "extra_forbidden":
            mistake = _unknown_key(path, table, model)
        elif fault["type"] == "missing":
            mistake = Problem(path, f"missing; it must be {_allowed(annotation, path)}")
        else:
            given = "" if path[-1:] and path[-1] in _UNSHOWN else f"; this is {_given(data, path)}"
            mistake = Problem(path, f"must be {_allowed(annotation, path)}{given}")
        mistakes.setdefault(path, mistake)  # A union is refused once for each of its kinds.
    return list(mistakes.values())


def _locate(loc: Sequence[str | int], model: type[BaseModel]) -> tuple[toml.KeyPath, type[BaseModel], Any]:
    """The key path of a pydantic location, the last model on the way, and the annotation at its end."""
    path: list[str | int] = []
    table, here = model, model
    for part in loc:
        kind = _kind(here)
        if _is_table(kind):
            table = kind
            here = get_type_hints(kind, include_extras=True).get(str(part), Any)
        elif get_origin(kind) is dict:
            here = get_args(kind)[1]
        elif _is_array(kind):
            here = get_args(kind)[0]
        else:
            break  # The rest names a kind of a union, or a place in a list.
        path.append(part)
    return tuple(path), table, here


def _kind(annotation: Any) -> Any:
    """An annotation without None and without its words."""
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
        return _kind(kinds[0]) if len(kinds) == 1 else annotation
    return annotation


def _allowed(annotation: Any, path: toml.KeyPath) -> str:
    *others, last = _allowances(annotation, path)
    return f"{', '.join(others)} or {last}" if others else last


def _allowances(annotation: Any, path: toml.KeyPath) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        words = [said for said in arguments[1:] if isinstance(said, str)]
        yield from words or _allowances(arguments[0], path)
    elif origin in (Union, UnionType):
        for kind in arguments:
            if kind is not NoneType:
                yield from _allowances(kind, path)
    elif origin is Literal:
        yield from map(toml.literal, arguments)
    elif origin is dict:
        yield f"tables such as [{toml.key_path((*path, 'NAME'))}]" if _is_table(arguments[1]) else "a table"
    elif _is_array(annotation):
        yield f"tables such as [[{toml.key_path(path)}]]"
    elif _is_table(annotation):
        yield f"a table [{toml.key_path(path)}] that may hold: {', '.join(annotation.model_fields)}"
    else:
        yield _PLAIN[annotation]


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_array(annotation: Any) -> bool:
    """Whether it is a list of tables, as ``[[...]]`` writes it."""
    return get_origin(annotation) is tuple and _is_table(get_args(annotation)[0])


def _given(data: Any, path: toml.KeyPath) -> str:
    for part in path:
        data = data[part]
    parts = data if isinstance(data, list) else [data]
    if all(isinstance(part, (str, bool, int, float)) for part in parts):
        shown = toml.literal(data)
        return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}..."
    return "a table" if isinstance(data, dict) else "a list" if isinstance(data, list) else "a date or time"


def _unknown_key(path: toml.KeyPath, table: type[BaseModel], model: type[BaseModel]) -> Problem:
    above, key = path[:-1], str(path[-1])
    allowed = list(table.model_fields)
    where = "the top of a recipe"
    if above:
        where = f"[[{toml.key_path(above[:-1])}]]" if isinstance(above[-1], int) else f"[{toml.key_path(above)}]"
    hint = f"{where} may hold: {', '.join(allowed)}"
    if _SECRET.fullmatch(key.lower().replace("-", "_")):
        return Problem(
            path,
            "a recipe never holds a secret",
            'put the key into an environment variable, and name the variable: api_key_env = "OPENAI_API_KEY"',
        )
    near = nearest(key, allowed)
    if near:
        return Problem(path, f"there is no such key; did you mean {near}?", hint)
    elsewhere = _table_with(key, model)
    return Problem(path, f"there is no such key here{f'; it belongs {elsewhere}' if elsewhere else ''}", hint)


def _table_with(key: str, model: type[BaseModel]) -> str:
    """Where a key that stands in the wrong table would be right."""
    kinds = {name: _kind(field.annotation) for name, field in model.model_fields.items()}
    if key in kinds:
        if _is_array(kinds[key]):
            return f"at the top, as [[{key}]]"
        is_header = _is_table(kinds[key]) or get_origin(kinds[key]) is dict
        return f"at the top, as [{key}]" if is_header else "above the first [table]"
    return next((f"in [{name}]" for name, kind in kinds.items() if _is_table(kind) and key in kind.model_fields), "")
