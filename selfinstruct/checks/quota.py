"""``quota``: a sound row of a category that is full."""

from __future__ import annotations

from selfinstruct.records import Rejection


def check(category: str, room: int) -> Rejection | None:
    """Refuse a row of a category in which no row is missing (``room`` rows are)."""
    if room > 0:
        return None
    return Rejection("quota", f"its category is full: {category[:80]}")
