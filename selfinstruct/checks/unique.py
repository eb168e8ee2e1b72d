"""``relation``: an id that another row has."""

from __future__ import annotations

import json

from selfinstruct.records import Rejection, Row


def check(row: Row, reused: tuple[str, int] | None) -> Rejection | None:
    """Reject a row whose value in a unique field occurs in another row."""
    if reused is None:
        return None
    name, number = reused
    shown = json.dumps(row[name], ensure_ascii=False)[:80]
    return Rejection("relation", f"{name} {shown} must be unique, but another row has it", nearest=number)
