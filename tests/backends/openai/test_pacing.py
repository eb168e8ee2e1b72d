"""Pacing: concurrency, outages, rate limits and the gate, on a simulated clock."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.backends.openai.concurrency import Concurrency
from selfinstruct.backends.openai.outage import Outage
from selfinstruct.backends.openai.pacing import NotNeeded, Pacing, Permit


class Clock:
    """A clock that advances by sleeping only; ``slept`` lists the sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """The present time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def pacing(most: int, clock: Clock, requests: float | None = None, tokens: float | None = None) -> Pacing:
    """A gate on a simulated clock."""
    return Pacing(most, requests=requests, tokens=tokens, clock=clock, sleep=clock.sleep, rng=Random(1))


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


# ---- Concurrency ----


def test_a_burst_is_one_decrease() -> None:
    """A hundred calls in flight together that all meet a 429 halve the limit once."""
    limit = Concurrency(100)
    assert [limit.failed(sent=1.0, now=2.0 + n / 100, failure="a 429") for n in range(100)].count(True) == 1
    assert limit.limit == 50
    assert limit.failed(sent=3.5, now=4.0, failure="a 429")
    assert limit.limit == 25
    assert "429" in limit.reason


def grow(limit: Concurrency, now: float, until: int, latency: float = 0.5) -> float:
    """Simulate rounds of replies until the limit is reached; return the time."""
    while limit.limit < until:
        for _ in range(limit.limit):
            limit.succeeded(now, now + latency, busy=True)
        now += latency
    return now


def test_growth_is_fast_up_to_the_failed_limit_and_slow_beyond() -> None:
    """After a collapse the remembered limit is reached by doubling; beyond it, each round adds one."""
    limit = Concurrency(100)
    limit.failed(1.0, 2.0, "a 429")
    for n in range(6):
        limit.failed(3.0 + n, 3.5 + n, "a 429")
    assert limit.limit == 1
    back = grow(limit, 10.0, 90)
    assert back - 10.0 <= 0.5 * 8
    limit.failed(back, back + 0.5, "a 429")
    before = limit.limit
    now = grow(limit, back + 1, int(0.9 * 90))
    for _ in range(limit.limit):
        limit.succeeded(now, now + 0.5, busy=True)
    assert before == 45
    assert limit.limit <= 0.9 * 90 + 2


def test_growth_accelerates() -> None:
    """A limit learnt in bad times does not last: within a minute the maximum is reached again."""
    limit = Concurrency(256)
    now = 0.0
    for _ in range(40):
        limit.failed(now + 0.1, now + 0.2, "a 429")
        for _ in range(limit.limit):
            limit.succeeded(now + 0.3, now + 0.4, busy=True)
        now += 1
    assert limit.limit < 32
    assert grow(limit, now, 256) - now <= 60


def test_slowness_is_a_sign_of_overload() -> None:
    """The limit is cut when the median reply takes three times as long as before, not for a few slow ones."""
    limit, now = Concurrency(64), 0.0
    for n in range(200):
        limit.succeeded(now, now + (20.0 if n % 50 == 0 else 2.0), busy=True)
        now += 30
    assert limit.limit == 64
    for _ in range(44):
        limit.succeeded(now, now + 6.5, busy=True)
        now += 30
    assert limit.limit < 64
    assert "as long as before" in limit.reason


def test_a_cut_that_does_not_help_is_undone() -> None:
    """Where replies stay slow with fewer calls in flight, the limit returns to what it was."""
    limit, now = Concurrency(64), 0.0
    for latency in (2.0,) * 64 + (6.5,) * 128:
        limit.succeeded(now, now + latency, busy=False)
        now += 30
    assert limit.limit == 64


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 5.0)), max_size=200), st.integers(1, 64))
def test_the_limit_stays_between_one_and_the_maximum(events: list[tuple[bool, float]], most: int) -> None:
    """For any order of events, at least one call and at most the maximum may be in flight."""
    limit, now = Concurrency(most), 0.0
    for good, step in events:
        sent, now = now, now + step
        limit.succeeded(sent, now, busy=True) if good else limit.failed(sent, now, "trouble")
        assert 1 <= limit.limit <= most


def test_deadlines_follow_the_replies() -> None:
    """The deadline is the longest until replies have arrived, then a multiple of their median within bounds."""
    limit = Concurrency(4)
    assert limit.deadline(15, 600) == 600
    for n in range(32):
        limit.succeeded(float(n), n + 2.0, busy=False)
    assert limit.deadline(15, 600) == pytest.approx(40)
    assert limit.deadline(60, 600) == 60
    assert limit.deadline(15, 20) == 20


# ---- Outages ----


def test_few_calls_are_spent_on_a_long_outage() -> None:
    """In five minutes without an answer at most 80 probes are sent, and none is more than 31 s after another."""
    outage, now, probes = Outage(Random(2)), 0.0, []
    for _ in range(5):
        outage.failed(now, now, None, "a 503")
    while now < 300:
        assert outage.open
        now = max(now + 0.01, outage.until)
        probes.append(now)
        outage.failed(now, now + 0.01, None, "a 503")
    assert 10 <= len(probes) <= 80
    assert max(after - before for before, after in pairwise(probes)) <= 31


def test_an_outage_costs_at_most_a_tenth_of_its_length_afterwards() -> None:
    """After an outage of ten seconds the next probe is sent within about one."""
    for seed in range(50):
        outage, now = Outage(Random(seed)), 0.0
        for _ in range(5):
            outage.failed(now, now, None, "a 429")
        while now < 10:
            now = max(now + 0.01, outage.until)
            outage.failed(now, now + 0.01, None, "a 429")
        assert now < 11.1


def test_the_limit_grows_fast_after_an_outage() -> None:
    """The cut at its beginning is no evidence of a lower limit: one more call for each answer, up to the maximum."""
    limit = Concurrency(64)
    limit.failed(0.0, 1.0, "a 429")
    assert limit.limit == 32
    limit.outage_over()
    for _ in range(32):
        limit.succeeded(2.0, 3.0, busy=True)
    assert limit.limit == 64


def test_scattered_failures_do_not_open_the_circuit() -> None:
    """Four failures, a success, four failures: the circuit stays closed."""
    outage = Outage(Random(3))
    for n in range(8):
        if n == 4:
            outage.succeeded()
        outage.failed(n, n + 0.5, None, "a 500")
    assert not outage.open


# ---- The gate ----


async def test_no_more_calls_enter_than_the_limit() -> None:
    """Of ten calls three enter, and each that ends admits the next, first come, first served."""
    clock = Clock()
    gate = pacing(3, clock)
    entered: list[int] = []
    permits: dict[int, Permit] = {}

    async def call(number: int) -> None:
        permits[number] = await gate.enter(0)
        entered.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(call(number))
        for done in range(7):
            await settle()
            assert entered == list(range(3 + done))
            gate.succeeded(permits[done], {}, 0)
    assert gate.inspect().in_flight == 3


async def test_calls_that_wait_can_be_dropped() -> None:
    """Calls that wait at the gate end, the one in flight does not, and the gate lets others through as before."""
    gate = pacing(1, Clock())
    permit = await gate.enter(0)
    calls = [asyncio.create_task(gate.enter(0)) for _ in range(3)]
    await settle()
    gate.drop_waiting()
    await asyncio.wait(calls)
    assert [type(call.exception()) for call in calls] == [NotNeeded] * 3
    assert gate.inspect().in_flight == 1
    gate.succeeded(permit, {}, 0)
    await gate.enter(0)


async def test_a_cool_down_is_shared() -> None:
    """After a 429 with Retry-After no call enters until the delay is over; then all do."""
    clock = Clock()
    gate = pacing(8, clock)
    permit = await gate.enter(0)
    gate.failed(permit, "a 429", wait=30)
    assert "30.0 s" in gate.inspect().reason
    began = clock.now
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(gate.enter(0)) for _ in range(4)]
    assert [round(call.result().sent_at - began) for call in calls] == [30] * 4
    assert [slept for slept in clock.slept if slept > 1] == [30]
    await gate.close()


@pytest.mark.parametrize("readings", range(8))
async def test_a_cool_down_that_ends_between_two_steps_lets_the_call_through(readings: int) -> None:
    """A call enters even where the cool-down ends while the gate decides whether it must wait."""
    clock = Clock()
    gate = pacing(8, clock)
    gate.failed(await gate.enter(0), "a 429", wait=30)
    left, ends = readings, clock.now + 30

    def passing() -> float:
        """The clock, which reaches the end of the cool-down at a reading in the middle of the decision."""
        nonlocal left
        left -= 1
        return clock.now if left >= 0 else clock.now + 30

    gate._clock = passing
    async with asyncio.timeout(1):
        permit = await gate.enter(0)
    assert permit.sent_at >= ends
    await gate.close()


async def test_one_probe_while_the_circuit_is_open() -> None:
    """After five failures in a row one call enters alone; once it is answered, the others follow at once."""
    clock = Clock()
    gate = pacing(10, clock)
    for permit in [await gate.enter(0) for _ in range(10)]:
        gate.failed(permit, "a 503")
    entered: list[Permit] = []

    async def call() -> None:
        entered.append(await gate.enter(0))

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(call())
        await settle()
        assert len(entered) == 1
        assert "one probe" in gate.inspect().reason
        gate.succeeded(entered[0], {}, 0)
        await settle()
        assert len(entered) == 6
        assert gate.inspect().concurrency == 6, "half of ten, and one for the probe"
        for permit in entered[1:]:
            gate.released(permit)
    await gate.close()


async def test_a_hanging_call_does_not_prevent_the_probe() -> None:
    """The probe does not wait for calls in flight since before the circuit opened."""
    clock = Clock()
    gate = pacing(6, clock)
    hanging, *others = [await gate.enter(0) for _ in range(6)]
    for permit in others:
        gate.failed(permit, "a timeout")
    async with asyncio.timeout(1):
        probe = await gate.enter(0)
    assert probe.probe
    gate.released(probe)
    gate.released(hanging)
    await gate.close()


async def test_a_cancelled_call_leaves_no_gap() -> None:
    """Calls cancelled while they wait, or as they are admitted, do not occupy a slot."""
    clock = Clock()
    gate = pacing(1, clock)
    first = await gate.enter(0)
    waiting = [asyncio.create_task(gate.enter(0)) for _ in range(3)]
    await settle()
    waiting[0].cancel()
    gate.released(first)  # admits the second ...
    waiting[1].cancel()  # ... which is cancelled before it resumes
    async with asyncio.timeout(1):
        gate.released(await waiting[2])
    assert gate.inspect().in_flight == 0
    assert waiting[0].cancelled() or waiting[0].cancelling()


async def test_a_closed_gate_raises_for_every_call() -> None:
    """After ``stop``, calls that wait and calls that enter raise the error, each its own."""
    clock = Clock()
    gate = pacing(1, clock)
    permit = await gate.enter(0)
    waiting = asyncio.create_task(gate.enter(0))
    await settle()
    gate.stop(lambda: LookupError("no such model"))
    with pytest.raises(LookupError):
        await waiting
    gate.released(permit)
    with pytest.raises(LookupError):
        await gate.enter(0)
    assert gate.inspect().in_flight == 0


async def test_requests_per_minute_are_limited() -> None:
    """1,200 requests a minute are 20 a second: after one second's worth at once, they enter one by one."""
    gate = pacing(100, Clock(), requests=1200)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(30):
        gate.released(await gate.enter(0))
    assert 0.4 <= loop.time() - began <= 1.5
    assert "1,200 requests a minute (the recipe)" in gate.inspect().reason


async def test_tokens_per_minute_are_limited_for_calls_of_any_size() -> None:
    """A call of more tokens than the bucket holds waits for several fillings."""
    gate = pacing(100, Clock(), tokens=60_000)
    loop = asyncio.get_running_loop()
    began = loop.time()
    gate.released(await gate.enter(15_400))
    assert 0.3 <= loop.time() - began <= 1.5


async def test_the_endpoints_own_limits_are_adopted() -> None:
    """A limit in the headers of a reply applies from then on, unless the recipe has its own."""
    headers = {"x-ratelimit-limit-requests": "600"}
    gate, configured = pacing(4, Clock()), pacing(4, Clock(), requests=6000)
    for each in (gate, configured):
        each.succeeded(await each.enter(0), headers, 0)
    assert "600 requests a minute (the endpoint)" in gate.inspect().reason
    assert "6,000 requests a minute (the recipe)" in configured.inspect().reason
