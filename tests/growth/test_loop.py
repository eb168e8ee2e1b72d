"""The loop on its own: replies are journaled, judged and counted, and an interrupted loop can be resumed.

Whole runs through ``api`` are in ``tests/api/test_grow.py``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfinstruct.backends.model_pool import MAX_CONSECUTIVE_FAILURES, ModelPool
from selfinstruct.errors import EndpointError, StorageError
from selfinstruct.events import Snapshot
from selfinstruct.growth.loop import Loop
from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.prompt_size import PromptSize
from selfinstruct.growth.sampler import Sampler
from selfinstruct.journal import Journal, RunMetadata, SeedRow
from selfinstruct.preparation.judging_state import JudgingState
from selfinstruct.preparation.prepare import Prepared, prepare
from selfinstruct.records import Failure, Reply, Request, Row

KINDS = ("cat", "dog")
SEEDS: list[Row] = [{"text": f"the {kind} {name} sleeps", "kind": kind} for kind in KINDS for name in ("Ann", "Bo")]
RECIPE = """[seeds]
file = "rows.jsonl"
[fields.text]
[fields.kind]
[categories]
by = "field"
field = "kind"
[quota]
per_category = {each}
[novelty]
max_rouge_l = 0.9
"""
Answer = str | Failure | BaseException


class Answering:
    """A backend that answers each request by a function."""

    name = "answering"
    reads_messages = False

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Reply | Failure:
        """The answer of the function."""
        self.requests.append(request)
        answer = self.answer(request)
        if isinstance(answer, BaseException):
            raise answer
        return Reply(answer, self.name) if isinstance(answer, str) else answer

    async def close(self) -> None:
        """Do nothing."""


def rows_of(kind: str, start: int, count: int) -> str:
    """A reply of new rows of one kind, each with five unique words."""
    texts = [" ".join(f"{kind}{n}word{w}" for w in range(5)) for n in range(start, start + count)]
    return json.dumps({"rows": [{"text": text, "kind": kind} for text in texts]})


def good(request: Request) -> str:
    """The requested rows."""
    return rows_of(request.batch.category, request.batch.requested_before, request.batch.count)


def prepared_in(folder: Path, each: int) -> Prepared:
    """The prepared seeds, with a quota for each kind."""
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in SEEDS))
    (folder / "recipe.toml").write_text(RECIPE.format(each=each))
    return prepare(folder / "recipe.toml")


@contextmanager
def loop_in(
    folder: Path,
    backend: Answering,
    each: int = 10,
    concurrency: int = 1,
    watch: Callable[[Snapshot], None] = lambda snapshot: None,
) -> Iterator[Loop]:
    """A loop over the journal in ``folder``, new or resumed."""
    prepared = prepared_in(folder, each)
    if not (folder / "run.sqlite").exists():
        seeds = [SeedRow(row, row["kind"], line) for line, row in enumerate(SEEDS, 1)]
        Journal.create(folder, RunMetadata("", "", 0, ""), seeds).close()
    with Journal.open(folder) as journal:
        sampler = Sampler(prepared.recipe, PromptInputs())
        state = JudgingState.of_seeds(prepared)
        state.restore(journal.history, sampler)
        yield Loop(
            criteria=state.criteria,
            seeds=SEEDS,
            pool=state.pool,
            progress=state.progress,
            journal=journal,
            models=ModelPool([backend]),
            prompt_size=PromptSize(prepared.recipe.prompt),
            inputs=PromptInputs(),
            sampler=sampler,
            seed=0,
            concurrency=concurrency,
            watch=watch,
            last_batch=journal.history.state().last_batch,
        )


def accepted(loop: Loop) -> dict[str, int]:
    """Accepted rows by category, according to the journal."""
    return {name: tally.accepted for name, tally in loop.journal.history.state().categories.items() if tally.accepted}


@pytest.mark.parametrize("concurrency", [1, 7])
async def test_every_quota_is_met_and_the_snapshots_count_up_to_it(concurrency: int, tmp_path: Path) -> None:
    """Quotas are met exactly at any concurrency, the last snapshot agrees with the journal, and the limit is kept."""
    seen: list[Snapshot] = []
    with loop_in(tmp_path, Answering(good), 35, concurrency, seen.append) as loop:
        await loop.run()
        assert accepted(loop) == {"cat": 35, "dog": 35}
        state = loop.journal.history.state()
    last = seen[-1]
    assert (last.accepted, last.candidates, last.rejected, last.failed) == (70, state.candidates, state.rejected, {})
    assert last.requests == state.requests
    assert {name: count.accepted for name, count in last.categories.items()} == {"cat": 35, "dog": 35}
    assert [snapshot.accepted for snapshot in seen] == sorted(snapshot.accepted for snapshot in seen)
    assert max(snapshot.in_flight for snapshot in seen) <= concurrency
    assert last.last_row is not None and last.last_row["text"].endswith("word4")


async def test_replies_without_a_row_and_failed_calls_are_counted_by_reason(tmp_path: Path) -> None:
    """Quotas are met despite an unreadable reply, a partly malformed reply and a timeout."""
    one = rows_of("cat", 900, 1)[len('{"rows": [') : -2]
    answers: list[Answer] = ["I am sorry.", Failure("timeout", "too slow"), f'{{"rows": [{one}, "see above"]}}']

    def answer(request: Request) -> Answer:
        return answers.pop(0) if answers else good(request)

    with loop_in(tmp_path, Answering(answer)) as loop:
        await loop.run()
        state = loop.journal.history.state()
        assert accepted(loop) == {"cat": 10, "dog": 10}
    assert loop.counts.failed == state.failed
    assert state.failed["timeout"] == 1
    assert sum(state.failed.values()) == 2
    assert loop.counts.rejected["schema"] == state.rejected["schema"] == 1
    assert state.conserved


async def test_a_row_counts_in_the_category_that_it_belongs_to(tmp_path: Path) -> None:
    """Dogs in a reply to a request for cats count towards the quota of dogs."""

    def answer(request: Request) -> str:
        return rows_of("dog", 500 + request.batch.requested_before, 4) if request.batch.number == 1 else good(request)

    with loop_in(tmp_path, backend := Answering(answer)) as loop:
        await loop.run()
        assert accepted(loop) == {"cat": 10, "dog": 10}
    assert backend.requests[0].batch.category == "cat"
    assert set(loop.counts.rejected) == {"quota"}


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_failures_end_a_run_only_when_nothing_comes_between_them(concurrency: int, tmp_path: Path) -> None:
    """One reply among many failures keeps a run going; ten failures in a row end it, with the last one in the error."""
    down = Failure("server-error", "503 and gone")

    def rarely(request: Request) -> Answer:
        return good(request) if request.batch.number % MAX_CONSECUTIVE_FAILURES == 0 else down

    with loop_in(tmp_path, Answering(rarely), 30, concurrency) as loop:
        await loop.run()
        assert accepted(loop) == {"cat": 30, "dog": 30}
    with (
        loop_in(tmp_path, backend := Answering(lambda request: down), 60, concurrency) as loop,
        pytest.raises(EndpointError, match=r"1\d calls in a row failed; the last: 503 and gone"),
    ):
        await loop.run()
    assert MAX_CONSECUTIVE_FAILURES <= len(backend.requests) < MAX_CONSECUTIVE_FAILURES + concurrency


class Waiting(Answering):
    """Dogs and cats in reply to requests for dogs; a call for cats waits until it is dropped, and then fails."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(lambda request: "")
        self.failure = failure
        self.dropped = asyncio.Event()

    async def complete(self, request: Request) -> Reply | Failure:
        """Wait, or answer."""
        if request.batch.category == "cat":
            await self.dropped.wait()
            return self.failure
        both = [json.loads(rows_of(kind, request.batch.requested_before, 10))["rows"] for kind in KINDS]
        return Reply(json.dumps({"rows": [*both[0], *both[1]]}), self.name)

    def drop_waiting(self) -> None:
        """End the call that waits."""
        self.dropped.set()


