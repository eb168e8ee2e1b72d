"""``contradiction``: the same question about the same context, with another answer."""

from __future__ import annotations

from selfinstruct.messages import Phrase
from selfinstruct.recipe import Recipe
from selfinstruct.records import Rejection, Row
from selfinstruct.similarity import answer_fields, is_open, question_fields


def check(row: Row, twin: tuple[int, bool] | None, recipe: Recipe) -> Rejection | None:
    """Reject a row that differs from a row of the pool only in its answer fields, unless the question is open."""
    if twin is None or twin[1] or is_open(row, question_fields(recipe)):
        return None
    answers = " or ".join(answer_fields(recipe))
    return Rejection(
        "contradiction",
        Phrase("another row asks the same question and has a different {answers}", answers=answers),
        nearest=twin[0],
    )
