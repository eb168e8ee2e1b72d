"""Batch jobs against the fault server: every request gets its reply, and none is paid for twice, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct.backends import Budget, BudgetSpent
from selfinstruct.backends.openai import OpenAIBackend
from selfinstruct.backends.openai.batches import BatchBackend
from selfinstruct.backends.openai.settings import EndpointSettings
from selfinstruct.errors import EndpointError
from selfinstruct.events import JobProgress
from selfinstruct.journal import Journal, RunMetadata, sent_jobs
from selfinstruct.recipe import Model, Price
from selfinstruct.records import Batch, Failure, Message, Reply, Request
from selfinstruct.testing import BatchBehaviour, Behaviour, FaultServer

PRICE = Price(input=2.0, output=4.0)
_USUAL = EndpointSettings()


def request(number: int, step: str = "imitate") -> Request:
    """The request of one batch."""
    return Request(Batch(number, "", 1, 0, ()), step, (Message("user", f"Write row {number}."),), (), seed=number)


def batch_server(**batches: Any) -> FaultServer:
    """A server with these settings of batch jobs."""
    return FaultServer(Behaviour(batches=BatchBehaviour(**batches)))


@contextmanager
def journaled(path: Path) -> Iterator[Journal]:
    """The journal of a run with ten batches, created or opened again."""
    path.mkdir(exist_ok=True)
    if not (path / "run.sqlite").exists():
        with Journal.create(path, RunMetadata("", "", 0, ""), []) as journal:
            for number in range(1, 11):
                journal.add_batch(request(number).batch)
    with Journal.open(path) as journal:
        yield journal


@asynccontextmanager
async def session(
    server: FaultServer,
    path: Path,
    budget: Budget | None = None,
    settings: EndpointSettings = _USUAL,
    **options: Any,
) -> AsyncIterator[tuple[BatchBackend, Journal]]:
    """A backend of a run in ``path``, as each of its sessions has one, with waits a thousand times shorter."""
    model = Model(name="m", base_url=server.base_url, price=PRICE, batch=True, **options)
    endpoint = await OpenAIBackend.connect(model, preflight=False, budget=budget, settings=settings, environ={})

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / 1000)

    def clock() -> float:
        return asyncio.get_running_loop().time() * 1000

    backend = BatchBackend(endpoint, model, budget, sleep=sleep, clock=clock, rng=Random(1))
    try:
        with journaled(path) as journal:
            backend.begin(journal)
            yield backend, journal
    finally:
        await backend.close()


async def outcomes(
    backend: BatchBackend, journal: Journal, numbers: Iterable[int] = range(1, 11)
) -> dict[int, Reply | Failure | Exception]:
    """The outcomes of these batches, recorded as a run does: rounds end while any request waits."""
    found: dict[int, Reply | Failure | Exception] = {}

    async def ask(number: int) -> None:
        try:
            found[number] = outcome = await backend.complete(request(number))
        except (EndpointError, BudgetSpent) as error:
            found[number] = error
            return
        if isinstance(outcome, Reply):
            journal.add_reply(number, "imitate", outcome)
        elif outcome.fatal_error is None:
            journal.add_failure(number, "imitate", outcome)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(number)) for number in numbers]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0.002)
            backend.end_round()
    journal.commit()
    return found


async def reached(server: FaultServer, name: str, count: int) -> None:
    """Wait until the server's ledger counts ``name`` so often."""
    while server.ledger.counts[name] < count:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.001)


def replies(found: dict[int, Reply | Failure | Exception]) -> list[int]:
    """The batches with a reply."""
    return sorted(number for number, outcome in found.items() if isinstance(outcome, Reply))


EVERY = list(range(1, 11))


async def test_the_requests_of_a_round_are_one_job(tmp_path: Path) -> None:
    """Every request gets its own reply with its own tokens, by one file and one job; the rows know how they came."""
    async with batch_server(seconds=0.01) as server, session(server, tmp_path) as (backend, journal):
        found = await outcomes(backend, journal)
        assert replies(found) == EVERY and server.ledger.counts["batch-jobs"] == 1
        reply = found[3]
        assert isinstance(reply, Reply) and reply.model == "m (batch)" and reply.tries == 1
        assert reply.usage.input > 0 and not reply.usage.estimated and reply.text
        assert [job.requests[:2] for job in sent_jobs(journal.history)] == [("1/imitate/1", "2/imitate/1")]
        assert server.ledger.counts["batch-requests"] == 10 and server.ledger.counts["requests"] == 0


