"""What holds for whole runs: exact quotas, resume, refusals, and a model behind a real server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

import selfinstruct
from selfinstruct import api
from selfinstruct.errors import EndpointError, InputError
from selfinstruct.events import Snapshot
from selfinstruct.preparation.prepare import prepare
from selfinstruct.records import Failure, Reply, Request, Row
from selfinstruct.similarity.row_index import compared_text
from selfinstruct.testing import Behaviour, FaultServer, ScriptedAuthor, Shares
from selfinstruct.text import find_span, tokens

SEEDS = Path("seeds/logqa.jsonl")
FILES = sorted(Path("seeds").glob("*.[jc]*"))


def rows_of(run: api.Run) -> list[Row]:
    """The rows of a run's rows.jsonl."""
    return [json.loads(line) for line in (run.directory / "rows.jsonl").read_text(encoding="utf-8").splitlines()]


def require_exact(run: api.Run, quotas: dict[str, int], source: Path = SEEDS) -> None:
    """Exact quotas by a recount, no row twice, counts that add up."""
    rows = rows_of(run)
    of = prepare(source).categories.of
    assert Counter(map(of, rows)) == {name: quota for name, quota in quotas.items() if quota}
    assert len({json.dumps(row) for row in rows}) == len(rows)
    assert run.summary.stopped == "done"
    assert run.summary.conserved
    assert run.summary.candidates == run.summary.accepted + sum(run.summary.rejected.values())


def test_a_recipe_object_is_a_source(tmp_path: Path) -> None:
    """A loaded recipe, also a changed copy of it, grows the same rows as its file."""
    file = tmp_path / "r.toml"
    file.write_text(api.init(SEEDS, tmp_path / "inferred.toml").replace("rows = 1000", "rows = 40"))
    recipe = selfinstruct.load_recipe(file)
    one, other = api.run(recipe, out=tmp_path / "object"), api.run(file, out=tmp_path / "file")
    assert list(one.rows()) == list(other.rows()) and one.summary.accepted == 40
    fewer = recipe.model_copy(update={"quota": recipe.quota.model_copy(update={"rows": 8})})
    assert api.run(fewer, out=tmp_path / "fewer").summary.accepted == 8


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_seed_file_grows_a_hundredfold(file: Path, tmp_path: Path) -> None:
    """To exact quotas, with no row above its category's threshold by brute force, and every answer grounded."""
    prepared = prepare(file)
    run = api.run(file, out=tmp_path / "run")
    require_exact(run, dict(prepared.quotas), file)
    rows, seeds = rows_of(run), prepared.seeds.rows
    assert len(rows) == 100 * len(seeds)
    assert all(list(row) == list(seeds[0]) for row in rows)
    for name, field in prepared.recipe.fields.items():
        if field.appears_in:
            assert all(find_span(row[name], row[field.appears_in]) for row in rows)
    codes: dict[str, int] = {}
    texts = [
        "".join(chr(0x10000 + codes.setdefault(token, len(codes))) for token in tokens(compared_text(row, fields)))
        for row in (*seeds, *rows)
        for fields in [prepared.recipe.novelty.fields]
    ]
    scores = np.tril(cdist(texts, texts, scorer=Indel.normalized_similarity, dtype=np.float64, workers=1), -1)
    nearest = scores.max(axis=1)[len(seeds) :]
    allowed = np.array([run.summary.categories[prepared.categories.of(row)].max_rouge_l for row in rows])
    assert (nearest <= allowed + 1e-12).all()


def test_rouge_score_itself_agrees(tmp_path: Path) -> None:
    """Three hundred rows against each other by rouge-score: none is above its category's threshold."""
    from rouge_score.rouge_scorer import RougeScorer

    run = api.run(SEEDS, rows=120, out=tmp_path / "run")
    prepared, scorer = prepare(SEEDS), RougeScorer(["rougeL"])
    pool = prepared.seeds.rows + rows_of(run)
    texts = [compared_text(row, ("Question", "RawLog")) for row in pool]
    for at in range(len(prepared.seeds.rows), len(pool)):
        allowed = run.summary.categories[prepared.categories.of(pool[at])].max_rouge_l
        assert all(scorer.score(text, texts[at])["rougeL"].fmeasure <= allowed for text in texts[:at])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    """In any directory."""
    one, two, three = (
        (api.run(SEEDS, rows=200, out=tmp_path / name, seed=seed).directory / "rows.jsonl").read_bytes()
        for name, seed in (("a", 4), ("b", 4), ("c", 5))
    )
    assert one == two != three


