"""Checks, deduplication, comparisons, evaluations, judging again: work that a request waits for, in a child process.

An uploaded file is linked into a folder of its own, under a name with its suffix, which some readers are chosen by.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from selfinstruct.api import recipe_text
from selfinstruct.messages import Phrase
from selfinstruct.recipe import builtin
from selfinstruct.service.models import Answer, Asked, FileId, NoBody, NoQuery
from selfinstruct.service.problems import Problem
from selfinstruct.service.routes import Call, Route
from selfinstruct.service.runs import find_run
from selfinstruct.service.service import Service
from selfinstruct.service.uploads import File, new_id, shown

#: Seconds that judging the replies of a run again, and an evaluation, may take.
_PATIENCE = 900.0
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}$")
Toml = Annotated[str, Field(min_length=1, max_length=400_000)]
FieldName = Annotated[str, Field(min_length=1, max_length=1000)]


class CheckAsked(Asked):
    """An uploaded ``file`` of rows, and the built-in recipe, or the text of one, to check it by."""

    file: FileId
    recipe: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    toml: Toml | None = None

    @model_validator(mode="after")
    def _has_one_recipe(self) -> Self:
        if self.recipe and self.toml:
            raise ValueError("recipe and toml exclude each other")
        return self


class ChecksDone(Answer):
    """What ``check`` says of a file, as ``selfinstruct check --format json``; ``more`` findings are not listed."""

    model_config = ConfigDict(extra="allow", frozen=True)

    findings: list[dict[str, Any]]
    measures: dict[str, Any]
    notes: list[str]
    more: int


class DedupAsked(Asked):
    """An uploaded ``file`` of rows; ``fields`` are compared, by default all texts."""

    file: FileId
    fields: Annotated[list[FieldName], Field(max_length=100)] = Field(default=[])
    max_rouge_l: Annotated[float, Field(gt=0, le=1)] = 0.7


class DedupDone(Answer):
    """How many rows were kept and dropped, and the ``file`` of those that were kept."""

    rows: int
    kept: int
    dropped: int
    fields: list[str]
    file: File


class RejudgeAsked(Asked):
    """The text of a recipe to judge by; without it the run's own."""

    toml: Toml | None = None


class Counts(Answer):
    """The number of rows that count, of rejected candidates and of failed replies by reason."""

    accepted: int
    rejected: dict[str, int]
    failed: dict[str, int]


class RejudgeDone(Answer):
    """The effect of judging the ``replies`` again; ``same`` rows count both times."""

    replies: int
    before: Counts
    after: Counts
    same: int
    identical: bool


class ComparisonAsked(Asked):
    """The ids of two runs."""

    first: Annotated[str, Field(min_length=1, max_length=255)]
    second: Annotated[str, Field(min_length=1, max_length=255)]


class ComparedLine(Answer):
    """A figure of both runs; null where a run does not have it. A share is in [0, 1]."""

    name: str
    first: float | None
    second: float | None
    unit: str


class ComparedSection(Answer):
    """Figures of one kind; ``subject`` is the field that they are about, or ""."""

    title: str
    subject: str
    lines: list[ComparedLine]


class ComparisonDone(Answer):
    """The figures of two runs side by side, and their names."""

    version: int
    runs: list[str]
    sections: list[ComparedSection]


class EvaluationAsked(Asked):
    """An uploaded file of rows to test with, by default those that the run held out; examples of each training."""

    holdout: FileId | None = None
    updates: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class EvaluationDone(Answer):
    """The evaluation, as ``selfinstruct evaluate --json`` prints it."""

    model_config = ConfigDict(extra="allow", frozen=True)


async def check_file(call: Call[NoQuery, CheckAsked]) -> ChecksDone:
    """Check the rows of a file by a recipe, or by what they suggest themselves."""
    toml = call.body.toml
    if call.body.recipe is not None:
        if call.body.recipe not in builtin.names():
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                Phrase("recipe: no such recipe"),
                Phrase("List the recipes: GET /v1/recipes."),
            )
        toml = await asyncio.to_thread(recipe_text, call.body.recipe)
    async with _linked(call, call.body.file) as (folder, file, names):
        spec = {"file": file.name, "toml": toml}
        return ChecksDone.model_validate(
            await call.service.processes.call("check", spec, call.language, names, folder=folder)
        )


