"""``label``: a row that belongs to no known category."""

from __future__ import annotations

import json
from collections.abc import Collection

from selfinstruct.messages import Phrase
from selfinstruct.recipe import Categories
from selfinstruct.records import Rejection, Row


def check(row: Row, category: str, categories: Categories, known: Collection[str]) -> Rejection | None:
    """Reject a row whose label is not one of the ``known`` categories, or whose text matches none of the templates."""
    if category in known:
        return None
    if categories.function is not None:
        return Rejection(
            "label", Phrase("the row belongs to none of the {known} categories of the seeds", known=len(known))
        )
    name = categories.field or "the row"
    if categories.by == "template":
        return Rejection("label", Phrase("{name} matches none of the {known} templates", name=name, known=len(known)))
    shown = json.dumps(row.get(name), ensure_ascii=False)
    return Rejection(
        "label",
        Phrase("{name} {shown} is not one of the {known} categories", name=name, shown=shown[:80], known=len(known)),
    )
