"""``echo``: a copy of a seed or of a demonstration."""

from __future__ import annotations

from collections.abc import Container

from selfinstruct.messages import Phrase
from selfinstruct.records import Rejection


def check(twin: tuple[int, bool] | None, demos: Container[int], seed_count: int) -> Rejection | None:
    """Reject a row that equals a seed (pool ids 1..``seed_count``) or a demonstration of its own batch."""
    if twin is None or not twin[1]:
        return None
    if 0 < twin[0] <= seed_count:
        return Rejection("echo", Phrase("repeats a seed row"), nearest=twin[0])
    if twin[0] in demos:
        return Rejection("echo", Phrase("repeats a demonstration of its prompt"), nearest=twin[0])
    return None
