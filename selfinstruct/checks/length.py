"""``length``: a text shorter or longer than the recipe allows."""

from __future__ import annotations

from selfinstruct.recipe import Field
from selfinstruct.records import Rejection, Row


def check(row: Row, name: str, field: Field) -> Rejection | None:
    """Refuse a string of fewer code points than ``min_chars`` or more than ``max_chars``."""
    value = row[name]
    if not isinstance(value, str):
        return None
    if field.min_chars is not None and len(value) < field.min_chars:
        return Rejection("length", f"{name} has {len(value)} characters, fewer than {field.min_chars}")
    if field.max_chars is not None and len(value) > field.max_chars:
        return Rejection("length", f"{name} has {len(value)} characters, more than {field.max_chars}")
    return None
