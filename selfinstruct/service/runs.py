"""Runs: list, read, create, cancel, resume, grow and delete them."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from selfinstruct.journal import History, holder_of
from selfinstruct.messages import Phrase
from selfinstruct.recipe import accept_unimported, parse_recipe, to_toml
from selfinstruct.service.models import Answer, Asked, NoBody, NoQuery, Page, Run
from selfinstruct.service.planning import without_endpoint
from selfinstruct.service.problems import Problem
from selfinstruct.service.routes import Call, Header, Route
from selfinstruct.service.service import Service
from selfinstruct.service.sources import Source, check_source, make_spec, name_of, too_many_rows
from selfinstruct.service.uploads import new_id, now
from selfinstruct.service.views import no_such_run, view_run, view_runs

IDEMPOTENCY = Header(
    "Idempotency-Key",
    "A key of the client's own: a second request with it returns the run of the first one, and creates none.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
)
_KEY = re.compile(r"[!-~]{1,255}")
_RANDOM_BYTES = 5  # 8 characters of base32
#: Seconds in which a deletion must be confirmed.
_CONFIRMATION = 300


class RunList(Answer):
    """A page of runs, the newest first; ``next`` is the ``after`` of the next page, null on the last one."""

    runs: list[Run]
    next: str | None


class NewRun(Asked):
    """A run to create; ``name`` replaces that of its recipe."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"source": {"recipe": "logqa", "rows": 20}}]})

    source: Source
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f/\\:]+$")] | None = None


class Growth(Asked):
    """How far a run grows: ``rows`` in all, or ``per_category``."""

    rows: Annotated[int, Field(ge=1, le=10**9)] | None = None
    per_category: Annotated[int, Field(ge=1, le=10**9)] | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.rows is None) == (self.per_category is None):
            raise ValueError("name either rows or per_category")
        return self


class Deletion(Answer):
    """What confirms a deletion: the ``token``, until it ``expires``."""

    token: str
    expires: str


class Confirmation(Asked):
    """The query of a deletion: the token that confirms it."""

    token: Annotated[str, Field(min_length=1, max_length=64)]


class RunRecipe(Answer):
    """The recipe of a run, as it may be edited and judged by again."""

    name: str
    toml: str


@dataclass
class Confirmations:
    """The tokens of deletions that were asked for, each for one run and one user."""

    _tokens: dict[str, tuple[str, str, float]] = field(default_factory=dict)

    def make(self, run: str, user: str) -> Deletion:
        """A token for a run."""
        at = time.monotonic()
        self._tokens = {key: value for key, value in self._tokens.items() if value[2] > at}
        token = secrets.token_urlsafe(16)
        self._tokens[token] = (run, user, at + _CONFIRMATION)
        expires = datetime.now(UTC) + timedelta(seconds=_CONFIRMATION)
        return Deletion(token=token, expires=expires.isoformat(timespec="seconds"))

    def take(self, token: str, run: str, user: str) -> bool:
        """Whether this token confirms the deletion of this run by this user; it does so once."""
        known = self._tokens.get(token)
        if known is None or known[:2] != (run, user) or known[2] <= time.monotonic():
            return False
        del self._tokens[token]
        return True


async def list_runs(call: Call[Page, NoBody]) -> RunList:
    """The runs of this service and those that the command line made in its directory, the newest first."""
    runs = await view_runs(call.service, call.language)
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
    return await view_run(call.service, call.path["id"], call.language)


