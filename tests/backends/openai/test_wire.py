"""The wire: where a request goes, and what comes back of it."""

from __future__ import annotations

import os

import pytest

from selfinstruct.backends.openai.address import DEFAULT_BASE_URL, Address
from selfinstruct.backends.openai.settings import Deadlines
from selfinstruct.backends.openai.wire import Answer, Wire
from selfinstruct.recipe import Model
from selfinstruct.testing import FaultServer

BODY = {"model": "m", "messages": [{"role": "user", "content": "one row"}]}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy is set."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def make_wire(base_url: str | None, key: str = "") -> Wire:
    """A wire with the usual limits."""
    address = Address.of(Model(name="m", base_url=base_url), key, os.environ)
    return Wire(address, Deadlines(), connections=2, max_reply_bytes=1 << 20)


@pytest.mark.parametrize(("variable", "scheme"), [("http_proxy", "http://"), ("ALL_PROXY", "")])
async def test_a_proxy_of_the_environment_gets_the_requests(
    variable: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is used, with a scheme or without one, unless NO_PROXY names the host."""
    async with FaultServer() as server:
        address = server.base_url.removeprefix("http://").removesuffix("/v1")
        monkeypatch.setenv(variable, f"{scheme}{address}")
        wire = make_wire("http://nowhere.invalid/v1")
        answer = await wire.complete(BODY)
        await wire.close()
        assert isinstance(answer, Answer)
        assert answer.status == 200
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
        direct = make_wire(server.base_url)
        assert isinstance(await direct.complete(BODY), Answer)
        await direct.close()


async def test_the_default_address_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """OPENAI_BASE_URL is used where no address is given, and OpenAI's own where it is not set either."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1/")
    named = make_wire(None)
    monkeypatch.delenv("OPENAI_BASE_URL")
    default = make_wire(None)
    assert (named.base_url, default.base_url) == ("http://127.0.0.1:8000/v1", DEFAULT_BASE_URL)
    await named.close()
    await default.close()
