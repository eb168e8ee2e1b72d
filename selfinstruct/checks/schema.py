"""``schema``: a row has exactly the recipe's fields, each with a JSON value of its type."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from selfinstruct.messages import Phrase
from selfinstruct.recipe import Field
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.rows import MAX_NESTING

_CLASSES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "any": (str, int, float, bool, list, dict, type(None)),
}
# Python writes and reads no integers of more than 4300 digits (sys.set_int_max_str_digits); these are their bits.
_MOST_BITS = 14_284
_CONTAINERS = (list, dict)


def check(row: Row, fields: Mapping[str, Field]) -> Rejection | None:
    """Reject a row that lacks a field which is not optional, has an unknown one, or has a value of another type.

    A boolean is no integer.
    """
    for _, message in faults(row, fields):
        return Rejection("schema", message)
    return None


def faults(row: Row, fields: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    """Every fault of the row's shape, as the field's name and a message."""
    if row.keys() != fields.keys():
        for name in row:
            if name not in fields:
                yield str(name), Phrase("{name} is not a field of the recipe", name=str(name)[:80])
    for name, field in fields.items():
        if name not in row:
            if not field.optional:
                yield name, Phrase("{name} is missing", name=name)
            continue
        value = row[name]
        kind = type(value)
        if kind not in _CLASSES[field.type]:
            yield name, Phrase("{name}: expected {type}, got {given}", name=name, type=field.type, given=_called(value))
        elif kind is not str and (problem := _unwritable(value)):
            yield name, Phrase("{name} {problem}", name=name, problem=problem)


def _called(value: object) -> str:
    if value is None:
        return "null"
    return next((name for name, classes in _CLASSES.items() if type(value) in classes), type(value).__name__)


def _unwritable(value: JSON) -> str:
    """Why a value cannot be written and read again, or "".

    Walks level by level and not by recursion, since depth is one of the reasons.
    """
    level = [value]
    for depth in range(1, MAX_NESTING + 1):
        below: list[JSON] = []
        for item in level:
            kind = type(item)
            if kind is float and not math.isfinite(item):
                return Phrase("contains {value}, which JSON cannot represent", value=item)
            if kind is int and item.bit_length() > _MOST_BITS:
                return Phrase("contains an integer of more than 4300 digits")
            if kind not in _CLASSES["any"]:
                return Phrase("contains a {type}, which is not a JSON value", type=kind.__name__)
            if kind in _CONTAINERS and depth == MAX_NESTING:
                return Phrase("is nested more than {count} levels deep", count=MAX_NESTING)
            if kind is dict and not all(type(key) is str for key in item):
                return Phrase("has a key that is not text")
            if kind in _CONTAINERS:
                below.extend(item.values() if kind is dict else item)
        if not below:
            break
        level = below
    return ""
