"""Several models that share the batches, and what becomes of one that fails: on their own, and in whole runs."""

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
from selfinstruct.journal import History
from selfinstruct.records import Batch, Failure, Reply, Request
from selfinstruct.testing import Behaviour, FaultServer

SEEDS = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
REQUEST = Request(Batch(1, "", 1, 0, ()), "imitate", (), (), 0)
DOWN = Failure("server-error", "503 and gone")


class Writer:
    """A backend that does what a function says at each request."""

    reads_messages = True

    def __init__(self, name: str, does: Callable[[], Reply | Failure | Exception]) -> None:
        self.name, self.does, self.asked, self.closed = name, does, 0, False

    async def complete(self, request: Request) -> Reply | Failure:
        """What the function says."""
        self.asked += 1
        came = self.does()
        if isinstance(came, Exception):
            raise came
        return came

    async def close(self) -> None:
        """Take note of it."""
        self.closed = True


def writer(name: str) -> Writer:
    """A backend that always writes."""
    return Writer(name, lambda: Reply("text", name))


async def test_requests_are_shared_out_by_weight() -> None:
    """Weights of 5, 2 and 1 give exactly that of 800 requests, and nearly that of every 80 in a row."""
    backends = [writer(name) for name in "abc"]
    authors = ModelPool(backends, [5, 2, 1])
    wrote = [(await authors.complete(REQUEST)) for _ in range(800)]
    names = [reply.model for reply in wrote if isinstance(reply, Reply)]
    assert Counter(names) == {"a": 500, "b": 200, "c": 100}
    for start in range(0, 800, 80):
        counts = Counter(names[start : start + 80])
        assert abs(counts["a"] - 50) <= 1 and abs(counts["c"] - 10) <= 1


async def test_one_that_fails_for_good_is_set_aside_and_the_rest_goes_on() -> None:
    """A refused key ends one model and not the run: its call counts as its failure, and the others write the rest."""
    end = EndpointError("the key is refused")
    authors = ModelPool([Writer("bad", lambda: Failure("denied", "401", end=end)), good := writer("good")])
    outcomes = [await authors.complete(REQUEST) for _ in range(10)]
    failures = [each for each in outcomes if isinstance(each, Failure)]
    assert [(each.reason, each.model, each.end) for each in failures] == [("denied", "bad", None)]
    assert good.asked == 9
    assert authors.notes == ["bad was disabled: the key is refused"]


async def test_a_step_that_names_its_model_is_answered_by_it() -> None:
    """Under the name that the recipe has for it; by another only once that one is set aside."""
    backends = [writer("small"), writer("large at http://127.0.0.1:8000/v1")]
    authors = ModelPool(backends, [9, 1], ["small", "large"])
    for _ in range(5):
        reply = await authors.complete(replace(REQUEST, model="large"))
        assert isinstance(reply, Reply) and reply.model.startswith("large")
    gone = ModelPool([writer("small"), Writer("large", lambda: EndpointError("gone"))], names=["small", "large"])
    reply = await gone.complete(replace(REQUEST, model="large"))
    assert isinstance(reply, Reply) and reply.model == "small"


async def test_a_request_that_was_not_sent_goes_to_another_model() -> None:
    """What waits at the gate of a model that is set aside is written by another, and is no failure."""
    authors = ModelPool([Writer("bad", lambda: EndpointError("closed")), writer("good")])
    outcomes = [await authors.complete(REQUEST) for _ in range(4)]
    assert [each.model for each in outcomes] == ["good"] * 4


async def test_one_that_never_answers_is_set_aside() -> None:
    """Ten calls in a row without a reply are enough; a reply in between begins the count anew."""
    turns: Iterator[Reply | Failure] = iter([*[DOWN] * 9, Reply("text", "a"), *[DOWN] * 100])
    bad, good = Writer("a", lambda: next(turns)), writer("b")
    authors = ModelPool([bad, good])
    for _ in range(100):
        await authors.complete(REQUEST)
    assert bad.asked == 10 + MAX_CONSECUTIVE_FAILURES
    assert authors.notes == ["a was disabled: 10 calls in a row failed; the last: 503 and gone"]


