"""Who may call: Host, Origin and token on every method and path, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from selfinstruct.service.settings import Settings
from tests.service.conftest import HOST, TOKEN, Client

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
#: Every path with a token, and some that nobody has.
PATHS = ("/v1/runs", "/v1/runs/x", "/v1/service", "/v1/recipes/logqa", "/nowhere", "/metrics", "/openapi.json", "/docs")
OPEN = ("/", "/healthz", "/readyz", "/static/app.js")
ORIGIN = f"http://{HOST}"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
Call = Callable[..., Any]


async def test_without_a_token_nothing_is_told(stranger: Call) -> None:
    """On every method, every path but the open ones answers 401, whether or not it exists."""
    for method in METHODS:
        for path in PATHS:
            async with stranger(method, path, headers={"Host": HOST, "Origin": ORIGIN}) as answer:
                assert (answer.status, method, path) == (401, method, path)


@pytest.mark.parametrize(
    "given",
    [
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
        {"Cookie": f"selfinstruct-8750={TOKEN[:-1]}"},
        {"Cookie": f"selfinstruct={TOKEN}"},
        {"Authorization": "Bearer x", "Cookie": f"selfinstruct-8750={TOKEN}"},
    ],
)
async def test_a_wrong_token_is_none(stranger: Call, given: dict[str, str]) -> None:
    """A token that is nearly right, or in the wrong place, or beside a right one, is refused."""
    async with stranger("GET", "/v1/service", headers={"Host": HOST, **given}) as answer:
        assert answer.status == 401
        assert (await answer.json())["type"] == "urn:selfinstruct:problem:unauthorized"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8751",
        "evil.example",
        "127.0.0.1:8750.evil.example",
        "evil.127.0.0.1:8750",
        "localhost:8750@evil.example",
        "127.1:8750",
        "",
    ],
)
async def test_another_host_is_refused(stranger: Call, host: str) -> None:
    """A Host that is not exactly one of the service's is refused on every method, open paths and tokens included."""
    for method in METHODS:
        for path in ("/v1/service", *OPEN):
            async with stranger(method, path, headers={"Host": host, **BEARER}) as answer:
                assert answer.status == 421 if host else answer.status in (400, 421)


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", f"{ORIGIN}.evil.example", f"https://{HOST}", "http://127.0.0.1", f"{ORIGIN}/", ""],
)
async def test_another_origin_is_refused(stranger: Call, origin: str) -> None:
    """An Origin that is not exactly one of the service's is refused on every method, even with the right token."""
    for method in METHODS:
        for path in ("/v1/service", "/healthz", "/nowhere"):
            async with stranger(method, path, headers={"Host": HOST, "Origin": origin, **BEARER}) as answer:
                assert answer.status == 403


async def test_a_cookie_needs_an_origin_to_change_anything(stranger: Call) -> None:
    """With the cookie, which a browser adds by itself, other methods than GET and HEAD need the page's own Origin."""
    cookie = {"Host": HOST, "Cookie": f"selfinstruct-8750={TOKEN}"}
    async with stranger("GET", "/v1/service", headers=cookie) as answer:
        assert answer.status == 200
    for method in METHODS[2:]:
        async with stranger(method, "/v1/service", headers=cookie) as answer:
            assert answer.status == 403
        async with stranger(method, "/v1/service", headers={**cookie, "Origin": ORIGIN}) as answer:
            assert answer.status == 405


async def test_the_link_signs_in(stranger: Call) -> None:
    """The printed link sets a cookie that scripts cannot read and other sites cannot send, and hides the token."""
    async with stranger("GET", f"/?token={TOKEN}", headers={"Host": HOST}) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    async with stranger("GET", "/?token=wrong", headers={"Host": HOST}) as answer:
        assert answer.headers["Location"] == "/#wrong-token"
        assert "Set-Cookie" not in answer.headers


async def test_every_answer_has_the_headers(stranger: Call) -> None:
    """Refusals, errors and answers alike forbid scripts, sniffing, frames and caching."""
    for path, headers in (("/v1/service", BEARER), ("/v1/service", {}), ("/nowhere", BEARER), ("/healthz", {})):
        async with stranger("GET", path, headers={"Host": HOST, **headers}) as answer:
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"


async def test_the_wrong_method_names_the_right_ones(client: Client) -> None:
    """A method that a path does not have is answered with those that it has; OPTIONS allows no other site."""
    for method in ("PUT", "OPTIONS", "PROPFIND"):
        answer = await client.request(method, "/v1/service")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_tokens_are_kept_as_digests(settings: Settings) -> None:
    """Neither the settings nor what they print contain a token."""
    assert TOKEN not in repr(settings)
