"""The values of a row that a relation compares, and their form in messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from selfinstruct.recipe.relation_paths import aligned, parse_pattern
from selfinstruct.records import JSON, Row
from selfinstruct.text import value_text

if TYPE_CHECKING:
    from selfinstruct.recipe.relations import Relation

_SHOWN_CHARACTERS = 80


def values_of(relation: Relation, row: Row) -> Iterator[tuple[JSON, ...]]:
    """Yield the values of a relation's paths that belong together."""
    return aligned(row, [parse_pattern(path) for path in relation.paths])


def shown(value: JSON, *, bare: bool = False) -> str:
    """Return a value for a message: a text in quotes unless ``bare``, a long one cut."""
    text = value_text(value) if bare else repr(value) if isinstance(value, float) else _quoted(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def listed(values: Iterable[JSON]) -> str:
    """Return values for a message, with commas between them."""
    return ", ".join(shown(value) for value in values)


def _quoted(value: JSON) -> str:
    return f'"{value}"' if isinstance(value, str) else value_text(value)