async def test_output_may_be_larger_than_a_reply(tmp_path: Path) -> None:
    """A file of many replies is read where one reply of its size would be refused."""
    async with batch_server() as server:
        settings = EndpointSettings(max_reply_bytes=1500)
        async with session(server, tmp_path, settings=settings) as (backend, journal):
            assert replies(await outcomes(backend, journal)) == EVERY


@pytest.mark.parametrize(
    "faults",
    [
        {"poll-503": 0.5},
        {"file-503": 0.5},
        {"file-cut": 0.5},
        {"create-lost": 0.6},
        {"create-refused": 0.6},
        {"line-429": 0.3},
        {"line-500": 0.3},
        {"line-twice": 0.5},
        {"line-unknown": 0.5},
        {"expired": 0.5},
        {"slow": 1.0},
    ],
    ids=lambda faults: "-".join(faults),
)
@pytest.mark.parametrize("shape", ["openai", "together"])
async def test_what_passes_is_survived(tmp_path: Path, faults: dict[str, float], shape: str) -> None:
    """Every request gets a reply, and is billed once; what failed or was not reached is sent again, in another job."""
    async with (
        batch_server(seconds=0.003, faults=faults, shape=shape) as server,
        session(server, tmp_path) as (backend, journal),
    ):
        found = await outcomes(backend, journal)
    counts = server.ledger.counts
    assert [name for name in faults if counts[name] or name == "slow"] == [*faults]
    failed = [each for each in found.values() if isinstance(each, Failure)]
    assert len(replies(found)) + len(failed) == 10 and len(failed) <= 1
    assert counts["batch-repeated"] == 0 and counts["batch-requests"] == len(replies(found))


async def test_a_full_queue_takes_fewer_requests_at_once(tmp_path: Path) -> None:
    """A job is refused for its tokens: half of its requests are sent, then the others, each once; a note says so."""
    async with batch_server(faults={"token-limit": 1.0}) as server, session(server, tmp_path) as (backend, journal):
        asking = asyncio.create_task(outcomes(backend, journal))
        await reached(server, "token-limit", 1)
        server.behaviour = Behaviour()
        assert replies(await asking) == EVERY
        assert server.ledger.counts["batch-jobs"] == 3 and server.ledger.counts["batch-requests"] == 10
        assert "Enqueued token limit reached" in backend.notes[0] and "at most 5 requests" in backend.notes[0]


async def test_a_missing_line_is_asked_for_again(tmp_path: Path) -> None:
    """It was billed, which cannot be helped; its tokens are counted by an estimate."""
    async with batch_server(faults={"line-missing": 0.3}) as server, session(server, tmp_path) as (backend, journal):
        found = await outcomes(backend, journal)
        assert len(replies(found)) >= 9 and server.ledger.counts["line-missing"] > 0
        assert server.ledger.counts["batch-repeated"] == server.ledger.counts["batch-requests"] - 10
        assert any(isinstance(each, Reply) and each.usage.estimated and each.tries > 1 for each in found.values())


async def test_a_request_that_always_fails_is_given_up(tmp_path: Path) -> None:
    """Three jobs are enough; the run goes on without it."""
    async with batch_server(faults={"line-500": 1.0}) as server, session(server, tmp_path) as (backend, journal):
        found = await outcomes(backend, journal, [1])
        failure = found[1]
        assert isinstance(failure, Failure) and (failure.reason, failure.tries) == ("server-error", 3)
        assert server.ledger.counts["batch-jobs"] == 3 and server.ledger.counts["batch-requests"] == 0


async def test_a_refused_job_ends_the_run_with_its_reasons(tmp_path: Path) -> None:
    """The error has the line and the endpoint's words; nothing is recorded as failed, so a later session sends it."""
    async with batch_server(faults={"invalid": 1.0}) as server:
        async with session(server, tmp_path) as (backend, journal):
            found = await outcomes(backend, journal)
            assert {type(each) for each in found.values()} == {EndpointError}
            assert "failed its validation: line 1: The body of this line is not a valid request" in str(found[1])
            assert "leave out `batch`" in str(found[1])
        server.behaviour = Behaviour()
        async with session(server, tmp_path) as (backend, journal):
            assert replies(await outcomes(backend, journal)) == EVERY
        assert server.ledger.counts["batch-requests"] == 10


