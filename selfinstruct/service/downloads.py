"""Downloads: the rows of a run in every export format, and its report; made in a child process, kept, sent in ranges.

A file is named by everything that it depends on: the options, and a stamp of the run's files. So a run that has not
changed is exported once, and an answer can be resumed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from selfinstruct.exports import FORMATS
from selfinstruct.messages import Phrase
from selfinstruct.render.html import digest, own_text
from selfinstruct.service.models import Asked, NoBody, NoQuery, QueryFlag, QueryInt
from selfinstruct.service.problems import Problem
from selfinstruct.service.routes import Call, Header, Route
from selfinstruct.service.runs import find_run
from selfinstruct.service.service import Service
from selfinstruct.service.state import stamp_of
from selfinstruct.service.tasks import is_archive
from selfinstruct.service.uploads import new_id

#: Files that are kept for the next request.
_KEPT = 24
#: Seconds that an export may take: a million rows in the slowest format.
_PATIENCE = 900.0
_MOST = 10**9
#: The names of splits that are given by their shares alone, by how many there are.
_NAMES = {1: ("train",), 2: ("train", "test"), 3: ("train", "validation", "test")}
_SHARE = re.compile(r"(\w{1,80})=([0-9]*\.?[0-9]{1,20})")
_RANGE = Header("Range", "The part of the file that is wanted: bytes=FIRST-LAST.", {"type": "string"})
_IF_NONE_MATCH = Header("If-None-Match", "The ETag of a version that the client has.", {"type": "string"})


class ExportAsked(Asked):
    """The options of an export.

    ``best`` is the number of best rows to take. ``split`` are shares, such as ``0.9,0.1`` or ``train=0.9,test=0.1``;
    the parts are then files of an archive.
    """

    format: Annotated[str, Field(max_length=40)] = "jsonl"
    with_seeds: QueryFlag = False
    best: QueryInt | None = Field(default=None, ge=1, le=_MOST)
    split: Annotated[str, Field(max_length=400)] | None = None
    shuffle: QueryFlag = False
    seed: QueryInt = Field(default=0, ge=0, le=_MOST)
    keep_formulas: QueryFlag = False
    bom: QueryFlag = False


async def export_run(call: Call[ExportAsked, NoBody]) -> web.StreamResponse:
    """The rows of a run as a file, as a person's decisions leave them; a folder is sent as an archive."""
    directory, options = await find_run(call.service, call.path["id"]), _options(call.query)
    suffix = "zip" if is_archive(options) else FORMATS[options["format"]].suffix
    path = await _made(call.service, directory, "export", {"options": options}, suffix, call.language)
    name = f"{directory.name}.{suffix}"
    return web.FileResponse(path, headers={"Content-Type": "application/octet-stream", **_attachment(name)})


async def show_report(call: Call[NoQuery, NoBody]) -> web.StreamResponse:
    """The report of a run: a page of its own, with its own script and nothing from elsewhere."""
    directory = await find_run(call.service, call.path["id"])
    path = await _made(call.service, directory, "report", {}, "html", call.language)
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest(own_text('report.css'))}'; "
        f"script-src 'sha256-{digest(own_text('report.js'))}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
    )
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
    return web.FileResponse(path, headers=headers)


def _options(asked: ExportAsked) -> dict[str, Any]:
    """The options of ``api.export``. Raises Problem for a format or a split that there is not."""
    if asked.format not in FORMATS:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            Phrase("query: format: no such format"),
            Phrase("Choose one of {formats}.", formats=", ".join(FORMATS)),
        )
    return {**asked.model_dump(exclude={"split"}), "split": _shares(asked.split) if asked.split else None}


def _shares(text: str) -> dict[str, float]:
    """The share of each split. Raises Problem for another form."""
    parts = [part.strip() for part in text.split(",")]
    if "=" not in text and len(parts) in _NAMES:
        parts = [f"{name}={part}" for name, part in zip(_NAMES[len(parts)], parts, strict=True)]
    found = [_SHARE.fullmatch(part) for part in parts]
    shares = {each[1]: float(each[2]) for each in found if each is not None}
    if len(shares) < len(parts):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            Phrase("query: split: expected shares"),
            Phrase("For example: 0.8,0.1,0.1 or train=0.9,test=0.1"),
        )
    return shares


async def _made(service: Service, directory: Path, task: str, spec: dict[str, Any], suffix: str, language: str) -> Path:
    """The file that a task makes of a run; an earlier one where nothing has changed since."""
    cache = service.settings.own / "cache"
    stamp = await asyncio.to_thread(stamp_of, directory)
    content = json.dumps([task, directory.name, spec, stamp], sort_keys=True)
    path = cache / f"{hashlib.sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}.{suffix}"
    if await asyncio.to_thread(_used, path):
        return path
    part = cache / f"{new_id()}.part"
    await asyncio.to_thread(cache.mkdir, mode=0o700, parents=True, exist_ok=True)
    names = {str(directory): directory.name, str(part): "export"}
    whole = {"run": str(directory), "out": str(part), **spec}
    try:
        await service.processes.call(task, whole, language, names, folder=cache, seconds=_PATIENCE)
        await asyncio.to_thread(_keep, part, path)
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    return path


def _used(path: Path) -> bool:
    """Whether the file is there; it is then the one that was used last."""
    with contextlib.suppress(FileNotFoundError):
        status = path.stat()
        os.utime(path, ns=(status.st_atime_ns + 1, status.st_mtime_ns))
        return True
    return False


def _keep(part: Path, path: Path) -> None:
    """Put a file in place, and remove the oldest ones; whoever is reading one reads on."""
    part.replace(path)
    found = []
    for each in path.parent.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if each.suffix != ".part":
                found.append((each.stat().st_mtime_ns, each))
    for _, each in sorted(found)[:-_KEPT]:
        each.unlink(missing_ok=True)


def _attachment(name: str) -> dict[str, str]:
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "-_.") else "_" for each in name)
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}


_ERRORS = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
)
ROUTES = (
    Route(
        "GET",
        "/v1/runs/{id}/export",
        export_run,
        "Download the rows of a run",
        media="application/octet-stream",
        headers=(_RANGE, _IF_NONE_MATCH),
        errors=_ERRORS,
        also=(HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE),
    ),
    Route(
        "GET",
        "/v1/runs/{id}/report",
        show_report,
        "Show the report of a run",
        media="text/html",
        headers=(_IF_NONE_MATCH,),
        errors=_ERRORS,
        also=(HTTPStatus.NOT_MODIFIED,),
    ),
)
