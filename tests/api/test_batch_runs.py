"""Whole runs by batch jobs: rounds, half the price, sessions that take up where the last one stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.backends.openai.batches import round as rounds
from selfinstruct.cli import main
from selfinstruct.errors import InputError
from selfinstruct.events import JobProgress, Pace, Snapshot
from selfinstruct.growth import dispatch
from selfinstruct.journal import History, sent_jobs
from selfinstruct.render.progress import held_back
from selfinstruct.testing import BatchBehaviour, Behaviour, FaultServer, ScriptedAuthor, Shares, server_process

SEEDS = Path("seeds/logqa.jsonl").resolve()
PRICED = "price = { input = 1.0, output = 4.0 }"


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Jobs of milliseconds are polled every few milliseconds."""
    for name in ("FIRST_POLL", "LONGEST_POLL", "SETTLING"):
        monkeypatch.setattr(rounds, name, 0.01)
    monkeypatch.setattr(dispatch, "HEARTBEAT", 0.02)
    yield


def recipe(folder: Path, base_url: str, model: str = PRICED, rows: int = 200) -> Path:
    """The inferred recipe of the seeds, with a model at this address."""
    path = folder / "recipe.toml"
    text = api.init(SEEDS, folder / "inferred.toml", force=True).replace("rows = 1000", f"rows = {rows}")
    path.write_text(f'{text}\n[model]\nname = "m"\nbase_url = "{base_url}"\n{model}\n', encoding="utf-8")
    return path


def served(seconds: float = 0.0, **faults: float) -> FaultServer:
    """A server of two models whose author has a fifth of its rows rejected."""
    behaviour = Behaviour(models=("m", "other"), batches=BatchBehaviour(seconds, faults))
    return FaultServer(behaviour, author=ScriptedAuthor(Shares(ungrounded=0.2)))


async def test_a_round_asks_for_what_is_missing_at_half_the_price(tmp_path: Path) -> None:
    """Two or three rounds meet the quota; a row costs at most 0.55 of what it costs online."""
    async with served() as server:
        file = recipe(tmp_path, server.base_url, rows=100)
        online = (await api.run_async(file, out=tmp_path / "online")).summary
        before = len(server.ledger.billed)
        run = await api.run_async(file, out=tmp_path / "batch", batch=True)
    summary, billed = run.summary, server.ledger.billed[before:]
    assert summary.stopped == "done" and summary.accepted == 100 and summary.conserved
    assert server.ledger.counts["batch-jobs"] <= 3 and not api.open_batch_jobs(run.directory)
    assert online.cost is not None and summary.cost is not None and summary.cost / online.cost <= 0.55
    preflight, *requests = [(each.input + 4 * each.output) / 1e6 for each in billed]
    assert summary.cost == pytest.approx(preflight + sum(requests) / 2)
    assert {name: bill.requests for name, bill in summary.models.items()} == {"m": 1, "m (batch)": len(requests)}


@pytest.mark.slow
async def test_a_run_by_batch_jobs_is_like_any_other(tmp_path: Path) -> None:
    """Its replies are judged again, audited and replayed, to the same rows, byte for byte."""
    async with served() as server:
        file = recipe(tmp_path, server.base_url)
        run = await api.run_async(file, out=tmp_path / "run", batch=True)
    rows = (run.directory / "rows.jsonl").read_bytes()
    assert api.rejudge(run.directory).identical and api.verify(run.directory).holds
    api.report(run.directory)
    assert (run.directory / "rows.jsonl").read_bytes() == rows
    again = api.run(file, out=tmp_path / "again", backend="replay", recording=run.directory)
    assert (again.directory / "rows.jsonl").read_bytes() == rows


async def interrupted(file: Path, out: Path, server: FaultServer, **options: Any) -> None:
    """A run by batch jobs that is interrupted while it waits for the first job."""
    before = server.ledger.counts["batch-polls"]
    work = asyncio.create_task(api.run_async(file, out=out, **options))
    while server.ledger.counts["batch-polls"] == before:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.005)
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work