async def test_a_job_that_somebody_cancels_ends_the_run(tmp_path: Path) -> None:
    """What it processed is taken; the next session sends the rest, since the run is wanted again."""
    async with batch_server(seconds=0.02, faults={"cancelled": 1.0}) as server:
        async with session(server, tmp_path) as (backend, journal):
            found = await outcomes(backend, journal)
            assert replies(found) == EVERY[:5] and "batch_1 was cancelled" in str(found[6])
        server.behaviour = Behaviour()
        async with session(server, tmp_path) as (backend, journal):
            assert replies(await outcomes(backend, journal, EVERY[5:])) == EVERY[5:]
        assert (server.ledger.counts["batch-jobs"], server.ledger.counts["batch-repeated"]) == (2, 0)


async def interrupted(server: FaultServer, path: Path, *, after: str, count: int = 1) -> None:
    """A session that is interrupted once the server's ledger counts ``after`` so often."""
    async with session(server, path) as (backend, journal):
        asking = asyncio.create_task(outcomes(backend, journal))
        await reached(server, after, count)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking


async def test_a_session_collects_the_jobs_of_the_one_before(tmp_path: Path) -> None:
    """The job goes on while nobody polls it, and its replies cost nothing more."""
    async with batch_server(seconds=0.02) as server:
        await interrupted(server, tmp_path, after="batch-polls")
        async with session(server, tmp_path) as (backend, journal):
            assert backend.has_sent(request(1)) and not backend.has_sent(request(11))
            assert replies(await outcomes(backend, journal)) == EVERY
            assert not backend.has_sent(request(1))
        assert (server.ledger.counts["batch-jobs"], server.ledger.counts["batch-requests"]) == (1, 10)


@pytest.mark.parametrize("created", [True, False])
async def test_a_kill_around_the_creation_of_a_job(tmp_path: Path, created: bool) -> None:
    """The file is recorded, the job is not: it is found by its file, or none can be created of it any more."""
    async with batch_server(seconds=0.01) as server:
        await interrupted(server, tmp_path, after="batch-jobs")
        with journaled(tmp_path) as journal:
            (sent,) = sent_jobs(journal.history)
            journal.name_job(sent.id, "")
            if not created:
                journal._connection.execute("UPDATE jobs SET file = 'file-of-no-job'")
        if not created:
            server.ledger.counts["batch-requests"] = -10  # those of the job that this run does not know of
        async with session(server, tmp_path) as (backend, journal):
            assert replies(await outcomes(backend, journal)) == EVERY
        assert server.ledger.counts["batch-jobs"] == (1 if created else 2)


async def test_a_job_of_another_account_is_not_sent_again(tmp_path: Path) -> None:
    """The endpoint does not know the job: that may be the wrong key, so the run ends with what to do."""
    async with batch_server(seconds=0.01) as server:
        await interrupted(server, tmp_path, after="batch-polls")
        async with batch_server() as other, session(other, tmp_path) as (backend, journal):
            found = await outcomes(backend, journal)
            assert "no batch job batch_1" in str(found[1]) and "`batch=False`" in str(found[1])
            assert other.ledger.counts["batch-jobs"] == 0


async def test_a_budget_is_held_by_the_worst_case(tmp_path: Path) -> None:
    """Requests that do not fit wait until others are settled; what is billed never exceeds the limit."""
    async with batch_server() as server:
        budget = Budget(money=0.02)
        async with session(server, tmp_path, budget, max_tokens=2000) as (backend, journal):
            found = await outcomes(backend, journal)
        billed = sum(each.input * 1.0 + each.output * 2.0 for each in server.ledger.billed) / 1e6
        assert float(budget.spent.money) == pytest.approx(billed) and billed <= 0.02
        assert server.ledger.counts["batch-jobs"] > 1  # 0.004 are held for each, so at most four go together
        assert replies(found) == EVERY
        tight = Budget(requests=4)
        async with session(server, tmp_path / "tight", tight) as (backend, journal):
            spent = await outcomes(backend, journal)
        assert len(replies(spent)) == 4 and {type(each) for each in spent.values()} == {Reply, BudgetSpent}


async def test_the_progress_shows_the_phase(tmp_path: Path) -> None:
    """Each state is seen, with how many requests are done and for how long they have been awaited."""
    async with batch_server(seconds=0.05) as server, session(server, tmp_path) as (backend, journal):
        asking = asyncio.create_task(outcomes(backend, journal))
        seen: list[JobProgress] = []
        while not asking.done():
            await asyncio.sleep(0.002)
            if (progress := backend.inspect().batch) is not None:
                seen.append(progress)
        states = [*dict.fromkeys(each.state for each in seen)]
        assert [each for each in states if each != "uploading"][:3] == ["validating", "in_progress", "finalizing"]
        assert {each.total for each in seen} == {10} and max(each.done for each in seen) == 10
        assert seen[-1].seconds > seen[0].seconds and backend.inspect().batch is None