async def test_the_last_ones_end_is_the_end() -> None:
    """With nobody left to write, the failure carries the error that ends the run."""
    authors = ModelPool([Writer("a", lambda: DOWN), Writer("b", lambda: DOWN)])
    ends = [(await authors.complete(REQUEST)) for _ in range(2 * MAX_CONSECUTIVE_FAILURES)]
    assert [isinstance(each, Failure) and each.end is not None for each in ends] == [False] * 19 + [True]
    with pytest.raises(EndpointError, match="closed"):
        await ModelPool([Writer("a", lambda: EndpointError("closed"))]).complete(REQUEST)


async def test_a_spent_budget_sets_nobody_aside() -> None:
    """A budget is everyone's: that it is spent ends the run and says nothing about a model."""
    authors = ModelPool([Writer("a", lambda: Failure("timeout", "late", end=BudgetSpent("spent"))), writer("b")])
    outcome = await authors.complete(REQUEST)
    assert isinstance(outcome, Failure) and isinstance(outcome.end, BudgetSpent)
    assert authors.notes == []
    with pytest.raises(BudgetSpent):
        await ModelPool([Writer("a", lambda: BudgetSpent("spent")), writer("b")]).complete(REQUEST)


async def test_all_are_closed() -> None:
    """Letting go lets go of every one, those set aside among them."""
    backends = [Writer("a", lambda: EndpointError("closed")), writer("b")]
    authors = ModelPool(backends)
    await authors.complete(REQUEST)
    await authors.close()
    assert [each.closed for each in backends] == [True, True]


# ---- Whole runs ----


def recipe(folder: Path, *models: str) -> Path:
    """A recipe of the LogQA seeds with these ``[[models]]``."""
    path = folder / "recipe.toml"
    text = api.init(SEEDS, path)
    path.write_text(text + "".join(f"\n[[models]]\n{model}\n" for model in models), encoding="utf-8")
    return path


async def test_each_row_says_which_model_wrote_it(tmp_path: Path) -> None:
    """Two models at two prices and weights: rows, requests and money of each add up to the whole."""
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


async def test_a_run_goes_on_without_a_model_that_is_gone(tmp_path: Path) -> None:
    """One model is not there from the start, one refuses after a while: the quota is met, and it is said."""
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


async def test_no_model_left_is_the_end(tmp_path: Path) -> None:
    """Where none of them answers, nothing is written, and the error is the first one's."""
    source = recipe(tmp_path, *(f'name = "{name}"\nbase_url = "http://127.0.0.1:9/v1"' for name in "ab"))
    with pytest.raises(EndpointError, match="cannot connect"):
        await api.run_async(source, rows=40, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_money_needs_the_price_of_every_model(tmp_path: Path) -> None:
    """A budget of money names the model whose price is missing, and how to give it."""
    source = recipe(tmp_path, 'name = "a"\nprice = { input = 1, output = 1 }', 'name = "b"')
    with pytest.raises(InputError, match="price of b is unknown") as told:
        asyncio.run(api.run_async(source, rows=40, out=tmp_path / "out", budget=1.0))
    assert "price = " in str(told.value) and not (tmp_path / "out").exists()


async def test_the_endpoint_is_counted_as_it_counts(tmp_path: Path) -> None:
    """Retries and the preflight are requests too: the summary's are the server's, and so are the tokens."""
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
async def test_a_model_that_loses_the_form_is_reminded(tmp_path: Path, seeds: int, concurrency: int) -> None:
    """A run whose replies cannot be read asks for less, then says the form again, and says what it did.

    Neither its one category nor all of them are given up for what was asked for in the old way, or was in flight.
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
        """Writes prose until the form is said once more."""
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
    assert "10 rows per prompt instead of 20" in said and "with an example" in said
    assert run.summary.categories["What is the ID for stage <*>?"].accepted > 0
    reminded = next(prompt for prompt in prompts if "The reply is one whole JSON object" in prompt)
    example = reminded.partition("do not copy what it says): ")[2].partition("\n")[0]
    assert json.loads(example)["rows"][0].keys() == {"Question", "Answer", "RawLog"}


async def test_a_model_that_never_finds_the_form_is_given_up(tmp_path: Path) -> None:
    """Less is asked for, then the form is said again; when that is of no use either, the run ends and says so."""
    async with FaultServer(author=lambda messages, rng: "Here are some rows about logs, as you wished.") as server:
        run = await api.run_async(
            SEEDS, per_category=20, out=tmp_path / "out", model="m", base_url=server.base_url, concurrency=1
        )
    assert run.summary.stopped == "exhausted" and "given up" in run.summary.notes[-1]
    assert 30 < run.summary.requests <= 50