@pytest.mark.parametrize(
    "failure",
    [Failure("not-needed", "never sent", tries=0), Failure("denied", "no", fatal_error=EndpointError("no access"))],
)
async def test_a_run_whose_quotas_are_met_waits_for_no_endpoint(failure: Failure, tmp_path: Path) -> None:
    """Once every quota is met, calls that wait to be sent are dropped, and no error of the endpoint counts."""
    with loop_in(tmp_path, Waiting(failure), concurrency=2) as loop:
        await asyncio.wait_for(loop.run(), 60)
        assert accepted(loop) == {"cat": 10, "dog": 10}
        assert loop.journal.history.state().failed == {failure.reason: 1}


async def test_a_category_without_new_rows_is_exhausted_and_the_others_are_completed(tmp_path: Path) -> None:
    """A category that repeats one row is recorded as exhausted, and a resumed run requests nothing more."""

    def answer(request: Request) -> str:
        return rows_of("cat", 1, 1) if request.batch.category == "cat" else good(request)

    with loop_in(tmp_path, backend := Answering(answer), 40, 2) as loop:
        await loop.run()
        assert accepted(loop) == {"cat": 1, "dog": 40}
        assert loop.journal.history.state().exhausted == {"cat"}
        assert set(loop.counts.rejected) <= {"duplicate", "echo"}
    requested = len(backend.requests)
    with loop_in(tmp_path, backend, 40, 2) as loop:
        await loop.run()
    assert len(backend.requests) == requested


