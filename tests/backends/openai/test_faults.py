"""Short runs with every fault; ``python -m benchmarks.faults`` has the long ones, with figures."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.analysis.summary import Summary
from selfinstruct.backends import Budget, BudgetSpent, cost
from selfinstruct.backends.openai import (
    Deadlines,
    EndpointSettings,
    OpenAIBackend,
    PacingSettings,
    PreflightSettings,
)
from selfinstruct.backends.openai.secret import Secret
from selfinstruct.errors import EndpointError
from selfinstruct.growth import first_reply_format
from selfinstruct.preparation.infer import infer
from selfinstruct.recipe import Model, Price, load_recipe, to_toml
from selfinstruct.records import Batch, Failure, Message, Reply, ReplyFormat, Request, Usage
from selfinstruct.replies import parse_reply
from selfinstruct.rows import read_rows
from selfinstruct.testing import FAULTS, Behaviour, FaultServer, mixed, server_process
from selfinstruct.testing.manners import LISTS

SEEDS = Path("seeds/logqa.jsonl")
ROWS, ROWS_A_CALL, AT_ONCE = 36, 3, 8
#: With characters that JSON, pages and addresses escape.
KEY = "sk-canary/7f3a9b+1c5d2e4f60<&>Zq=="
NOT_FATAL = [name for name, fault in FAULTS.items() if name not in ("quota", "denied") and not fault.lasting]
VARIANTS = [
    f"{name}:{variant}"
    for name, fault in FAULTS.items()
    for variant, each in fault.variants.items()
    if each.effect != "fatal" and not fault.lasting
]
LASTING = [
    f"{name}:{variant}"
    for name, fault in FAULTS.items()
    if fault.lasting and not fault.fatal
    for variant in fault.variants
]


def seed_for(faults: Mapping[str, float], number: int, clean: int = 0) -> int:
    """A seed with which that request has a fault, and neither those before it nor the ``clean`` after it have one."""
    for seed in range(100_000):
        behaviour = Behaviour(faults=faults, seed=seed)
        drawn = [bool(behaviour.draw(each)[0]) for each in range(1, number + clean + 1)]
        if drawn[number - 1] and sum(drawn) == 1:
            return seed
    raise AssertionError("no seed")


def recipe_in(folder: Path, url: str, **model: Any) -> Path:
    """A recipe for the seeds that requests three rows per call from a model."""
    recipe = infer(read_rows(SEEDS)).recipe
    prompt = recipe.prompt.model_copy(update={"rows_per_request": ROWS_A_CALL})
    table = Model(name="test-model", base_url=url, concurrency=AT_ONCE, **model)
    path = folder / "recipe.toml"
    path.write_text(to_toml(recipe.model_copy(update={"prompt": prompt, "model": table}), {}, folder))
    return path


async def grow(folder: Path, behaviour: Behaviour) -> tuple[Summary, Mapping[str, int]]:
    """A whole run with short pauses against a server with this behaviour: its summary, and the server's counts."""
    async with FaultServer(behaviour) as server:
        # Only calls that hang must be given up soon: on a busy machine, good replies may take longer.
        path = recipe_in(folder, server.base_url, timeout=0.3 if {"silence", "drip"} & behaviour.faults.keys() else 3)
        recipe = load_recipe(path)
        assert recipe.model is not None
        settings = EndpointSettings(pacing=PacingSettings(first_backoff=0.01, shortest_cool_down=0.05))
        backend = await OpenAIBackend.connect(
            recipe.model, reply_format=first_reply_format(recipe), settings=settings, environ={}
        )
        run = await api.run_async(path, rows=ROWS, out=folder / "out", backend=backend)
    return run.summary, server.ledger.counts


# ---- Runs ----


