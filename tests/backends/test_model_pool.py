"""Several models that share the batches, and models that fail: alone, and in whole runs."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.backends import MAX_CONSECUTIVE_FAILURES, BudgetSpent, ModelPool
from selfinstruct.errors import EndpointError, InputError
from selfinstruct.events import Pace
from selfinstruct.journal import History
from selfinstruct.records import Batch, Failure, Reply, Request
from selfinstruct.testing import Behaviour, FaultServer

SEEDS = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
REQUEST = Request(Batch(1, "", 1, 0, ()), "imitate", (), (), 0)
DOWN = Failure("server-error", "503 and gone")


class Writer:
    """A backend whose outcomes come from a function, and perhaps a pace."""

    reads_messages = True

    def __init__(self, name: str, does: Callable[[], Reply | Failure | Exception]) -> None:
        self.name, self.does, self.asked, self.closed = name, does, 0, False

    async def complete(self, request: Request) -> Reply | Failure:
        """The outcome of the function."""
        self.asked += 1
        outcome = self.does()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self) -> None:
        """Record that it was closed."""
        self.closed = True


class Paced(Writer):
    """A backend that replies, with a pace."""

    def __init__(self, name: str, pace: Pace) -> None:
        super().__init__(name, lambda: Reply("text", name))
        self.pace = pace

    def inspect(self) -> Pace:
        """The pace."""
        return self.pace


def writer(name: str) -> Writer:
    """A backend that always replies."""
    return Writer(name, lambda: Reply("text", name))


async def test_requests_are_distributed_by_weight() -> None:
    """Weights of 5, 2 and 1 hold exactly for 800 requests, and nearly for every 80 in a row."""
    backends = [writer(name) for name in "abc"]
    models = ModelPool(backends, [5, 2, 1])
    wrote = [(await models.complete(REQUEST)) for _ in range(800)]
    names = [reply.model for reply in wrote if isinstance(reply, Reply)]
    assert Counter(names) == {"a": 500, "b": 200, "c": 100}
    for start in range(0, 800, 80):
        counts = Counter(names[start : start + 80])
        assert abs(counts["a"] - 50) <= 1 and abs(counts["c"] - 10) <= 1


async def test_a_model_that_fails_for_good_is_disabled() -> None:
    """A rejected key disables one model and does not end the run: the others answer the remaining requests."""
    end = EndpointError("the key is refused")
    models = ModelPool([Writer("bad", lambda: Failure("denied", "401", fatal_error=end)), good := writer("good")])
    outcomes = [await models.complete(REQUEST) for _ in range(10)]
    failures = [each for each in outcomes if isinstance(each, Failure)]
    assert [(each.reason, each.model, each.fatal_error) for each in failures] == [("denied", "bad", None)]
    assert good.asked == 9
    assert models.notes == ["bad was disabled: the key is refused"]


async def test_the_model_furthest_below_its_share_is_next() -> None:
    """Webster's method: with weights 3 and 1, the second model gets the third request, not the fourth."""
    pool = ModelPool([writer("a"), writer("b")], [3, 1])
    replies = [await pool.complete(REQUEST) for _ in range(8)]
    assert [reply.model for reply in replies] == list("aabaaaba")


async def test_calls_in_flight_to_a_disabled_model_do_not_end_the_run() -> None:
    """Two calls that fail for good at the same time disable their model once, and the other model continues."""
    arrived = asyncio.Barrier(2)

    class Slow(Writer):
        """A backend whose two calls fail together."""

        async def complete(self, request: Request) -> Reply | Failure:
            """Fail after both calls have arrived."""
            await arrived.wait()
            return await super().complete(request)

    bad = Slow("bad", lambda: Failure("denied", "401", fatal_error=EndpointError("rejected")))
    pool = ModelPool([bad, writer("good")], [9, 1])
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(pool.complete(REQUEST)) for _ in range(2)]
    assert [getattr(call.result(), "fatal_error", "none") for call in calls] == [None, None]
    assert pool.notes == ["bad was disabled: rejected"]


