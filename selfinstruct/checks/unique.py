"""``relation``: an id that another row has."""

from __future__ import annotations

import json

from selfinstruct.messages import Phrase
from selfinstruct.records import Rejection, Row


def check(row: Row, reused: tuple[str, int] | None) -> Rejection | None:
    """Reject a row whose value in a unique field occurs in another row."""
    if reused is None:
        return None
    name, number = reused
    shown = json.dumps(row[name], ensure_ascii=False)[:80]
    return Rejection(
        "relation",
        Phrase("{name} {shown} must be unique, but another row has it", name=name, shown=shown),
        nearest=number,
    )
