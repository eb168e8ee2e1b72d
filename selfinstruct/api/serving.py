"""Sessions of a run whose model is served by a server that the run has started itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeVar

from selfinstruct.api.connect import choose_models, with_models
from selfinstruct.backends import Backend
from selfinstruct.backends.serving import ModelServer
from selfinstruct.errors import EndpointError, InputError
from selfinstruct.recipe import Recipe

T = TypeVar("T")


def choose_served(
    recipe: Recipe,
    model: str | None,
    base_url: str | None,
    backend: str | Backend | None,
    concurrency: int | None,
    temperature: float | None,
    batch: bool | None,
) -> Recipe:
    """``choose_models`` for a run that starts the server of its model, whose address is not known yet.

    Raises InputError for arguments that name another address or backend, and for several models.
    """
    if base_url is not None or backend not in (None, "openai"):
        raise InputError(
            "`serve`: the run would not call the server that it starts",
            hint="Leave out `base_url` and `backend`, or leave out `serve`.",
        )
    recipe = choose_models(recipe, model, None, "openai", concurrency, temperature, batch)
    if len(recipe.models) > 1:
        raise InputError(
            "`serve` starts one model, but the recipe has {count}",
            hint="Select one of them with `model`.",
            count=len(recipe.models),
        )
    if any(each.batch for each in recipe.all_models):
        raise InputError("`serve`: a server of this run takes no batch jobs", hint="Set `batch=False`.")
    return with_models(recipe, base_url=None)


async def with_server(server: ModelServer, session: Callable[[str], Coroutine[None, None, T]]) -> T:
    """The result of a ``session``, called with the address of the server as soon as that is ready.

    If the session fails because the server has ended, it is called again once the server is back: it resumes.
    Raises EndpointError if the server cannot be started, or ends too often; then the session is cancelled.
    """
    await server.ready()
    while True:
        try:
            return await _while_it_serves(server, session(server.base_url))
        except EndpointError:
            if not await server.comes_back():
                raise


async def _while_it_serves(server: ModelServer, session: Coroutine[None, None, T]) -> T:
    """The result of the session, which would call a server in vain, and wait for it, that has ended for good."""
    work, gone = asyncio.create_task(session), asyncio.create_task(server.gone())
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        work.cancel()
        await asyncio.wait((work, gone))
    if work.cancelled():
        raise gone.result()
    return work.result()


async def with_own_server(command: Sequence[str], session: Callable[[str], Coroutine[None, None, T]]) -> T:
    """``with_server`` for a server that is started with ``command``, and ended afterwards."""
    server = ModelServer(command)
    try:
        return await with_server(server, session)
    finally:
        await asyncio.to_thread(server.close)
