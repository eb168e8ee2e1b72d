"""Uploaded files: bytes under ids that the service makes; what they are called is only ever shown.

Does not handle: what is in them; whatever reads them is a child process.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, BinaryIO

from aiohttp import web
from pydantic import AfterValidator, Field

from selfinstruct.messages import Phrase
from selfinstruct.platform_support import sync_directory
from selfinstruct.service.models import Answer, Asked, NoBody, NoQuery
from selfinstruct.service.problems import Problem, not_found
from selfinstruct.service.routes import Call, Route, too_large
from selfinstruct.service.store import Store, Upload

UPLOAD_TYPE = "application/octet-stream"
_ID_BYTES = 10  # 16 characters of base32
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def new_id(count: int = _ID_BYTES) -> str:
    """A random id of lower-case letters and digits."""
    return base64.b32encode(secrets.token_bytes(count)).decode().rstrip("=").lower()


def _shown_name(name: str) -> str:
    """The last part of a name, without characters that a terminal or a page would act on."""
    last = re.split(r"[/\\]", name)[-1]
    return _UNFIT.sub("", last).strip() or "file"


class FileName(Asked):
    """The query of an upload: the ``name`` of the file, which is only shown."""

    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_shown_name)] = "file"


class File(Answer):
    """An uploaded file; its ``name`` is the one that it was given."""

    id: str
    name: str
    bytes: int
    sha256: str
    created: str


class Uploads:
    """The uploaded files in ``folder``."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in folder.glob("*.part"):  # of a service that was killed
            part.unlink()

    def find(self, upload: str, user: str) -> Upload:
        """The facts of a user's upload. Raises Problem if there is none."""
        found = self._store.upload(upload)
        if found is None or found.user != user:
            raise not_found(Phrase("no such file"), Phrase("Upload it: POST /v1/files."))
        return found

    def path(self, upload: str, user: str) -> Path:
        """The file of a user's upload. Raises Problem if there is none."""
        return self._folder / self.find(upload, user).id

    async def receive(self, request: web.Request, name: str, user: str, most: int) -> Upload:
        """Store the body of a request, at most ``most`` bytes of it. Raises Problem for a larger one."""
        if request.content_length is not None and request.content_length > most:
            raise too_large(most)
        made = new_id()
        part = self._folder / f"{made}.part"
        digest, size = hashlib.sha256(), 0
        file = await asyncio.to_thread(part.open, "xb")
        try:
            async for data in request.content.iter_chunked(1 << 18):
                size += len(data)
                if size > most:
                    raise too_large(most)
                digest.update(data)
                await asyncio.to_thread(file.write, data)
            if not size:
                raise Problem(
                    HTTPStatus.UNPROCESSABLE_ENTITY, Phrase("body: empty"), Phrase("Send the bytes of a file.")
                )
            await asyncio.to_thread(_keep, file, part, self._folder / made)
        except BaseException:
            file.close()
            part.unlink(missing_ok=True)
            raise
        upload = Upload(made, user, name, size, digest.hexdigest(), now())
        await asyncio.to_thread(self._store.add_upload, upload)
        return upload

    def adopt(self, file: Path, name: str, user: str) -> Upload:
        """Make an upload of a file that the service wrote, by moving it."""
        made = new_id()
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        upload = Upload(made, user, _shown_name(name), file.stat().st_size, digest, now())
        file.replace(self._folder / made)
        sync_directory(self._folder)
        self._store.add_upload(upload)
        return upload

    def remove(self, upload: Upload) -> None:
        """Delete an upload; runs that use it have a link of their own."""
        self._store.remove_upload(upload.id)
        (self._folder / upload.id).unlink(missing_ok=True)


def _keep(file: BinaryIO, part: Path, target: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    part.rename(target)
    sync_directory(target.parent)


def now() -> str:
    """The time in UTC (ISO 8601)."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def shown(upload: Upload) -> File:
    """An upload as its user sees it."""
    return File(id=upload.id, name=upload.name, bytes=upload.bytes, sha256=upload.sha256, created=upload.created)


async def create_file(call: Call[FileName, NoBody]) -> File:
    """Upload a file: seed rows, a recipe, passages or rows to check, as bytes."""
    if call.request.content_type != UPLOAD_TYPE:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            Phrase("body: expected bytes"),
            Phrase("Set Content-Type: application/octet-stream."),
        )
    service = call.service
    service.require_open()
    await service.require_space()
    limits = service.settings.limits
    return shown(await service.uploads.receive(call.request, call.query.name, call.user, limits.upload_bytes))


async def read_file(call: Call[NoQuery, NoBody]) -> File:
    """The facts of an uploaded file."""
    return shown(call.service.uploads.find(call.path["id"], call.user))


async def delete_file(call: Call[NoQuery, NoBody]) -> None:
    """Delete an uploaded file; runs that were created from it keep what they need."""
    found = call.service.uploads.find(call.path["id"], call.user)
    await asyncio.to_thread(call.service.uploads.remove, found)


_MISSING = (HTTPStatus.NOT_FOUND,)
ROUTES = (
    Route(
        "POST",
        "/v1/files",
        create_file,
        "Upload a file",
        status=HTTPStatus.CREATED,
        upload=True,
        errors=(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.CONFLICT),
    ),
    Route("GET", "/v1/files/{id}", read_file, "Read the facts of an uploaded file", errors=_MISSING),
    Route(
        "DELETE",
        "/v1/files/{id}",
        delete_file,
        "Delete an uploaded file",
        status=HTTPStatus.NO_CONTENT,
        errors=_MISSING,
    ),
)
