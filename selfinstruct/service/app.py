"""The application: the route table, and what happens to every request before and after its handler.

    request -> Host, Origin, token -> route -> query and body validated -> handler -> JSON, or problem+json

Does not handle: listening on an address, which ``serving`` does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel

from selfinstruct.errors import SelfInstructError
from selfinstruct.messages import LANGUAGES, Phrase
from selfinstruct.service import (
    about,
    decisions,
    downloads,
    events,
    file_jobs,
    metrics,
    openapi,
    previews,
    recipes,
    rows,
    runs,
    security,
    static,
    uploads,
)
from selfinstruct.service.logs import frames, say
from selfinstruct.service.problems import MEDIA_TYPE, Problem, problem_of
from selfinstruct.service.routes import JSON_TYPE, MAX_BODY, Call, Route, read_call, write_json
from selfinstruct.service.service import SERVICE, Service

#: Every route of the service.
ROUTES: tuple[Route, ...] = (
    *about.ROUTES,
    *recipes.ROUTES,
    *uploads.ROUTES,
    *previews.ROUTES,
    *runs.ROUTES,
    *events.ROUTES,
    *metrics.ROUTES,
    *openapi.ROUTES,
    *rows.ROUTES,
    *decisions.ROUTES,
    *downloads.ROUTES,
    *file_jobs.ROUTES,
    *static.ROUTES,
)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ROUTE = "selfinstruct_route"
_USER = web.RequestKey("user", str)


def make_app(service: Service) -> web.Application:
    """The application of a service."""
    app = web.Application(middlewares=[_guard], client_max_size=MAX_BODY)
    app[SERVICE], app[openapi.TABLE] = service, ROUTES
    app.on_response_prepare.append(_add_headers)
    app.cleanup_ctx.append(_work)
    app.on_shutdown.append(_drain)
    for route in ROUTES:
        handler = _endpoint(route)
        app.router.add_route(route.method, route.path, handler)
        if route.method == "GET" and route.media != "text/event-stream":
            app.router.add_route("HEAD", route.path, handler)
    return app


async def _work(app: web.Application) -> AsyncIterator[None]:
    """Grow runs while the application is there."""
    service = app[SERVICE]
    service.jobs.resume_all()
    watching = asyncio.create_task(service.watch_space())
    yield
    watching.cancel()
    await service.processes.close()
    await asyncio.to_thread(service.store.close)


async def _drain(app: web.Application) -> None:
    """End streams and runs; before the answers in progress are waited for, since these may be streams."""
    app[SERVICE].ending.set()
    app[SERVICE].settling.close()
    await app[SERVICE].jobs.drain()


def _endpoint(route: Route) -> _Handler:
    """The handler of a route for aiohttp: it validates the request and writes the answer."""

    async def answer(request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        call: Call[BaseModel, BaseModel] = await read_call(
            route, request, request.app[SERVICE], request.get(_USER, ""), language_of(request)
        )
        result = await route.handler(call)
        if isinstance(result, web.StreamResponse):
            return result
        if result is None:
            return web.Response(status=route.status)
        headers = {"Location": route.location.format(id=getattr(result, "id", ""))} if route.location else None
        return web.Response(
            status=route.status, body=write_json(result), content_type=JSON_TYPE, charset="utf-8", headers=headers
        )

    setattr(answer, _ROUTE, route)
    return answer


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Refuse a request that is not allowed, answer errors as problems, and log what happened."""
    service, started = request.app[SERVICE], time.perf_counter()
    route: Route | None = getattr(request.match_info.handler, _ROUTE, None)
    try:
        response = await _answer(service, request, route, handler)
    except asyncio.CancelledError:
        _log(service, request, route, 499, started)  # the client has gone
        raise
    _log(service, request, route, response.status, started)
    return response


async def _answer(service: Service, request: web.Request, route: Route | None, handler: _Handler) -> web.StreamResponse:
    try:
        security.check_host(service.settings, request.headers)
        security.check_origin(service.settings, request)
        user = security.user_of(service.settings, request)
        if user is None and not (route is not None and route.open):
            raise security.unauthorised()
        request[_USER] = user or ""
        return await handler(request)
    except Problem as error:
        problem = error
    except SelfInstructError as error:
        problem = problem_of(error)
    except web.HTTPException as error:
        problem = _of_http(error)
    except ConnectionError:  # the client has gone: nobody reads an answer
        raise
    except Exception as error:  # noqa: BLE001 - nothing above handles it; its frames are logged
        say(service.log, "internal error", logging.ERROR, kind=type(error).__name__, frames=frames(error))
        problem = Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            Phrase("internal error"),
            Phrase("This is a bug. Please report it with the lines of the service's log."),
        )
    body = write_json(problem.details(language_of(request)))
    return web.Response(
        status=problem.status, body=body, content_type=MEDIA_TYPE, headers={"Vary": "Accept-Language"} | problem.headers
    )


def _of_http(error: web.HTTPException) -> Problem:
    """The problem of a request that aiohttp itself refuses."""
    status = HTTPStatus(error.status)
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(status, Phrase("no such method here"), headers={"Allow": allowed})
    if status is HTTPStatus.NOT_FOUND:
        return Problem(status, Phrase("no such path"), Phrase("See /docs for the paths."))
    return Problem(status, Phrase(status.phrase))


def language_of(request: web.Request) -> str:
    """The language of messages that a request prefers, of those that there are."""
    wanted: list[tuple[float, int, str]] = []
    for at, part in enumerate(request.headers.get("Accept-Language", "").split(",")[:20]):
        name, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        wanted.append((-quality, at, name.partition("-")[0].lower()))
    return next((name for _, _, name in sorted(wanted) if name in LANGUAGES), "en")


def _log(service: Service, request: web.Request, route: Route | None, status: int, started: float) -> None:
    # The template of the path, not the path: an id may be a name that a person gave.
    path, method, seconds = "?", "?", time.perf_counter() - started
    if route is not None:
        path, method = route.path, request.method
    service.metrics.count_request(path, method, status, seconds)
    say(
        service.log,
        "request",
        method=method,
        route=path,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        user=request.get(_USER, ""),
    )


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in security.HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "selfinstruct"
    response.headers.setdefault("Cache-Control", "no-store")
