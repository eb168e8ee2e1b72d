"""``near-duplicate``: a row that asks what another row about the same passage asks, in nearly the same words."""

from __future__ import annotations

from selfinstruct.messages import Phrase
from selfinstruct.records import Rejection


def check(reworded: tuple[int, float] | None) -> Rejection | None:
    """Reject a row that rewords another one about its passage, given by pool id and the ROUGE-L F1 of the questions."""
    if reworded is None:
        return None
    message = Phrase(
        "the same answer about the same passage, to a question with ROUGE-L {reworded:.4f}", reworded=reworded[1]
    )
    return Rejection("near-duplicate", message, nearest=reworded[0], score=reworded[1])
