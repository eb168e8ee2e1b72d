"""The fault server: it writes what the prompt asks for, and each fault is what it says it is."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from selfinstruct.backends.openai.completion import Completion, read_completion
from selfinstruct.errors import InputError
from selfinstruct.preparation.infer import infer
from selfinstruct.prompts import detect_language, row_messages
from selfinstruct.records import Row
from selfinstruct.replies import parse_reply
from selfinstruct.rows import read_rows
from selfinstruct.similarity.rouge import rouge_l
from selfinstruct.testing import FAULTS, Behaviour, FaultServer, ScriptedAuthor, Shares, mixed, server_process

SEEDS = Path(__file__).parents[2] / "seeds"
LOGQA = read_rows(SEEDS / "logqa.jsonl")
DEMOS = LOGQA.rows[:4]
PATIENCE = aiohttp.ClientTimeout(total=2)


def prompt(rows: Sequence[Row] = DEMOS, count: int = 5, seeds: str = "logqa.jsonl") -> list[dict[str, str]]:
    """The messages that ask for ``count`` rows."""
    file = read_rows(SEEDS / seeds)
    said = row_messages(infer(file).recipe, "What <*>?", count, rows, detect_language(file.rows))
    return [{"role": message.role, "content": message.content} for message in said]


PROMPT = prompt()


async def ask(server: FaultServer, session: aiohttp.ClientSession, **options: Any) -> tuple[int, Any, dict[str, str]]:
    """Status, JSON body (or text) and headers of one chat completion."""
    body = {"model": "m", "messages": PROMPT} | options
    async with session.post(f"{server.base_url}/chat/completions", json=body, timeout=PATIENCE) as reply:
        text = await reply.text()
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return reply.status, json.loads(text) if reply.content_type == "application/json" else text, headers


def content(payload: Any) -> str:
    """The content of the only choice."""
    return str(payload["choices"][0]["message"]["content"])


async def one(fault: str, **options: Any) -> tuple[int, Any, dict[str, str]]:
    """The reply to one request that a fault befalls for certain."""
    async with FaultServer(Behaviour(faults={fault: 1.0})) as server, aiohttp.ClientSession() as session:
        return await ask(server, session, **options)


# ---- A good server ----


async def test_it_writes_the_rows_that_are_asked_for() -> None:
    """A prompt that shows demonstrations is answered with as many new rows of their fields as it asks for."""
    async with FaultServer() as server, aiohttp.ClientSession() as session:
        status, payload, _ = await ask(server, session, messages=prompt(count=20))
        again = (await ask(server, session, messages=prompt(count=20)))[1]
    rows = json.loads(content(payload))["rows"]
    assert status == 200
    assert len(rows) == 20
    assert all(list(row) == list(LOGQA.fields) and row["Answer"] in row["RawLog"] for row in rows)
    assert not [row for row in rows if row in LOGQA.rows]
    assert json.loads(content(again))["rows"] != rows
    assert payload["usage"]["total_tokens"] == sum(
        payload["usage"][key] for key in ("prompt_tokens", "completion_tokens")
    )
    assert payload["choices"][0]["finish_reason"] == "stop"


async def test_it_reads_chinese_prompts() -> None:
    """The number of rows and the demonstrations are found in a Chinese prompt as well."""
    rows = read_rows(SEEDS / "classics-zh.jsonl").rows[:4]
    async with FaultServer() as server, aiohttp.ClientSession() as session:
        payload = (await ask(server, session, messages=prompt(rows, 7, "classics-zh.jsonl")))[1]
    written = json.loads(content(payload))["rows"]
    assert len(written) == 7
    assert all(list(row) == list(rows[0]) for row in written)


async def test_a_prompt_without_demonstrations_is_answered() -> None:
    """A preflight's short question gets a short answer."""
    async with FaultServer() as server, aiohttp.ClientSession() as session:
        payload = (await ask(server, session, messages=[{"role": "user", "content": "Say ok."}], max_tokens=1))[1]
    assert content(payload) == "ok"


