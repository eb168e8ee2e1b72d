"""The verdict of a judge on a row: the points in its reply, and the reason why the row is rejected, if it is; pure."""

from __future__ import annotations

from typing import NamedTuple

from selfinstruct.growth.score import read_score
from selfinstruct.growth.step_reply import StepReply
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
        return Verdict(0.0, f"{judge.name}: no readable verdict")
    score, reason = row.get("score"), value_text(row.get("reason", ""))
    points = read_score(score)
    if points is None:
        return Verdict(0.0, f"{judge.name}: the score {str(score)[:40]!r} is not a number: {reason[:300]}")
    if points >= judge.least:
        return Verdict(points)
    return Verdict(points, f"{judge.name}: {points:g}, below {judge.least:g}: {reason[:300]}")
