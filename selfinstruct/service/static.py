"""The page and its files: the same for everybody, so they need no token; and the link with the token.

Files are looked up in the listing that is read at the start, compressed once, and kept in memory.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.resources
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from selfinstruct.messages import Phrase
from selfinstruct.service.models import Asked, NoBody, NoQuery
from selfinstruct.service.problems import not_found
from selfinstruct.service.routes import Call, Header, Route
from selfinstruct.service.security import cookie_name, user_with

_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
_COMPRESSED = (".html", ".js", ".css", ".svg", ".webmanifest")
_INDEX = "index.html"
_IF_NONE_MATCH = Header("If-None-Match", "The ETag of a version that the client has.", {"type": "string"})


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page; ``packed`` is it in gzip, None where that saves nothing."""

    media: str
    data: bytes
    packed: bytes | None
    etag: str


class Entrance(Asked):
    """The query of the page: the ``token`` of the link that the service prints."""

    token: Annotated[str, Field(max_length=512)] | None = None


@lru_cache(maxsize=1)
def page_files() -> dict[str, StaticFile]:
    """The files of the page by name."""
    found = {}
    folder = importlib.resources.files("selfinstruct.service").joinpath("page")
    for file in folder.iterdir():
        suffix = f".{file.name.rpartition('.')[2]}"
        if suffix in _TYPES and file.is_file():
            data = file.read_bytes()
            packed = gzip.compress(data, 9, mtime=0) if suffix in _COMPRESSED else None
            etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
            found[file.name] = StaticFile(_TYPES[suffix], data, packed, etag)
    return found


async def show_page(call: Call[Entrance, NoBody]) -> web.StreamResponse:
    """The page. With ``token``, sets a cookie and redirects to the page without it."""
    if call.query.token is None:
        return _send(call.request, _INDEX)
    settings = call.service.settings
    if user_with(settings, call.query.token) is None:
        return _redirect("/#wrong-token")
    response = _redirect("/")
    secure = call.request.headers.get("X-Forwarded-Proto", call.request.scheme) == "https"
    response.set_cookie(
        cookie_name(settings), call.query.token, path="/", httponly=True, samesite="Strict", secure=secure
    )
    return response


async def send_file(call: Call[NoQuery, NoBody]) -> web.StreamResponse:
    """A file of the page."""
    return _send(call.request, call.path["file"])


def _send(request: web.Request, name: str) -> web.Response:
    file = page_files().get(name)
    if file is None:
        raise not_found(Phrase("no such file"))
    headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("If-None-Match") == file.etag:
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    data = file.data
    if file.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        data = file.packed
        headers["Content-Encoding"] = "gzip"
    charset = "utf-8" if file.media.startswith("text/") else None
    return web.Response(body=data, content_type=file.media, charset=charset, headers=headers)


def _redirect(location: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": location, "Cache-Control": "no-store"})


_ALSO = (HTTPStatus.NOT_MODIFIED, HTTPStatus.SEE_OTHER)
ROUTES = (
    Route("GET", "/", show_page, "The page", media="text/html", open=True, headers=(_IF_NONE_MATCH,), also=_ALSO),
    Route(
        "GET",
        "/static/{file}",
        send_file,
        "A file of the page",
        media="application/octet-stream",
        open=True,
        headers=(_IF_NONE_MATCH,),
        also=_ALSO[:1],
        errors=(HTTPStatus.NOT_FOUND,),
    ),
)
