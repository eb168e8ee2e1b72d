"""The verdict of a judge on a row: the points in its reply, and the reason why the row is rejected, if it is; pure."""

from __future__ import annotations

from typing import NamedTuple

from selfinstruct.growth.score import read_score, score_name
from selfinstruct.growth.step_reply import StepReply
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Judge
from selfinstruct.text import value_text


class Verdict(NamedTuple):
    """The points of a row, and the objection to it, "" if it is accepted."""

    points: float
    objection: str = ""


def read_verdict(judge: Judge, reply: StepReply | None) -> Verdict:
    """Return the verdict in a judge's reply; one that cannot be read is an objection."""
    row = next((draft.row for draft in reply.drafts if draft.row is not None), None) if reply is not None else None
    if row is None:
        return Verdict(0.0, Phrase("{name}: no readable verdict", name=judge.name))
    score, reason = row.get(score_name(row) or "score"), value_text(row.get("reason", ""))
    points = read_score(score)
    if points is None:
        message = "{name}: the score {score!r} is not a number: {reason}"
        return Verdict(0.0, Phrase(message, name=judge.name, score=str(score)[:40], reason=reason[:300]))
    if points >= judge.least:
        return Verdict(points)
    message = "{name}: {points:g}, below {least:g}: {reason}"
    return Verdict(points, Phrase(message, name=judge.name, points=points, least=judge.least, reason=reason[:300]))
