"""The dispatcher: how many calls are sent together, and how they are collected."""

from __future__ import annotations

import asyncio

import pytest

from selfinstruct.growth import dispatch
from selfinstruct.growth.batch_state import BatchState
from selfinstruct.growth.dispatch import GROUP_SIZE, BatchCall, Dispatcher
from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.step_call import IMITATE, StepCall
from selfinstruct.recipe import parse_recipe
from selfinstruct.records import Batch, Failure, Reply, Request

RECIPE = parse_recipe('[seeds]\nfile = "rows.jsonl"\n[fields.text]\n[quota]\nrows = 9\n', "r.toml", ".")


class Endpoint:
    """Records the calls that reach it, and answers each when the test releases it."""

    def __init__(self) -> None:
        self.arrived: list[int] = []
        self.ended: list[int] = []
        self.answers: dict[int, asyncio.Future[Reply | Failure]] = {}

    async def complete(self, request: Request) -> Reply | Failure:
        """Wait for the test's answer."""
        number = request.batch.number
        self.arrived.append(number)
        self.answers[number] = asyncio.get_running_loop().create_future()
        try:
            return await self.answers[number]
        finally:
            self.ended.append(number)

    def answer(self, *numbers: int) -> None:
        """Answer these calls."""
        for number in numbers:
            self.answers[number].set_result(Reply("", "test"))


class Queue:
    """Calls of batches 1, 2, ...; ``arrived_before`` records how many had reached the endpoint when each was taken."""

    def __init__(self, count: int, endpoint: Endpoint) -> None:
        self.left = [Batch(number, "", 1, 0, ()) for number in range(1, count + 1)]
        self.endpoint = endpoint
        self.arrived_before: list[int] = []

    def ready(self) -> bool:
        """Whether a call is left."""
        return bool(self.left)

    def take(self) -> tuple[BatchCall, Request]:
        """The next call."""
        self.arrived_before.append(len(self.endpoint.arrived))
        batch = self.left.pop(0)
        state = BatchState(batch, RECIPE, PromptInputs(), ())
        return BatchCall(state, StepCall(IMITATE, None)), Request(batch, IMITATE, (), (), seed=0)


async def test_each_group_is_under_way_before_the_next_is_built() -> None:
    """Without a backlog all free slots are filled, but no more than a group is ever built at a time."""
    queue = Queue(11, endpoint := Endpoint())
    dispatcher = Dispatcher(endpoint.complete, 10)
    sent = await dispatcher.fill(queue.ready, queue.take, backlog=False)
    assert sent == (10, False) and dispatcher.in_flight == 10
    assert endpoint.arrived == list(range(1, 11)), "the last group is under way too"
    assert queue.arrived_before == [at - at % GROUP_SIZE for at in range(10)]
    await dispatcher.cancel()


@pytest.mark.parametrize(("ready", "started", "held_back"), [(3, 3, False), (4, 4, False), (5, 4, True)])
async def test_a_backlog_holds_calls_back_after_one_group(ready: int, started: int, held_back: bool) -> None:
    """``held_back`` is True only if a call was ready and a slot free."""
    queue = Queue(ready, endpoint := Endpoint())
    dispatcher = Dispatcher(endpoint.complete, 10)
    assert await dispatcher.fill(queue.ready, queue.take, backlog=True) == (started, held_back)
    assert len(endpoint.arrived) == started
    await dispatcher.cancel()
    full = Dispatcher(endpoint.complete, GROUP_SIZE)
    assert await full.fill((more := Queue(9, endpoint)).ready, more.take, backlog=True) == (GROUP_SIZE, False)
    await full.cancel()


async def test_ended_calls_are_collected_in_the_order_of_batches() -> None:
    """Only calls that have ended are collected, each once, sorted by batch number."""
    queue = Queue(3, endpoint := Endpoint())
    dispatcher = Dispatcher(endpoint.complete, 3)
    assert await dispatcher.collect(wait=True) == [], "nothing is in flight"
    await dispatcher.fill(queue.ready, queue.take, backlog=False)
    assert await dispatcher.collect(wait=False) == []
    endpoint.answer(3, 1)
    ended = await dispatcher.collect(wait=True)
    assert [call.batch_number for call, _ in ended] == [1, 3]
    assert dispatcher.in_flight == 1 and dispatcher.collect_ended() == []
    endpoint.answer(2)
    assert [call.batch_number for call, _ in await dispatcher.collect(wait=True)] == [2]


async def test_collecting_waits_for_the_first_call() -> None:
    """With ``wait``, ``collect`` returns when one of the calls has ended."""
    queue = Queue(2, endpoint := Endpoint())
    dispatcher = Dispatcher(endpoint.complete, 2)
    await dispatcher.fill(queue.ready, queue.take, backlog=False)
    collecting = asyncio.create_task(dispatcher.collect(wait=True))
    await asyncio.sleep(0)
    assert not collecting.done()
    endpoint.answer(2)
    assert [call.batch_number for call, _ in await collecting] == [2]
    await dispatcher.cancel()


async def test_collecting_returns_now_and_then_without_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that waits for a call that takes long can show what it is waiting for."""
    monkeypatch.setattr(dispatch, "HEARTBEAT", 0.01)
    queue = Queue(1, endpoint := Endpoint())
    dispatcher = Dispatcher(endpoint.complete, 1)
    await dispatcher.fill(queue.ready, queue.take, backlog=False)
    assert await dispatcher.collect(wait=True) == []
    assert dispatcher.in_flight == 1
    await dispatcher.cancel()


async def test_cancelling_waits_for_every_call() -> None:
    """Calls in flight have run their clean-up when ``cancel`` returns."""
    queue = Queue(3, endpoint := Endpoint())
    dispatcher = Dispatcher(endpoint.complete, 3)
    await dispatcher.fill(queue.ready, queue.take, backlog=False)
    await dispatcher.cancel()
    assert sorted(endpoint.ended) == [1, 2, 3]