def test_a_run_grows_further_and_weights_hold(tmp_path: Path) -> None:
    """A larger number on the same directory adds rows after those that are there; the old ones stay."""
    first = api.run(SEEDS, rows=41, out=tmp_path / "run")
    before = (first.directory / "rows.jsonl").read_bytes()
    require_exact(first, dict(zip(prepare(SEEDS).quotas, (11, 10, 10, 10), strict=True)))
    second = api.run(SEEDS, rows=200, out=tmp_path / "run")
    require_exact(second, dict.fromkeys(prepare(SEEDS).quotas, 50))
    assert (second.directory / "rows.jsonl").read_bytes().startswith(before)
    third = api.run(SEEDS, rows=200, out=tmp_path / "run")
    assert third.summary.requests == second.summary.requests


def test_rows_dicts_and_frames_are_seeds_too(tmp_path: Path) -> None:
    """The library takes rows and DataFrames, and gives rows and DataFrames, with values as they are."""
    import pandas

    seeds = [json.loads(line) for line in SEEDS.read_text(encoding="utf-8").splitlines()]
    run = selfinstruct.run(seeds, rows=20, out=tmp_path / "dicts")
    assert len(list(run.rows())) == 20
    frame = selfinstruct.run(pandas.DataFrame(seeds), rows=20, out=tmp_path / "frame").to_pandas()
    assert list(frame.columns) == ["Question", "Answer", "RawLog"]
    assert all(isinstance(value, str) for value in frame["Answer"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 9}, "`seed`"),
        ({"rows": 5}, "quota.rows"),
        ({"source": Path("seeds/hdfs.jsonl")}, "the seed rows"),
    ],
)
def test_a_directory_of_another_run_is_refused_with_what_differs(
    change: dict[str, object], said: str, tmp_path: Path
) -> None:
    """Another seed, fewer rows, other seed rows: an input error that names it, and the run stays as it is."""
    run = api.run(SEEDS, rows=20, out=tmp_path / "run")
    before = (run.directory / "rows.jsonl").read_bytes()
    options: dict[str, Any] = {"source": SEEDS, "rows": 20, "seed": 0, **change}
    with pytest.raises(InputError, match=said):
        api.run(out=tmp_path / "run", **options)
    assert (run.directory / "rows.jsonl").read_bytes() == before


def test_a_directory_that_is_not_a_run_is_left_alone(tmp_path: Path) -> None:
    """Other files, a file in its place, a place that cannot be: an input error, and nothing half-written."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("full", "file", "file/below"):
        with pytest.raises(InputError):
            api.run(SEEDS, rows=20, out=tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "thesis.txt"]


# The command line, whose imitator takes its time after 100 batches, so that a busy machine is not too late to end it.
SLOWING = """
import asyncio, sys
from selfinstruct.backends.imitator import Imitator
from selfinstruct.cli import main
complete = Imitator.complete
async def slowing(self, request):
    await asyncio.sleep(5 if request.batch.number > 100 else 0)
    return await complete(self, request)
Imitator.complete = slowing
sys.exit(main())
"""


def run_in_a_process(out: Path, rows: int) -> subprocess.Popen[bytes]:
    """The command line, growing in a process of its own."""
    command = [sys.executable, "-c", SLOWING, "run", str(SEEDS), "--rows", str(rows), "--out", str(out)]
    return subprocess.Popen([*command, "--quiet"], env={**os.environ, "PYTHONPATH": str(Path.cwd())})


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_run_that_is_killed_half_way_goes_on_to_exact_quotas(how: signal.Signals, code: int, tmp_path: Path) -> None:
    """Ctrl-C writes what there is and exits with 130; after either, the same command finishes and repeats no row."""
    out = tmp_path / "run"
    process = run_in_a_process(out, 4000)
    while not (out / "run.sqlite-wal").exists() or (out / "run.sqlite-wal").stat().st_size < 300_000:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(how)
    assert process.wait(100) == code
    if how is signal.SIGINT:
        stopped = api.open_run(out)
        assert stopped.summary.stopped == "interrupted"
        assert 0 < len(rows_of(stopped)) == stopped.summary.accepted < 4000
    require_exact(api.run(SEEDS, rows=4000, out=out), dict.fromkeys(prepare(SEEDS).quotas, 1000))


def test_labels_with_digits_stay_and_their_texts_vary(tmp_path: Path) -> None:
    """A rating is kept as it is while the review's values change."""
    things = [
        ("lamp", "great", 3, "5"),
        ("kettle", "fine", 4, "5"),
        ("desk", "awful", 9, "1"),
        ("chair", "bad", 12, "1"),
    ]
    seeds = [{"review": f"The {p} is {a}. I bought it on {d} March. So it goes.", "stars": s} for p, a, d, s in things]
    run = api.run(seeds, rows=60, out=tmp_path / "run")
    assert Counter(row["stars"] for row in run.rows()) == {"5": 30, "1": 30}
    assert "label" not in run.summary.rejected


