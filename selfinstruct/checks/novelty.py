"""``near-duplicate``: a row too similar to a row of the pool."""

from __future__ import annotations

from collections.abc import Callable

from selfinstruct.messages import Phrase
from selfinstruct.records import Rejection, Row


def check(row: Row, threshold: float, nearest: Callable[[Row, float], tuple[int, float] | None]) -> Rejection | None:
    """Reject a row whose ROUGE-L F1 with its nearest neighbour in the pool is strictly above ``threshold``."""
    near = nearest(row, threshold)
    if near is None:
        return None
    message = Phrase(
        "ROUGE-L {near:.4f} with the nearest row, above {threshold:.4f}", near=near[1], threshold=threshold
    )
    return Rejection("near-duplicate", message, nearest=near[0], score=near[1])
