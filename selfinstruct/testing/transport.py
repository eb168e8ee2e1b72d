"""Faults of HTTP and of the connection: error replies, and good replies that do not arrive."""

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
_RATE_LIMITED = "Rate limit reached for requests."
# How long the server keeps a silent or dripping connection open.
_HANG_SECONDS = 1_800.0
# With more requests in flight than this, the slow server becomes slower for all of them.
_UNAFFECTED = 4


def _replying(status: int, payload: Any, headers: dict[str, str] | None = None) -> _Act:
    async def act(exchange: Exchange) -> web.StreamResponse:
        return exchange.json(payload, status, headers)

    return act


def _failing(status: int, message: str, code: str | None = None, kind: str = "server_error") -> _Act:
    return _replying(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})


# --- 1, 2, 3: status codes -----------------------------------------------------------------------------------


def rate_limited(exchange: Exchange, headers: dict[str, str] | None = None) -> web.Response:
    """A 429 with these headers."""
    error = {"message": _RATE_LIMITED, "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    return exchange.json({"error": error}, 429, headers)


def _limiting(retry_headers: Callable[[float], dict[str, str]]) -> _Act:
    async def act(exchange: Exchange) -> web.StreamResponse:
        return rate_limited(exchange, retry_headers(exchange.behaviour.wait))

    return act


def _skewed_date(wait: float) -> dict[str, str]:
    """An HTTP date of a clock that is an hour ahead, with that clock's Date header."""
    now = time.time() + 3600
    return {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + max(1, wait), usegmt=True)}


def _reset(wait: float) -> dict[str, str]:
    """OpenAI's headers: the requests are used up and reset soon, the tokens are left and reset late."""
    return {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": f"{round(wait * 1000)}ms",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": "150000",
        "x-ratelimit-reset-tokens": "6m0s",
    }


prompt_filtered = _replying(
    400,
    {
        "error": {
            "message": "The response was filtered due to the prompt triggering the content management policy.",
            "code": "content_filter",
            "param": "prompt",
            "innererror": {"code": "ResponsibleAIPolicyViolation"},
        }
    },
)
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
#: The same in the statuses and envelopes of other servers.
DISGUISED: dict[str, _Act] = {
    "arrears": _replying(400, {"code": "Arrearage", "message": "Access denied, the account is overdue."}),
    "gateway": _failing(403, "用户额度不足, 剩余额度: 0.00", "insufficient_user_quota", "new_api_error"),
    "in-200": _replying(200, {"code": 1113, "msg": "您的账户已欠费，请充值后重试"}),
    "key-400": _replying(
        400, [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}]
    ),
    "key-200": _replying(200, {"base_resp": {"status_code": 1004, "status_msg": "login fail"}, "choices": None}),
    "no-channel": _failing(503, "No available channel for model m under group default", None, "new_api_error"),
    "no-provider": _failing(404, "No endpoints found for vendor/m."),
    "no-chat": _failing(404, "This is not a chat model and thus not supported in the v1/chat/completions endpoint."),
}

# --- 9, 11, 13: unexpected bodies -----------------------------------------------------------

