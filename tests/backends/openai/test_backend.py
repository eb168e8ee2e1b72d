"""The model backend against a real server with faults: its requests, its retries, and its final errors."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from aiohttp import web

from selfinstruct.backends import Budget, BudgetSpent
from selfinstruct.backends.openai import Deadlines, EndpointSettings, OpenAIBackend
from selfinstruct.backends.openai.address import NO_KEY
from selfinstruct.errors import EndpointError
from selfinstruct.recipe import Model
from selfinstruct.records import Batch, Failure, Message, Reply, ReplyFormat, Request, Usage
from selfinstruct.testing import Behaviour, FaultServer

CANARY = "sk-canary-7f3a9b1c5d2e4f60"
FORM = ReplyFormat({"Question": "string", "Answer": "string"})
SHORT = EndpointSettings(deadlines=Deadlines(connect=2, idle=1.2, total=1.5, least=1))
ROWS = '{"rows": [{"Question": "q", "Answer": "a"}]}'


def request(number: int = 1, text: str = "Write one row.") -> Request:
    """A request with one message."""
    return Request(Batch(number, "", 1, 0, ()), "imitate", (Message("user", text),), (), seed=number, reply_format=FORM)


@asynccontextmanager
async def connected(
    server: FaultServer | str,
    *,
    budget: Budget | None = None,
    key: str = "",
    preflight: bool = False,
    haste: int = 100,
    settings: EndpointSettings = SHORT,
    **model: Any,
) -> AsyncIterator[OpenAIBackend]:
    """A backend for a server, with short deadlines and pauses, and a clock that runs ``haste`` times as fast."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.005))

    backend = await OpenAIBackend.connect(
        Model(**({"name": "test-model"} | model), base_url=server if isinstance(server, str) else server.base_url),
        reply_format=FORM,
        budget=budget,
        preflight=preflight,
        settings=settings,
        environ={"OPENAI_API_KEY": key} if key else {},
        sleep=sleep,
        clock=lambda: asyncio.get_running_loop().time() * haste,
        rng=Random(1),
    )
    try:
        yield backend
    finally:
        await backend.close()


async def ask(server: FaultServer | str, calls: int = 1, **options: Any) -> list[Reply | Failure]:
    """The outcomes of ``calls`` calls, one after another."""
    async with connected(server, **options) as backend:
        return [await backend.complete(request(number)) for number in range(calls)]


Handler = Callable[[dict[str, Any]], Any]