async def test_a_recorded_reply_that_was_not_judged_is_judged_without_a_call(tmp_path: Path) -> None:
    """A reply recorded before a crash is judged after it, and is not requested again."""
    with loop_in(tmp_path, Answering(good)) as loop:
        assert loop._plan()
        loop.journal.add_reply(1, loop._due[0].step_call.key, Reply(rows_of("cat", 0, 10), "before"))
    with loop_in(tmp_path, backend := Answering(good)) as loop:
        assert loop.journal.history.state().unjudged == 1
        await loop.run()
        assert accepted(loop) == {"cat": 10, "dog": 10}
        assert loop.journal.history.state().unjudged == 0
    assert {request.batch.category for request in backend.requests} == {"dog"}


async def test_replies_that_have_arrived_are_judged_when_the_backend_gives_up(tmp_path: Path) -> None:
    """When one of several calls ends the run, the rows of the others are kept, and the backend's error is raised."""

    def answer(request: Request) -> Answer:
        return EndpointError("no such key") if request.batch.number == 2 else good(request)

    with loop_in(tmp_path, Answering(answer), 40, 4) as loop:
        with pytest.raises(EndpointError, match="no such key"):
            await loop.run()
        kept = sum(accepted(loop).values())
        assert kept == 3 * 20
        assert loop.journal.history.state().unjudged == 0
    with loop_in(tmp_path, Answering(good), 40, 4) as loop:
        await loop.run()
        assert accepted(loop) == {"cat": 40, "dog": 40}


async def test_cancelling_leaves_no_task_behind(tmp_path: Path) -> None:
    """A cancelled loop cancels its calls and waits for them before it returns."""
    ended: list[int] = []
    begun = asyncio.Event()

    class Hanging(Answering):
        async def complete(self, request: Request) -> Reply | Failure:
            self.requests.append(request)
            if len(self.requests) == 3:
                begun.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(request.batch.number)
            raise AssertionError

    with loop_in(tmp_path, Hanging(good), 60, 3) as loop:
        task = asyncio.create_task(loop.run())
        await asyncio.wait_for(begun.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(ended) == [1, 2, 3]
        assert [open_.batch.number for open_ in loop.journal.history.open_batches()] == [1, 2, 3]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a bug")])
async def test_the_error_that_ends_a_loop_inside_a_write_is_raised(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that an error has closed refuses the final writes of the loop; this does not hide the error."""

    def passages() -> Iterator[Row]:
        raise error
        yield {}

    def judge(self: Journal, *judged: object) -> None:
        self.add_passages(passages())  # raises within a transaction

    with loop_in(tmp_path, Answering(good)) as loop:
        with monkeypatch.context() as patched, pytest.raises(type(error)):
            patched.setattr(Journal, "judge", judge)
            # Not in a task: a KeyboardInterrupt inside a task ends the whole event loop.
            await loop.run()
        with pytest.raises(StorageError, match=type(error).__name__):
            loop.journal.write_exhausted(["cat"])
    with loop_in(tmp_path, Answering(good)) as loop:
        await loop.run()
        assert accepted(loop) == {"cat": 10, "dog": 10}
