"""A run as its users see it: what its directory, its job and its child process say of it, in one model.

Does not handle: who asks; reading the directory (``state``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from selfinstruct.messages import Phrase
from selfinstruct.service.jobs import Live
from selfinstruct.service.models import Category, LastRejection, LastRow, Run, RunError, State, Tokens
from selfinstruct.service.problems import not_found
from selfinstruct.service.service import Service
from selfinstruct.service.store import Job
from selfinstruct.service.uploads import now

_OF_JOB: Mapping[str, State] = {"queued": "queued", "running": "running", "cancelled": "cancelled", "failed": "failed"}


def no_such_run() -> Exception:
    """The problem of an id that no run has."""
    return not_found(Phrase("no such run"), Phrase("List the runs: GET /v1/runs."))


async def view_run(service: Service, run: str, language: str) -> Run:
    """A run by its id. Raises Problem if there is none, StorageError if its journal cannot be read."""
    return await asyncio.to_thread(_view, service, run, language)


async def view_runs(service: Service, language: str) -> list[Run]:
    """All runs, the newest first; those whose journal cannot be read are left out."""
    return await asyncio.to_thread(_view_all, service, language)


def _view_all(service: Service, language: str) -> list[Run]:
    jobs = {job.run: job for job in service.store.jobs()}
    runs = [_with_job(service, run, jobs.get(run.id), language) for run in service.catalogue.all()]
    known = {run.id for run in runs}
    runs += [_of_job(service, job, language) for name, job in jobs.items() if name not in known]
    return sorted(runs, key=lambda run: (run.created, run.id), reverse=True)


def _view(service: Service, run: str, language: str) -> Run:
    job, directory = service.store.job(run), service.catalogue.find(run)
    live = service.jobs.live.get(run)
    if job is not None and live is not None and live.snapshot is not None and live.plan is not None:
        return _of_live(job, live, live.plan, live.snapshot)
    if directory is None:
        if job is None:
            raise no_such_run()
        return _of_job(service, job, language)
    return _with_job(service, service.catalogue.read(directory), job, language)


def _of_live(job: Job, live: Live, plan: Mapping[str, Any], told: Mapping[str, Any]) -> Run:
    given, received = told.get("tokens", (0, 0))
    thresholds = plan["thresholds"]
    return Run(
        id=job.run,
        name=plan["name"],
        state="running",
        origin="service",
        user=job.user,
        created=job.created,
        updated=now(),
        requested_rows=plan["requested_rows"],
        accepted=told["accepted"],
        candidates=told["candidates"],
        seeds=plan["seeds"],
        rejected=told["rejected"],
        failed=told["failed"],
        categories=[
            Category(name=name, quota=quota, accepted=accepted, exhausted=exhausted, max_rouge_l=thresholds.get(name))
            for name, quota, accepted, exhausted in told["categories"]
        ],
        requests=told["requests"],
        tokens=Tokens(input=given, output=received),
        cost=told.get("cost"),
        model=plan["model"],
        seconds=round(live.seconds, 1),
        rate=live.rate,
        last_row=LastRow(**told["last_row"]) if told.get("last_row") else None,
        last_rejection=LastRejection(**told["last_rejection"]) if told.get("last_rejection") else None,
        notes=list(dict.fromkeys((*plan["notes"], *told["notes"]))),
    )


def _of_job(service: Service, job: Job, language: str) -> Run:
    """A run that has no journal yet."""
    plan = getattr(service.jobs.live.get(job.run), "plan", None) or {}
    return Run(
        id=job.run,
        name=plan.get("name") or job.spec.get("name") or job.run,
        state=_OF_JOB.get(job.state, "interrupted"),
        origin="service",
        user=job.user,
        created=job.created,
        updated=job.created,
        position=service.jobs.position(job.run) if job.state == "queued" else None,
        error=_error_of(job, language),
        requested_rows=plan.get("requested_rows") or job.spec.get("rows") or 0,
        accepted=0,
        candidates=0,
        seeds=plan.get("seeds", 0),
        rejected={},
        failed={},
        categories=[],
        requests=0,
        tokens=Tokens(input=0, output=0),
        cost=None,
        model=plan.get("model", ""),
        seconds=0.0,
    )


def _with_job(service: Service, run: Run, job: Job | None, language: str) -> Run:
    """A run of the catalogue with what its job adds."""
    if job is None:
        return run
    changes: dict[str, Any] = {"user": job.user}
    if "file" in job.spec:
        changes |= {"origin": "service", "created": job.created}
    if job.state in ("queued", "running", "failed"):
        changes |= {"state": _OF_JOB[job.state], "error": _error_of(job, language)}
    elif job.state == "cancelled" and run.state == "interrupted":
        changes["state"] = "cancelled"
    if job.state == "queued":
        changes["position"] = service.jobs.position(job.run)
    return run.model_copy(update=changes)


def _error_of(job: Job, language: str) -> RunError | None:
    if job.error is None or job.state != "failed":
        return None
    return RunError(title=job.error["message"][language], hint=job.error["hint"][language])
