"""Runs the MCP server on stdin and stdout, over a service of its own or one that is already running.

Does not handle: other transports of MCP. A team uses the page of its service.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp

from selfinstruct.assistant.client import ServiceClient
from selfinstruct.assistant.local_files import LocalFiles
from selfinstruct.assistant.tools import Tools, make_server
from selfinstruct.errors import InputError
from selfinstruct.service.serving import TOKEN, listen, running
from selfinstruct.service.settings import make_settings, new_token, read_configuration

_LOOPBACK = "127.0.0.1"


def serve_tools(
    root: Path, *, files: Path, config: Path | None, url: str | None, environment: Mapping[str, str]
) -> None:
    """Serve the tools until stdin is closed.

    ``root`` is the directory of runs, ``files`` the folder whose files the assistant may name, ``config`` the
    operator's file of the service. With ``url`` the tools use the service at that address. Raises InputError for
    settings that cannot be used.
    """
    if not files.is_dir():
        raise InputError("{files}: no such folder", files=files)
    asyncio.run(_serve(root, files.resolve(), config, url, environment))


async def _serve(root: Path, files: Path, config: Path | None, url: str | None, environment: Mapping[str, str]) -> None:
    service = _own_service(root, config, environment) if url is None else _service_at(url, environment)
    async with aiohttp.ClientSession() as session, service as (address, token):
        tools = Tools(ServiceClient(session, address, token), LocalFiles(files))
        await make_server(tools).run_stdio_async()


@contextlib.asynccontextmanager
async def _own_service(
    root: Path, config: Path | None, environment: Mapping[str, str]
) -> AsyncIterator[tuple[str, str]]:
    """Serve the runs in ``root`` on a free port of this machine, with a token that nobody else knows."""
    configuration, token = read_configuration(config, environment), new_token()
    with contextlib.closing(listen(_LOOPBACK, 0)) as listening:
        port: int = listening.getsockname()[1]
        async with running(make_settings(root, _LOOPBACK, port, token, configuration), listening):
            yield f"http://{_LOOPBACK}:{port}", token


@contextlib.asynccontextmanager
async def _service_at(url: str, environment: Mapping[str, str]) -> AsyncIterator[tuple[str, str]]:
    """The service at ``url``, with the token in the environment."""
    token = environment.get(TOKEN, "").strip()
    if not token:
        raise InputError(
            "environment variable {name}: not set",
            hint="Set it to your token of the service at {url}.",
            name=TOKEN,
            url=url,
        )
    yield url, token
