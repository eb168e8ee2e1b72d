"""What can go wrong with a call, and what that means for the next one; pure.

Does not handle: waiting, or counting how often something went wrong.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from selfinstruct.backends.openai.rate_limit_headers import wait_hint
from selfinstruct.records import Usage

#: Request options that servers are known to refuse, and words by which their errors call them.
_OPTIONS = {
    "response_format": r"response_?format|json_schema|json_object|json mode|structured output|guided|grammar",
    "max_completion_tokens": r"max_completion_tokens",
    "max_tokens": r"max_tokens",
    "temperature": r"temperature",
    "top_p": r"top_p",
    "seed": r"\bseed\b",
}
_CONTEXT = re.compile(
    r"context_length|context (?:length|window|size)|max_model_len|\bn_ctx\b|prompt is too long|input is too long"
    r"|too many (?:input )?tokens|reduce (?:the length|your prompt)|string_above_max_length",
    re.IGNORECASE,
)
_SPENT = re.compile(
    r"insufficient[_ ](?:quota|balance|funds|credit)|exceeded your current quota|billing_hard_limit|spend(?:ing)? limit"
    r"|usage_limit_reached|credit balance|payment required",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|model\b.*(?:not (?:exist|found)|no access|unknown)|no such model", re.IGNORECASE
)
_SHOWN = 200

#: For a Trouble that passes: tried again for as long as patience lasts.
UNTIL_PATIENCE_ENDS = 1_000_000


@dataclass(frozen=True, slots=True)
class CallError:
    """Why a call gave no reply.

    ``reason`` is a stable slug, ``message`` says it to a person, ``hint`` what to do. ``fatal``: no further call can
    succeed. ``tries``: how often a call may meet it before it is given up. ``overload``: the endpoint has too much
    to do, or is not there. ``wait``: the seconds that it asks for. ``billed``: the call may have been paid for.
    ``usage``: what was paid, where the endpoint said so. ``option``: the request option that was refused. ``salvage``:
    text of the model that came all the same.
    """

    reason: str
    message: str
    hint: str = ""
    fatal: bool = False
    tries: int = 1
    overload: bool = False
    wait: float | None = None
    billed: bool = False
    usage: Usage | None = None
    option: str = ""
    salvage: str | None = None


def from_exception(error: BaseException, base_url: str) -> CallError:
    """What an exception of the openai package, of its HTTP library or of aiohttp means.

    The package reports refused and dropped connections as timeouts: what is at the root of the chain decides. No
    exception's own text is passed on, because some have been known to hold the request's headers.
    """
    import aiohttp

    chain = list(causes(error))
    cause = next((each for each in chain if isinstance(each, aiohttp.ClientError | ConnectionError)), error)
    cause = next((each for each in chain if isinstance(each, aiohttp.ClientError)), cause)
    if isinstance(cause, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return CallError(
            "unreachable",
            f"{base_url}: no secure connection ({type(cause).__name__})",
            hint="Check the certificate, and whether the endpoint speaks http rather than https.",
            fatal=True,
        )
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return _unreachable(base_url, "the host name cannot be resolved")
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return _unreachable(base_url, "no connection within the deadline")
    if isinstance(cause, aiohttp.ClientConnectorError):
        return _unreachable(base_url, os.strerror(cause.errno).lower() if cause.errno else "no connection")
    if isinstance(cause, aiohttp.ClientPayloadError):
        return _passing("cut", f"{base_url}: the reply ended in the middle", overload=False)
    if any(isinstance(each, TimeoutError) for each in (cause, error)):
        return _passing("timeout", f"{base_url}: the reply was not there within its deadline")
    if isinstance(cause, aiohttp.ClientConnectionError | ConnectionError):
        return _passing("dropped", f"{base_url}: the connection was dropped before a reply")
    return CallError("garbled", f"{base_url}: the reply cannot be read ({type(cause).__name__})", tries=3, billed=True)


def _unreachable(base_url: str, why: str) -> CallError:
    return CallError(
        "unreachable",
        f"{base_url}: cannot be reached: {why}",
        hint="Is the server running, and is --base-url its address?",
        tries=UNTIL_PATIENCE_ENDS,
        overload=True,
    )


def _passing(reason: str, message: str, *, overload: bool = True) -> CallError:
    return CallError(reason, message, tries=UNTIL_PATIENCE_ENDS, overload=overload, billed=True)


def from_status(
    status: int, headers: Mapping[str, str], data: bytes, sent: Collection[str] = (), now: float = 0.0
) -> CallError:
    """What a reply with a status other than success means; ``sent`` are the options that the request had.

    ``now`` is Unix time, for hints that are points in time.
    """
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        payload = None
    if payload is None or not isinstance(payload, dict | list | str):
        return _by_status(status, _Told(_shown(data)), headers, sent, now)
    return from_error(status, payload, headers, now, sent)


def from_error(
    status: int, payload: Any, headers: Mapping[str, str], now: float, sent: Collection[str] = ()
) -> CallError:
    """What an error in JSON means, in any of the envelopes in use; with status 200 the body's own code decides."""
    told = _told(payload)
    if status == 200:
        code = told.code
        inner = int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0
        limited = "rate" in code.lower() or _SPENT.search(told.all)
        # LM Studio says so of whatever is not below /v1.
        nowhere = told.message.startswith("Unexpected endpoint")
        status = inner if 400 <= inner < 600 else 429 if limited else 404 if nowhere else 503
    return _by_status(status, told, headers, sent, now)


