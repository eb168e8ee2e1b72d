"""Classification of failed calls: what went wrong, and whether to retry; pure.

Does not handle: waiting, or counting how often an error occurred.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from selfinstruct.backends.openai.error_body import ErrorBody, excerpt, parse_error
from selfinstruct.backends.openai.error_words import (
    BAD_KEY,
    CONTEXT_LENGTH,
    FILTERED,
    NO_CHANNEL,
    NO_CHAT,
    NO_CREDIT,
    NO_MODEL,
    REPLY_TOO_LONG,
    UNSUPPORTED,
    kind_of,
)
from selfinstruct.backends.openai.payload import as_utf8
from selfinstruct.backends.openai.rate_limit_headers import retry_after, stated_delay
from selfinstruct.backends.openai.refused_option import TOKEN_LIMITS, refused_option
from selfinstruct.messages import Phrase
from selfinstruct.records import Usage

#: Tries of an error that has status 200 and words that say nothing about its kind.
_UNEXPLAINED_TRIES = 3

#: The ``max_tries`` of a transient error: retried until the time for retries is over.
UNLIMITED_TRIES = 1_000_000


@dataclass(frozen=True, slots=True)
class CallError:
    """Why a call returned no reply.

    ``reason`` is a stable slug, ``message`` describes the error, ``hint`` how to fix it. ``fatal``: no further call can
    succeed. ``max_tries``: how often a call may fail in this way before it is given up. ``overload``: the endpoint is
    overloaded or down. ``retry_after``: the delay that the endpoint requests, in seconds. ``billed``: the call may have
    been billed; ``usage`` is the amount, if the endpoint reported it. ``option`` is the request option that was
    rejected, or that leaves the prompt no room. ``salvage`` is text of the model that came with the error. ``detail``
    is the status and the words of the endpoint, where ``message`` has more.
    """

    reason: str
    message: str
    hint: str = ""
    fatal: bool = False
    max_tries: int = 1
    overload: bool = False
    retry_after: float | None = None
    billed: bool = False
    usage: Usage | None = None
    option: str = ""
    salvage: str | None = None
    detail: str = ""


def from_status(
    status: int, headers: Mapping[str, str], data: bytes, body: Mapping[str, Any] | None = None, now: float = 0.0
) -> CallError:
    """Classify a reply with an error status; ``body`` is that of the request.

    ``now`` is Unix time, for delays given as points in time.
    """
    data = as_utf8(data, headers.get("content-type", ""))
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        payload = None
    if payload is None or not isinstance(payload, dict | list | str):
        return _classify(status, ErrorBody(excerpt(data)), headers, body or {}, now)
    return from_error(status, payload, headers, now, body)


def from_error(
    status: int, payload: Any, headers: Mapping[str, str], now: float, body: Mapping[str, Any] | None = None
) -> CallError:
    """Classify a JSON error in any of the envelopes in use; with status 200, what is in the body decides."""
    error = parse_error(payload)
    if not error.message:
        error = replace(error, message=excerpt(json.dumps(payload)) if payload else "no message")
    if 200 <= status < 300:
        kind = kind_of(error.code, error.text)
        if not kind:
            return CallError("server-error", _detail(status, error), max_tries=_UNEXPLAINED_TRIES, overload=True)
        return _classify(kind, error, headers, body or {}, now, shown=status)
    return _classify(status, error, headers, body or {}, now)


def not_json(status: int, data: bytes, content_type: str) -> CallError:
    """Classify a body that is not JSON: a proxy's page, the page of a wrong base URL, or a broken reply."""
    if "html" in content_type.lower() or data[:200].lstrip()[:1] == b"<":
        return CallError(
            "page",
            Phrase("expected JSON, got a web page (status {status}): {data}", status=status, data=excerpt(data)),
            hint="Check that `base_url` is the address of the API; it often ends in /v1.",
            max_tries=3,
        )
    body = Phrase("an empty body")
    if data.strip():
        body = Phrase("a body that is not JSON: {text}", text=excerpt(data))
    message = Phrase(
        "expected JSON, got {body} (status {status}, {content_type})",
        body=body,
        status=status,
        content_type=content_type or Phrase("no content type"),
    )
    return CallError("garbled", message, max_tries=3, billed=True)


def another_api(keys: str) -> CallError:
    """The error of a reply of another API than chat completions, which has these ``keys`` instead of choices."""
    problem = Phrase("the endpoint answers in the form of another API: its reply has {keys}, and no choices", keys=keys)
    hint = "Set `base_url` to the address of the OpenAI-compatible API; it often ends in /v1."
    return CallError("another-api", problem, hint, max_tries=2, billed=True)


def truncated_prompt(read: int, written: int, expected: int) -> CallError:
    """The error of an endpoint that read less of the prompt than the ``expected`` tokens, and replied to that."""
    problem = Phrase(
        "the endpoint truncated the prompt to {input:,} of about {expected:,} tokens", input=read, expected=expected
    )
    hint = "Raise its context length (num_ctx in Ollama), or use fewer demonstrations."
    return CallError("context", problem, hint, billed=True, usage=Usage(read, written))


