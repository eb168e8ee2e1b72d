"""A person's decisions on the rows of a run: made, and listed.

A decision is on the disk before it is answered. The files of the run follow when nobody has decided for a while.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from selfinstruct import api
from selfinstruct.journal import History
from selfinstruct.messages import Phrase, speaking, translated
from selfinstruct.service.models import Answer, Asked, NoBody, NoQuery, QueryInt, RowValues
from selfinstruct.service.problems import not_found
from selfinstruct.service.routes import Call, Route
from selfinstruct.service.rows import DecisionMade, decision_made
from selfinstruct.service.runs import find_run

_MOST = 10**15


class DecisionAsked(Asked):
    """A decision on a row, such as ``12``, or a rejection, such as ``x17``; ``values`` are those of an edited row."""

    row: Annotated[str, Field(pattern=r"^x?[1-9][0-9]{0,14}$", examples=["1"])]
    action: Literal["accept", "reject", "edit", "undo"]
    reason: Annotated[str, Field(max_length=2000)] = ""
    values: RowValues | None = None


class CheckShown(Answer):
    """What a check says of an edited row."""

    reason: str
    message: str


class DecisionRecorded(DecisionMade):
    """A recorded decision. ``id`` identifies it; ``checks`` is what the checks say of an edited row."""

    id: str
    row: str
    checks: list[CheckShown]


class DecisionsAsked(Asked):
    """A page of decisions: at most ``limit`` of them after the first ``after``."""

    after: QueryInt = Field(default=0, ge=0, le=_MOST)
    limit: QueryInt = Field(default=100, ge=1, le=500)


class DecisionListed(DecisionMade):
    """A decision in a listing: its ``number``, from 1, and the row that it is about."""

    number: int
    row: str


class DecisionsPage(Answer):
    """A page of decisions, in the order in which they were made."""

    decisions: list[DecisionListed]
    next: int | None
    total: int


async def create_decision(call: Call[NoQuery, DecisionAsked]) -> DecisionRecorded:
    """Accept, reject or edit a row, or take the last decision on it back."""
    service = call.service
    directory = await find_run(service, call.path["id"])
    recorded = await asyncio.to_thread(_decide, directory, call.body, call.user, call.language)
    service.settling.note(service, directory.name, directory)
    return recorded


def _decide(directory: Path, asked: DecisionAsked, user: str, language: str) -> DecisionRecorded:
    with History.open(directory) as history:
        number = int(asked.row.removeprefix("x"))
        if number > (history.last_rejection() if asked.row.startswith("x") else history.last_row()):
            raise not_found(Phrase("no such row"), Phrase("List the rows: GET /v1/runs/ID/rows."))
    done = api.decide(directory, asked.row, asked.action, reason=asked.reason, values=asked.values, person=user)
    with speaking(language):
        checks = [CheckShown(reason=each.reason, message=translated(each.message)) for each in done.checks]
    made = decision_made(done.decision)
    return DecisionRecorded(**dict(made), id=done.decision.key, row=done.decision.name, checks=checks)


async def list_decisions(call: Call[DecisionsAsked, NoBody]) -> DecisionsPage:
    """Every decision on the rows of a run, also those that were taken back."""
    directory = await find_run(call.service, call.path["id"])
    return await asyncio.to_thread(_list, directory, call.query)


def _list(directory: Path, asked: DecisionsAsked) -> DecisionsPage:
    with History.open(directory) as history:
        log = history.decisions.log
    end = asked.after + asked.limit
    listed = [
        DecisionListed(**dict(decision_made(each)), number=number, row=each.name)
        for number, each in enumerate(log[asked.after : end], asked.after + 1)
    ]
    return DecisionsPage(decisions=listed, next=end if end < len(log) else None, total=len(log))


_MISSING = (HTTPStatus.NOT_FOUND,)
ROUTES = (
    Route(
        "POST",
        "/v1/runs/{id}/decisions",
        create_decision,
        "Judge a row by hand",
        status=HTTPStatus.CREATED,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT),
    ),
    Route("GET", "/v1/runs/{id}/decisions", list_decisions, "List the decisions on a run", errors=_MISSING),
)