@asynccontextmanager
async def scripted(handler: Handler, models: Sequence[str] = ("m",)) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers each body by ``handler(body)``, a payload or a response; its URL, and the bodies."""
    seen: list[dict[str, Any]] = []

    async def complete(request: web.Request) -> web.StreamResponse:
        body = await request.json() | {"headers": dict(request.headers)}
        seen.append(body)
        answer = handler(body)
        if isinstance(answer, Awaitable):
            answer = await answer
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

    async def listed(request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in models]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/v1/models", listed)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", seen
    finally:
        await runner.cleanup()


def payload(message: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A good reply, or one with another message or other parts."""
    choice = {"index": 0, "finish_reason": "stop", "message": message or {"role": "assistant", "content": ROWS}}
    return {"choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 7}} | more


def error(message: str, status: int = 400, **more: Any) -> web.Response:
    """An error in OpenAI's envelope."""
    return web.json_response({"error": {"message": message, **more}}, status=status)


# ---- Requests and good replies ----


async def test_a_good_reply_is_returned() -> None:
    """Text, model, usage and finish reason are the endpoint's; the body contains prompt, seed and schema."""
    async with scripted(lambda body: payload()) as (url, seen), connected(url, temperature=0.5) as backend:
        reply = await backend.complete(request(5))
    assert isinstance(reply, Reply)
    assert (reply.text, reply.model, reply.usage, reply.finish_reason) == (ROWS, "test-model", Usage(11, 7), "stop")
    assert seen[0]["messages"] == [{"role": "user", "content": "Write one row."}]
    assert (seen[0]["seed"], seen[0]["temperature"], seen[0]["model"]) == (5, 0.5, "test-model")
    row = seen[0]["response_format"]["json_schema"]["schema"]["properties"]["rows"]["items"]
    assert row["required"] == ["Question", "Answer"]
    assert row["properties"]["Answer"] == {"type": "string"}


async def test_a_key_is_optional() -> None:
    """The Authorization header contains the key, or a placeholder if none is set."""
    async with scripted(lambda body: payload()) as (url, seen):
        await ask(url)
        await ask(url, key=CANARY)
    sent = [body["headers"]["Authorization"] for body in seen]
    assert sent == [f"Bearer {NO_KEY}", f"Bearer {CANARY}"]


async def test_the_default_model_is_the_endpoints_own() -> None:
    """The model name "default" is replaced by the first name that the endpoint lists."""
    async with scripted(lambda body: payload(), ["llama-3", "other"]) as (url, seen):
        async with connected(url, name="default") as backend:
            assert backend.name == "llama-3"
        await ask(url, name="default")
    assert seen[0]["model"] == "llama-3"


async def test_missing_usage_is_estimated() -> None:
    """The usage of a reply without one is estimated, and marked as such."""
    async with scripted(lambda body: payload(usage=None)) as (url, _):
        (reply,) = await ask(url)
    assert reply.usage.estimated
    assert reply.usage.input > 0
    assert reply.usage.output > 0


# ---- Transient faults ----

TRANSIENT = [
    "rate-limit",
    "server-error",
    "cut-body",
    "silence",
    "drip",
    "error-200",
    "html",
    "envelope",
    "dropped",
    "keep-alive",
]


@pytest.mark.parametrize("fault", TRANSIENT)
async def test_a_transient_fault_costs_one_retry(fault: str) -> None:
    """With 30 % of a transient fault, every call is answered, with exactly one retry per fault."""
    patient = replace(SHORT, retry_seconds=3_000)
    # Silent calls take 6 s in all; a call that is never sent would wait for ever.
    async with asyncio.timeout(100), FaultServer(Behaviour(faults={fault: 0.3}, seed=1, drip=0.1)) as server:
        async with connected(server, concurrency=8, settings=patient) as backend, asyncio.TaskGroup() as group:
            calls = [group.create_task(backend.complete(request(number))) for number in range(24)]
        counts = server.ledger.counts
    assert all(isinstance(call.result(), Reply) for call in calls)
    assert counts["lost"] > 0
    assert counts["requests"] == 24 + counts["lost"]
    assert backend.counts.calls == counts["requests"]


async def test_all_faults_together_are_handled() -> None:
    """With 30 % of mixed faults, no exception escapes, and there is at most one retry per lost request."""
    from selfinstruct.testing import mixed

    async with FaultServer(Behaviour(faults=mixed(0.3), seed=4, drip=0.1)) as server:
        async with connected(server, concurrency=8) as backend, asyncio.TaskGroup() as group:
            calls = [group.create_task(backend.complete(request(number))) for number in range(60)]
        counts = server.ledger.counts
    outcomes = [call.result() for call in calls]
    failed = sum(isinstance(outcome, Failure) for outcome in outcomes)
    assert counts["requests"] <= 60 + counts["lost"]
    assert failed <= counts["lost"]


async def test_retries_end() -> None:
    """An endpoint that answers 503 for five minutes gives a Failure with its status, after few calls."""
    async with FaultServer(Behaviour(faults={"server-error:503": 1.0})) as server:
        (outcome,) = await ask(server, haste=1000)
        calls = server.ledger.counts["requests"]
    assert isinstance(outcome, Failure)
    assert outcome.reason == "server-error"
    assert "503" in outcome.message
    assert calls <= 40


async def test_a_call_that_waits_for_its_retry_can_be_dropped() -> None:
    """A call that the endpoint has put off ends with what its first try cost, and the next one is made as ever."""
    async with (
        FaultServer(Behaviour(requests_per_minute=1, wait=3600)) as server,
        connected(server, haste=1) as backend,
    ):
        assert isinstance(await backend.complete(request(1)), Reply)
        call = asyncio.create_task(backend.complete(request(2)))
        while not call.done():
            await asyncio.wait([call], timeout=0.05)
            backend.drop_waiting()
        outcome = call.result()
        assert isinstance(outcome, Failure)
        assert (outcome.reason, outcome.tries, outcome.fatal_error) == ("not-needed", 1, None)


async def test_two_replies_without_choices_are_a_failure() -> None:
    """A reply without choices is retried once; the Failure has the usage of both."""
    async with scripted(lambda body: payload() | {"choices": []}) as (url, seen):
        (outcome,) = await ask(url)
    assert isinstance(outcome, Failure)
    assert (outcome.reason, outcome.usage, len(seen)) == ("empty", Usage(22, 14), 2)


async def test_billed_tries_are_part_of_the_usage() -> None:
    """The usage of a reply to the second try includes the first."""
    answers = [payload() | {"choices": None}, payload()]
    async with scripted(lambda body: answers.pop(0)) as (url, _):
        (reply,) = await ask(url)
    assert isinstance(reply, Reply)
    assert reply.usage == Usage(22, 14)


async def test_failed_generation_is_salvaged() -> None:
    """The text in Groq's 400 json_validate_failed is the reply."""
    refusal = error("Failed to generate JSON.", code="json_validate_failed", failed_generation=ROWS + "}")
    async with scripted(lambda body: refusal) as (url, seen):
        (reply,) = await ask(url)
    assert isinstance(reply, Reply)
    assert (reply.text, len(seen)) == (ROWS + "}", 1)


async def test_a_wrong_content_encoding_is_ignored() -> None:
    """A plain body labelled gzip and a gzip body without a label are both read."""
    plain = json.dumps(payload()).encode()
    answers = [
        web.Response(body=plain, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}),
        web.Response(body=gzip.compress(plain), content_type="application/json"),
    ]
    async with scripted(lambda body: answers.pop(0)) as (url, seen):
        replies = await ask(url, 2)
    assert [isinstance(reply, Reply) for reply in replies] == [True, True]
    assert seen[0]["headers"]["Accept-Encoding"] == "identity"


