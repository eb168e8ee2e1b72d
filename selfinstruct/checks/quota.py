"""``quota``: a valid row of a category that is full."""

from __future__ import annotations

from selfinstruct.messages import Phrase
from selfinstruct.records import Rejection


def check(category: str, room: int) -> Rejection | None:
    """Reject a row of a category that needs no more rows; ``room`` is the number that it needs."""
    if room > 0:
        return None
    return Rejection("quota", Phrase("its category is full: {category}", category=category[:80]))
