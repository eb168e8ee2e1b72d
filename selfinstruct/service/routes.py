"""A route: a method, a path and a handler, whose annotations name the models of its query, body and answer.

    async def list_runs(call: Call[Page, NoBody]) -> RunList: ...
    Route("GET", "/v1/runs", list_runs, "List the runs")

A handler gets a validated ``Call`` and returns the model that is the body of the answer, or a StreamResponse of its
own; it raises ``Problem``, or an error of the library. ``openapi`` reads the same table.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args, get_type_hints

from aiohttp import web
from pydantic import BaseModel, ValidationError

from selfinstruct.messages import Phrase
from selfinstruct.rows import MAX_NESTING, to_json
from selfinstruct.service.models import NoBody
from selfinstruct.service.problems import Problem, invalid_request

if TYPE_CHECKING:
    from selfinstruct.service.service import Service

JSON_TYPE = "application/json"
#: The largest JSON body in bytes, with room for the longest recipe, each character as an escape; uploads are streamed.
MAX_BODY = 8 * 2**20

Q = TypeVar("Q", bound=BaseModel)
B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True)
class Call(Generic[Q, B]):
    """One request: the parts of its path, its validated query and body, its user and the language of messages."""

    service: Service
    request: web.Request
    user: str
    language: str
    path: Mapping[str, str]
    query: Q
    body: B


@dataclass(frozen=True, eq=False)
class Header:
    """A request header that a handler reads."""

    name: str
    about: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Route:
    """One line of the route table.

    ``media`` is the content type of an answer that is not JSON. ``upload`` marks a body of bytes, which the handler
    reads itself. ``errors`` are the statuses of its problems beside those of every route, ``also`` those of its other
    answers, which are not JSON. ``open`` routes need no token. ``location`` is a path with the ``{id}`` of the answer,
    for its Location header.
    """

    method: str
    path: str
    handler: Callable[[Call[Any, Any]], Awaitable[BaseModel | web.StreamResponse | None]]
    summary: str
    status: HTTPStatus = HTTPStatus.OK
    errors: tuple[HTTPStatus, ...] = ()
    also: tuple[HTTPStatus, ...] = ()
    headers: tuple[Header, ...] = ()
    media: str = ""
    upload: bool = False
    open: bool = False
    location: str = ""

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.handler)

    @property
    def query(self) -> type[BaseModel]:
        """The model of the query."""
        model: type[BaseModel] = get_args(self._hints["call"])[0]
        return model

    @property
    def body(self) -> type[BaseModel] | None:
        """The model of the JSON body; None for a request that has none."""
        model: type[BaseModel] = get_args(self._hints["call"])[1]
        return None if model is NoBody else model

    @property
    def answer(self) -> type[BaseModel] | None:
        """The model of the answer; None for an empty one, or one that is not JSON."""
        model = self._hints["return"]
        return model if inspect.isclass(model) and issubclass(model, BaseModel) else None


def write_json(model: BaseModel) -> bytes:
    """A model as UTF-8; a lone surrogate, which a row may contain, is written as its escape."""
    return to_json(model.model_dump(mode="json", by_alias=True)).encode()


async def read_call(route: Route, request: web.Request, service: Service, user: str, language: str) -> Call[Any, Any]:
    """Validate a request. Raises Problem for one that its models refuse."""
    query: dict[str, str] = {}
    for key, value in request.query.items():
        if key in query:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, Phrase("query: {key}: given twice", key=key))
        query[key] = value
    try:
        asked = route.query.model_validate(query)
    except ValidationError as error:
        raise invalid_request("query", error) from None
    body: BaseModel = NoBody()
    if route.body is not None:
        try:
            body = route.body.model_validate(await _read_json(request))
        except ValidationError as error:
            raise invalid_request("body", error) from None
    elif not route.upload and request.can_read_body and await _read_body(request):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, Phrase("body: expected none"))
    return Call(service, request, user, language, dict(request.match_info), asked, body)


async def _read_json(request: web.Request) -> Any:
    if request.headers.get("Content-Type", "").replace(" ", "").lower() not in (
        JSON_TYPE,
        f"{JSON_TYPE};charset=utf-8",
    ):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            Phrase("body: expected JSON"),
            Phrase("Set Content-Type: application/json."),
        )
    data = await _read_body(request)
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_object)
        _refuse_unfit(value, MAX_NESTING)
    except (ValueError, RecursionError):
        raise Problem(HTTPStatus.BAD_REQUEST, Phrase("body: not valid JSON"), slug="invalid-json") from None
    return value


async def _read_body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large(MAX_BODY) from None


def too_large(most: int) -> Problem:
    """The problem of a body with more than ``most`` bytes."""
    # The rest of the body is not read, so the connection cannot be used again.
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        Phrase("body: larger than {most:,} bytes", most=most),
        slug="too-large",
        headers={"Connection": "close"},
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key is given twice")
    return value


def _refuse_unfit(value: Any, levels: int) -> None:
    """Raise ValueError for a value that is nested too deeply, or contains half of a character."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict | list):
        if not levels:
            raise ValueError("nested too deeply")
        for each in (*value, *value.values()) if isinstance(value, dict) else value:
            _refuse_unfit(each, levels - 1)
