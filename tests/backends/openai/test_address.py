"""Addresses: what requests carry beside a body, what is never shown of it, and the proxy on the way."""

from __future__ import annotations

import base64
import socket
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from selfinstruct import api
from selfinstruct.backends.openai import EndpointSettings, OpenAIBackend, PreflightSettings
from selfinstruct.backends.openai.address import Address
from selfinstruct.backends.openai.connection_error import from_exception
from selfinstruct.backends.openai.proxy import Proxy
from selfinstruct.cli import main
from selfinstruct.errors import EndpointError, RecipeError
from selfinstruct.preparation.infer import infer
from selfinstruct.recipe import Model, parse_recipe, to_toml
from selfinstruct.rows import read_rows
from selfinstruct.testing import Behaviour, FaultServer, server_process

SEEDS = Path(__file__).parents[3] / "seeds" / "logqa.jsonl"
RECIPE = infer(read_rows(SEEDS)).recipe
PASSWORD, QUERY_KEY = "pass-word-of-mine", "query-key-of-mine"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy is set."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def written(folder: Path, **model: Any) -> Path:
    """A recipe with this model."""
    path = folder / "recipe.toml"
    path.write_text(to_toml(RECIPE.model_copy(update={"model": Model(**{"name": "m"} | model)}), {}, folder))
    return path


def contents(folder: Path) -> list[bytes]:
    """The content of every file in a folder."""
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


async def test_requests_carry_what_the_recipe_adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Body, headers and query of each request, the first one too, with the values of environment variables."""
    seen: list[tuple[dict[str, Any], dict[str, str], dict[str, str]]] = []

    async with FaultServer() as server:

        async def answer(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            seen.append((body, dict(request.headers), dict(request.query)))
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{server.base_url}/chat/completions", json=body) as reply,
            ):
                return web.Response(body=await reply.read(), content_type=reply.content_type)

        app = web.Application()
        app.router.add_post("/openai/chat/completions", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        monkeypatch.setenv("GATEWAY_KEY", "key-of-the-gateway")
        recipe = written(
            tmp_path,
            base_url=f"http://127.0.0.1:{runner.addresses[0][1]}/openai?api-version=2024-10-21",
            extra_body={"top_k": 40, "chat_template_kwargs": {"enable_thinking": False}},
            extra_headers={"api-key": "${GATEWAY_KEY}", "X-Team": "data"},
            extra_query={"tier": "batch"},
            stream=True,
        )
        run = await api.run_async(recipe, rows=8, out=tmp_path / "out")
        await runner.cleanup()
    assert run.summary.accepted == 8
    assert len(seen) > 1
    for body, headers, query in seen:
        assert (body["top_k"], body["chat_template_kwargs"], body["stream"]) == (40, {"enable_thinking": False}, True)
        assert (headers["api-key"], headers["X-Team"]) == ("key-of-the-gateway", "data")
        assert query == {"api-version": "2024-10-21", "tier": "batch"}
    kept = (tmp_path / "out" / "recipe.toml").read_text()
    assert "${GATEWAY_KEY}" in kept and "api-version=2024-10-21" in kept
    assert not [each for each in contents(tmp_path) if b"key-of-the-gateway" in each]


def test_a_user_of_the_address_is_sent_as_basic_authentication() -> None:
    """It takes precedence over a key that is set for something else, and a header of the recipe over both."""
    url = f"https://me:{PASSWORD}%2F@host:8443/v1/?api-version=1"
    address = Address.of(Model(name="m", base_url=url), "sk-key", {})
    assert address.headers["Authorization"] == f"Basic {base64.b64encode(f'me:{PASSWORD}/'.encode()).decode()}"
    assert (address.base_url, address.url("/models")) == (
        "https://host:8443/v1",
        "https://host:8443/v1/models?api-version=1",
    )
    assert PASSWORD not in repr(address)
    own = Model(name="m", base_url=url, extra_headers={"authorization": "Token ${MINE}"})
    assert [each for each in Address.of(own, "", {"MINE": "x"}).headers.values()] == ["Token x"]


def test_a_user_and_a_query_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in the output nor in any file of a run, although the server repeats them; nor in errors."""
    monkeypatch.chdir(tmp_path)
    with server_process("--fault", "error-200", "--rate", "0.2", "--seed", "3", "--repeat-key") as origin:
        url = origin.replace("//", f"//me:{PASSWORD}@") + f"?key={QUERY_KEY}"
        arguments = ["run", str(SEEDS), "--rows", "8", "--model", "m", "--base-url"]
        assert main([*arguments, url]) == 0
    assert main([*arguments, url, "--out", "again"]) == 3
    assert main([*arguments, f"ftp://me:{PASSWORD}@x?key={QUERY_KEY}"]) == 2
    out, err = capfd.readouterr()
    texts = [*contents(tmp_path), out.encode(), err.encode()]
    assert f"at {origin}" in err
    for secret in (PASSWORD, QUERY_KEY, base64.b64encode(f"me:{PASSWORD}".encode()).decode()):
        assert not [text for text in texts if secret.encode() in text]