def test_rows_without_any_text_are_refused_before_the_run(tmp_path: Path) -> None:
    """The imitator finds nothing to vary, so a model is needed; nothing is written."""
    seeds = [{"messages": [{"role": "user", "content": word}]} for word in ("Hi", "Hello", "Hey")]
    with pytest.raises(InputError, match="nothing that the embedded imitator can vary"):
        api.run(seeds, rows=20, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_two_free_texts_of_a_row_stay_together(tmp_path: Path) -> None:
    """Two free texts of a row belong together: no body is mixed with another heading's."""
    seeds = [
        {"heading": "Give three tips.", "note": "task 17", "body": "1. Eat well. 2. Move. 3. Sleep."},
        {"heading": "Name the colours.", "note": "", "body": "They are red, blue and yellow."},
        {"heading": "Find the odd one.", "note": "cat, dog, oak", "body": "Oak."},
    ]
    for row in api.run(seeds, rows=20, out=tmp_path / "run").rows():
        assert ("Eat well" in row["body"]) == (row["heading"] == "Give three tips.") == ("task" in row["note"])


class Scripted:
    """A backend that answers with what it is given, in turn, and then with the last of it for ever."""

    name = "scripted"
    reads_messages = False

    def __init__(self, *answers: str | Failure | BaseException) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Reply | Failure:
        """The next answer."""
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return Reply(answer, "scripted") if isinstance(answer, str) else answer

    async def close(self) -> None:
        """Nothing to close."""


def test_a_backend_that_repeats_itself_is_given_up_with_everything_kept(tmp_path: Path) -> None:
    """One row for ever: every category is exhausted, said so, and the one row is there."""
    same = json.dumps({"rows": [{"Question": "Is partition rdd_1_2 found?", "Answer": "not", "RawLog": "Partition rdd_1_2 not found, computing it"}]})  # fmt: skip # noqa: E501
    run = api.run(SEEDS, rows=40, out=tmp_path / "run", backend=Scripted(same))
    assert run.summary.stopped == "exhausted"
    assert run.summary.accepted == 1
    assert all(category.exhausted for category in run.summary.categories.values())
    assert set(run.summary.rejected) <= {"duplicate", "echo"}


def test_a_row_counts_in_the_category_it_belongs_to(tmp_path: Path) -> None:
    """A model that returns rows of one category only fills that category's quota; the rest are rejected."""
    rows = [
        {"Question": f"Is partition rdd_{n}_{n + 60} found?", "Answer": "not", "RawLog": f"Partition rdd_{n}_{n + 60} not found, computing it"}  # noqa: E501
        for n in range(50)
    ]  # fmt: skip
    run = api.run(SEEDS, rows=40, out=tmp_path / "run", backend=Scripted(json.dumps({"rows": rows})))
    accepted = {name: category.accepted for name, category in run.summary.categories.items()}
    assert sum(accepted.values()) == accepted["Is partition <*> found?"] == 10
    assert run.summary.rejected["quota"] >= 40


def test_failed_calls_are_counted_and_ten_in_a_row_end_the_run(tmp_path: Path) -> None:
    """A failure now and then is made up for; an endpoint that is down is an error, and what came is kept."""
    prepared = prepare(SEEDS)
    from selfinstruct.backends.imitator import Imitator

    class Flaky(Scripted):
        def __init__(self) -> None:
            super().__init__("")
            self.imitator = Imitator(prepared.statistics, {"Question": "RawLog", "Answer": "RawLog"})

        async def complete(self, request: Request) -> Reply | Failure:
            self.requests.append(request)
            if len(self.requests) % 3 == 0:
                return Failure("timeout", "too slow")
            return await self.imitator.complete(request)

    run = api.run(SEEDS, rows=400, out=tmp_path / "flaky", backend=Flaky())
    require_exact(run, dict.fromkeys(prepared.quotas, 100))
    assert run.summary.failed == {"timeout": run.summary.requests // 3}
    down = Scripted(Failure("server-error", "503 from the endpoint"))
    with pytest.raises(EndpointError, match="503 from the endpoint"):
        api.run(SEEDS, rows=400, out=tmp_path / "down", backend=down)
    assert len(down.requests) < 10 + 16
    assert api.open_run(tmp_path / "down").summary.stopped == "endpoint"


def test_replies_that_came_are_judged_when_another_call_ends_the_run(tmp_path: Path) -> None:
    """A fatal answer stops the sending; the rows that were paid for are in the file."""
    good = json.dumps({"rows": [{"Question": "Is partition rdd_1_2 found?", "Answer": "not", "RawLog": "Partition rdd_1_2 not found, computing it"}]})  # fmt: skip # noqa: E501
    backend = Scripted(good, EndpointError("no such key"), good)
    with pytest.raises(EndpointError, match="no such key"):
        api.run(SEEDS, rows=400, out=tmp_path / "run", backend=backend, concurrency=2)
    assert len(rows_of(api.open_run(tmp_path / "run"))) == 1


async def test_a_cancelled_run_asks_again_for_what_was_in_flight(tmp_path: Path) -> None:
    """Batches without a reply are sent again as they were planned; replies that came are not asked for twice."""
    all_in_flight = asyncio.Event()

    class Hanging(Scripted):
        async def complete(self, request: Request) -> Reply | Failure:
            self.requests.append(request)
            if len(self.requests) == 7:
                all_in_flight.set()
            if request.batch.number > 3:
                await asyncio.sleep(60)
            return Reply('{"rows": []}', "hanging")

    hanging = Hanging("")
    task = asyncio.create_task(api.run_async(SEEDS, rows=400, out=tmp_path / "run", backend=hanging, concurrency=4))
    await asyncio.wait_for(all_in_flight.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    asked = {request.batch for request in hanging.requests if request.batch.number > 3}
    again = Scripted('{"rows": []}')
    await api.run_async(SEEDS, rows=400, out=tmp_path / "run", backend=again, concurrency=4)
    assert {request.batch for request in again.requests[: len(asked)]} == asked
    assert not {request.batch.number for request in again.requests} & {1, 2, 3}


async def test_calls_do_not_leave_in_a_crowd_where_replies_wait(tmp_path: Path) -> None:
    """When 32 replies come at once, the next calls leave a few at a time, with some judged in between."""
    judged = 0
    left_at: list[int] = []
    together, all_gone = asyncio.Event(), asyncio.Event()

    class Crowd(Scripted):
        async def complete(self, request: Request) -> Reply | Failure:
            left_at.append(judged)
            if len(left_at) == 32:
                together.set()
            if len(left_at) == 64:
                all_gone.set()
            await (together.wait() if len(left_at) <= 32 else asyncio.sleep(60))
            return Reply('{"rows": [{"no": "row"}]}', "crowd")

    def watch(snapshot: Snapshot) -> None:
        nonlocal judged
        judged = snapshot.candidates

    run = api.run_async(SEEDS, rows=4000, out=tmp_path / "run", backend=Crowd(""), concurrency=32, watch=watch)
    task = asyncio.create_task(run)
    await asyncio.wait_for(all_gone.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    second = Counter(left_at[32:])
    assert max(second.values()) <= 4 and len(second) >= 8


async def test_a_model_behind_a_real_server_fills_the_quotas(tmp_path: Path) -> None:
    """Through the base URL alone, twenty rows a reply, some of them bad: exact quotas, and the bad ones by reason."""
    author = ScriptedAuthor(Shares(ungrounded=0.1, echoed=0.05, near_duplicate=0.05, malformed=0.05))
    async with FaultServer(Behaviour(), author=author) as server:
        run = await api.run_async(SEEDS, rows=400, out=tmp_path / "run", base_url=server.base_url)
    require_exact(run, dict.fromkeys(prepare(SEEDS).quotas, 100))
    assert run.summary.rejected["ungrounded"] > 10
    assert run.summary.tokens.output > 0
    assert {"echo", "schema"} & set(run.summary.rejected)


async def test_a_refused_key_is_found_before_anything_is_written(tmp_path: Path) -> None:
    """Exit code 3's error, with no directory left behind."""
    async with FaultServer(Behaviour(key="right")) as server:
        with pytest.raises(EndpointError):
            await api.run_async(SEEDS, rows=40, out=tmp_path / "run", base_url=server.base_url)
    assert not (tmp_path / "run").exists()


async def test_a_budget_of_calls_stops_the_run_short_and_is_kept_over_a_resume(tmp_path: Path) -> None:
    """Stopped for the budget with what came kept; going on with the same budget makes no further call."""
    async with FaultServer(Behaviour()) as server:
        options: dict[str, Any] = {"rows": 400, "out": tmp_path / "run", "base_url": server.base_url, "max_requests": 8}
        run = await api.run_async(SEEDS, **options)
        calls = server.ledger.counts["requests"]
        assert run.summary.stopped == "budget"
        assert 0 < run.summary.accepted < 400
        assert calls <= 8
        again = await api.run_async(SEEDS, **{**options, "max_requests": None})
    require_exact(again, dict.fromkeys(prepare(SEEDS).quotas, 100))


async def test_the_card_names_every_author(tmp_path: Path) -> None:
    """A run that was begun with a model and resumed without one: neither the card nor the report leaves it out."""
    async with FaultServer(Behaviour()) as server:
        await api.run_async(SEEDS, rows=8, out=tmp_path, model="m-70b", base_url=server.base_url)
    await api.run_async(SEEDS, rows=12, out=tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert card.count("grown by selfinstruct's embedded imitator and the model `m-70b`") == 1
    assert "Every row was written by selfinstruct's embedded imitator and the model `m-70b`" in card
    assert "m-70b" in (tmp_path / "report.html").read_text()
