"""The rows of a run: pages of rows and of rejections with filters, and where one row came from.

Each page is read in a thread, on a connection of its own, in a time that does not depend on the size of the run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from selfinstruct.analysis.provenance import Neighbour, Provenance, trace_row
from selfinstruct.errors import InputError
from selfinstruct.growth import PASSAGE, ROUND
from selfinstruct.journal import Decision, History, RefusedCandidate, Standing
from selfinstruct.journal.pages import Decided, Filter, page_of_rejections, page_of_rows
from selfinstruct.messages import translated
from selfinstruct.recipe import Recipe, accept_unimported, parse_recipe
from selfinstruct.service.models import Answer, Asked, NoBody, NoQuery, QueryInt, RowValues
from selfinstruct.service.problems import not_found
from selfinstruct.service.routes import Call, Route
from selfinstruct.service.runs import find_run

#: In a larger run the nearest rows are not searched: a tenth of a second, in which nothing else is answered.
_MAX_SEARCHED = 3_000
_MOST = 10**15


def _encodable(text: str) -> str:
    if not text.isprintable() and any("\ud800" <= mark <= "\udfff" for mark in text):
        raise ValueError("expected valid Unicode")
    return text


Name = Annotated[str, Field(max_length=10_000)]
Sought = Annotated[str, Field(max_length=200), AfterValidator(_encodable)]


class RowsAsked(Asked):
    """A page of rows: at most ``limit`` after the number ``after``; of a category, with a text, decided so."""

    after: QueryInt = Field(default=0, ge=0, le=_MOST)
    limit: QueryInt = Field(default=100, ge=1, le=500)
    category: Name | None = None
    text: Sought = ""
    decision: Decided = "any"


class RejectionsAsked(RowsAsked):
    """A page of rejections, perhaps of one reason."""

    reason: Annotated[str, Field(pattern=r"^[a-z-]{0,40}$")] = ""


class DecisionShown(Answer):
    """What stands of a person's decisions on a row, with the reason, the person and the time of the last one."""

    action: Literal["accept", "reject", "edit"]
    reason: str
    by: str
    at: str


class RowShown(Answer):
    """A row as it stands; ``spans`` are the [start, end) code points, by field, where values of other fields occur."""

    number: int
    name: str
    category: str
    row: RowValues
    spans: dict[str, list[tuple[int, int]]]
    decision: DecisionShown | None


class RowsPage(Answer):
    """A page of rows. ``next`` is the ``after`` of the next page, null at the end; a page may be empty before that.

    ``scanned`` rows were looked at for this page; ``total`` is the number of the last row.
    """

    rows: list[RowShown]
    next: int | None
    scanned: int
    total: int


class RejectionShown(Answer):
    """A refused candidate; ``row`` is null where its text is no JSON object, ``nearest`` names the row in conflict."""

    id: int
    name: str
    category: str
    reason: str
    message: str
    text: str
    row: RowValues | None
    nearest: str | None
    score: float | None
    decision: DecisionShown | None


class RejectionsPage(Answer):
    """A page of rejections, as of rows; ``total`` is the id of the last one."""

    rejections: list[RejectionShown]
    next: int | None
    scanned: int
    total: int


class NeighbourShown(Answer):
    """A row beside another one; ``score`` is their ROUGE-L F1, null for a demonstration."""

    name: str
    row: RowValues
    score: float | None = None


class ReplyShown(Answer):
    """A reply of a model that led to a row."""

    call: int
    model: str
    step: str
    text: str
    seconds: float
    tokens: tuple[int, int]


class RejectionOf(Answer):
    """Why a candidate was refused."""

    reason: str
    message: str


class DecisionMade(Answer):
    """One decision of a person, in the order in which they were made."""

    action: Literal["accept", "reject", "edit", "undo"]
    reason: str
    by: str
    at: str
    values: RowValues | None


class ProvenanceShown(Answer):
    """Where a row came from. ``row`` is as it stands, ``recorded`` as the run has it, null for one that is no row.

    ``line`` is that of a seed in its file. ``conditions`` are the attribute values of the prompt. ``nearest`` is null
    where the run is too large to search.
    """

    name: str
    category: str
    row: RowValues | None
    recorded: RowValues | None
    line: int | None
    replies: list[ReplyShown]
    demos: list[NeighbourShown]
    conditions: dict[str, Any]
    passage: dict[str, Any] | None
    nearest: list[NeighbourShown] | None
    rejection: RejectionOf | None
    decisions: list[DecisionMade]


async def list_rows(call: Call[RowsAsked, NoBody]) -> RowsPage:
    """The rows of a run in order, with filters; those that a person rejected are among them."""
    return await asyncio.to_thread(_rows, await find_run(call.service, call.path["id"]), call.query)


def _rows(directory: Path, asked: RowsAsked) -> RowsPage:
    with History.open(directory) as history:
        wanted = Filter(asked.category, asked.text, decided=asked.decision)
        page, contexts = page_of_rows(history, asked.after, asked.limit, wanted), _contexts(history)
        rows = [
            RowShown(
                number=grown.number,
                name=grown.name,
                category=grown.category,
                row=grown.row,
                spans=marked(grown.spans, contexts),
                decision=shown_decision(standing),
            )
            for grown, standing in page.items
        ]
        return RowsPage(rows=rows, next=page.next, scanned=page.scanned, total=history.last_row())


