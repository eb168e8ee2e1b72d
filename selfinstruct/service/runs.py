"""Runs: list and read them."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

from selfinstruct.messages import Phrase
from selfinstruct.service.models import Answer, NoBody, NoQuery, Page, Run
from selfinstruct.service.problems import Problem, not_found
from selfinstruct.service.routes import Call, Route
from selfinstruct.service.service import Service


class RunList(Answer):
    """A page of runs, the newest first; ``next`` is the ``after`` of the next page, null on the last one."""

    runs: list[Run]
    next: str | None


async def list_runs(call: Call[Page, NoBody]) -> RunList:
    """The runs of this service and those that the command line made in its directory, the newest first."""
    runs = await asyncio.to_thread(call.service.catalogue.all)
    start = 0
    if call.query.after is not None:
        ids = [run.id for run in runs]
        if call.query.after not in ids:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, Phrase("query: after: no such run"))
        start = ids.index(call.query.after) + 1
    page = runs[start : start + call.query.limit]
    return RunList(runs=page, next=page[-1].id if start + len(page) < len(runs) else None)


async def read_run(call: Call[NoQuery, NoBody]) -> Run:
    """The state and the figures of a run."""
    directory = await find_run(call.service, call.path["id"])
    return await asyncio.to_thread(call.service.catalogue.read, directory)


async def find_run(service: Service, run: str) -> Path:
    """The directory of a run. Raises Problem if there is none of this id."""
    directory = await asyncio.to_thread(service.catalogue.find, run)
    if directory is None:
        raise not_found(Phrase("no such run"), Phrase("List the runs: GET /v1/runs."))
    return directory


ROUTES = (
    Route("GET", "/v1/runs", list_runs, "List the runs"),
    Route("GET", "/v1/runs/{id}", read_run, "Read a run", errors=(HTTPStatus.NOT_FOUND,)),
)