async def test_completions_and_models() -> None:
    """The plain completion endpoint takes the same prompt as text, and the models are listed."""
    text = "\n\n".join(message["content"] for message in PROMPT)
    async with FaultServer(Behaviour(models=("a", "b"))) as server, aiohttp.ClientSession() as session:
        async with session.post(f"{server.base_url}/completions", json={"model": "a", "prompt": text}) as reply:
            payload = await reply.json()
        async with session.get(f"{server.base_url}/models") as reply:
            models = await reply.json()
    assert len(json.loads(payload["choices"][0]["text"])["rows"]) == 5
    assert [model["id"] for model in models["data"]] == ["a", "b"]


async def test_the_openai_client_understands_it() -> None:
    """The public client reads the reply, and raises its own errors for a wrong key."""
    openai = pytest.importorskip("openai")
    async with (
        FaultServer(Behaviour(key="right")) as server,
        openai.AsyncOpenAI(api_key="right", base_url=server.base_url, max_retries=0) as client,
    ):
        reply = await client.chat.completions.create(model="m", messages=PROMPT)
        assert len(json.loads(reply.choices[0].message.content)["rows"]) == 5
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="wrong").chat.completions.create(model="m", messages=PROMPT)
    assert server.ledger.counts["denied"] == 1


async def test_wrong_addresses_models_and_options_are_refused() -> None:
    """A path without /v1 is an HTML page, an unknown model 404, a refused option 400 that names it."""
    behaviour = Behaviour(models=("a",), any_model=False, refuses=frozenset({"seed", "json_object"}))
    async with FaultServer(behaviour) as server, aiohttp.ClientSession() as session:
        async with session.post(server.base_url.removesuffix("/v1") + "/chat/completions", json={}) as reply:
            assert (reply.status, reply.content_type) == (404, "text/html")
        assert (await ask(server, session, model="b"))[0] == 404
        status, payload, _ = await ask(server, session, model="a", seed=1)
        assert (status, payload["error"]["param"]) == (400, "seed")
        assert (await ask(server, session, model="a", response_format={"type": "json_object"}))[0] == 400
        assert (await ask(server, session, model="a", messages=[]))[0] == 400
        assert (await ask(server, session, model="a"))[0] == 200
    assert len(server.ledger.billed) == 1


async def test_the_token_limit_is_kept_and_billed() -> None:
    """A reply is cut at ``max_tokens``, says so, and is never billed for more."""
    async with FaultServer() as server, aiohttp.ClientSession() as session:
        whole = (await ask(server, session, max_tokens=9_000))[1]
        cut = (await ask(server, session, max_tokens=40))[1]
        also = (await ask(server, session, max_completion_tokens=40))[1]
    assert whole["choices"][0]["finish_reason"] == "stop"
    for payload in (cut, also):
        assert payload["choices"][0]["finish_reason"] == "length"
        assert payload["usage"]["completion_tokens"] == 40
    assert [request.output for request in server.ledger.billed[1:]] == [40, 40]


async def test_usage_may_be_missing_or_half_there() -> None:
    """The shares of replies without usage, and with half of it, are as they were set; all are billed the same."""
    behaviour = Behaviour(no_usage=0.3, partial_usage=0.3)
    async with FaultServer(behaviour) as server, aiohttp.ClientSession() as session:
        usages = [(await ask(server, session))[1].get("usage") for _ in range(200)]
    missing = sum(usage is None for usage in usages)
    partial = sum(usage is not None and len(usage) == 1 for usage in usages)
    assert 35 < missing < 85
    assert 35 < partial < 85
    assert len(server.ledger.billed) == 200


# ---- Faults ----