def page(status: int, data: bytes, content_type: str) -> CallError:
    """A body that is not JSON: a proxy's page, a wrong base_url's, or a broken reply."""
    if "html" in content_type.lower() or data[:200].lstrip()[:1] == b"<":
        return CallError(
            "page",
            f"a web page came in place of a reply (status {status}): {_shown(data)}",
            hint="Is --base-url the API's address? It often ends in /v1.",
            tries=3,
        )
    what = "an empty body" if not data.strip() else f"a body that is not JSON: {_shown(data)}"
    return CallError("garbled", f"{what} (status {status}, {content_type or 'no content type'})", tries=3, billed=True)


@dataclass(frozen=True, slots=True)
class _Told:
    """What an error's envelope says."""

    message: str
    code: str = ""
    kind: str = ""
    param: str = ""
    salvage: str | None = None

    @property
    def all(self) -> str:
        return f"{self.code} {self.kind} {self.message}"


def _told(payload: Any) -> _Told:
    """The message and codes of an envelope: OpenAI's, a flat one, plain text, FastAPI's ``detail``, or in a list."""
    while isinstance(payload, list) and payload:
        payload = payload[0]
    error = payload
    if isinstance(payload, dict):
        error = next((payload[key] for key in ("error", "detail", "errors") if payload.get(key)), payload)
        while isinstance(error, list) and error:
            error = error[0]
    if not isinstance(error, dict):
        return _Told(_shown(str(error or "without a word")))
    message = next((error[key] for key in ("message", "msg", "error", "detail") if error.get(key)), None)
    text = message if isinstance(message, str) else json.dumps(message or error)
    param = error.get("param") or (error.get("loc") or [""])[-1]
    failed = error.get("failed_generation")
    return _Told(
        _shown(text),
        str(error.get("code") or ""),
        str(error.get("type") or error.get("status") or ""),
        str(param).partition(".")[0],
        failed if isinstance(failed, str) and failed.strip() else None,
    )


def _by_status(status: int, told: _Told, headers: Mapping[str, str], sent: Collection[str], now: float) -> CallError:
    said = f"status {status}: {told.message}"
    if status in (400, 422):
        return _refused(told, said, sent)
    if status == 402 or (status in (403, 429) and _SPENT.search(told.all)):
        return CallError(
            "quota", f"the account has no credit left: {said}", "Top it up, or raise its limit.", fatal=True
        )
    if status in (401, 407):
        return CallError("denied", f"the key is refused: {said}", fatal=True)
    if status == 404 and _NO_MODEL.search(told.all):
        return CallError(
            "no-model", f"there is no such model: {said}", "See the endpoint's list of models.", fatal=True
        )
    if status == 403:
        return CallError("denied", f"access is refused: {said}", "Ask who runs the endpoint for access.", fatal=True)
    if status in (404, 405, 410):
        return CallError("not-found", f"nothing is served there: {said}", "Check --base-url.", tries=3)
    if 300 <= status < 400:
        hint = "A key is never sent on to another address: give the final one as --base-url."
        return CallError("not-found", f"the endpoint redirects (status {status})", hint, fatal=True)
    if status == 413:
        return CallError("too-large", f"the request is too large: {said}", "Show fewer or shorter demonstrations.")
    if status == 429:
        wait = wait_hint(headers, now)
        return CallError("rate-limit", said, tries=UNTIL_PATIENCE_ENDS, overload=True, wait=wait)
    if status in (408, 409, 425) or status >= 500:
        wait = wait_hint({k: v for k, v in headers.items() if k in ("retry-after", "retry-after-ms", "date")}, now)
        # A proxy that gives up waiting does not stop what it waited for.
        billed = status in (504, 524)
        return CallError("server-error", said, tries=UNTIL_PATIENCE_ENDS, overload=True, wait=wait, billed=billed)
    return CallError("refused", f"the request is refused: {said}")


def _refused(told: _Told, said: str, sent: Collection[str]) -> CallError:
    """What a 400 means: text all the same, a prompt too long, an option that the model does not take, or neither."""
    if told.salvage is not None:
        return CallError("garbled", said, salvage=told.salvage, billed=True)
    if _CONTEXT.search(told.all):
        hint = "Show fewer demonstrations, ask for fewer rows, or lower max_tokens."
        return CallError("context", f"the request is too long for the model: {said}", hint)
    if _SPENT.search(told.all):
        return CallError(
            "quota", f"the account has no credit left: {said}", "Top it up, or raise its limit.", fatal=True
        )
    if told.param in sent and told.param in _OPTIONS:
        return CallError("option", said, option=told.param, tries=UNTIL_PATIENCE_ENDS)
    for option, words in _OPTIONS.items():
        if option in sent and re.search(words, told.all, re.IGNORECASE):
            return CallError("option", said, option=option, tries=UNTIL_PATIENCE_ENDS)
    if _NO_MODEL.search(told.all):
        return CallError(
            "no-model", f"there is no such model: {said}", "See the endpoint's list of models.", fatal=True
        )
    return CallError("refused", f"the request is refused: {said}")


def _shown(text: str | bytes) -> str:
    """The beginning of a text, on one line, with what a terminal must not see escaped."""
    if isinstance(text, bytes):
        text = text[: 4 * _SHOWN].decode("utf-8", "replace")
    text = " ".join(text[: 4 * _SHOWN].split())
    return repr(text[:_SHOWN])[1:-1] if text else "an empty reply"


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it came from, the root first."""
    seen: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in seen:
        seen.append(step)
        step = step.__cause__ or step.__context__
    return reversed(seen)