@pytest.mark.parametrize("name", [*NOT_FATAL, "mixed"])
async def test_a_run_completes_despite_any_fault(name: str, tmp_path: Path) -> None:
    """With 30 % faults, the preflight included, the quota is met, and each fault costs at most one call."""
    faults = mixed(0.3) if name == "mixed" else {name: 0.3}
    behaviour = Behaviour(faults=faults, seed=seed_for(faults, 1), wait=0.05, drip=0.1, latency=0.005)
    summary, counts = await grow(tmp_path, behaviour)
    assert (summary.accepted, summary.stopped) == (ROWS, "done")
    assert summary.conserved
    # The preflight; and at the end of a quota, each category may have one call too many in flight.
    assert counts["requests"] <= 1 + ROWS / ROWS_A_CALL + counts["faults"] + len(summary.categories)


@pytest.mark.parametrize("name", LASTING)
async def test_requests_fit_the_endpoint(name: str) -> None:
    """What an endpoint refuses of every request is found by few calls, and told; all others are answered."""
    kind, _, variant = name.partition(":")
    right = FAULTS[kind].variants[variant]
    options = {"temperature": 0.7, "top_p": 0.9, "presence_penalty": 0.5, "max_tokens": 2_000}
    async with FaultServer(Behaviour(faults={name: 1.0})) as server:
        backend = await connect(server, Deadlines(), model=options, reply_format=ReplyFormat({"Answer": "string"}))
        prompts = [request(number, "Write a row.") for number in range(3)]
        outcomes = [await backend.complete(each) for each in prompts]
        sent = server.ledger.counts["requests"]
        notes = list(backend.notes)
        await backend.close()
    assert [isinstance(each, Reply) and each.text for each in outcomes] == ["ok"] * 3
    assert sent - len(prompts) - 1 <= right.wasted
    assert bool(notes) == bool(right.told)
    assert right.told in " ".join(notes)


@pytest.mark.parametrize("form", LISTS)
async def test_a_model_that_writes_is_chosen_from_any_list(form: str) -> None:
    """The first that is no embedding or rerank model, in every form of a list; a choice between several is noted."""
    async with FaultServer(Behaviour(models=("qwen3",), any_model=False, model_list=form)) as server:
        backend = await connect(server, Deadlines(), model={"name": "default"})
        assert (backend.name, backend.notes) == ("qwen3", [])
        server.behaviour = Behaviour(models=("gemma", "qwen3"), model_list=form)
        other = await connect(server, Deadlines(), model={"name": "default"})
        assert other.notes == ["gemma: gemma is the first model that the endpoint lists; the others are qwen3"]
        await backend.close()
        await other.close()


async def test_refusals_are_noted_in_the_summary(tmp_path: Path) -> None:
    """What was left out of the requests of a run, and what the endpoint said, is in the notes of its summary."""
    summary, _ = await grow(tmp_path, Behaviour(faults={"no-system:gemma": 1.0}))
    assert (summary.accepted, summary.stopped) == (ROWS, "done")
    assert [note for note in summary.notes if "System role not supported" in note]


@pytest.mark.parametrize("fault", ["quota:insufficient", "denied:key"])
async def test_a_fatal_fault_ends_the_run(fault: str, tmp_path: Path) -> None:
    """After a fatal fault, at most one call per slot follows, the rows so far are kept, and the error has a hint."""
    behaviour = Behaviour(faults={fault: 0.3}, seed=seed_for({fault: 0.3}, 9), latency=0.02)
    async with FaultServer(behaviour) as server:
        with pytest.raises(EndpointError) as caught:
            await api.run_async(recipe_in(tmp_path, server.base_url), rows=ROWS, out=tmp_path / "out")
    assert server.ledger.counts["fatal"] >= 1
    assert server.ledger.counts["after-fatal"] <= AT_ONCE
    assert "Everything received so far is kept" in caught.value.hint
    assert (tmp_path / "out" / "rows.jsonl").read_bytes().count(b"\n") > 0


# ---- The first calls ----