ERRORS_200: dict[str, _Act] = {
    "overloaded": _replying(200, {"error": {"code": 503, "message": _OVERLOADED}, "choices": None}),
    "rate-limit": _replying(200, {"error": {"code": 429, "message": _RATE_LIMITED}, "id": "x", "choices": None}),
    "string": _replying(200, {"error": _OVERLOADED}),
    "code-and-msg": _replying(200, {"code": 50505, "msg": "Model service overloaded. Please try again later."}),
    "base-resp": _replying(200, {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": None}),
    "flat": _replying(200, {"object": "error", "message": _OVERLOADED, "type": "ServiceUnavailableError", "code": 503}),
    "header": _replying(200, {"header": {"code": 11203, "message": "并发流控超限", "sid": "x"}}),
    "nested": _replying(200, {"Response": {"Error": {"Code": "InternalError", "Message": "Busy"}, "RequestId": "x"}}),
    "status": _replying(200, {"status": "error", "detail": "Upstream is temporarily unavailable"}),
    "in-choice": _replying(
        200,
        {
            "choices": [
                {"finish_reason": "error", "error": {"code": 502, "message": "Died"}, "message": {"content": ""}}
            ]
        },
    ),
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
    """An HTML page, as sent by a proxy before the endpoint."""
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
    """A good reply, but slower with each request in flight, and never a 429."""
    latency = max(exchange.behaviour.latency, 0.01)
    await asyncio.sleep(latency * max(0, exchange.state.ledger.in_flight - _UNAFFECTED) / _UNAFFECTED)
    return exchange.send(await exchange.answer())


async def zombie(exchange: Exchange) -> web.StreamResponse:
    """A slow reply, whose generation continues in its slot if the client disconnects."""
    seconds = max(exchange.behaviour.latency, 0.01) * exchange.behaviour.slow_factor
    answer = exchange.bill()
    await asyncio.shield(exchange.hold(seconds))
    return exchange.send(answer)


# --- 5, 6, 7, 8, 12, 19: the connection ------------------------------------------------------------------------


async def close(exchange: Exchange) -> web.StreamResponse:
    """Close the connection without a reply."""
    return exchange.hang_up(abort=False)


async def reset(exchange: Exchange) -> web.StreamResponse:
    """Reset the connection, without a reply."""
    return exchange.hang_up(abort=True)


DROPS: dict[str, _Act] = {"closed": close, "reset": reset}


async def cut_body(exchange: Exchange) -> web.StreamResponse:
    """Half of the announced body, then the end of the connection."""
    body = json.dumps(exchange.payload(await exchange.answer())).encode()
    response = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
    await response.prepare(exchange.request)
    await response.write(body[: len(body) // 2])
    exchange.hang_up(abort=False)
    return response


async def silence(exchange: Exchange) -> web.StreamResponse:
    """Bill the reply, and send nothing until the client disconnects."""
    exchange.bill()
    await asyncio.sleep(_HANG_SECONDS)
    return exchange.hang_up(abort=False)


async def drip(exchange: Exchange) -> web.StreamResponse:
    """Status 200 and a blank line from time to time, for half an hour or until the client disconnects."""
    exchange.bill()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(exchange.request)
    for _ in range(int(_HANG_SECONDS / exchange.behaviour.drip)):
        await response.write(b"\n")
        await asyncio.sleep(exchange.behaviour.drip)
    exchange.hang_up(abort=False)
    return response


def takes_gzip(exchange: Exchange) -> bool:
    """Whether the request allows compression."""
    return exchange.request.headers.get("Accept-Encoding") != "identity"


async def bad_encoding(exchange: Exchange) -> web.StreamResponse:
    """A plain body with the header of a compressed one."""
    response = exchange.send(await exchange.answer())
    response.headers["Content-Encoding"] = "gzip"
    return response


# --- 14, 16, 24: rejected requests --------------------------------------------------------------------

#: Options that some servers reject; the first one in a request is rejected.
OPTIONS = ("response_format", "max_completion_tokens", "max_tokens", "temperature", "seed")


def rejectable_option(exchange: Exchange) -> str | None:
    """The first option in the request that can be rejected."""
    return next((name for name in OPTIONS if name in exchange.body), None)


def rejected_option(exchange: Exchange, name: str) -> web.Response:
    """The 400 that names the rejected option."""
    error = {
        "message": f"Unsupported parameter: '{name}' is not supported with this model.",
        "type": "invalid_request_error",
        "param": name.partition(".")[0],
        "code": "unsupported_parameter",
    }
    return exchange.json({"error": error}, 400)


async def reject_option(exchange: Exchange) -> web.StreamResponse:
    """Reject the first option that can be rejected."""
    return rejected_option(exchange, rejectable_option(exchange) or "")


def demonstrations(exchange: Exchange) -> int:
    """The number of demonstrations in the prompt: lines that begin a JSON object."""
    return sum(str(message.get("content") or "").count("\n{") for message in exchange.messages[-1:])


async def reject_context(exchange: Exchange) -> web.StreamResponse:
    """Reject a prompt for its length."""
    message = "This model's maximum context length is 512 tokens. Please reduce the length of the messages."
    return exchange.error(400, message, "context_length_exceeded", "invalid_request_error")


async def truncate_context(exchange: Exchange) -> web.StreamResponse:
    """Truncate the prompt silently: few prompt tokens, and a reply to the rest."""
    answer = await exchange.answer()
    answer.content = "I am not sure what you would like me to write. Could you show me what the rows look like?"
    answer.usage = {"prompt_tokens": 64, "completion_tokens": 20, "total_tokens": 84}
    return exchange.send(answer)


async def json_validate(exchange: Exchange) -> web.StreamResponse:
    """A 400 for a stray bracket at the end, with the whole reply in the error."""
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
async def echo_key(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Repeat the request's Authorization header in replies: in a header, in pages, and in error messages.

    Each contains the key as it is, escaped for HTML and for URLs, and in base64; the slashes of JSON are escaped.
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
        body = _prefix_messages(json.loads(response.body), shown)
        response.body = json.dumps(body).replace("/", "\\/").replace("+", "\\u002B").encode()
    return response


def _prefix_messages(payload: Any, words: str) -> Any:
    """An error envelope with ``words`` before each message; any other payload unchanged."""
    if isinstance(payload, list):
        return [_prefix_messages(each, words) for each in payload]
    if not isinstance(payload, dict):
        return payload
    changed = dict(payload)
    for name in ("message", "error", "detail"):
        if isinstance(payload.get(name), str):
            changed[name] = f"{words} {payload[name]}"
    if isinstance(payload.get("error"), dict):
        changed["error"] = _prefix_messages(payload["error"], words)
    return changed