async def test_a_request_for_a_model_goes_to_that_model() -> None:
    """By its name in the recipe; to another model only if it is disabled."""
    backends = [writer("small"), writer("large at http://127.0.0.1:8000/v1")]
    models = ModelPool(backends, [9, 1], ["small", "large"])
    for _ in range(5):
        reply = await models.complete(replace(REQUEST, model="large"))
        assert isinstance(reply, Reply) and reply.model.startswith("large")
    gone = ModelPool([writer("small"), Writer("large", lambda: EndpointError("gone"))], names=["small", "large"])
    reply = await gone.complete(replace(REQUEST, model="large"))
    assert isinstance(reply, Reply) and reply.model == "small"


async def test_an_unsent_request_goes_to_another_model() -> None:
    """A request that waits for a model that is then disabled is answered by another one, without a failure."""
    models = ModelPool([Writer("bad", lambda: EndpointError("closed")), writer("good")])
    outcomes = [await models.complete(REQUEST) for _ in range(4)]
    assert [each.model for each in outcomes] == ["good"] * 4


async def test_a_model_that_never_answers_is_disabled() -> None:
    """After ten consecutive failures; a reply resets the count."""
    turns: Iterator[Reply | Failure] = iter([*[DOWN] * 9, Reply("text", "a"), *[DOWN] * 100])
    bad, good = Writer("a", lambda: next(turns)), writer("b")
    models = ModelPool([bad, good])
    for _ in range(100):
        await models.complete(REQUEST)
    assert bad.asked == 10 + MAX_CONSECUTIVE_FAILURES
    assert models.notes == ["a was disabled: 10 calls in a row failed; the last: 503 and gone"]


async def test_a_failure_of_the_last_model_ends_the_run() -> None:
    """If no other model is left, the failure has the error that ends the run."""
    models = ModelPool([Writer("a", lambda: DOWN), Writer("b", lambda: DOWN)])
    ends = [(await models.complete(REQUEST)) for _ in range(2 * MAX_CONSECUTIVE_FAILURES)]
    assert [isinstance(each, Failure) and each.fatal_error is not None for each in ends] == [False] * 19 + [True]
    with pytest.raises(EndpointError, match="closed"):
        await ModelPool([Writer("a", lambda: EndpointError("closed"))]).complete(REQUEST)


async def test_a_spent_budget_disables_no_model() -> None:
    """The budget is shared by all models; when it is spent, the run ends and no model is disabled."""
    models = ModelPool([Writer("a", lambda: Failure("timeout", "late", fatal_error=BudgetSpent("spent"))), writer("b")])
    outcome = await models.complete(REQUEST)
    assert isinstance(outcome, Failure) and isinstance(outcome.fatal_error, BudgetSpent)
    assert models.notes == []
    with pytest.raises(BudgetSpent):
        await ModelPool([Writer("a", lambda: BudgetSpent("spent")), writer("b")]).complete(REQUEST)


async def test_all_models_are_closed() -> None:
    """Including the disabled ones."""
    backends = [Writer("a", lambda: EndpointError("closed")), writer("b")]
    models = ModelPool(backends)
    await models.complete(REQUEST)
    await models.close()
    assert [each.closed for each in backends] == [True, True]


async def test_the_pace_is_that_of_all_enabled_models() -> None:
    """Concurrency and calls in flight add up over the models that make calls; the reason names the limited ones."""
    pool = ModelPool([writer("replay")])
    assert pool.inspect() is None
    paced = [Paced("a", Pace(4, 3, "as requested")), Paced("b", Pace(2, 1, "cut after a timeout", unrestricted=False))]
    assert ModelPool(paced[:1]).inspect() == Pace(4, 3, "as requested")
    assert ModelPool(paced).inspect() == Pace(6, 4, "b: cut after a timeout", unrestricted=False)
    gone = Paced("gone", Pace(9, 9, "waiting", unrestricted=False))
    gone.does = lambda: EndpointError("gone")
    pool = ModelPool([gone, *paced], [9, 1, 1])
    await pool.complete(REQUEST)
    assert pool.inspect() == Pace(6, 4, "b: cut after a timeout", unrestricted=False)