async def connect(server: FaultServer, deadlines: Deadlines, *, silent: float = 20.0, **options: Any) -> OpenAIBackend:
    """A backend after its preflight, with pauses cut short."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.005))

    model = Model(**{"name": "test-model"} | options.pop("model", {}), base_url=server.base_url)
    settings = EndpointSettings(deadlines=deadlines, preflight=PreflightSettings(silent=silent))
    return await OpenAIBackend.connect(model, settings=settings, environ={}, sleep=sleep, rng=Random(1), **options)


def request(number: int, text: str = "Write one row.") -> Request:
    """A request with one message."""
    return Request(Batch(number, "", 1, 0, ()), "imitate", (Message("user", text),), (), seed=number)


async def test_the_preflight_retries_every_transient_fault() -> None:
    """Each variant of a transient fault in the first reply is retried, and the backend connects."""

    async def try_out(fault: str) -> None:
        """One preflight with this fault."""
        behaviour = Behaviour(faults={fault: 0.5}, seed=seed_for({fault: 0.5}, 1, clean=4), wait=0.01, drip=0.05)
        async with FaultServer(behaviour) as server:
            backend = await connect(server, Deadlines(connect=1, idle=0.5, total=0.5, least=0.5))
            assert server.ledger.counts["requests"] <= 3, fault
            await backend.close()

    async with asyncio.TaskGroup() as group:
        for fault in VARIANTS:
            group.create_task(try_out(fault))


async def test_a_silent_first_call_is_hedged() -> None:
    """A second call is sent beside a silent one, long before the deadline; a slow call is not given up."""
    began = time.monotonic()
    seed = seed_for({"silence": 0.5}, 1, clean=4)
    async with FaultServer(Behaviour(faults={"silence": 0.5}, seed=seed)) as server:
        backend = await connect(server, Deadlines(total=60), silent=0.1)
        await backend.close()
    assert server.ledger.counts["requests"] == 2
    async with FaultServer(Behaviour(latency=0.15)) as server:
        backend = await connect(server, Deadlines(total=60), silent=0.1)
        await backend.close()
    assert len(server.ledger.billed) == 1
    assert time.monotonic() - began < 5


async def test_the_deadline_of_calls_in_flight_is_lowered() -> None:
    """Four silent calls are given up once replies show how long they take, long before their first deadline."""
    began = time.monotonic()
    async with FaultServer() as server:
        backend = await connect(server, Deadlines(total=60, least=0.3), model={"concurrency": 8})
        server.behaviour = Behaviour(faults={"silence": 1.0})
        async with asyncio.TaskGroup() as group:
            silent = [group.create_task(backend.complete(request(number))) for number in range(4)]
            await asyncio.sleep(0.3)
            assert server.ledger.counts["silence"] == 4
            server.behaviour = Behaviour(latency=0.01)
            others = [group.create_task(backend.complete(request(number))) for number in range(4, 40)]
        await backend.close()
    assert all(isinstance(call.result(), Reply) for call in (*silent, *others))
    assert time.monotonic() - began < 10


# ---- Money ----


@pytest.mark.parametrize("kind", ["money", "tokens", "requests"])
async def test_no_budget_is_exceeded_by_256_concurrent_calls(kind: str) -> None:
    """With replies of random sizes, a third without usage and some cut off, the server bills within the budget."""
    price = Price(input=0.15, output=0.6)
    limits: dict[str, Any] = {"money": Decimal("0.025"), "tokens": 90_000, "requests": 300}
    budget = Budget(**{kind: limits[kind]})
    faults = {"cut-body": 0.05, "no-choices": 0.03, "reasoning": 0.03, "usage": 0.05}
    behaviour = Behaviour(faults=faults, no_usage=1 / 3, seed=3, latency=0.05)
    async with FaultServer(behaviour, author=lambda messages, rng: "word " * rng.randint(1, 250)) as server:
        model = {"price": price, "concurrency": 256, "max_tokens": 200}
        backend = await connect(server, Deadlines(), budget=budget, model=model)

        async def ask(number: int) -> None:
            """Send requests until the budget is spent."""
            while True:
                try:
                    outcome = await backend.complete(request(number, "Write some words. " * (1 + number % 16)))
                except BudgetSpent:
                    return
                if isinstance(outcome, Failure) and outcome.fatal_error is not None:
                    return

        async with asyncio.TaskGroup() as group:
            for number in range(256):
                group.create_task(ask(number))
        await backend.close()
    given = sum(each.input for each in server.ledger.billed)
    written = sum(each.output for each in server.ledger.billed)
    billed = {"tokens": given + written, "requests": server.ledger.counts["requests"]}
    billed["money"] = cost(Usage(given, written), price)  # type: ignore[assignment]
    assert limits[kind] / 4 < billed[kind] <= getattr(budget.spent, kind) <= limits[kind]
    assert server.ledger.peak > 80


# ---- The key ----


def forms_of(key: str) -> list[str]:
    """The encodings of a key in the replies of servers."""
    encoded = base64.b64encode(f"Bearer {key}".encode()).decode()
    escaped = json.dumps(key)[1:-1]
    return [
        key,
        escaped.replace("/", "\\/"),
        escaped.replace("+", "\\u002B"),
        html.escape(key),
        quote(key, ""),
        encoded,
    ]


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=8), st.sampled_from(range(6)))
def test_a_key_is_redacted_in_every_encoding(key: str, form: int) -> None:
    """Plain, escaped for JSON, HTML and URLs, and in base64; the surrounding text is unchanged."""
    text = f'{{"error": "no: {forms_of(key)[form]} "}}'
    hidden = Secret(key).redact(text.encode()).decode()
    assert hidden.startswith('{"error": "no: ')
    assert hidden.endswith(' "}')
    assert "[api key]" in hidden
    assert key not in hidden


@given(st.text(), st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=7))
def test_other_text_is_not_redacted(text: str, key: str) -> None:
    """A text without the key is unchanged, and placeholders are not redacted."""
    data = f"{text} {key}".encode("utf-8", "replace")
    assert Secret(key).redact(data) == data
    assert Secret(KEY).redact(data) == data
    assert KEY not in repr(Secret(KEY))


async def test_the_fault_server_repeats_the_key() -> None:
    """In an error message, a page and a header; otherwise the next test would prove nothing."""
    async with FaultServer(Behaviour(key="another", repeats_key=True)) as server, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with session.get(f"{server.base_url}/models", headers=headers) as reply:
            assert KEY in str((await reply.json())["error"]["message"])
            assert KEY in reply.headers["X-Request-Authorization"]
        async with session.get(f"{server.base_url}/nowhere", headers=headers) as reply:
            assert html.escape(KEY) in await reply.text()


@pytest.mark.parametrize("server", [["--fault", "mixed", "--rate", "0.6"], ["--fault", "denied", "--rate", "0.1"]])
def test_a_run_leaves_no_trace_of_the_key(server: list[str], tmp_path: Path) -> None:
    """Neither its files nor its output contain it, although the server repeats it."""
    environment = {**os.environ, "OPENAI_API_KEY": KEY, "PYTHONPATH": str(Path.cwd())}
    with server_process(*server, "--repeat-key", "--seed", "5") as url:
        recipe = recipe_in(tmp_path, url, timeout=0.5)
        command = [
            sys.executable,
            "-X",
            "dev",
            "-m",
            "selfinstruct",
            "run",
            str(recipe),
            "--out",
            str(tmp_path / "out"),
        ]
        done = subprocess.run([*command, "--rows", "30"], capture_output=True, env=environment, timeout=60, check=False)
    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] + [done.stdout + done.stderr]
    assert len(texts) > 3
    assert b"Traceback" not in texts[-1]
    looked_for = [KEY, KEY[10:22], base64.b64encode(KEY.encode()).decode()[:-4]]
    assert not [each for each in looked_for for text in texts if each.encode() in text]


# ---- Replies ----


def test_an_ambiguous_quote_costs_its_row_only() -> None:
    """An unescaped quote in a value may look like the end of the value, but then another one is left over."""
    cut = "[{'Question': 'a'}\n b', 'Answer': '1'},\n{'Question': 'd', 'Answer': '2'}]"
    assert [each.row for each in parse_reply(cut, ("Question", "Answer")).candidates if each.row] == [
        {"Question": "d", "Answer": "2"}
    ]
    prose = "[{'Question': 'a', 'Answer': '1'}]\nThat's all; tell me if you'd like more."
    assert [each.row for each in parse_reply(prose, ("Question", "Answer")).candidates] == [
        {"Question": "a", "Answer": "1"}
    ]