STATUSES = {
    "rate-limit": {429},
    "quota": {402, 429},
    "server-error": {500, 502, 503, 504, 529},
    "too-large": {413},
    "error-200": {200},
    "html": {200, 502, 520},
    "envelope": {503},
    "denied": {401, 403, 404},
    "json-validate": {400},
}
HANGS = {"silence", "drip"}
BREAKS = {"cut-body", "bad-encoding", "dropped"}


def test_every_kind_of_misbehaviour_is_there() -> None:
    """The kinds are numbered, and the mix of the survivable ones adds up to its rate."""
    numbers = {fault.number for fault in FAULTS.values()}
    assert numbers == set(range(1, max(numbers) + 1)) and len(numbers) >= 46
    assert sum(mixed(0.3).values()) == pytest.approx(0.3)
    some = {name for name, fault in FAULTS.items() if not fault.lasting}
    assert some - set(mixed(0.3)) == {"quota", "too-large", "denied"}


@pytest.mark.parametrize("name", STATUSES)
async def test_a_fault_has_its_status(name: str) -> None:
    """Each variant of a fault that is an error reply has one of the fault's statuses, and is counted by its name."""
    seen = set()
    for variant in FAULTS[name].variants:
        async with (
            FaultServer(Behaviour(faults={f"{name}:{variant}": 1.0})) as server,
            aiohttp.ClientSession() as session,
        ):
            seen.add((await ask(server, session))[0])
        assert server.ledger.counts[f"{name}:{variant}"] == server.ledger.counts[name] == 1
    assert seen == STATUSES[name]


