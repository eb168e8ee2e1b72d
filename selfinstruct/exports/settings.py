"""What a format is told besides the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from selfinstruct.recipe import Recipe, Roles


@dataclass(frozen=True, slots=True)
class Settings:
    """The name of the ``format``, and what the user and the recipe say about the rows.

    ``roles`` are those of chats that the user names, ``fallback`` those that the recipe suggests for rows of no known
    shape. ``columns`` are the fields of the other roles of the format, by role. ``keep_formulas`` and ``bom`` (a byte
    order mark) are for CSV.
    """

    format: str = ""
    roles: Roles | None = None
    fallback: Roles | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    recipe: Recipe | None = None
    keep_formulas: bool = False
    bom: bool = False
