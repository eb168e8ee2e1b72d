"""JSON Schema (2020-12) of dataclasses, named tuples and typed dicts, with the sentences of their docstrings.

The description of a key consists of the sentences of the class's docstring that name it as ``key``. So a type, its
documentation and its schema cannot differ.

>>> @dataclasses.dataclass
... class Point:
...     '''A point. ``x`` and ``y`` are in pixels.'''
...     x: int
...     y: float | None
>>> object_schema(Point)["properties"]["y"]
{'description': '`x` and `y` are in pixels.', 'type': ['number', 'null']}

Does not handle: pydantic models, which pydantic describes.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, TypeAlias, Union, get_args, get_origin, get_type_hints, is_typeddict

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema: TypeAlias = dict[str, Any]
#: The properties of a class (by its name), beside its fields, that are written too.
Computed: TypeAlias = Mapping[str, Sequence[str]]

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
#: The end of a sentence; abbreviations as in "et al. 2016" are followed by no capital letter.
_SENTENCE_END = re.compile(r"(?<=[.;])\s+(?=[A-Z`])")

#: The names that a sentence begins with: "``a``, ``b`` and ``c`` are ...".
_SUBJECTS = re.compile(r"(?:``[^`]+``(?:, | and | or )?)*")


def object_schema(cls: type, computed: Computed | None = None) -> Schema:
    """Return the schema of the objects that an instance of ``cls`` is written as, with ``$defs`` for those inside.

    ``cls`` is a dataclass, a named tuple or a typed dict; every field is a key, and so is each property that
    ``computed`` lists. More keys are allowed, since later versions add some. Raises TypeError for a type that has no
    schema.
    """
    definitions: dict[str, Schema] = {}
    schema = _object(cls, computed or {}, definitions)
    inner = {name: definitions[name] for name in sorted(definitions)}
    return {**schema, "$defs": inner} if inner else schema


def key_description(cls: type, key: str) -> str:
    """Return the sentences of a class's docstring, or of its bases' ones, that name a key; "" without any.

    Those that begin with the key, perhaps among others, are preferred. A sentence ends at a semicolon, too.
    """
    for each in cls.__mro__[:-1]:  # without ``object``
        if not each.__module__.startswith("selfinstruct.") and each is not cls:
            continue
        named = [part for part in _sentences(each) if f"``{key}``" in part]
        about = [part for part in named if f"``{key}``" in _subjects(part)]
        if named:
            return " ".join(map(_as_sentence, about or named))
    return ""


def plain(text: str) -> str:
    """Return a paragraph of a docstring on one line, with names in single backticks."""
    return " ".join(text.split()).replace("``", "`")


def _sentences(cls: type) -> list[str]:
    doc = cls.__dict__.get("__doc__") or ""
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(doc))
    return [sentence for block in blocks for sentence in _SENTENCE_END.split(" ".join(block.split()))]


def _subjects(part: str) -> str:
    found = _SUBJECTS.match(part)
    return found[0] if found else ""


def _as_sentence(part: str) -> str:
    return _in_json(plain(part).rstrip(";.") + ".")


def _in_json(text: str) -> str:
    """A description in the words of JSON."""
    return re.sub(r"\bNone\b", "null", text)


def _object(cls: type, computed: Computed, definitions: dict[str, Schema]) -> Schema:
    hints = get_type_hints(cls, include_extras=True)
    keys = [each.name for each in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else list(hints)
    optional = [key for key in keys if get_origin(hints[key]) is NotRequired]
    properties = {key: _key(cls, key, hints[key], computed, definitions) for key in keys}
    for name in computed.get(cls.__name__, ()):
        getter = inspect.getattr_static(cls, name)
        function = getattr(getter, "fget", None) or getter.func  # a property, or a cached one
        value = _value(get_type_hints(function)["return"], computed, definitions)
        properties[name] = {"description": _in_json(plain(inspect.getdoc(function) or "")), **value}
    first = _in_json(plain((inspect.getdoc(cls) or "").split("\n\n")[0]))
    required = [key for key in properties if key not in optional]
    return {"type": "object", "description": first, "properties": properties, "required": required}


def _key(cls: type, key: str, kind: Any, computed: Computed, definitions: dict[str, Schema]) -> Schema:
    described = key_description(cls, key)
    return {**({"description": described} if described else {}), **_value(kind, computed, definitions)}


def _value(kind: Any, computed: Computed, definitions: dict[str, Schema]) -> Schema:
    """The schema of the values of a type."""
    origin, arguments = get_origin(kind), get_args(kind)

    def inner(each: Any) -> Schema:
        return _value(each, computed, definitions)

    if kind is Any:
        return {}
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if origin is NotRequired:
        return inner(arguments[0])
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, UnionType):
        return _any_of([inner(each) for each in arguments])
    if origin is tuple and arguments[-1] is not Ellipsis:
        count = len(arguments)
        return {"type": "array", "prefixItems": [inner(each) for each in arguments], "minItems": count, "items": False}
    if origin in (tuple, list, Sequence):
        return {"type": "array", "items": inner(arguments[0])}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": inner(arguments[1])}
    if dataclasses.is_dataclass(kind) or is_typeddict(kind) or hasattr(kind, "_fields"):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}  # it may contain itself
            definitions[kind.__name__] = _object(kind, computed, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    raise TypeError(f"{kind}: no JSON Schema of this type")


def _any_of(alternatives: Sequence[Schema]) -> Schema:
    if all(each.keys() == {"type"} for each in alternatives):
        return {"type": [each["type"] for each in alternatives]}
    return {"anyOf": list(alternatives)}