async def test_the_size_of_a_reply_is_capped() -> None:
    """A reply that exceeds the cap, before or after decompression, is a Failure without a retry."""
    big = b" " * 200_000
    answers = [web.Response(body=big), web.Response(body=gzip.compress(big)), web.Response(body=big, status=500)]
    async with scripted(lambda body: answers.pop(0)) as (url, seen):
        outcomes = await ask(url, 3, settings=replace(SHORT, max_reply_bytes=100_000))
    assert [getattr(outcome, "reason", "") for outcome in outcomes] == ["too-large"] * 3
    assert len(seen) == 3


async def test_a_silently_truncated_prompt_is_detected() -> None:
    """Far fewer prompt tokens than were sent and a reply without rows mean that the context is too small (Ollama)."""
    cut = payload({"content": "What would you like?"}, usage={"prompt_tokens": 60, "completion_tokens": 5})
    async with scripted(lambda body: cut) as (url, _), connected(url) as backend:
        outcome = await backend.complete(request(text="word " * 2000))
        assert backend.counts.truncated_prompts == 1
    assert isinstance(outcome, Failure)
    assert outcome.reason == "context"
    assert "num_ctx" in outcome.message


async def test_a_prompt_beyond_the_context_length_is_not_retried() -> None:
    """The Failure for a prompt that is too long suggests fewer demonstrations; lower limits are tried first."""
    refusal = "This model's maximum context length is 512 tokens. However, you requested 600"
    async with scripted(lambda body: error(f"{refusal}.")) as (url, seen):
        (outcome,) = await ask(url, max_tokens=1_000)
    assert isinstance(outcome, Failure)
    assert (outcome.reason, len(seen)) == ("context", 1)
    assert "fewer demonstrations" in outcome.message
    async with scripted(lambda body: error(f"{refusal} (max_tokens {body['max_tokens']}).")) as (url, seen):
        (outcome,) = await ask(url, max_tokens=200)
    assert isinstance(outcome, Failure)
    assert (outcome.reason, [body["max_tokens"] for body in seen]) == ("context", [200, 100, 50])


async def test_a_cancelled_call_frees_its_slot() -> None:
    """After a cancellation no call is in flight, and the backend still works."""
    async with FaultServer(Behaviour(latency=0.3)) as server, connected(server, concurrency=1) as backend:
        call = asyncio.create_task(backend.complete(request()))
        await asyncio.sleep(0.1)
        call.cancel()
        await asyncio.wait([call])
        assert backend.inspect().in_flight == 0
        assert isinstance(await backend.complete(request(2)), Reply)


# ---- Options ----


@pytest.mark.parametrize("status", [400, 422])
async def test_a_rejected_option_is_dropped_for_good(status: int) -> None:
    """json_schema falls back to json_object, then text; max_tokens to max_completion_tokens; each costs one call."""

    def handler(body: dict[str, Any]) -> Any:
        form = body.get("response_format", {}).get("type")
        if form:
            return error(f"'response_format' of type {form} is not supported", status, param="response_format.type")
        for option in ("max_tokens", "seed", "temperature"):
            if option in body:
                return error(f"Unsupported parameter: '{option}' is not supported with this model.", status)
        return payload()

    async with scripted(handler) as (url, seen), connected(url, temperature=0.7, max_tokens=99) as backend:
        assert [isinstance(await backend.complete(request(n)), Reply) for n in range(3)] == [True] * 3
        notes = " ".join(backend.options.notes)
    assert len(seen) == 5 + 3
    assert seen[-1].keys() == {"model", "messages", "max_completion_tokens", "headers"}
    assert all(option in notes for option in ("json_object", "plain text", "max_completion_tokens", "temperature"))