@pytest.mark.parametrize("name", sorted(HANGS | BREAKS))
async def test_a_fault_of_the_connection_gives_no_reply(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Hanging and broken replies never arrive, and the server survives them without a word in its log."""
    for variant in FAULTS[name].variants:
        async with (
            FaultServer(Behaviour(faults={f"{name}:{variant}": 1.0})) as server,
            aiohttp.ClientSession() as session,
        ):
            expected = TimeoutError if name in HANGS else aiohttp.ClientError
            with pytest.raises(expected):
                async with asyncio.timeout(0.3):
                    await ask(server, session)
        assert server.ledger.counts["lost"] == 1
        assert server.ledger.in_flight == 0
    assert not caplog.records


async def test_what_was_generated_is_billed_and_what_was_refused_is_not() -> None:
    """A reply that hangs or breaks off is in the log of billed requests with its fault; a 429 is not."""
    for fault, billed in (("silence", 1), ("cut-body", 1), ("no-choices", 1), ("rate-limit", 0), ("html", 0)):
        async with FaultServer(Behaviour(faults={fault: 1.0})) as server, aiohttp.ClientSession() as session:
            with suppress(TimeoutError, aiohttp.ClientError):
                async with asyncio.timeout(0.3):
                    await ask(server, session)
        assert [request.fault.partition(":")[0] for request in server.ledger.billed] == [fault] * billed


async def test_rate_limits_hint_in_every_form() -> None:
    """Seconds, milliseconds, an HTTP date by a clock that is wrong, reset headers, Azure's -1 and 0, and nothing."""
    assert "retry-after" not in (await one("rate-limit:bare"))[2]
    assert (await one("rate-limit:seconds"))[2]["retry-after"] == "1"
    assert (await one("rate-limit:milliseconds"))[2]["retry-after-ms"] == "200"
    assert (await one("rate-limit:reset"))[2]["x-ratelimit-reset-requests"] == "200ms"
    assert (await one("rate-limit:azure"))[2]["x-ratelimit-remaining-requests"] == "-1"
    headers = (await one("rate-limit:date"))[2]
    wait = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
    assert wait.total_seconds() == 1


async def test_a_kept_connection_is_closed_only_when_it_is_used_again() -> None:
    """The keep-alive race befalls the second request on a connection and not the first."""
    async with FaultServer(Behaviour(faults={"keep-alive": 1.0})) as server, aiohttp.ClientSession() as session:
        assert (await ask(server, session))[0] == 200
        with pytest.raises(aiohttp.ServerDisconnectedError):
            for _ in range(2):
                await ask(server, session)
    assert server.ledger.counts["keep-alive"] == 1


async def test_faults_that_a_client_can_avoid() -> None:
    """Without the option, with identity, or with fewer demonstrations, the same request is answered."""
    async with FaultServer(Behaviour(faults={"refused-option": 1.0})) as server, aiohttp.ClientSession() as session:
        status, payload, _ = await ask(server, session, seed=1, response_format={"type": "json_object"})
        assert (status, payload["error"]["param"]) == (400, "response_format")
        assert (await ask(server, session))[0] == 200
    async with (
        FaultServer(Behaviour(faults={"bad-encoding": 1.0})) as server,
        aiohttp.ClientSession(headers={"Accept-Encoding": "identity"}) as session,
    ):
        assert (await ask(server, session))[0] == 200
    async with FaultServer(Behaviour(faults={"context:refused": 1.0})) as server, aiohttp.ClientSession() as session:
        status, payload, _ = await ask(server, session)
        assert (status, payload["error"]["code"]) == (400, "context_length_exceeded")
        assert (await ask(server, session, messages=prompt(DEMOS[:2])))[0] == 200
    assert server.ledger.counts["faults"] == 1


CONTENT_FAULTS = (
    "length", "reasoning", "refusal", "tool-calls", "dress", "trap", "hostile", "drift", "ending", "control-tokens",
    "strings", "full-width", "list-marks", "placeholder", "damage", "ignored-format",
)  # fmt: skip
CONTENT = [
    (name, variant, FAULTS[name].variants[variant].effect)
    for name in (*CONTENT_FAULTS, "context")
    for variant in FAULTS[name].variants
    if (name, variant) != ("context", "refused")
]


@pytest.mark.parametrize(("name", "variant", "effect"), CONTENT)
async def test_content_is_spoilt_as_the_fault_says(name: str, variant: str, effect: str) -> None:
    """A ``kept`` fault leaves rows to be read, a ``lost`` one none; reasoning's drafts are never among them."""
    status, payload, _ = await one(f"{name}:{variant}")
    assert status == 200
    choice = payload["choices"][0]
    text = choice["message"]["content"]
    if "tool_calls" in choice["message"]:
        text = choice["message"]["tool_calls"][0]["function"]["arguments"]
    elif not text and isinstance(read := read_completion(json.dumps(payload).encode(), ""), Completion):
        text = read.text  # taken for reasoning
    parsed = parse_reply(text or "", LOGQA.fields, finish_reason=choice.get("finish_reason") or "missing")
    rows = [candidate.row for candidate in parsed.candidates if candidate.row is not None]
    assert bool(rows) == (effect == "kept")
    assert not [row for row in rows if "draft" in row.values()]
    async with FaultServer() as server, aiohttp.ClientSession() as session:
        clean = (await ask(server, session))[1]
    assert clean["choices"] != payload["choices"], "the same chances, and no fault"
    if name in ("reasoning", "ending", "control-tokens", "strings", "full-width") and "labelled" not in variant:
        written = json.loads(content(clean))["rows"]
        assert rows == written[: len(rows)]
        assert len(rows) == len(written) or effect == "lost" or (name == "ending" and "whole" not in variant)


async def test_failed_generation_and_no_choices() -> None:
    """The refused text comes with the refusal, and a billed payload may have no choices at all."""
    status, payload, _ = await one("json-validate")
    assert status == 400
    assert len(parse_reply(payload["error"]["failed_generation"], LOGQA.fields).candidates) == 5
    assert (await one("no-choices"))[1]["choices"] == []


async def test_usage_comes_in_odd_forms() -> None:
    """Each variant of odd usage lacks, or spells in another way, what a good one has."""
    usages = [(await one(f"usage:{variant}"))[1].get("usage") for variant in FAULTS["usage"].variants]
    good = {"prompt_tokens", "completion_tokens", "total_tokens"}
    assert not [u for u in usages if u and u.keys() == good and all(isinstance(n, int) and n for n in u.values())]


async def test_faults_are_mixed_at_the_rate_and_the_same_on_every_run() -> None:
    """About the given share of requests is befallen, and the seed decides which."""
    drawn = []
    for _ in range(2):
        behaviour = Behaviour(faults=mixed(0.3), seed=7)
        drawn.append([behaviour.draw(number)[0] for number in range(2_000)])
    assert drawn[0] == drawn[1]
    counts = Counter(drawn[0])
    assert 0.27 < 1 - counts[""] / 2_000 < 0.33
    assert set(counts) - {""} == set(mixed(0.3))
    assert [Behaviour(faults=mixed(0.3), seed=8).draw(n)[0] for n in range(2_000)] != drawn[0]


def test_an_unknown_fault_is_an_error() -> None:
    """A fault or variant that there is not is refused with the names that there are."""
    with pytest.raises(InputError, match="rate-limit"):
        FaultServer(Behaviour(faults={"ratelimit": 0.3}))
    with pytest.raises(InputError, match="milliseconds"):
        FaultServer(Behaviour(faults={"rate-limit:ms": 0.3}))


# ---- Time ----


async def test_latency_slots_and_slow_replies() -> None:
    """Replies take the latency, some many times as long, and wait for a slot where there are few."""
    loop = asyncio.get_running_loop()

    async def timed(behaviour: Behaviour, requests: int) -> list[float]:
        async with FaultServer(behaviour) as server, aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            begun = loop.time()

            async def ended() -> float:
                await ask(server, session)
                return loop.time() - begun

            tasks = [group.create_task(ended()) for _ in range(requests)]
        return sorted(task.result() for task in tasks)

    assert min(await timed(Behaviour(latency=0.1), 8)) >= 0.1
    slow = await timed(Behaviour(latency=0.02, slow_share=0.3, slow_factor=25), 30)
    assert 2 <= sum(seconds >= 0.5 for seconds in slow) <= 18
    assert max(await timed(Behaviour(latency=0.1, slots=2), 6)) >= 0.3


async def test_generation_outlives_a_client_that_left() -> None:
    """A zombie holds its slot after its client is gone, so that the next request waits."""
    behaviour = Behaviour(faults={"zombie": 0.5}, latency=0.1, slow_factor=8, slots=1, seed=0)
    first = next(number for number in range(1, 99) if behaviour.draw(number)[0] and not behaviour.draw(number + 1)[0])
    async with FaultServer(behaviour) as server, aiohttp.ClientSession() as session:
        server.ledger.counts["requests"] = first - 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ask(server, session)
        begun = asyncio.get_running_loop().time()
        assert (await ask(server, session))[0] == 200
        assert asyncio.get_running_loop().time() - begun > 0.4
    assert server.ledger.counts["abandoned"] == 1


async def test_a_storm_and_a_limit_answer_429() -> None:
    """During a storm every answer is 429, and afterwards normal; a limit includes the delay."""
    async with FaultServer(Behaviour(requests_per_minute=600)) as server, aiohttp.ClientSession() as session:
        server.storm(0.5)
        assert (await ask(server, session))[0] == 429
        await asyncio.sleep(0.5)
        assert (await ask(server, session))[0] == 200
        replies = [await ask(server, session) for _ in range(20)]
        limited = [headers for status, _, headers in replies if status == 429]
    assert limited
    assert all(0 < float(headers["retry-after"]) <= 0.1 for headers in limited)
    assert (server.ledger.counts["storm"], server.ledger.counts["limited"]) == (1, len(limited))


# ---- The author ----


def written(shares: Shares, replies: int = 40) -> list[Any]:
    """The candidates of many replies, with these shares of bad rows."""
    author = ScriptedAuthor(shares)
    texts = [author(PROMPT, Random(number)) for number in range(replies)]
    return [candidate for text in texts for candidate in parse_reply(text, LOGQA.fields).candidates]


def test_the_author_writes_bad_rows_in_the_shares_it_is_given() -> None:
    """Ungrounded, echoed, near-duplicate and malformed rows come as often as was asked for, and no others."""
    good = [candidate.row for candidate in written(Shares())]
    assert len(good) == 200
    assert all(row["Answer"] in row["RawLog"] for row in good)
    assert sum(row in DEMOS for row in good) < 5
    rows = [candidate.row for candidate in written(Shares(ungrounded=0.2))]
    assert 20 < sum(row["Answer"] not in row["RawLog"] for row in rows) < 60
    rows = [candidate.row for candidate in written(Shares(echoed=0.2))]
    assert 20 < sum(row in DEMOS for row in rows) < 60
    rows = [candidate.row for candidate in written(Shares(near_duplicate=0.2))]
    logs = [row["RawLog"] for row in rows]
    again = [log for at, log in enumerate(logs) if log.endswith(" .") and log[:-2] in logs[:at]]
    assert 20 < len(again) < 60
    assert rouge_l(again[0], again[0][:-2]).f1 == 1
    problems = [candidate.problem for candidate in written(Shares(malformed=0.2))]
    assert 20 < sum(map(bool, problems)) < 60


def test_the_author_may_write_fewer_or_more_rows() -> None:
    """With a spread the number of rows strays about as far from what was asked for."""
    author = ScriptedAuthor(Shares(spread=0.5))
    counts = Counter(len(parse_reply(author(PROMPT, Random(n)), LOGQA.fields).candidates) for n in range(60))
    assert set(counts) <= set(range(2, 9))
    assert min(counts) < 5 < max(counts)


# ---- By hand ----


def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    """It prints its address first, shows its ledger while it runs, and prints and writes it at the end."""
    log = tmp_path / "billed.jsonl"
    command = [sys.executable, "-m", "selfinstruct.testing", "--port", "0", "--fault", "usage", "--rate", "1"]
    with subprocess.Popen([*command, "--log", str(log)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        body = json.dumps({"model": "m", "messages": PROMPT}).encode()
        with urllib.request.urlopen(f"{base_url}/chat/completions", body) as reply:
            assert len(json.loads(content(json.load(reply)))["rows"]) == 5
        with urllib.request.urlopen(base_url.removesuffix("/v1") + "/ledger") as reply:
            ledger = json.load(reply)
        del ledger["idle"]  # the seconds since its last request, of a server that runs
        process.send_signal(signal.SIGTERM)
        assert json.loads(process.stdout.readline()) == ledger
        assert process.wait(10) == 0
    assert (ledger["requests"], ledger["usage"], ledger["billed"]) == (1, 1, 1)
    assert json.loads(log.read_text())["output"] == ledger["tokens"]["output"]


def test_a_process_of_its_own_ends_with_its_context() -> None:
    """The helper for benchmarks gives a base URL that answers inside its context alone."""
    with server_process("--latency", "0") as base_url, urllib.request.urlopen(f"{base_url}/models") as reply:
        assert reply.status == 200
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{base_url}/models")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--list"], 0, "28  drift"),
        (["--fault", "nonsense"], 2, "no such fault: 'nonsense'"),
        (["--rate", "3"], 2, "a number between 0 and 1"),
        (["--storm", "soon"], 2, "START:SECONDS"),
    ],
)
def test_the_command_explains_itself(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The faults are listed, and a wrong argument is answered with what would be right."""
    from selfinstruct.testing.__main__ import main

    try:
        ended = main(arguments)
    except SystemExit as stop:
        ended = int(str(stop.code))
    assert ended == code
    printed = capsys.readouterr()
    assert said in printed.out + printed.err