@pytest.mark.parametrize(
    "line",
    [
        'extra_headers = { "api-key" = "sk-123456" }',
        'extra_headers = { "X-A" = "a\\nb" }',
        'extra_headers = { Host = "x" }',
        'extra_query = { key = "sk-123456" }',
        "extra_body = { messages = [] }",
        "extra_body = { max_tokens = 5 }",
        "extra_body = { when = 2024-01-01 }",
        "stream = 1",
    ],
)
def test_what_a_recipe_must_not_add_is_an_error(line: str) -> None:
    """Secrets, headers of the client, parts of the request that other keys set, what is not JSON."""
    text = f'name = "x"\n[fields.a]\n[model]\nname = "m"\n{line}\n'
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, "recipe.toml", ".")
    assert f"recipe.toml:5: model.{line.split(' ')[0]}" in str(caught.value)
    assert "sk-123456" not in str(caught.value)


def test_a_variable_that_is_not_set_is_named() -> None:
    """Before any call."""
    model = Model(name="m", extra_headers={"api-key": "${NOT_SET}"})
    with pytest.raises(EndpointError, match="NOT_SET is not set"):
        Address.of(model, "", {})


# ---- Proxies and certificates ----


def test_a_proxy_of_the_environment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Refused by a proxy, or answered by one: the error names it and its variable, without its password."""
    monkeypatch.chdir(tmp_path)
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{reserved.getsockname()[1]}"
        monkeypatch.setenv("HTTP_PROXY", f"http://me:{PASSWORD}@{place}")
        assert main(["run", str(SEEDS), "--rows", "4", "--base-url", "http://llm.example/v1", "--model", "m"]) == 3
    error = " ".join(capfd.readouterr().err.split())
    assert f"cannot connect through the proxy http://{place} (from HTTP_PROXY): connection refused" in error
    assert "to call llm.example directly, add it to NO_PROXY" in error
    assert PASSWORD not in error
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1")
    assert main(["run", str(SEEDS), "--rows", "4", "--base-url", "http://llm.example/v1", "--model", "m"]) == 3
    assert "only HTTP proxies are supported" in " ".join(capfd.readouterr().err.split())


async def test_an_answer_of_a_proxy_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of a proxy for a host that it does not serve: the hint is about the proxy, too."""
    async with FaultServer(Behaviour(faults={"html:502": 1.0})) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url.removesuffix("/v1"))
        settings = EndpointSettings(preflight=PreflightSettings(patience=0.0))
        with pytest.raises(EndpointError) as caught:
            await OpenAIBackend.connect(
                Model(name="m", base_url="http://llm.example/v9"), settings=settings, environ={}
            )
    assert "add it to NO_PROXY" in caught.value.hint


def test_the_hint_for_a_certificate_names_the_variable() -> None:
    """The error says what is wrong with the certificate, the hint how to trust it."""
    key = aiohttp.client_reqrep.ConnectionKey("host", 443, True, True, None, None, None)
    failed = ssl.SSLCertVerificationError(1, "certificate verify failed")
    failed.verify_message = "self-signed certificate"
    error = from_exception(aiohttp.ClientConnectorCertificateError(key, failed), "https://host/v1")
    assert (error.reason, error.fatal) == ("unreachable", True)
    assert "self-signed certificate" in error.message
    assert "SSL_CERT_FILE" in error.hint


def test_a_proxy_that_refuses_to_connect_is_final_or_not() -> None:
    """One that wants a password always will; one that is busy may not."""
    proxy = Proxy("http://proxy:3128", "HTTPS_PROXY", "host")
    for status, fatal in ((407, True), (403, True), (503, False)):
        info: Any = None
        refused = from_exception(aiohttp.ClientHttpProxyError(info, (), status=status), "https://host/v1", proxy)
        assert (refused.reason, refused.fatal) == ("unreachable", fatal)
        assert f"the proxy http://proxy:3128 (from HTTPS_PROXY) answered status {status}" in refused.message
