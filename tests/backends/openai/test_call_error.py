"""Classification of errors: every exception, status and error envelope has a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest

from selfinstruct.backends.openai.call_error import UNLIMITED_TRIES, from_error, from_status
from selfinstruct.backends.openai.connection_error import from_exception
from selfinstruct.backends.openai.options import reply_schema
from selfinstruct.records import ReplyFormat


def subclasses(kind: type[BaseException]) -> set[type[BaseException]]:
    """A class and all of its subclasses."""
    return {kind}.union(*map(subclasses, kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(subclasses(aiohttp.ClientError) | subclasses(openai.OpenAIError), key=str))
def test_every_exception_is_classified(kind: type[BaseException]) -> None:
    """Each exception of aiohttp and openai, bare or as the cause of another; a refused connection is no timeout."""
    root = kind.__new__(kind)
    timeout = openai.APITimeoutError.__new__(openai.APITimeoutError)
    timeout.__cause__ = root
    for exception in (root, timeout):
        error = from_exception(exception, "http://host/v1")
        assert error.reason
        assert error.message.startswith("http://host/v1: ")
        if issubclass(kind, aiohttp.ClientConnectionError) and not issubclass(kind, TimeoutError):
            assert error.reason != "timeout"


def test_every_status_is_classified() -> None:
    """Each status from 300 to 599 is fatal, transient, or a Failure after a limited number of tries."""
    fatal = {status for status in range(300, 600) if from_status(status, {}, b"{}").fatal}
    transient = {s for s in range(300, 600) if from_status(s, {}, b"{}").max_tries == UNLIMITED_TRIES}
    assert fatal == {401, 402, 403, 407, *range(300, 400)}
    assert transient == {408, 409, 425, 429, *range(500, 600)}


def test_only_a_proxys_timeout_is_billed() -> None:
    """504 and 524 come from a proxy, behind which the generation continues; other server errors cost nothing."""
    assert [s for s in range(400, 600) if from_status(s, {}, b"{}").billed] == [504, 524]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"error": {"message": "n_ctx is too small: the request exceeds the context size"}}, "context"),
        (400, {"object": "error", "message": "model `x` not found", "code": 404}, "no-model"),
        (404, {"error": {"message": "model 'x' not found, try pulling it first"}}, "no-model"),
        (404, {"detail": "Not Found"}, "not-found"),
        (422, {"detail": [{"loc": ["body", "temperature"], "msg": "extra fields not permitted"}]}, "option"),
        (400, {"error": "unknown field: seed"}, "option"),
        (400, {"error": {"message": "Unsupported value", "param": "temperature"}}, "option"),
        (400, {"error": {"message": "Unsupported value", "param": "response_format.type"}}, "option"),
        (400, {"error": {"message": "Unsupported value", "param": "messages"}}, "refused"),
        (400, {"error": {"message": "Invalid request"}}, "refused"),
        (400, {"error": {"message": "Your credit balance is too low."}}, "quota"),
        (403, {"error": {"message": "Insufficient balance"}}, "quota"),
        (403, {"error": {"message": "Forbidden"}}, "denied"),
        (429, [{"error": {"message": "quota", "code": "insufficient_quota"}}], "quota"),
        (429, "slow down", "rate-limit"),
        (529, None, "server-error"),
    ],
)
def test_envelopes_differ_and_mean_the_same(status: int, body: Any, reason: str) -> None:
    """OpenAI's, vLLM's, Ollama's, FastAPI's and Google's envelopes, and none at all."""
    request = {"model": "m", "messages": [], "temperature": 1, "seed": 1, "response_format": {"type": "json_object"}}
    error = from_status(status, {}, json.dumps(body).encode(), request)
    assert error.reason == reason
    assert bool(error.option) == (reason == "option")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "No room"}}, "No room"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "extra fields"}]}, "extra fields"),
        ({"errors": [{"message": "No room"}]}, "No room"),
        ([{"error": {"message": "No room"}}], "No room"),
        ({"message": "No room", "object": "error"}, "No room"),
        ({"error": "No room"}, "No room"),
        ("No room", "No room"),
        ({"error": {"message": {"text": "No room"}}}, '{"text": "No room"}'),
        ([], "no message"),
    ],
)
def test_the_message_of_an_envelope_is_shown(body: Any, message: str) -> None:
    """The message alone, not the JSON around it."""
    assert from_status(503, {}, json.dumps(body).encode()).message == f"status 503: {message}"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": {"code": 429, "message": "Too many requests"}}, "rate-limit"),
        ({"error": {"code": "rate_limit_exceeded", "message": "Slow down"}}, "rate-limit"),
        ({"error": {"code": "insufficient_quota", "message": "No"}}, "quota"),
        ({"error": {"code": 401, "message": "No"}}, "denied"),
        ({"error": "Unexpected endpoint or method. (GET /chat)"}, "not-found"),
        ({"error": {"code": 200, "message": "Odd"}}, "server-error"),
        ({"error": "overloaded"}, "server-error"),
    ],
)
def test_an_error_with_status_200_is_classified_by_its_body(body: Any, reason: str) -> None:
    """The inner status, a code of a rate limit or quota, LM Studio's message for a wrong path; else a server error."""
    assert from_error(200, body, {}, 0.0).reason == reason


def test_a_server_error_waits_for_its_retry_after() -> None:
    """A 503 has the delay of Retry-After, but not that of rate-limit headers, which are about something else."""
    assert from_status(503, {"retry-after": "7"}, b"{}").retry_after == 7
    assert from_status(503, {"retry-after-ms": "250"}, b"{}").retry_after == 0.25
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9s"}
    assert from_status(503, headers, b"{}").retry_after is None
    assert from_status(429, headers, b"{}").retry_after == 9


def test_what_real_endpoints_say_is_understood() -> None:
    """Which option a refusal is about, or ``#`` and the reason of another error.

    The messages are those of OpenAI, Azure, Google, Anthropic, Bedrock, Groq, DeepSeek, DashScope, Zhipu, Baidu, vLLM,
    SGLang, llama.cpp, Ollama, Cloudflare, OpenRouter, LiteLLM and One API.
    """
    sampling = {"temperature": 0.7, "top_p": 0.9, "presence_penalty": 0.5, "seed": 1, "max_tokens": 16, "top_k": 40}
    form = {"type": "json_schema", "json_schema": reply_schema(ReplyFormat({"a": "string"}))}
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    request = {"model": "m", "messages": messages, "response_format": form, **sampling}
    for line in (Path(__file__).parent / "refusals.jsonl").read_text().splitlines():
        case = json.loads(line)
        error = from_status(case["status"], {}, json.dumps(case["body"]).encode(), request)
        assert (error.option or f"#{error.reason}") == case["meaning"], line
