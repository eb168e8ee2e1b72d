"""``duplicate``: a row that the pool has."""

from __future__ import annotations

from selfinstruct.records import Rejection


def check(twin: tuple[int, bool] | None) -> Rejection | None:
    """Refuse a row that is the same in every field as a row of the pool."""
    if twin is None or not twin[1]:
        return None
    return Rejection("duplicate", "identical to another row", nearest=twin[0])