async def create_run(call: Call[NoQuery, NewRun]) -> Run:
    """Queue a new run; it starts at once where fewer runs grow than the service allows."""
    service, source = call.service, call.body.source
    service.require_open()
    key = call.request.headers.get(IDEMPOTENCY.name)
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, Phrase("Idempotency-Key: expected 1 to 255 ASCII characters"))
    digest = hashlib.sha256(call.body.model_dump_json().encode()).hexdigest()
    if key is not None and (known := await asyncio.to_thread(service.store.run_of_key, call.user, key)) is not None:
        return await _repeated(call, known, digest)
    check_source(source, service.settings, service.uploads, call.user)
    await service.require_space()
    _require_place(service)
    name = call.body.name or name_of(source, service.uploads, call.user)
    run = f"{_slug(name)}-{new_id(_RANDOM_BYTES)}"
    folder = service.settings.own / "inputs" / run
    try:
        spec = await asyncio.to_thread(make_spec, source, service.settings, service.uploads, call.user, folder, name)
        spec["named"] = call.body.name is not None
        known_run, same = await asyncio.to_thread(service.store.add_job, run, call.user, now(), spec, key, digest)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    if known_run != run:  # another request with this key was faster
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return await _repeated(call, (known_run, digest if same else ""), digest)
    service.jobs.start_next()
    return await view_run(service, run, call.language)


async def _repeated(call: Call[Any, Any], known: tuple[str, str], digest: str) -> Run:
    if known[1] != digest:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            Phrase("Idempotency-Key: used before, for another request"),
            Phrase("Use a new key for each run."),
            slug="idempotency-key",
        )
    return await view_run(call.service, known[0], call.language)


async def cancel_run(call: Call[NoQuery, NoBody]) -> Run:
    """Have a run end in order; everything that was accepted is kept, and it can be resumed."""
    run = await view_run(call.service, call.path["id"], call.language)
    if not await call.service.jobs.cancel(run.id):
        raise _conflict(
            Phrase("the run is not growing here"),
            Phrase("Only a queued or running run of this service can be cancelled."),
        )
    return await view_run(call.service, run.id, call.language)


async def resume_run(call: Call[NoQuery, NoBody]) -> Run:
    """Queue a run again, to go on from where it stopped."""
    return await _requeue(call, {})


async def grow_run(call: Call[NoQuery, Growth]) -> Run:
    """Queue a run again, with a larger quota."""
    most = call.service.settings.limits.rows
    if max(call.body.rows or 0, call.body.per_category or 0) > most:
        raise too_many_rows(most)
    return await _requeue(call, {"rows": call.body.rows, "per_category": call.body.per_category})


async def _requeue(call: Call[Any, Any], changes: dict[str, int | None]) -> Run:
    service = call.service
    service.require_open()
    run = await view_run(service, call.path["id"], call.language)
    await service.require_space()
    if run.state in ("queued", "running") or run.id in service.jobs.live:
        raise _conflict(Phrase("the run is growing or waiting already"), Phrase("Cancel it, or wait until it ends."))
    _require_place(service)
    job = service.store.job(run.id)
    spec = {**(job.spec if job is not None else {}), **changes, "most_rows": service.settings.limits.rows}
    await asyncio.to_thread(service.store.requeue, run.id, call.user, now(), spec)
    service.jobs.start_next()
    return await view_run(service, run.id, call.language)


async def ask_deletion(call: Call[NoQuery, NoBody]) -> Deletion:
    """A token that confirms the deletion of a run."""
    run = await view_run(call.service, call.path["id"], call.language)
    return call.service.confirmations.make(run.id, call.user)


async def delete_run(call: Call[Confirmation, NoBody]) -> None:
    """Delete a run with all its files; ``token`` is that of the deletion that was asked for."""
    service = call.service
    run = await view_run(service, call.path["id"], call.language)
    if run.state in ("queued", "running") or run.id in service.jobs.live:
        raise _conflict(Phrase("the run is growing or waiting"), Phrase("Cancel it first."))
    directory = await asyncio.to_thread(service.catalogue.find, run.id)
    if directory is not None and await asyncio.to_thread(holder_of, directory) is not None:
        raise _conflict(Phrase("another process is writing this run"), Phrase("Wait for it, or stop it."))
    if not service.confirmations.take(call.query.token, run.id, call.user):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            Phrase("token: does not confirm this deletion"),
            Phrase("Ask for a token: POST /v1/runs/ID/deletion."),
            slug="unconfirmed",
        )
    await asyncio.to_thread(_delete, service, run.id, directory)


