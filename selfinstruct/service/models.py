"""The bodies of requests and responses that several handlers use, and the types of query parameters.

Does not handle: a body of a single handler, which stands beside it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def _whole_number(value: object) -> object:
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise ValueError("expected a whole number")
        return int(value)
    return value


def _flag(value: object) -> object:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("expected true or false")
        return value == "true"
    return value


#: A whole number, and true or false, in a query: written as in JSON, and in no other way.
QueryInt = Annotated[int, BeforeValidator(_whole_number)]
QueryFlag = Annotated[bool, BeforeValidator(_flag)]
#: A row, a JSON object with the fields of a data set.
RowValues = dict[str, Any]
#: The id of an upload, and of nothing else; made by the service.
FileId = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{16}$")]


class Answer(BaseModel):
    """The body of a response, or a part of one."""

    model_config = ConfigDict(frozen=True)


class Asked(BaseModel):
    """The body or the query of a request: unknown keys are errors, and values have exactly the type of their key."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NoQuery(Asked):
    """The query of a request that has none."""


class NoBody(Asked):
    """The body of a request that has none."""


class Page(Asked):
    """A page of a listing: at most ``limit`` items after the one with the id ``after``."""

    after: Annotated[str, Field(max_length=255)] | None = None
    limit: QueryInt = Field(default=20, ge=1, le=100)


State = Literal["queued", "running", "done", "short", "cancelled", "interrupted", "failed"]


class RunError(Answer):
    """Why a run failed, and what to do."""

    title: str
    hint: str = ""


class Category(Answer):
    """A category of a run; ``max_rouge_l`` is the largest ROUGE-L F1 that is allowed, null before that is known."""

    name: str
    quota: int
    accepted: int
    exhausted: bool
    max_rouge_l: float | None


class Tokens(Answer):
    """Tokens of prompts (``input``) and of replies (``output``)."""

    input: int
    output: int


class LastRow(Answer):
    """The row that was accepted last."""

    number: int
    category: str
    row: RowValues


class LastRejection(Answer):
    """The candidate that was rejected last."""

    id: int
    reason: str
    message: str
    text: str


class DecisionCounts(Answer):
    """How many rows people accepted, rejected and edited."""

    accepted: int = 0
    rejected: int = 0
    edited: int = 0


class Run(Answer):
    """A run and its figures.

    ``origin`` is "service" for a run that was created here. ``position`` is that of a queued run in the queue, from 1.
    ``updated`` is when its figures last changed. ``rejected`` counts candidates and ``failed`` replies by reason.
    ``cost`` is in the currency of the prices, null if they are not known. ``seconds`` is the time of all sessions,
    ``rate`` the rows per second while it is running.
    """

    id: str
    name: str
    state: State
    origin: Literal["service", "command line"]
    user: str | None = None
    created: str
    updated: str
    position: int | None = None
    error: RunError | None = None
    requested_rows: int
    accepted: int
    candidates: int
    seeds: int
    rejected: dict[str, int]
    failed: dict[str, int]
    categories: list[Category]
    requests: int
    tokens: Tokens
    cost: float | None
    model: str
    seconds: float
    rate: float | None = None
    last_row: LastRow | None = None
    last_rejection: LastRejection | None = None
    notes: list[str] = []
    decisions: DecisionCounts = DecisionCounts()
