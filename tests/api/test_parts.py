"""A run that several workers grow: exact, proved like any other, the same after each kill, within one budget."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.analysis.summary import Summary
from selfinstruct.api.connect import SpendingLimits
from selfinstruct.api.division import Division
from selfinstruct.api.parts import merge, rounds, worker
from selfinstruct.api.parts.divisible import require_divisible
from selfinstruct.api.parts.rounds import grow_parts
from selfinstruct.api.parts.worker import PartEnd, PartOrder
from selfinstruct.cli import main
from selfinstruct.errors import InputError
from selfinstruct.journal import History, holder_of
from selfinstruct.records import Reply, Request
from selfinstruct.run_directory import open_history
from selfinstruct.testing import Behaviour, FaultServer

LOGS, CLASSICS = Path("seeds/logqa.jsonl"), Path("seeds/classics-zh.jsonl")
_NONE = SpendingLimits(None, None, None)


class InTurn:
    """One worker, which grows the parts in turn, in this process."""

    on_this_machine = True

    def __init__(self) -> None:
        """It lasts from round to round."""
        self.worker = worker.Worker()

    def run(self, orders: Sequence[PartOrder]) -> Iterator[PartEnd]:
        """Grow one part after another."""
        return map(self.worker.grow, orders)

    def stop(self) -> None:
        """Nothing runs elsewhere."""


async def grow(source: Any, out: Path, parts: int = 3, limits: SpendingLimits = _NONE, **options: Any) -> Summary:
    """Grow a run by workers in turn."""
    backend, concurrency = options.pop("backend", None), options.get("concurrency")
    prepared = api.plan(source, backend=backend, **options)
    division = Division(parts, backend, concurrency, limits, seed=5)
    return await grow_parts(prepared, out, division, InTurn(), watch=lambda snapshot: None, elapsed=lambda: 0.0)


def require_whole(out: Path, parts: int = 3) -> None:
    """The run is proved, judged again to the same rows, and has every call of its parts, once."""
    assert [claim.name for claim in api.verify(out, max_pairs=20_000).claims if not claim.holds] == []
    assert api.rejudge(out).identical
    paid = "SELECT batch, step, input, output, tries, COUNT(*) FROM calls GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3"
    calls = []
    for part in range(parts):
        with History.open(out / "parts" / str(part)) as history:
            own = history.query(paid)
        assert {batch % parts for batch, *_ in own} <= {(part + 1) % parts}
        calls += own
    with open_history(out) as history:
        assert sorted(calls) == history.query(paid)


@pytest.fixture(scope="module", autouse=True)
def short_turns() -> Iterator[None]:
    """Turns of two batches, so that small runs have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "TURN", 2)
        yield


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 300 rows in three parts."""
    out = tmp_path_factory.mktemp("logs") / "run"
    assert asyncio.run(grow(LOGS, out, rows=300)).stopped == "done"
    return out


@pytest.mark.slow
def test_the_quotas_are_exact_and_the_run_is_proved_like_any_other(logs: Path) -> None:
    """Its parts are ordinary runs, too; what they grow is hardly more alike than the rows of one run."""
    run = api.open_run(logs)
    assert run.summary.accepted == 300 and run.summary.conserved
    assert {each.accepted for each in run.summary.categories.values()} == {75}
    require_whole(logs)
    parts = [api.open_run(logs / "parts" / str(part)) for part in range(3)]
    assert all(part.summary.accepted > 75 for part in parts)
    assert sum(part.summary.accepted for part in parts) < 330
    assert not (parts[1].directory / "rows.jsonl").exists()
    api.report(parts[1].directory)
    assert api.verify(parts[1].directory, max_pairs=20_000).holds


@pytest.mark.slow
async def test_chinese_rows_grow_further(tmp_path: Path) -> None:
    """A larger number adds rows after those that are there; the same one changes nothing."""
    out = tmp_path / "run"
    assert (await grow(CLASSICS, out, rows=60)).accepted == 60
    before = (out / "rows.jsonl").read_bytes()
    second = await grow(CLASSICS, out, rows=120)
    assert second.accepted == 120 and second.stopped == "done"
    assert (out / "rows.jsonl").read_bytes().startswith(before)
    require_whole(out)
    assert (await grow(CLASSICS, out, rows=120)).requests == second.requests


class Killed(BaseException):
    """Ends the session at once, as a signal does."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_run_that_is_killed_again_and_again_has_the_same_rows(
    seed: int, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it is killed: within a part, or within the join of a part's replies, whose journals it may not see."""
    out, moments, killed = tmp_path / "run", random.Random(seed), 0
    for _ in range(6):
        countdown = iter(range(100))
        last = moments.randrange(6)

        def fall(*given: Any, countdown: Iterator[int] = countdown, last: int = last) -> Any:
            nonlocal killed
            if next(countdown) == last:
                killed += 1
                raise Killed
            return lambda snapshot: fall()

        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            patch.setattr(worker, "_reporter", fall)
            patch.setattr(merge, "rows_to_run", lambda drafts, fall=fall: fall() and [])
            patch.setattr(InTurn, "on_this_machine", moments.random() < 0.7)
            await grow(LOGS, out, rows=300)
    assert killed > 2 and (await grow(LOGS, out, rows=300)).stopped == "done"
    assert (out / "rows.jsonl").read_bytes() == (logs / "rows.jsonl").read_bytes()
    require_whole(out)


