"""``holdout``: a row too similar to one that was held out as a test row."""

from __future__ import annotations

from collections.abc import Callable

from selfinstruct.messages import Phrase
from selfinstruct.records import Rejection, Row


def check(row: Row, threshold: float, near: Callable[[Row, float], tuple[int, float] | None]) -> Rejection | None:
    """Reject a row that asks what a held-out row asks, or whose ROUGE-L F1 with one is strictly above ``threshold``."""
    found = near(row, threshold)
    if found is None:
        return None
    number, score = found
    message = Phrase(
        "ROUGE-L {score:.4f} with held-out row {number}, above {threshold:.4f}",
        score=score,
        number=number,
        threshold=threshold,
    )
    if score == 1:
        message = Phrase("asks the same as held-out row {number}", number=number)
    return Rejection("holdout", message, score=score)