async def list_rejections(call: Call[RejectionsAsked, NoBody]) -> RejectionsPage:
    """The refused candidates of a run in order, with filters."""
    directory = await find_run(call.service, call.path["id"])
    return await asyncio.to_thread(_rejections, directory, call.query)


def _rejections(directory: Path, asked: RejectionsAsked) -> RejectionsPage:
    with History.open(directory) as history:
        wanted = Filter(asked.category, asked.text, asked.reason, asked.decision)
        page, seeds = page_of_rejections(history, asked.after, asked.limit, wanted), history.seed_count()
        found = [_rejection(refused, standing, seeds) for refused, standing in page.items]
        return RejectionsPage(rejections=found, next=page.next, scanned=page.scanned, total=history.last_rejection())


def _rejection(refused: RefusedCandidate, standing: Standing | None, seeds: int) -> RejectionShown:
    given = json.loads(standing.line) if standing is not None and standing.line is not None else None
    return RejectionShown(
        id=refused.id,
        name=f"x{refused.id}",
        category=refused.category,
        reason=refused.reason,
        message=refused.message,
        text=refused.text,
        row=given or _row_in(refused.text),
        nearest=None if refused.nearest is None else pool_name(refused.nearest, seeds),
        score=refused.score,
        decision=shown_decision(standing),
    )


async def show_row(call: Call[NoQuery, NoBody]) -> ProvenanceShown:
    """Where a row came from: ``12`` is a row, ``s3`` a seed, ``x17`` a rejection."""
    directory = await find_run(call.service, call.path["id"])
    return await asyncio.to_thread(_provenance, directory, call.path["name"])


def _provenance(directory: Path, name: str) -> ProvenanceShown:
    with History.open(directory) as history:
        try:
            found = trace_row(history, name, most_searched=_MAX_SEARCHED)
        except InputError as error:
            raise not_found(error.message, error.hint) from None
    return _shown_provenance(found)


def _shown_provenance(found: Provenance) -> ProvenanceShown:
    standing = found.standing
    values = json.loads(standing.line) if standing is not None and standing.line is not None else None
    return ProvenanceShown(
        name=found.name,
        category=standing.category if values is not None and standing is not None else found.category,
        row=values or found.row,
        recorded=found.row,
        line=found.line,
        replies=[
            ReplyShown(
                call=each.call,
                model=each.reply.model,
                step=each.step,
                text=each.reply.text,
                seconds=each.reply.seconds,
                tokens=(each.reply.usage.input, each.reply.usage.output),
            )
            for each in found.replies
        ],
        demos=_neighbours(found.demos),
        conditions={key: value for key, value in found.conditions.items() if key not in (PASSAGE, ROUND)},
        passage=found.passage,
        nearest=None if found.nearest is None else _neighbours(found.nearest),
        rejection=None
        if found.rejection is None
        else RejectionOf(reason=found.rejection.reason, message=translated(found.rejection.message)),
        decisions=[decision_made(each) for each in found.decisions],
    )


def _neighbours(rows: Sequence[Neighbour]) -> list[NeighbourShown]:
    return [NeighbourShown(name=each.name, row=each.row, score=each.score) for each in rows]


def decision_made(decision: Decision) -> DecisionMade:
    """One decision as it is shown."""
    return DecisionMade(
        action=decision.action,
        reason=decision.reason,
        by=decision.person,
        at=decision.at,
        values=None if decision.line is None else json.loads(decision.line),
    )


def shown_decision(standing: Standing | None) -> DecisionShown | None:
    """What stands of the decisions on a row, as it is shown."""
    if standing is None:
        return None
    last = standing.last
    return DecisionShown.model_validate(
        {"action": standing.action, "reason": last.reason, "by": last.person, "at": last.at}
    )


def pool_name(number: int, seeds: int) -> str:
    """The name of the row with this pool id."""
    if number < 0:
        return f"x{-number}"
    return f"s{number}" if number <= seeds else str(number - seeds)


def marked(spans: Mapping[str, tuple[int, int]], contexts: Mapping[str, str]) -> dict[str, list[tuple[int, int]]]:
    """The places of grounded values by the field that they occur in, in order."""
    places: dict[str, list[tuple[int, int]]] = {}
    for name, span in spans.items():
        places.setdefault(contexts.get(name, name), []).append(span)
    return {name: sorted(set(found)) for name, found in places.items()}


def _contexts(history: History) -> dict[str, str]:
    """For each grounded field the field in which its values occur."""
    recipe = _recipe(history.metadata().recipe)
    return {name: field.appears_in for name, field in recipe.fields.items() if field.appears_in is not None}


@lru_cache(maxsize=32)
def _recipe(text: str) -> Recipe:
    return parse_recipe(text, "recipe", "", importer=accept_unimported)


def _row_in(text: str) -> RowValues | None:
    """The row in the text of a candidate, where that is a JSON object."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


_MISSING = (HTTPStatus.NOT_FOUND,)
ROUTES = (
    Route("GET", "/v1/runs/{id}/rows", list_rows, "List the rows of a run", errors=_MISSING),
    Route("GET", "/v1/runs/{id}/rows/{name}", show_row, "Show where a row came from", errors=_MISSING),
    Route("GET", "/v1/runs/{id}/rejections", list_rejections, "List the refused candidates of a run", errors=_MISSING),
)