class Waiting:
    """A backend that answers all calls but the first few of a part only once the join has begun."""

    name = "waiting"
    reads_messages = False

    def __init__(self) -> None:
        """Nothing has been taken yet."""
        self.joined = threading.Event()

    async def complete(self, request: Request) -> Reply:
        """Answer with rows of no other batch."""
        batch = request.batch
        if batch.number > 12:
            assert await asyncio.to_thread(self.joined.wait, 30), "the join waits for the end of the part"
        places = range(50 * batch.number, 50 * batch.number + batch.count)
        rows = [{"text": " ".join(f"w{7 * at + each}" for each in range(7)), "label": batch.category} for at in places]
        return Reply(json.dumps({"rows": rows}), self.name)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.slow
async def test_replies_are_judged_while_their_part_still_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts grow and the driver judges at the same time."""
    backend, take = Waiting(), merge.Join.take

    def taking(*given: Any, grows: bool) -> Any:
        found = take(*given, grows=grows)
        if found and grows:
            backend.joined.set()
        return found

    monkeypatch.setattr(merge.Join, "take", taking)
    texts = ["the lamp is broken", "my parcel never came", "we like it a lot", "no answer since May"]
    seeds = [{"text": text, "label": label} for text, label in zip(texts, "abab", strict=True)]
    summary = await grow(seeds, tmp_path / "run", rows=300, backend=backend, concurrency=3)
    assert (summary.accepted, summary.stopped) == (300, "done")


async def test_a_run_is_not_grown_by_another_number_of_workers(tmp_path: Path) -> None:
    """Nor by one, nor a part of it; and an ordinary run is not grown by several."""
    out, part = tmp_path / "run", tmp_path / "run/parts/1"
    await grow(LOGS, out, rows=8)
    with pytest.raises(InputError, match=r"3 workers grow this run"):
        await api.run_async(LOGS, out=out, rows=50, seed=5)
    with pytest.raises(InputError, match=r"has 3 parts, so it cannot go on with 4 workers"):
        await grow(LOGS, out, parts=4, rows=8)
    with pytest.raises(InputError, match=r"only a part of a run"):
        await api.run_async(LOGS, out=part, rows=50, seed=api.open_run(part).summary.seed or 0)
    await api.run_async(LOGS, out=tmp_path / "one", rows=4, seed=5)
    with pytest.raises(InputError, match=r"one worker grows this run"):
        await grow(LOGS, tmp_path / "one", rows=4)


async def test_what_cannot_be_divided_is_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(InputError, match="passages"):
        await grow(None, tmp_path / "run", passages=["seeds/logqa.jsonl"], rows=10)
    with pytest.raises(InputError, match="2 calls at a time are fewer than 3 workers"):
        await grow(LOGS, tmp_path / "run", rows=10, concurrency=2)
    assert not (tmp_path / "run").exists()


class Scarce:
    """A backend that knows thirty rows in all, whichever part asks, and then begins again."""

    name = "scarce"
    reads_messages = False

    async def complete(self, request: Request) -> Reply:
        """Answer with the next rows of its part."""
        batch = request.batch
        places = range(batch.requested_before, batch.requested_before + batch.count)
        rows = [{"text": _SENTENCES[at % 30], "label": batch.category} for at in places]
        return Reply(json.dumps({"rows": rows}), self.name)

    async def close(self) -> None:
        """Nothing is open."""


_SENTENCES = [" ".join(f"w{7 * at + each}" for each in range(7)) for at in range(30)]


@pytest.mark.slow
async def test_a_category_is_given_up_when_no_part_finds_more(tmp_path: Path) -> None:
    """What the parts grow alike is kept once; the run ends short of its quota, and says so."""
    texts = ["the lamp is broken", "my parcel never came", "we like it a lot", "no answer since May"]
    seeds = [{"text": text, "label": label} for text, label in zip(texts, "abab", strict=True)]
    summary = await grow(seeds, tmp_path / "run", rows=80, backend=Scarce())
    assert (summary.accepted, summary.stopped) == (30, "exhausted"), summary.rejected
    require_whole(tmp_path / "run")


class Evolver:
    """Evolves tasks in two steps and a judgement; in every other turn all parts write the same one."""

    name = "evolver"
    reads_messages = True

    async def complete(self, request: Request) -> Reply:
        """Answer by the step; the task follows from the number of the batch."""
        turn, part = divmod(request.batch.number - 1, 3)
        first = 40 * turn + 7 * (part if turn % 2 else 0)
        words = [f"word{first + each}" for each in range(7)]
        task = {"instruction": " ".join(words), "input": ""}
        if "指令" in request.messages[-1].content or "提示" in request.messages[-1].content:
            task["instruction"] = "".join(chr(0x4E00 + first + each) for each in range(12))
        gain = {"score": 5, "reason": "more"}
        kind, _, _ = request.step.partition("/")
        said = {"evolve": json.dumps(task), "gain": json.dumps(gain)}.get(kind, "All is well with it, 一切都好。")
        return Reply(said, self.name)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_rows_of_several_steps_grow_although_others_have_dropped_what_they_come_from(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is made of its own replies, also after a kill."""
    options: dict[str, Any] = {"language": language, "backend": Evolver(), "rows": 60, "concurrency": 6}
    summary = await grow("evol-instruct", tmp_path / "run", **options)
    assert (summary.accepted, summary.stopped) == (60, "done")
    require_whole(tmp_path / "run")
    lost = [api.open_run(tmp_path / "run/parts" / str(part)).summary.accepted for part in range(3)]
    assert sum(lost) > 80
    countdown = iter(range(100))

    def fall(*given: Any) -> Any:
        if next(countdown) == 9:
            raise Killed
        return lambda snapshot: fall()

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(worker, "_reporter", fall)
        await grow("evol-instruct", tmp_path / "killed", **options)
    await grow("evol-instruct", tmp_path / "killed", **options)
    require_whole(tmp_path / "killed")