async def test_a_token_limit_that_is_too_high_is_lowered() -> None:
    """max_tokens becomes the maximum that the error names."""

    def handler(body: dict[str, Any]) -> Any:
        high = body["max_tokens"] > 4096
        return error("max_tokens is too large: 9000. This model supports at most 4096 tokens.") if high else payload()

    async with scripted(handler) as (url, seen):
        await ask(url, 2, max_tokens=9000)
    assert [body["max_tokens"] for body in seen] == [9000, 4096, 4096]


async def test_the_preflight_finds_rejected_options() -> None:
    """With a preflight, a rejected option costs one call, although sixteen concurrent calls follow."""
    refuses = frozenset({"json_schema"})
    async with FaultServer(Behaviour(refuses=refuses, latency=0.02)) as server:
        async with connected(server, preflight=True) as backend, asyncio.TaskGroup() as group:
            for number in range(16):
                group.create_task(backend.complete(request(number)))
        counts = server.ledger.counts
    assert (counts["denied"], counts["requests"]) == (1, 18)


# ---- Fatal errors ----


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("quota:insufficient", "no credit left"),
        ("quota:payment", "no credit left"),
        ("quota:spend-limit", "no credit left"),
        ("denied:key", "API key was rejected"),
        ("denied:forbidden", "access denied"),
        ("denied:model", "no such model"),
        ("disguised:arrears", "no credit left"),
        ("disguised:gateway", "no credit left"),
        ("disguised:in-200", "您的账户已欠费"),
        ("disguised:key-400", "API key was rejected"),
        ("disguised:key-200", "login fail"),
        ("disguised:no-channel", "no such model"),
        ("disguised:no-provider", "no such model"),
        ("disguised:no-chat", "takes no chat messages"),
    ],
)
async def test_a_fatal_error_stops_all_calls(fault: str, words: str) -> None:
    """No call is sent after those in flight; every caller gets the error with its hint."""
    async with FaultServer(Behaviour(faults={fault: 1.0}, latency=0.01)) as server:
        async with connected(server, concurrency=4) as backend:
            calls = [asyncio.create_task(backend.complete(request(number))) for number in range(40)]
            await asyncio.wait(calls)
        made = server.ledger.counts["requests"]
    # A call that was sent becomes a Failure with the error as its end; one that was waiting raises it.
    sent = [call.result() for call in calls if call.exception() is None]
    assert len(sent) == made and all(isinstance(each, Failure) and each.tries == 1 for each in sent)
    errors = [call.exception() or call.result().fatal_error for call in calls]  # type: ignore[union-attr]
    assert all(isinstance(each, EndpointError) and each.hint for each in errors)
    assert words in str(errors[0])
    assert made <= 4


async def test_413_is_not_retried() -> None:
    """A request that is too large is a Failure after one call."""
    async with FaultServer(Behaviour(faults={"too-large": 1.0})) as server:
        (outcome,) = await ask(server)
        assert server.ledger.counts["requests"] == 1
    assert isinstance(outcome, Failure)
    assert outcome.reason == "too-large"


async def preflight_error(url: str, **model: Any) -> str:
    """The error of the preflight for an unusable endpoint."""
    with pytest.raises(EndpointError) as caught:
        async with connected(url, preflight=True, **model):
            pass
    assert caught.value.exit_code == 3
    return str(caught.value)


async def test_the_preflight_reports_the_problem_and_its_remedy() -> None:
    """A missing, wrong or rejected key, an unknown model, a base URL with a wrong path, a server that is down."""
    async with FaultServer(Behaviour(key="right", models=("gemma", "qwen"), any_model=False)) as server:
        assert "OPENAI_API_KEY" in await preflight_error(server.base_url)
        assert "Check the API key" in await preflight_error(server.base_url, key="wrong-key-of-mine")
        assert "the endpoint has: gemma, qwen" in await preflight_error(server.base_url, key="right")
        calls = server.ledger.counts["requests"]
    assert calls == 3
    async with FaultServer() as server:
        bare = server.base_url.removesuffix("/v1")
        assert f'`base_url="{server.base_url}"`' in await preflight_error(bare)
        assert f'`base_url="{server.base_url}"`' in await preflight_error(server.base_url + "/chat/completions")
    async with FaultServer(Behaviour(prefix="/api")) as server:
        assert f'`base_url="{server.base_url}"`' in await preflight_error(server.base_url + "/v1")
    gone = await preflight_error(server.base_url)
    assert "connection refused" in gone
    assert "timed out" not in gone
    assert "cannot resolve the host name" in await preflight_error("http://nowhere.invalid/v1")


