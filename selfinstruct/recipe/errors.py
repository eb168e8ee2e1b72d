"""The problems of a recipe as error messages: the key path, what was expected there, and the nearest valid name.

What is expected is derived from the model: from the text in an ``Annotated`` type, or from the type itself. A new key
needs no message of its own.
"""

from __future__ import annotations

import difflib
import math
import re
import textwrap
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from selfinstruct.errors import RecipeError
from selfinstruct.messages import Phrase, joined
from selfinstruct.recipe import toml

# Never repeated in a message: people paste keys into these.
_UNSHOWN = {"base_url", "api_key_env", "extra_headers", "extra_query"}
_SECRET = re.compile(
    r"(.*_)?(api_?key|(access|auth|openai|private|secret)_key|secret|password|passwd|authorization|bearer)"
    r"|((.*_)?(access|auth|api|bearer)_)?token"
)
_PLAIN = {
    str: Phrase("text in quotes"),
    int: Phrase("a whole number"),
    float: Phrase("a number"),
    bool: Phrase("true or false"),
}
_SHOWN_CHARACTERS = 60
#: The characters of a line of a hint that lists keys.
_LINE = 160


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem at a key path; ``message`` continues the path, ``hint`` is what to do."""

    path: toml.KeyPath
    message: str
    hint: str = ""


def recipe_error(problems: Sequence[Problem], name: str, text: str = "") -> RecipeError:
    """Return one error with every problem, each with its line in ``text`` if it has one.

    ``name`` identifies the recipe in messages: its file.
    """
    lines = toml.lines(text)
    # A missing key is reported at the table that it is missing from; 0 if that is missing too.
    places = [
        next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), 0)
        for path in (problem.path for problem in problems)
    ]
    placed = sorted(zip(places, problems, strict=True), key=lambda pair: pair[0] or math.inf)
    errors = [
        RecipeError(
            Phrase("{where}: {problem}", where=f"{name}:{place}" if place else name, problem=_at_key(problem)),
            hint=problem.hint,
        )
        for place, problem in placed
    ]
    error = errors[0] if len(errors) == 1 else RecipeError(joined(map(_whole, errors), "\n"))
    error.problems = [(place or None, _at_key(problem), problem.hint) for place, problem in placed]
    return error


def _at_key(problem: Problem) -> Phrase:
    return Phrase("{key}: {problem}", key=toml.key_path(problem.path), problem=Phrase(problem.message))


def _whole(error: RecipeError) -> Phrase:
    """The message and, on the next line, the hint, of one error among several."""
    return joined([error.message, error.hint], "\n  ") if error.hint else joined([error.message])


def nearest(name: str, allowed: Collection[str]) -> str | None:
    """Return the allowed name that is most similar to ``name``, ignoring case, or None."""
    folded = {other.casefold(): other for other in allowed}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1)
    return folded[near[0]] if near else None


def no_such_field(path: toml.KeyPath, name: str, fields: Collection[str], owner: str = "recipe") -> Problem:
    """Return the problem of a name at ``path`` that is not one of ``fields``."""
    near = nearest(name, fields)
    if owner == "seeds":
        message = Phrase("the seeds have no field {name}", name=toml.literal(name))
    else:
        message = Phrase("the recipe has no field {name}", name=toml.literal(name))
    if near:
        message = Phrase("{problem}; did you mean {near}?", problem=message, near=toml.literal(near))
    return Problem(path, message, Phrase("the fields are: {fields}", fields=joined(map(toml.literal, fields))))


def no_category(key: str, name: str, categories: Collection[str]) -> RecipeError:
    """Return the error for an unknown category in the table ``key``."""
    near = nearest(name, categories)
    return RecipeError(
        "{key}: unknown category {name!r}; did you mean {near!r}?" if near else "{key}: unknown category {name!r}",
        hint="the categories are: {categories}",
        key=key,
        name=name,
        near=near,
        categories=joined(map(repr, categories)),
    )


def validation_problems(error: ValidationError, model: type[BaseModel], data: Any) -> list[Problem]:
    """Convert pydantic's errors for ``data``: unknown and missing keys, and values of a wrong type or size.

    Values of keys that people mistake for the place of a secret are never repeated.
    """
    problems: dict[toml.KeyPath, Problem] = {}
    for fault in error.errors(include_url=False, include_context=False):
        path, table, annotation = _locate(fault["loc"], model)
        if fault["type"] == "extra_forbidden":
            problem = _unknown_key(path, table, model)
        elif fault["type"] == "missing":
            problem = Problem(path, Phrase("missing; expected {what}", what=_expected(annotation, path)))
        else:
            what = _expected(annotation, path)
            if _UNSHOWN.intersection(path):
                problem = Problem(path, Phrase("expected {what}", what=what))
            else:
                problem = Problem(path, Phrase("expected {what}, got {given}", what=what, given=_given(data, path)))
        problems.setdefault(path, problem)  # A union yields an error for each of its types.
    return list(problems.values())


def _locate(loc: Sequence[str | int], model: type[BaseModel]) -> tuple[toml.KeyPath, type[BaseModel], Any]:
    """Return the key path of a pydantic location, the innermost model on it, and the annotation at its end."""
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
            break  # The rest is a type of a union, or an index of a list.
        path.append(part)
    return tuple(path), table, here


def _kind(annotation: Any) -> Any:
    """Return an annotation without None and without its description."""
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
        return _kind(kinds[0]) if len(kinds) == 1 else annotation
    return annotation


def _expected(annotation: Any, path: toml.KeyPath) -> str:
    *others, last = _expectations(annotation, path)
    return Phrase("{others} or {last}", others=joined(others), last=last) if others else last


def _expectations(annotation: Any, path: toml.KeyPath) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        descriptions = [each for each in arguments[1:] if isinstance(each, str)]
        yield from map(Phrase, descriptions) if descriptions else _expectations(arguments[0], path)
    elif origin in (Union, UnionType):
        for kind in arguments:
            if kind is not NoneType:
                yield from _expectations(kind, path)
    elif origin is Literal:
        yield from map(toml.literal, arguments)
    elif origin is dict:
        header = f"[{toml.key_path((*path, 'NAME'))}]"
        yield Phrase("tables such as {header}", header=header) if _is_table(arguments[1]) else Phrase("a table")
    elif _is_array(annotation):
        yield Phrase("tables such as {header}", header=f"[[{toml.key_path(path)}]]")
    elif _is_table(annotation):
        keys = joined(annotation.model_fields)
        yield Phrase("a table {header} that may contain: {keys}", header=f"[{toml.key_path(path)}]", keys=keys)
    else:
        yield _PLAIN[annotation]


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_array(annotation: Any) -> bool:
    """Whether a type is a list of tables, ``[[...]]`` in TOML."""
    return get_origin(annotation) is tuple and _is_table(get_args(annotation)[0])


def _given(data: Any, path: toml.KeyPath) -> str:
    for part in path:
        data = data[part]
    parts = data if isinstance(data, list) else [data]
    if all(isinstance(part, (str, bool, int, float)) for part in parts):
        shown = toml.literal(data)
        return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}..."
    if isinstance(data, dict):
        return Phrase("a table")
    return Phrase("a list") if isinstance(data, list) else Phrase("a date or time")


def _unknown_key(path: toml.KeyPath, table: type[BaseModel], model: type[BaseModel]) -> Problem:
    above, key = path[:-1], str(path[-1])
    allowed = list(table.model_fields)
    where: str = Phrase("the top of a recipe")
    if above:
        where = f"[[{toml.key_path(above[:-1])}]]" if isinstance(above[-1], int) else f"[{toml.key_path(above)}]"
    keys = textwrap.fill(", ".join(allowed), _LINE, subsequent_indent="  ")
    hint = Phrase("{where} may contain: {allowed}", where=where, allowed=keys)
    if _SECRET.fullmatch(key.lower().replace("-", "_")):
        return Problem(
            path,
            "a recipe must not contain a secret",
            'put the key into an environment variable, and name the variable: api_key_env = "OPENAI_API_KEY"',
        )
    near = nearest(key, allowed)
    if near:
        return Problem(path, Phrase("unknown key; did you mean {near}?", near=near), hint)
    elsewhere = _table_with(key, model)
    if elsewhere:
        return Problem(path, Phrase("unknown key here; it belongs {place}", place=elsewhere), hint)
    return Problem(path, "unknown key here", hint)


def _table_with(key: str, model: type[BaseModel]) -> str:
    """Return the place where a misplaced key belongs, "" if nowhere."""
    kinds = {name: _kind(field.annotation) for name, field in model.model_fields.items()}
    if key in kinds:
        if _is_array(kinds[key]):
            return Phrase("at the top, as {header}", header=f"[[{key}]]")
        is_header = _is_table(kinds[key]) or get_origin(kinds[key]) is dict
        above = Phrase("above the first [table]")
        return Phrase("at the top, as {header}", header=f"[{key}]") if is_header else above
    owners = (name for name, kind in kinds.items() if _is_table(kind) and key in kind.model_fields)
    owner = next(owners, None)
    return Phrase("in {header}", header=f"[{owner}]") if owner else ""