def test_rows_that_copy_what_the_join_may_drop_are_refused(tmp_path: Path) -> None:
    """And models that a step names are called by all parts."""
    recipe = api.plan("evol-instruct", model="m", base_url="http://127.0.0.1:1/v1").recipe
    field = recipe.fields["input"].model_copy(update={"source": "demo.input"})
    copying = recipe.model_copy(update={"fields": {**recipe.fields, "input": field}})
    prepared = api.plan("evol-instruct", model="m", base_url="http://127.0.0.1:1/v1")
    division = Division(2, None, None, _NONE, seed=5)
    require_divisible(prepared, division)
    with pytest.raises(InputError, match="values from grown demonstrations"):
        require_divisible(replace(prepared, recipe=copying), division)


@pytest.mark.slow
async def test_models_are_spread_over_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part calls its own server, which it tests once for all rounds, and the run has the rows of both."""
    monkeypatch.setattr(
        rounds, "round_of", lambda missing, *rest: {name: min(rows, 4) for name, rows in missing.items()}
    )
    async with FaultServer(Behaviour()) as one, FaultServer(Behaviour()) as two:
        file = tmp_path / "r.toml"
        models = "".join(
            f'\n[[models]]\nname = "m"\nbase_url = "{each.base_url}"\nconcurrency = 4\n' for each in (one, two)
        )
        file.write_text(api.init(LOGS, tmp_path / "inferred.toml") + models)
        summary = await grow(file, tmp_path / "run", parts=2, rows=40)
    assert summary.accepted == 40 and summary.stopped == "done"
    require_whole(tmp_path / "run", parts=2)
    with open_history(tmp_path / "run") as history:
        assert history.metadata().parts["round"] > 1
    for part, server in enumerate((one, two)):
        with History.open(tmp_path / "run" / "parts" / str(part)) as history:
            assert server.ledger.counts["requests"] == history.state().requests > 1
            assert [figures[0] for figures in history.metadata().preflights.values()] == [1]


@pytest.mark.slow
async def test_the_budget_holds_over_all_parts_and_their_open_batches(tmp_path: Path) -> None:
    """With the calls of preflights and of rows that wait for a judge; with a larger one the run goes on."""
    async with FaultServer(Behaviour()) as server:
        file = tmp_path / "r.toml"
        judge = '\n[[judge]]\nname = "right"\nprompt = "Rate from 1 to 5: {Question} {Answer}"\nleast = 3\n'
        file.write_text(api.init(LOGS, tmp_path / "inferred.toml") + judge)
        options: dict[str, Any] = {"model": "m", "base_url": server.base_url, "rows": 80, "concurrency": 6}
        short = await grow(file, tmp_path / "run", limits=SpendingLimits(None, 40, None), **options)
        assert short.stopped == "budget" and short.accepted < 80
        assert server.ledger.counts["requests"] == short.requests <= 40
        assert api.rejudge(tmp_path / "run").identical and api.verify(tmp_path / "run", max_pairs=1000).holds
        whole = await grow(file, tmp_path / "run", **options)
        assert whole.stopped == "done" and whole.requests == server.ledger.counts["requests"]
    require_whole(tmp_path / "run")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workers", "2"], "--workers has no effect without --engine ray"),
        (["--ray-address", "a:1"], "--ray-address has no effect without --engine ray"),
        (["--engine", "ray"], "--engine ray needs the number of --workers"),
        (["--engine", "spark", "--workers", "2"], "'spark' is not one of 'local', 'ray'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2, before anything is written."""
    assert main(["run", str(LOGS), "--rows", "4", "--out", str(tmp_path / "run"), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_without_ray_the_command_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra, by name; nothing is written."""
    monkeypatch.setitem(sys.modules, "ray", None)
    arguments = [
        "run",
        str(LOGS),
        "--rows",
        "4",
        "--out",
        str(tmp_path / "run"),
        "--engine",
        "ray",
        "--workers",
        "2",
        "-q",
    ]
    assert main(arguments) == 2
    assert "pip install 'selfinstruct[ray]'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_worker_that_is_killed_on_ray_is_started_again(logs: Path, tmp_path: Path) -> None:
    """And grows the same rows as workers of one process, in whatever order they run; then the process runs another."""
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        while not killed and not ended.wait(0.02):
            holder = holder_of(tmp_path / "run/parts/1")
            if holder is not None and holder.pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(holder.pid, signal.SIGKILL)
                    killed.append(holder.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        api.run(LOGS, rows=300, out=tmp_path / "run", seed=5, engine="ray", workers=3)
    finally:
        ended.set()
        thread.join()
    assert killed and (tmp_path / "run/rows.jsonl").read_bytes() == (logs / "rows.jsonl").read_bytes()
    require_whole(tmp_path / "run")
    assert api.run(LOGS, rows=8, out=tmp_path / "next", engine="ray", workers=2).summary.stopped == "done"