async def test_the_preflight_retries_a_busy_endpoint() -> None:
    """A 503 in reply to the first call is retried."""
    answers = [error("busy", 503), payload()]
    async with scripted(lambda body: answers.pop(0)) as (url, _), connected(url, preflight=True) as backend:
        assert backend.trial.usage == Usage(11, 7)
        assert backend.counts.calls == 2


async def test_a_redirect_is_not_followed() -> None:
    """A redirect is an error, so that the key is not sent to another address."""
    async with scripted(lambda body: payload()) as (elsewhere, seen):
        moved = web.Response(status=307, headers={"Location": elsewhere + "/chat/completions"})
        async with scripted(lambda body: moved) as (url, _):
            assert "redirects" in await preflight_error(url, key=CANARY)
    assert not seen


# ---- Money ----


async def test_a_budget_is_enforced_at_any_concurrency() -> None:
    """With 64 concurrent calls, a third without usage and some cut off, the server bills no more than the budget."""
    faults = {"cut-body": 0.1, "silence": 0.02, "usage": 0.1}
    behaviour = Behaviour(faults=faults, no_usage=0.3, seed=2, latency=0.005)
    budget = Budget(tokens=60_000)
    async with FaultServer(behaviour, author=lambda messages, rng: "word " * rng.randint(1, 300)) as server:
        async with connected(server, budget=budget, concurrency=64, max_tokens=400) as backend:
            calls = [asyncio.create_task(backend.complete(request(number))) for number in range(600)]
            await asyncio.wait(calls)
        billed = sum(each.input + each.output for each in server.ledger.billed)
    assert any(isinstance(call.exception(), BudgetSpent) for call in calls)
    assert 20_000 < billed <= budget.spent.tokens <= 60_000


async def test_a_budget_limits_the_replies() -> None:
    """With a budget of tokens or money a token limit is sent; an endpoint that accepts none is an error."""
    async with scripted(lambda body: payload()) as (url, seen):
        await ask(url, budget=Budget(tokens=100_000))
        await ask(url, budget=Budget(money=1))
        await ask(url, budget=Budget(requests=1))
        with pytest.raises(BudgetSpent):
            await ask(url, 2, budget=Budget(requests=1))
    assert [body.get("max_tokens") for body in seen] == [8192, 8192, None, None]
    async with FaultServer(Behaviour(refuses=frozenset({"max_tokens", "max_completion_tokens"}))) as server:
        with pytest.raises(EndpointError, match="budget cannot be enforced"):
            await ask(server, budget=Budget(tokens=100_000))


# ---- Keys ----


async def test_a_key_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Servers that repeat the key in errors and content, a dead server, debug logs: no text contains it."""
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []

    async def collect(handler: Handler, **options: Any) -> None:
        async with scripted(handler) as (url, _):
            try:
                async with connected(url, key=CANARY, haste=1000, **options) as backend:
                    texts.append(repr(backend) + repr(vars(backend)) + str(backend.inspect()))
                    texts.append(repr(await backend.complete(request())))
                    texts.append(repr(backend.counts) + repr(backend.options.notes))
            except EndpointError as caught:
                texts.append("".join(traceback.format_exception(caught)) + repr(caught))
                step: BaseException | None = caught
                while step is not None:
                    texts.append(str(step) + repr(step.__dict__))
                    step = step.__cause__ or step.__context__

    for status in (200, 400, 401, 404, 429, 500):
        for preflight in (False, True):
            await collect(lambda body, s=status: error(f"Bad key: {CANARY}", s), preflight=preflight)  # type: ignore[misc]
    await collect(lambda body: payload({"content": f"My key is {CANARY}"}))
    await collect(lambda body: web.Response(text=f"<p>{CANARY}", content_type="text/html"))
    with pytest.raises(EndpointError) as dead:
        async with connected("http://127.0.0.1:9/v1", key=CANARY, preflight=True):
            pass
    with pytest.raises(EndpointError) as broken:
        async with connected("http://127.0.0.1:9/v1", key=f"{CANARY}\nx"):
            pass
    texts += ["".join(traceback.format_exception(each.value)) for each in (dead, broken)]
    assert len(texts) > 20
    assert not [text for text in [*texts, caplog.text] if CANARY in text]
