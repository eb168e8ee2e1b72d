"""``near-duplicate``: a row too similar to a row of the pool."""

from __future__ import annotations

from collections.abc import Callable

from selfinstruct.records import Rejection, Row


def check(row: Row, threshold: float, nearest: Callable[[Row, float], tuple[int, float] | None]) -> Rejection | None:
    """Reject a row whose ROUGE-L F1 with its nearest neighbour in the pool is strictly above ``threshold``."""
    near = nearest(row, threshold)
    if near is None:
        return None
    message = f"ROUGE-L {near[1]:.4f} with the nearest row, above {threshold:.4f}"
    return Rejection("near-duplicate", message, nearest=near[0], score=near[1])