async def test_open_jobs_are_collected_or_given_up_on_purpose(tmp_path: Path) -> None:
    """Without a word about them the command is refused; with ``batch`` they are collected, and paid for once."""
    async with served(0.1) as server:
        file, out = recipe(tmp_path, server.base_url, rows=60), tmp_path / "run"
        await interrupted(file, out, server, batch=True)
        (job,) = api.open_batch_jobs(out)
        assert job.model == "m (batch)" and job.job == "batch_1"
        with pytest.raises(InputError, match=r"requests of it are in batch jobs"):
            await api.run_async(file, out=out)
        run = await api.run_async(file, out=out, batch=True)
        assert run.summary.accepted == 60 and server.ledger.counts["batch-repeated"] == 0
        with History.open(out) as history:
            assert server.ledger.counts["batch-requests"] == history.state().calls
        await interrupted(file, tmp_path / "other", server, batch=True)
        given_up = await api.run_async(file, out=tmp_path / "other", batch=False)
        assert given_up.summary.accepted == 60 and {"m"} == set(given_up.summary.models)


@pytest.mark.slow
async def test_jobs_of_a_model_that_was_replaced_are_collected(tmp_path: Path) -> None:
    """They are paid for: their replies count as those of the model that wrote them, at its price; the rest is new."""
    async with served(0.1) as server:
        file, out = recipe(tmp_path, server.base_url, rows=60), tmp_path / "run"
        await interrupted(file, out, server, batch=True)
        (job,) = api.open_batch_jobs(out)
        dearer = recipe(tmp_path, server.base_url, "price = { input = 8.0, output = 9.0 }", rows=60)
        prepared = api.plan(dearer, model="other", batch=True)
        run = await api.run_async(dearer, out=out, model="other", batch=True)
        models = run.summary.models
        assert run.summary.accepted == 60 and server.ledger.counts["batch-repeated"] == 0
        assert models["m (batch)"].requests == len(job.requests) and models["m (batch)"].accepted > 40
        assert models["other (batch)"].requests == run.summary.requests - len(job.requests) - 2
        with History.open(out) as history:
            assert server.ledger.counts["batch-requests"] == history.state().calls
        used = models["m (batch)"].tokens
        assert models["m (batch)"].cost == pytest.approx((used.input + 4 * used.output) / 2e6)
        await interrupted(file, tmp_path / "given-up", server, batch=True)
        assert await api.cancel_batch_jobs(prepared, api.open_batch_jobs(tmp_path / "given-up")) == 1


async def test_cancelled_jobs_keep_what_they_processed(tmp_path: Path) -> None:
    """The endpoint is asked to cancel; the next session collects the rest of the job and sends what is missing."""
    async with served(0.15) as server:
        file, out = recipe(tmp_path, server.base_url, rows=100), tmp_path / "run"
        await interrupted(file, out, server, batch=True)
        await asyncio.sleep(0.2)
        prepared = api.plan(file, batch=True)
        assert await api.cancel_batch_jobs(prepared, api.open_batch_jobs(out)) == 1
        run = await api.run_async(file, out=out, batch=True)
        assert run.summary.accepted == 100 and server.ledger.counts["batch-repeated"] == 0
        with History.open(out) as history:
            assert server.ledger.counts["batch-requests"] == history.state().calls


async def test_a_question_is_not_put_by_a_batch_job(tmp_path: Path) -> None:
    """Probing is interactive: a recipe for batch jobs is asked online."""
    async with served() as server:
        recipe(tmp_path, server.base_url, "batch = true")
        known = await asyncio.to_thread(api.probe, tmp_path / "recipe.toml", questions=2)
        assert (
            server.ledger.counts["batch-jobs"] == 0
            and known.model == "m"
            and known.answered + sum(known.failed.values()) == 2
        )


STEPPED = """
name = "stepped"
[attributes.topic]
values = ["tea", "rain", "ships", "bread"]
[categories]
by = "attribute"
attributes = ["topic"]
[quota]
rows = 16
[[steps]]
name = "questions"
rows = 2
writes = ["question"]
prompt = "Ask about {topic}."
[[steps]]
name = "answers"
reply = "text"
writes = ["answer"]
prompt = "Answer: {question}"
[fields.topic]
[fields.question]
[fields.answer]
answer = true
[novelty]
fields = ["question", "answer"]
max_rouge_l = 0.7
[prompt]
rows_per_request = 2
"""


