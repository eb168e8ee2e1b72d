"""``duplicate``: a row that is already in the pool."""

from __future__ import annotations

from selfinstruct.messages import Phrase
from selfinstruct.records import Rejection


def check(twin: tuple[int, bool] | None) -> Rejection | None:
    """Reject a row that equals a row of the pool in every field."""
    if twin is None or not twin[1]:
        return None
    return Rejection("duplicate", Phrase("identical to another row"), nearest=twin[0])
