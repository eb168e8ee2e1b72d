"""The OpenAPI 3.1 document, from the route table and the models that requests are validated with; and a page of it.

Does not handle: anything that the table does not say; a handler cannot differ from its documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from selfinstruct._version import __version__
from selfinstruct.service.models import NoBody, NoQuery
from selfinstruct.service.problems import MEDIA_TYPE, ProblemDetails
from selfinstruct.service.routes import JSON_TYPE, Call, Route

_ABOUT = """\
Grows seed rows into a large, balanced, verified data set. Every call needs the token of the service, as
`Authorization: Bearer TOKEN`; a page of the service has it in a cookie. Errors are problem details (RFC 9457)."""
#: What any request may be answered with.
_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_ANY_TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
_UPLOAD = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_PATH_KEY = re.compile(r"\{(\w+)\}")

Document = dict[str, Any]
_Mode = Literal["validation", "serialization"]
_References: TypeAlias = Mapping[Any, Document]  # by model and mode


def document(routes: Sequence[Route]) -> Document:
    """The OpenAPI document of a route table."""
    wanted: dict[tuple[type[BaseModel], _Mode], None] = {(ProblemDetails, "serialization"): None}
    for route in routes:
        if route.answer is not None:
            wanted[route.answer, "serialization"] = None
        if route.body is not None:
            wanted[route.body, "validation"] = None
    references, definitions = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    paths: dict[str, Document] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    problem = {MEDIA_TYPE: {"schema": references[ProblemDetails, "serialization"]}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "selfinstruct", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "responses": {"Problem": {"description": "What is wrong, and what to do", "content": problem}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, references: _References) -> Document:
    doc = " ".join((route.handler.__doc__ or "").split())
    operation: Document = {
        "operationId": route.handler.__name__,
        "tags": [_tag_of(route.path)],
        "summary": route.summary,
        "description": doc.replace("``", "`"),
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": _ANY_TEXT}
                for name in _PATH_KEY.findall(route.path)
            ),
            *_query(route.query),
            *(
                {"name": each.name, "in": "header", "description": each.about, "schema": dict(each.schema)}
                for each in route.headers
            ),
        ],
        "responses": _responses(route, references),
    }
    if route.body is not None:
        content = {JSON_TYPE: {"schema": references[route.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.upload:
        operation["requestBody"] = {"required": True, "content": _UPLOAD}
    if route.open:
        operation["security"] = []
    return operation


def _responses(route: Route, references: _References) -> Document:
    done: Document = {"description": route.status.phrase}
    if route.answer is not None:
        done["content"] = {JSON_TYPE: {"schema": references[route.answer, "serialization"]}}
    elif route.media:
        # The schema of an event stream would be that of its events.
        done["content"] = {route.media: {} if route.media == "text/event-stream" else {"schema": {"type": "string"}}}
    if route.location:
        done["headers"] = {"Location": {"description": "Where it can be read", "schema": {"type": "string"}}}
    others = {int(status) for status in (*_ALWAYS, *route.errors)}
    if route.body is not None or route.upload:
        others |= {int(HTTPStatus.REQUEST_ENTITY_TOO_LARGE), int(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)}
    if route.path.startswith("/v1/runs/{id}"):  # it has no journal yet, or another process has it
        others.add(int(HTTPStatus.CONFLICT))
    problem = {"$ref": "#/components/responses/Problem"}
    more = {str(int(status)): {"description": status.phrase} for status in route.also}
    return {str(int(route.status)): done, **more, **{str(status): problem for status in sorted(others)}}


def _query(model: type[BaseModel]) -> Iterable[Document]:
    """The parameters of a query, one for each field of its model."""
    schema = model.model_json_schema()
    for name, each in schema.get("properties", {}).items():
        described = {key: value for key, value in each.items() if key not in ("title", "default")}
        if (either := described.get("anyOf")) and {"type": "null"} in either:  # it may be left out, not be null
            described = {**next(one for one in either if one != {"type": "null"})}
        yield {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": described}


def _tag_of(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[1] if parts[0] == "v1" and len(parts) > 1 else "service"


#: Where an application has its route table.
TABLE: web.AppKey[tuple[Route, ...]] = web.AppKey("table", tuple)


@lru_cache(maxsize=1)
def _text(routes: tuple[Route, ...]) -> bytes:
    return json.dumps(document(routes), ensure_ascii=False).encode()


@lru_cache(maxsize=1)
def _page(routes: tuple[Route, ...]) -> str:
    environment = Environment(loader=PackageLoader("selfinstruct.service"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("docs.html").render(document=document(routes))


async def send_document(call: Call[NoQuery, NoBody]) -> web.StreamResponse:
    """This document."""
    return web.Response(body=_text(call.request.app[TABLE]), content_type=JSON_TYPE, charset="utf-8")


async def send_page(call: Call[NoQuery, NoBody]) -> web.StreamResponse:
    """The document as a page to read."""
    return web.Response(text=_page(call.request.app[TABLE]), content_type="text/html", charset="utf-8")


ROUTES = (
    Route("GET", "/openapi.json", send_document, "The OpenAPI document", media=JSON_TYPE),
    Route("GET", "/docs", send_page, "The documentation", media="text/html"),
)
