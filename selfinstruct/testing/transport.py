"""Faults of HTTP and of the connection: what comes in place of a good reply, or how a good reply fails to arrive."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import math
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, TypeAlias
from urllib.parse import quote

from aiohttp import web

from selfinstruct.testing.exchange import Exchange

_Act: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse]]
_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OVERLOADED = "The server is overloaded. Try again later."
_LIMITED = "Rate limit reached for requests."
# How long a server that says nothing keeps a connection open, and how long one goes on dripping.
_FOR_EVER = 1_800.0
# More requests in flight than this make the slow server slower for all.
_AT_EASE = 4


def _replying(status: int, payload: Any, headers: dict[str, str] | None = None) -> _Act:
    async def act(exchange: Exchange) -> web.StreamResponse:
        return exchange.json(payload, status, headers)

    return act


def _failing(status: int, message: str, code: str | None = None, kind: str = "server_error") -> _Act:
    return _replying(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})


# --- 1, 2, 3: status codes -----------------------------------------------------------------------------------


def rate_limited(exchange: Exchange, headers: dict[str, str] | None = None) -> web.Response:
    """A 429 with these hints."""
    error = {"message": _LIMITED, "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    return exchange.json({"error": error}, 429, headers)


def _limiting(hints: Callable[[float], dict[str, str]]) -> _Act:
    async def act(exchange: Exchange) -> web.StreamResponse:
        return rate_limited(exchange, hints(exchange.behaviour.wait))

    return act


def _skewed_date(wait: float) -> dict[str, str]:
    """An HTTP date by a clock that is an hour ahead, with that clock's own Date."""
    now = time.time() + 3600
    return {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + max(1, wait), usegmt=True)}


def _reset(wait: float) -> dict[str, str]:
    """OpenAI's headers: the requests are used up and come back soon, the tokens are not and come back late."""
    return {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": f"{round(wait * 1000)}ms",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": "150000",
        "x-ratelimit-reset-tokens": "6m0s",
    }