def _delete(service: Service, run: str, directory: Path | None) -> None:
    """Remove a run: first its name, so that no half of it is ever shown."""
    own = service.settings.own
    if directory is not None and directory.is_symlink():
        directory.unlink()
    elif directory is not None:
        trash = own / "trash" / new_id()
        trash.parent.mkdir(mode=0o700, exist_ok=True)
        directory.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)
    job = service.store.job(run)
    service.store.remove_job(run)
    if job is not None and "folder" in job.spec:
        shutil.rmtree(own / "inputs" / run, ignore_errors=True)


async def read_run_recipe(call: Call[NoQuery, NoBody]) -> RunRecipe:
    """The recipe of a run, to edit; files that were uploaded for it are ``upload:ID``."""
    run = await view_run(call.service, call.path["id"], call.language)
    directory = await find_run(call.service, run.id)
    return await asyncio.to_thread(_recipe_of, call.service, directory)


def _recipe_of(service: Service, directory: Path) -> RunRecipe:
    with History.open(directory) as history:
        metadata = history.metadata()
    inputs = service.settings.own / "inputs" / directory.name
    recipe = parse_recipe(metadata.recipe, f"{directory.name}: recipe", directory, importer=accept_unimported)
    text = to_toml(without_endpoint(recipe), metadata.reasons, directory)
    for path in (f"../{inputs.relative_to(service.settings.root)}/", f"{inputs}/"):
        text = text.replace(path, "")
    return RunRecipe(name=recipe.name, toml=text)


async def find_run(service: Service, run: str) -> Path:
    """The directory of a run. Raises Problem if there is none, or it has no journal yet."""
    directory = await asyncio.to_thread(service.catalogue.find, run)
    if directory is not None:
        return directory
    if await asyncio.to_thread(service.store.job, run) is not None:
        raise _conflict(Phrase("the run has no rows yet"), Phrase("Wait until it has started."))
    raise no_such_run()


def _require_place(service: Service) -> None:
    if service.jobs.waiting() >= service.settings.limits.jobs:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            Phrase("the queue is full"),
            Phrase("Wait until a run has ended."),
            slug="queue-full",
            headers={"Retry-After": "60"},
        )


def _conflict(message: str, hint: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, message, hint, slug="state")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "run"


_MISSING = (HTTPStatus.NOT_FOUND,)
_WORK = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
ROUTES = (
    Route("GET", "/v1/runs", list_runs, "List the runs"),
    Route(
        "POST",
        "/v1/runs",
        create_run,
        "Create a run",
        status=HTTPStatus.ACCEPTED,
        headers=(IDEMPOTENCY,),
        location="/v1/runs/{id}",
        errors=(HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE),
    ),
    Route("GET", "/v1/runs/{id}", read_run, "Read a run", errors=_MISSING),
    Route("GET", "/v1/runs/{id}/recipe", read_run_recipe, "Read the recipe of a run", errors=_MISSING),
    Route("POST", "/v1/runs/{id}/cancel", cancel_run, "Cancel a run", status=HTTPStatus.ACCEPTED, errors=_WORK),
    Route("POST", "/v1/runs/{id}/resume", resume_run, "Resume a run", status=HTTPStatus.ACCEPTED, errors=_WORK),
    Route("POST", "/v1/runs/{id}/grow", grow_run, "Grow a run further", status=HTTPStatus.ACCEPTED, errors=_WORK),
    Route("POST", "/v1/runs/{id}/deletion", ask_deletion, "Ask to delete a run", errors=_MISSING),
    Route(
        "DELETE",
        "/v1/runs/{id}",
        delete_run,
        "Delete a run",
        status=HTTPStatus.NO_CONTENT,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)
