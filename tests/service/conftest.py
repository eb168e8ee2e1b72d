"""A service in this process, and clients that call it as its page and as a program do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from selfinstruct.service.app import make_app
from selfinstruct.service.service import Service
from selfinstruct.service.serving import make_service
from selfinstruct.service.settings import Configuration, Settings, make_settings

TOKEN = "a-token-that-only-tests-know"
HOST = "127.0.0.1:8750"
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a service that listens on port 8750."""
    made = make_settings(tmp_path / "outputs", "127.0.0.1", 8750, TOKEN, Configuration())
    made.own.mkdir(parents=True)
    return made


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """The parts of the service."""
    yield make_service(settings)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    """A program that calls the service with its token."""
    headers = {"Host": HOST, "Authorization": f"Bearer {TOKEN}"}
    async with TestClient(TestServer(make_app(service)), headers=headers) as made:
        yield made


@pytest.fixture
async def stranger(client: Client) -> AsyncIterator[Callable[..., Any]]:
    """Calls the service with nothing but what is given: no token, and no Host other than the one given."""
    async with ClientSession() as session:

        def call(method: str, path: str, **options: Any) -> Any:
            """Send one request."""
            return session.request(method, client.make_url(path), allow_redirects=False, **options)

        yield call