def test_prompts_are_built_if_any_model_reads_them() -> None:
    """A pool of an imitator and a model needs prompts."""
    silent = writer("imitator")
    silent.reads_messages = False
    assert not ModelPool([silent]).reads_messages
    assert ModelPool([silent, writer("model")]).reads_messages


# ---- Whole runs ----


def recipe(folder: Path, *models: str) -> Path:
    """A recipe of the LogQA seeds with these ``[[models]]``."""
    path = folder / "recipe.toml"
    text = api.init(SEEDS, path)
    path.write_text(text + "".join(f"\n[[models]]\n{model}\n" for model in models), encoding="utf-8")
    return path


async def test_each_row_records_its_model(tmp_path: Path) -> None:
    """With two models of different prices and weights, the rows, requests and costs of both add up to the totals."""
    async with FaultServer() as one, FaultServer() as two:
        source = recipe(
            tmp_path,
            f'name = "big"\nbase_url = "{one.base_url}"\nweight = 3\nprice = {{ input = 1, output = 10 }}',
            f'name = "small"\nbase_url = "{two.base_url}"\nprice = {{ input = 1, output = 2 }}',
        )
        run = await api.run_async(source, rows=400, out=tmp_path / "out")
        sent = [server.ledger.counts["requests"] for server in (one, two)]
        billed = [server.ledger for server in (one, two)]
    summary = run.summary
    assert (summary.accepted, summary.stopped, summary.model) == (400, "done", "big, small")
    models = summary.models
    assert [models[name].requests for name in ("big", "small")] == sent
    assert sum(bill.accepted for bill in models.values()) == 400
    assert models["big"].accepted > 2 * models["small"].accepted
    for name, ledger, price in zip(("big", "small"), billed, (10, 2), strict=True):
        money = sum(call.input + call.output * price for call in ledger.billed) / 1e6
        assert models[name].cost == pytest.approx(money)
    assert summary.cost == pytest.approx(sum(bill.cost or 0 for bill in models.values()))
    assert summary.cost is not None and summary.cost_per_row == pytest.approx(summary.cost / 400)
    in_categories = sum(category.cost or 0 for category in summary.categories.values())
    preflights = 2
    assert 0 < in_categories < summary.cost and sum(sent) - preflights == sum(
        category.requests for category in summary.categories.values()
    )
    with History.open(tmp_path / "out") as history:
        wrote = Counter(history.batch_replies(row.call)[-1].reply.model for row in history.rows())
    assert wrote == {name: bill.accepted for name, bill in models.items()}


async def test_a_run_continues_without_a_failed_model(tmp_path: Path) -> None:
    """One model is down from the start, one fails later: the quota is met, and the notes name both."""
    async with FaultServer() as good, FaultServer(Behaviour(faults={"quota": 0.5}, seed=3)) as poor:
        source = recipe(
            tmp_path,
            f'name = "good"\nbase_url = "{good.base_url}"',
            f'name = "poor"\nbase_url = "{poor.base_url}"',
            'name = "gone"\nbase_url = "http://127.0.0.1:9/v1"',
        )
        run = await api.run_async(source, rows=400, out=tmp_path / "out")
    assert (run.summary.accepted, run.summary.stopped) == (400, "done")
    said = "\n".join(run.summary.notes)
    assert "gone is not used" in said and "poor" in said