RATE_LIMITS: dict[str, _Act] = {
    "bare": _limiting(lambda wait: {}),
    "seconds": _limiting(lambda wait: {"Retry-After": f"{math.ceil(wait)}"}),
    "milliseconds": _limiting(lambda wait: {"retry-after-ms": f"{wait * 1000:g}"}),
    "date": _limiting(_skewed_date),
    "reset": _limiting(_reset),
    "azure": _limiting(lambda wait: {"Retry-After": "0", "x-ratelimit-remaining-requests": "-1"}),
}
QUOTAS: dict[str, _Act] = {
    "insufficient": _failing(429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
    "payment": _failing(402, "Insufficient Balance", "invalid_request_error", "unknown_error"),
    "spend-limit": _failing(
        429, "You have reached your monthly spend limit.", "billing_hard_limit_reached", "requests"
    ),
}
SERVER_ERRORS: dict[str, _Act] = {
    "500": _failing(500, "The server had an error while processing your request."),
    "502": _failing(502, "Bad gateway."),
    "503": _failing(503, _OVERLOADED),
    "504": _failing(504, "The request timed out."),
    "529": _failing(529, "Overloaded", "overloaded_error", "overloaded_error"),
}
too_large = _failing(413, "Request entity too large.", None, "invalid_request_error")
DENIALS: dict[str, _Act] = {
    "key": _failing(401, "Incorrect API key provided.", "invalid_api_key", "invalid_request_error"),
    "forbidden": _failing(
        403, "This project does not have access to the model.", "model_not_found", "permission_error"
    ),
    "model": _failing(404, "The model does not exist.", "model_not_found", "invalid_request_error"),
}

# --- 9, 11, 13: bodies that are not the one expected -----------------------------------------------------------

ERRORS_200: dict[str, _Act] = {
    "overloaded": _replying(200, {"error": {"code": 503, "message": _OVERLOADED}, "choices": None}),
    "rate-limit": _replying(200, {"error": {"code": 429, "message": _LIMITED}, "id": "x", "choices": None}),
    "string": _replying(200, {"error": _OVERLOADED}),
}
ENVELOPES: dict[str, _Act] = {
    "flat": _replying(503, {"object": "error", "message": _OVERLOADED, "type": "ServiceUnavailableError", "code": 503}),
    "string": _replying(503, {"error": _OVERLOADED}),
    "detail": _replying(503, {"detail": _OVERLOADED}),
    "list": _replying(503, [{"error": {"code": 503, "message": _OVERLOADED, "status": "UNAVAILABLE"}}]),
    "nothing": _replying(503, None),
}
_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head>\n<body><script>alert(1)</script>{0}</body></html>\n"


def page(status: int, title: str) -> web.Response:
    """An HTML page, as a proxy in front of the endpoint sends it."""
    return web.Response(text=_PAGE.format(title), status=status, content_type="text/html")


def _paging(status: int, title: str) -> _Act:
    async def act(exchange: Exchange) -> web.StreamResponse:
        return page(status, title)

    return act


PAGES: dict[str, _Act] = {
    "502": _paging(502, "502 Bad Gateway"),
    "520": _paging(520, "520 Web server is returning an unknown error"),
    "200": _paging(200, "Welcome"),
}

# --- 4, 18: time ----------------------------------------------------------------------------------------------


async def slow(exchange: Exchange) -> web.StreamResponse:
    """As good as ever, but slower by each request in flight, and never a 429."""
    latency = max(exchange.behaviour.latency, 0.01)
    await asyncio.sleep(latency * max(0, exchange.world.ledger.in_flight - _AT_EASE) / _AT_EASE)
    return exchange.send(await exchange.answer())


async def zombie(exchange: Exchange) -> web.StreamResponse:
    """Slow, and the generation goes on in its slot where the client leaves."""
    seconds = max(exchange.behaviour.latency, 0.01) * exchange.behaviour.slow_factor
    answer = exchange.bill()
    await asyncio.shield(exchange.hold(seconds))
    return exchange.send(answer)


# --- 5, 6, 7, 8, 12, 19: the connection ------------------------------------------------------------------------


async def close(exchange: Exchange) -> web.StreamResponse:
    """Close the connection politely, without a reply."""
    return exchange.hang_up(abort=False)


async def reset(exchange: Exchange) -> web.StreamResponse:
    """Reset the connection, without a reply."""
    return exchange.hang_up(abort=True)


DROPS: dict[str, _Act] = {"closed": close, "reset": reset}


async def cut_body(exchange: Exchange) -> web.StreamResponse:
    """Half of the body that the header promised, then the end."""
    body = json.dumps(exchange.payload(await exchange.answer())).encode()
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
    await response.prepare(exchange.request)
    await response.write(body[: len(body) // 2])
    exchange.hang_up(abort=False)
    return response


async def silence(exchange: Exchange) -> web.StreamResponse:
    """Bill the reply, and say nothing until the client leaves."""
    exchange.bill()
    await asyncio.sleep(_FOR_EVER)
    return exchange.hang_up(abort=False)


async def drip(exchange: Exchange) -> web.StreamResponse:
    """Status 200 and a blank line now and then, for half an hour or until the client leaves."""
    exchange.bill()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(exchange.request)
    for _ in range(int(_FOR_EVER / exchange.behaviour.drip)):
        await response.write(b"\n")
        await asyncio.sleep(exchange.behaviour.drip)
    exchange.hang_up(abort=False)
    return response


def takes_gzip(exchange: Exchange) -> bool:
    """Whether the request leaves the encoding to the server."""
    return exchange.request.headers.get("Accept-Encoding") != "identity"


async def bad_encoding(exchange: Exchange) -> web.StreamResponse:
    """A plain body that says it is compressed."""
    response = exchange.send(await exchange.answer())
    response.headers["Content-Encoding"] = "gzip"
    return response


# --- 14, 16, 24: requests that are refused --------------------------------------------------------------------

#: The options that some server or other refuses; the first that a request has is refused.
OPTIONS = ("response_format", "max_completion_tokens", "max_tokens", "temperature", "seed")


def option(exchange: Exchange) -> str | None:
    """The first option of the request that can be refused."""
    return next((name for name in OPTIONS if name in exchange.body), None)


def refused(exchange: Exchange, name: str) -> web.Response:
    """The 400 that names an option."""
    error = {
        "message": f"Unsupported parameter: '{name}' is not supported with this model.",
        "type": "invalid_request_error",
        "param": name.partition(".")[0],
        "code": "unsupported_parameter",
    }
    return exchange.json({"error": error}, 400)


async def refuse_option(exchange: Exchange) -> web.StreamResponse:
    """Refuse the first option that can be refused."""
    return refused(exchange, option(exchange) or "")


def demos(exchange: Exchange) -> int:
    """How many demonstrations the prompt shows: lines that are JSON objects."""
    return sum(str(message.get("content") or "").count("\n{") for message in exchange.messages[-1:])


async def refuse_context(exchange: Exchange) -> web.StreamResponse:
    """A prompt with more than two demonstrations is too long for this model."""
    message = "This model's maximum context length is 512 tokens. Please reduce the length of the messages."
    return exchange.error(400, message, "context_length_exceeded", "invalid_request_error")


async def cut_context(exchange: Exchange) -> web.StreamResponse:
    """The prompt's beginning is dropped without a word: few prompt tokens, and an answer to what was left."""
    answer = await exchange.answer()
    answer.content = "I am not sure what you would like me to write. Could you show me what the rows look like?"
    answer.usage = {"prompt_tokens": 64, "completion_tokens": 20, "total_tokens": 84}
    return exchange.send(answer)


async def json_validate(exchange: Exchange) -> web.StreamResponse:
    """400 because of a stray bracket at the end, with the whole text beside the message."""
    content = f"{(await exchange.answer()).content}}}"
    error = {
        "message": "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.",
        "type": "invalid_request_error",
        "code": "json_validate_failed",
        "failed_generation": content,
    }
    return exchange.json({"error": error}, 400)


# --- keys -----------------------------------------------------------------------------------------------------


@web.middleware
async def careless(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """A server that shows in its replies what the request's Authorization header held.

    In a header; in a page; and in the words of an error, whose JSON has its slashes escaped. Each time as it is, for
    a page, for an address, and in base64.
    """
    response = await handler(request)
    sent = request.headers.get("Authorization", "")
    key = sent.removeprefix("Bearer ")
    if response.prepared or not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return response
    forms = (sent, html.escape(key), quote(key, safe=""), base64.b64encode(key.encode()).decode())
    shown = " ".join(forms)
    response.headers["X-Request-Authorization"] = sent
    if response.content_type != "application/json":
        response.body = f"<!-- {shown} -->\n".encode() + response.body
    elif "Content-Encoding" not in response.headers:
        told = _with_words(json.loads(response.body), shown)
        response.body = json.dumps(told).replace("/", "\\/").replace("+", "\\u002B").encode()
    return response


def _with_words(payload: Any, words: str) -> Any:
    """An error's envelope with ``words`` before each of its texts; any other payload as it is."""
    if isinstance(payload, list):
        return [_with_words(each, words) for each in payload]
    if not isinstance(payload, dict):
        return payload
    changed = dict(payload)
    for name in ("message", "error", "detail"):
        if isinstance(payload.get(name), str):
            changed[name] = f"{words} {payload[name]}"
    if isinstance(payload.get("error"), dict):
        changed["error"] = _with_words(payload["error"], words)
    return changed