async def dedup_file(call: Call[NoQuery, DedupAsked]) -> DedupDone:
    """Drop the near-duplicates of earlier rows from a file; the rest is a new file."""
    service = call.service
    await service.require_space()
    upload = service.uploads.find(call.body.file, call.user)
    async with _linked(call, call.body.file) as (folder, file, names):
        out = folder / "kept"
        spec = {"file": file.name, "out": str(out), **call.body.model_dump(include={"fields", "max_rouge_l"})}
        done = await service.processes.call("dedup", spec, call.language, names, folder=folder)
        stem, dot, suffix = upload.name.rpartition(".")
        name = f"{stem}-kept{dot}{suffix}" if stem else f"{upload.name}-kept"
        kept = await asyncio.to_thread(service.uploads.adopt, out, name, call.user)
    counts = {key: done[key] for key in ("rows", "kept", "dropped", "fields")}
    return DedupDone(**counts, file=shown(kept))


async def rejudge_run(call: Call[NoQuery, RejudgeAsked]) -> RejudgeDone:
    """Judge the recorded replies of a run again, without a call; changes nothing."""
    service, directory = call.service, await find_run(call.service, call.path["id"])
    inputs = service.settings.own / "inputs" / directory.name
    folder = inputs if await asyncio.to_thread(inputs.is_dir) else directory
    spec = {"run": str(directory), "toml": call.body.toml}
    names = {str(directory): directory.name}
    done = await service.processes.call("rejudge", spec, call.language, names, folder=folder, seconds=_PATIENCE)
    return RejudgeDone.model_validate(done)


async def compare_runs(call: Call[ComparisonAsked, NoBody]) -> ComparisonDone:
    """The figures of two runs side by side."""
    service = call.service
    places = [await find_run(service, run) for run in (call.query.first, call.query.second)]
    first, second = (str(place) for place in places)
    names = {str(place): place.name for place in places}
    done = await service.processes.call("compare", {"first": first, "second": second}, call.language, names)
    return ComparisonDone.model_validate(done)


async def evaluate_run(call: Call[NoQuery, EvaluationAsked]) -> EvaluationDone:
    """Measure whether training on the rows of a run helps to answer rows that it has not seen; takes minutes."""
    service, directory = call.service, await find_run(call.service, call.path["id"])
    spec: dict[str, Any] = {"run": str(directory), "holdout": None, "name": None, "updates": call.body.updates}
    own = {str(directory): directory.name}
    if call.body.holdout is None:
        done = await service.processes.call("evaluate", spec, call.language, own, seconds=_PATIENCE)
    else:
        async with _linked(call, call.body.holdout) as (folder, file, names):
            spec |= {"holdout": file.name, "name": names[file.name]}
            done = await service.processes.call(
                "evaluate", spec, call.language, {**own, **names}, folder=folder, seconds=_PATIENCE
            )
    return EvaluationDone.model_validate(done)


@asynccontextmanager
async def _linked(call: Call[Any, Any], upload: str) -> AsyncIterator[tuple[Path, Path, dict[str, str]]]:
    """A folder with a link to an upload, the link, and what its names mean to the user."""
    service: Service = call.service
    service.require_open()
    found, path = service.uploads.find(upload, call.user), service.uploads.path(upload, call.user)
    suffix = _SUFFIX.search(found.name.lower())
    folder = service.settings.own / "previews" / new_id()
    link = folder / f"upload-{found.id}{suffix[0] if suffix else ''}"
    try:
        await asyncio.to_thread(_link, path, link)
        yield folder, link, {str(folder): "", link.name: found.name}
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _link(path: Path, link: Path) -> None:
    link.parent.mkdir(mode=0o700, parents=True)
    os.link(path, link)


_OF_FILE = (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE)
_OF_RUN = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)
ROUTES = (
    Route("POST", "/v1/checks", check_file, "Check a file", errors=_OF_FILE),
    Route("POST", "/v1/dedup", dedup_file, "Drop near-duplicates from a file", errors=_OF_FILE),
    Route("POST", "/v1/runs/{id}/rejudge", rejudge_run, "Judge the replies of a run again", errors=_OF_RUN),
    Route("POST", "/v1/runs/{id}/evaluation", evaluate_run, "Evaluate a run", errors=_OF_RUN),
    Route("GET", "/v1/comparison", compare_runs, "Compare two runs", errors=_OF_RUN),
)