def _detail(status: int, error: ErrorBody) -> Phrase:
    return Phrase("status {status}: {message}", status=status, message=error.message)


def _classify(
    status: int, error: ErrorBody, headers: Mapping[str, str], body: Mapping[str, Any], now: float, shown: int = 0
) -> CallError:
    """Classify an error by its status and its words; ``shown`` is the status to show, if it is another one."""
    detail = _detail(shown or status, error)
    if status in (400, 404, 422) and NO_CHAT.search(error.text):
        return _no_chat(detail)
    if status in (400, 422):
        return _bad_request(error, detail, body)
    if status == 402 or (status in (401, 403, 429) and NO_CREDIT.search(error.text)):
        return _no_credit(detail)
    if status in (401, 407):
        return _denied(detail)
    if NO_MODEL.search(error.text) and (status == 404 or NO_CHANNEL.search(error.text)):
        return _no_model(detail)
    if status == 404 and UNSUPPORTED.search(error.text):
        return _refused(detail)
    if status == 403:
        return CallError(
            "denied",
            Phrase("access denied: {detail}", detail=detail),
            "Ask the endpoint's operator for access.",
            fatal=True,
        )
    if status in (404, 405, 410):
        return CallError(
            "not-found", Phrase("no API at this address: {detail}", detail=detail), "Check `base_url`.", max_tries=3
        )
    if 300 <= status < 400:
        hint = "Set `base_url` to the final address: redirects are not followed, to keep the API key at this one."
        return CallError(
            "not-found", Phrase("the endpoint redirects (status {status})", status=status), hint, fatal=True
        )
    if status == 413:
        return CallError(
            "too-large",
            Phrase("the request is too large: {detail}", detail=detail),
            "Use fewer or shorter demonstrations.",
        )
    if status == 429:
        delay = retry_after(headers, now) or stated_delay(error.message, now)
        return CallError("rate-limit", detail, max_tries=UNLIMITED_TRIES, overload=True, retry_after=delay)
    if status in (408, 409, 425) or status >= 500:
        return _server_error(status, error, headers, body, now, detail)
    return _refused(detail)


def _server_error(
    status: int, error: ErrorBody, headers: Mapping[str, str], body: Mapping[str, Any], now: float, detail: str
) -> CallError:
    """Classify a 5xx or a timeout: one that names an option of the request refuses it (a template that raises)."""
    option = refused_option(error, body, surely=False)
    if option:
        return CallError("option", detail, option=option, max_tries=UNLIMITED_TRIES)
    delay = retry_after({k: v for k, v in headers.items() if k in ("retry-after", "retry-after-ms", "date")}, now)
    # A proxy that times out does not stop the generation behind it.
    billed = status in (504, 524)
    return CallError("server-error", detail, max_tries=UNLIMITED_TRIES, overload=True, retry_after=delay, billed=billed)


def _bad_request(error: ErrorBody, detail: str, body: Mapping[str, Any]) -> CallError:
    """Classify a 400: salvaged text, a filter, a prompt that is too long, an unsupported option, or another one."""
    if error.salvage is not None:
        return CallError("garbled", detail, salvage=error.salvage, billed=True)
    if FILTERED.search(error.text):
        return CallError(
            "filtered", Phrase("the endpoint's content filter rejected the prompt: {detail}", detail=detail)
        )
    if CONTEXT_LENGTH.search(error.text):
        hint = "Use fewer demonstrations, request fewer rows per prompt, or lower the recipe's max_tokens."
        problem = Phrase("the request exceeds the model's context length: {detail}", detail=detail)
        limit = next((name for name in TOKEN_LIMITS if name in body), "") if REPLY_TOO_LONG.search(error.text) else ""
        return CallError("context", problem, hint, detail=detail, option=limit)
    if NO_CREDIT.search(error.text):
        return _no_credit(detail)
    if BAD_KEY.search(error.text):
        return _denied(detail)
    option = refused_option(error, body)
    if option:
        return CallError("option", detail, option=option, max_tries=UNLIMITED_TRIES)
    if NO_MODEL.search(error.text):
        return _no_model(detail)
    return _refused(detail)


def _denied(detail: str) -> CallError:
    return CallError("denied", Phrase("the API key was rejected: {detail}", detail=detail), fatal=True)


def _no_credit(detail: str) -> CallError:
    hint = "Add credit to the account, or raise its spending limit."
    return CallError("quota", Phrase("the account has no credit left: {detail}", detail=detail), hint, fatal=True)


def _refused(detail: str) -> CallError:
    return CallError("refused", Phrase("the request was rejected: {detail}", detail=detail), detail=detail)


def _no_chat(detail: str) -> CallError:
    message = Phrase("the model takes no chat messages: {detail}", detail=detail)
    return CallError("refused", message, 'Use an instruction-tuned model, or set `api = "completions"`.', fatal=True)


def _no_model(detail: str) -> CallError:
    return CallError(
        "no-model", Phrase("no such model: {detail}", detail=detail), "Use a model that the endpoint lists.", fatal=True
    )