def author(messages: Any, rng: Random) -> str:
    """Two questions, or an answer."""
    words = " ".join(f"w{rng.randrange(10**6)}" for _ in range(8))
    if str(messages[-1]["content"]).startswith("Ask"):
        return json.dumps({"rows": [{"question": f"Why {number} {words}?"} for number in range(2)]})
    return f"Because {words}."


async def test_a_step_is_a_round(tmp_path: Path) -> None:
    """All questions go together, then all answers."""
    file = tmp_path / "stepped.toml"
    async with FaultServer(author=author) as server:
        file.write_text(
            f'{STEPPED}[model]\nname = "m"\nbase_url = "{server.base_url}"\nbatch = true\n', encoding="utf-8"
        )
        prepared = api.plan(file)
        assert api.dry_run(prepared).rounds == 2
        run = await api.run_async(file, out=tmp_path / "run")
        assert run.summary.accepted == 16 and server.ledger.counts["batch-jobs"] == 2 + (run.summary.candidates > 16)
        with History.open(run.directory) as history:
            first, second = sent_jobs(history)[:2]
    assert all("/questions/1" in name for name in first.requests) and all("/answers/" in n for n in second.requests)


@pytest.mark.parametrize("arguments", [[], ["--backend", "imitator"], ["--backend", "replay", "--from", "x"]])
def test_without_an_endpoint_batch_is_an_error(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The imitator and a replay send no request that a job could contain."""
    code = main(["run", str(SEEDS), "--batch", "--out", str(tmp_path / "run"), *arguments])
    said = capsys.readouterr().err
    assert code == 2 and "--batch has no effect without a model at an endpoint" in said
    assert "Set --model (and --base-url), or leave out --batch." in said and not (tmp_path / "run").exists()


def test_the_dry_run_has_rounds_and_the_batch_price(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half the price, or the share that the recipe says; the plan names the batch jobs."""
    file = recipe(tmp_path, "http://127.0.0.1:9/v1")
    usual, half = api.dry_run(api.plan(file)), api.dry_run(api.plan(file, batch=True))
    assert (
        usual.cost is not None and half.cost == pytest.approx(usual.cost / 2) and (usual.rounds, half.rounds) == (0, 1)
    )
    other = recipe(
        tmp_path, "http://127.0.0.1:9/v1", "price = { input = 1.0, output = 4.0, batch = 0.25 }\nbatch = true"
    )
    assert api.dry_run(api.plan(other)).cost == pytest.approx(usual.cost / 4)
    assert main(["run", str(other), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "in batch jobs" in said and "In batch jobs: at least 1 round, each of which may take a day." in said
    assert main(["run", str(other), "--dry-run", "--json", "--no-batch"]) == 0
    assert json.loads(capsys.readouterr().out)["rounds"] == 0


def test_progress_names_the_phase() -> None:
    """What the jobs do, how far they are, and for how long they have been awaited."""

    def line(state: str, done: int) -> str:
        progress = JobProgress(2, state, done, 1500, 754)
        return held_back(Snapshot({}, 0, 0, {}, {}, 0, 1500, None, Pace(0, 1500, "", batch=progress)))

    assert line("validating", 0) == "2 batch jobs: validating · waiting for 12 min 34 s"
    assert (
        line("in_progress", 320) == "2 batch jobs: in progress · 320 of 1,500 requests done · waiting for 12 min 34 s"
    )


@pytest.mark.slow
def test_an_interrupted_command_says_what_goes_on(tmp_path: Path) -> None:
    """Without a terminal nothing is asked: the jobs go on, and the same command collects them."""
    with server_process("--batch-seconds", "1.5") as base_url:
        options = ["--base-url", base_url, "--model", "m", "--batch", "--rows", "40", "--out", str(tmp_path / "run")]
        command = [sys.executable, "-m", "selfinstruct", "run", str(SEEDS), *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
            while not api.open_batch_jobs(tmp_path / "run"):
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=30)[1]
        assert process.returncode == 130
        assert "4 requests in batch jobs go on at the endpoint" in said
        assert "The same command collects their replies." in said
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