async def test_a_run_needs_a_model_that_answers(tmp_path: Path) -> None:
    """If no model answers, the error is that of the first, and nothing is written."""
    source = recipe(tmp_path, *(f'name = "{name}"\nbase_url = "http://127.0.0.1:9/v1"' for name in "ab"))
    with pytest.raises(EndpointError, match="cannot connect"):
        await api.run_async(source, rows=40, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_money_budget_needs_the_price_of_every_model(tmp_path: Path) -> None:
    """The error names the model without a price, and how to set it."""
    source = recipe(tmp_path, 'name = "a"\nprice = { input = 1, output = 1 }', 'name = "b"')
    with pytest.raises(InputError, match="price of b is unknown") as told:
        asyncio.run(api.run_async(source, rows=40, out=tmp_path / "out", budget=1.0))
    assert "price = " in str(told.value) and not (tmp_path / "out").exists()


async def test_requests_and_tokens_match_the_servers_record(tmp_path: Path) -> None:
    """The summary counts retries and the preflight too, as the server does, and the same tokens."""
    async with FaultServer(Behaviour(faults={"rate-limit": 0.2, "no-choices": 0.1}, seed=5)) as server:
        run = await api.run_async(SEEDS, rows=300, out=tmp_path / "out", model="m", base_url=server.base_url)
        ledger = server.ledger
        assert ledger.counts["rate-limit"] and ledger.counts["no-choices"]
        assert run.summary.requests == ledger.counts["requests"]
        assert run.summary.tokens.input == sum(call.input for call in ledger.billed)
        assert run.summary.tokens.output == sum(call.output for call in ledger.billed)
        more = await api.run_async(SEEDS, rows=400, out=tmp_path / "out", model="m", base_url=server.base_url)
        assert more.summary.requests == server.ledger.counts["requests"], "and over several sessions"


@pytest.mark.parametrize(("seeds", "concurrency"), [(10, 1), (2, 1), (10, 16), (2, 16)])
async def test_a_model_that_loses_the_format_is_reminded(tmp_path: Path, seeds: int, concurrency: int) -> None:
    """After unreadable replies, prompts request fewer rows, then repeat the format; the notes report both.

    No category is exhausted because of replies to earlier prompts, or to prompts in flight.
    """

    def row(call: int, number: int) -> dict[str, str]:
        number += 1000 * call
        return {
            "Question": f"What is the ID for stage {number}.0?",
            "Answer": str(number * 7),
            "RawLog": f"Running task {number * 3}.0 in stage {number}.0 (TID {number * 7})",
        }

    few = SEEDS
    if seeds == 2:
        few = tmp_path / "seeds.jsonl"
        few.write_text("".join(json.dumps(row(1, number)) + "\n" for number in (3, 8)), encoding="utf-8")
    prompts: list[str] = []

    def author(messages: object, rng: object) -> str:
        """Return prose until the prompt repeats the format."""
        assert isinstance(messages, list)
        user = str(messages[-1]["content"])
        prompts.append(user)
        if "The reply is one whole JSON object" not in user:
            return "Here are some rows about logs, as you wished."
        return json.dumps({"rows": [row(len(prompts), n) for n in range(20)]})

    async with FaultServer(author=author) as server:
        run = await api.run_async(
            few, per_category=20, out=tmp_path / "out", model="m", base_url=server.base_url, concurrency=concurrency
        )
    said = "\n".join(run.summary.notes)
    assert "10 rows per prompt instead of 20" in said
    assert "with an example" in said or "the form of the reply is repeated" in said
    assert run.summary.categories["What is the ID for stage <*>?"].accepted > 0
    reminded = next(prompt for prompt in prompts if "The reply is one whole JSON object" in prompt)
    example = reminded.partition("do not copy what it says): ")[2].partition("\n")[0]
    assert json.loads(example)["rows"][0].keys() == {"Question", "Answer", "RawLog"}


async def test_a_model_that_never_finds_the_format_ends_the_run(tmp_path: Path) -> None:
    """After fewer rows per prompt and a repeated format, the run ends as exhausted, and the notes say so."""
    async with FaultServer(author=lambda messages, rng: "Here are some rows about logs, as you wished.") as server:
        run = await api.run_async(
            SEEDS, per_category=20, out=tmp_path / "out", model="m", base_url=server.base_url, concurrency=1
        )
    assert run.summary.stopped == "exhausted" and "given up" in run.summary.notes[-1]
    assert 30 < run.summary.requests <= 50
