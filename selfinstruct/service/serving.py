"""Listening: the address, the token, the link, and ending when the process is told to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from aiohttp import web

from selfinstruct.errors import InputError, StorageError
from selfinstruct.service.app import make_app
from selfinstruct.service.catalogue import Catalogue
from selfinstruct.service.events import Feeds
from selfinstruct.service.jobs import Jobs
from selfinstruct.service.logs import make_log, say
from selfinstruct.service.metrics import Metrics
from selfinstruct.service.processes import Processes
from selfinstruct.service.runs import Confirmations
from selfinstruct.service.service import Service
from selfinstruct.service.settings import Settings, make_settings, new_token, read_configuration
from selfinstruct.service.store import Store
from selfinstruct.service.uploads import Uploads

#: The environment variable with the token of a service that has no ``[users]``.
TOKEN = "SELFINSTRUCT_TOKEN"
#: Seconds that answers in progress may take when the service ends.
_PATIENCE = 2.0
_LEAST_TOKEN = 16
#: The longest path with its query, in bytes: the longest name of a category, each character escaped.
_LONGEST_LINE = 1 << 17


def serve(
    root: Path,
    *,
    host: str,
    port: int,
    config: Path | None,
    announce: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Serve the runs in ``root`` until SIGINT or SIGTERM.

    ``announce`` is called with the link that opens the page, once it can be opened. Raises InputError for a
    configuration or an address that cannot be used.
    """
    configuration = read_configuration(config, environment)
    token = None if configuration.users else _token(environment)
    listening = listen(host, port)
    with contextlib.closing(listening):
        actual: int = listening.getsockname()[1]
        settings = make_settings(root, host, actual, token, configuration)
        shown = host if host not in ("0.0.0.0", "::") else "127.0.0.1"
        address = f"http://{f'[{shown}]' if ':' in shown else shown}:{actual}/"
        link = address if token is None else f"{address}?token={token}"
        asyncio.run(_serve(settings, listening, lambda: announce(link)))


async def _serve(settings: Settings, listening: socket.socket, announce: Callable[[], None]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with running(settings, listening):
        announce()
        await ended.wait()


@contextlib.asynccontextmanager
async def running(settings: Settings, listening: socket.socket) -> AsyncIterator[None]:
    """Serve on a socket inside the block; at its end, finish the answers in progress and interrupt the runs."""
    service = make_service(settings)
    runner = web.AppRunner(
        make_app(service),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=_PATIENCE,
        handler_cancellation=True,
        max_line_size=_LONGEST_LINE,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        say(service.log, "listening", port=settings.port)
        service.processes.keep_spare()
        yield
        service.ending.set()
        say(service.log, "draining")
    finally:
        await runner.cleanup()


def make_service(settings: Settings) -> Service:
    """The parts of a service with these settings."""
    _make_directories(settings)
    log, store, metrics = make_log(), Store(settings.own), Metrics()
    return Service(
        settings=settings,
        log=log,
        store=store,
        uploads=Uploads(settings.own / "uploads", store),
        catalogue=Catalogue(settings.root),
        processes=Processes(settings.limits.memory_bytes, settings.own, log),
        jobs=Jobs(settings, store, log, metrics),
        feeds=Feeds(),
        confirmations=Confirmations(),
        metrics=metrics,
    )


def _token(environment: Mapping[str, str]) -> str:
    given = environment.get(TOKEN, "")
    if given and len(given) < _LEAST_TOKEN:
        raise InputError(
            "environment variable {name}: shorter than {least} characters",
            hint="Use a token that cannot be guessed, or unset it to have one made.",
            name=TOKEN,
            least=_LEAST_TOKEN,
        )
    return given or new_token()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address, with port 0 on a free one. Raises InputError if that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise InputError(
            "{host}:{port}: cannot listen: {strerror}",
            hint="Choose another `port`, or stop what listens there.",
            host=host,
            port=port,
            strerror=error.strerror or error,
        ) from error


def _make_directories(settings: Settings) -> None:
    """Create the service's own directory, which only its user may read."""
    try:
        settings.own.mkdir(parents=True, exist_ok=True)
        settings.own.chmod(0o700)
    except OSError as error:
        raise StorageError(
            "{path}: cannot create it: {strerror}",
            hint="Choose a directory that you can write to.",
            path=settings.own,
            strerror=error.strerror,
        ) from error
