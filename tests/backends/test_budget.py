"""A budget: never overspent at any concurrency, and spent as far as it goes."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.backends import Budget, BudgetSpent, cost
from selfinstruct.errors import InputError
from selfinstruct.recipe import Price
from selfinstruct.records import Usage

PRICE = Price(input=0.15, output=0.6)


async def spend(budget: Budget, calls: int, worst: Usage, rng: Random) -> tuple[list[Usage], int]:
    """Calls all at once, each of a random size up to the worst: what they were billed, and how many were refused."""
    billed: list[Usage] = []
    refused = 0

    async def call() -> None:
        nonlocal refused
        try:
            held = await budget.reserve(worst, PRICE)
        except BudgetSpent:
            refused += 1
            return
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        usage = Usage(rng.randint(1, worst.input), rng.randint(1, worst.output))
        billed.append(usage)
        said = rng.random() < 2 / 3
        budget.settle(held, usage if said else worst, certain=said)

    async with asyncio.TaskGroup() as group:
        for _ in range(calls):
            group.create_task(call())
    return billed, refused


def total(billed: list[Usage]) -> int:
    """All tokens that were billed."""
    return sum(usage.input + usage.output for usage in billed)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(2_000, 200_000))
def test_tokens_are_never_overspent(seed: int, tokens: int) -> None:
    """256 calls at once, of random size, usage missing in a third: what is billed stays within the budget."""
    worst = Usage(1000, 1000)
    budget = Budget(tokens=tokens)
    billed, refused = asyncio.run(spend(budget, 256, worst, Random(seed)))
    assert total(billed) <= budget.spent.tokens <= tokens
    assert refused + len(billed) == 256
    if refused:
        assert budget.spent.tokens > tokens - 2000, "calls are refused only where one more might not fit"


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.decimals("0.001", "0.1", places=4))
def test_money_is_never_overspent(seed: int, money: Decimal) -> None:
    """The same in money: the sum of what the calls cost, exactly, is within the budget."""
    budget = Budget(money=money)
    billed, _ = asyncio.run(spend(budget, 256, Usage(1000, 1000), Random(seed)))
    assert sum((cost(usage, PRICE) for usage in billed), Decimal(0)) <= budget.spent.money <= money


async def test_calls_are_counted_when_they_are_sent() -> None:
    """A budget of ten calls lets ten be made, whatever they cost, and then says so."""
    budget = Budget(requests=10)
    billed, refused = await spend(budget, 25, Usage(10, 10), Random(0))
    assert (len(billed), refused) == (10, 15)
    with pytest.raises(BudgetSpent, match="10 of 10 calls") as caught:
        await budget.reserve(Usage(1, 1))
    assert caught.value.exit_code == 4


async def test_a_call_waits_for_what_others_may_give_back() -> None:
    """A call that does not fit beside another's worst case goes as soon as that one turns out to be small."""
    budget = Budget(tokens=1000)
    first = await budget.reserve(Usage(400, 500))
    second = asyncio.create_task(budget.reserve(Usage(400, 500)))
    await asyncio.sleep(0)
    assert not second.done()
    budget.settle(first, Usage(50, 50))
    held = await second
    budget.settle(held, Usage(400, 500))
    budget.settle(held, Usage(400, 500))
    assert budget.spent.tokens == 1000, "a call is settled once"


async def test_a_cancelled_wait_holds_nothing() -> None:
    """A call that is cancelled while it waits for room takes none."""
    budget = Budget(tokens=1000)
    first = await budget.reserve(Usage(400, 500))
    second = asyncio.create_task(budget.reserve(Usage(400, 500)))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    budget.settle(first, Usage(0, 0))
    budget.settle(await budget.reserve(Usage(500, 500)), Usage(0, 0))
    assert budget.spent.tokens == 0


async def test_uncertain_costs_are_told_apart() -> None:
    """What was set aside for a call that broke off counts against the budget, and is known as uncertain."""
    budget = Budget(tokens=10_000)
    budget.settle(await budget.reserve(Usage(100, 900)), Usage(100, 900), certain=False)
    budget.settle(await budget.reserve(Usage(100, 900)), Usage(80, 20))
    assert (budget.spent.tokens, budget.spent.uncertain) == (1100, 1000)


def test_prices_are_exact() -> None:
    """Ten million tokens at 0.1 and 0.2 a million cost exactly 1 and 2, without a rounding error."""
    price = Price(input=0.1, output=0.2)
    assert sum((cost(Usage(1_000_000, 1_000_000), price) for _ in range(10)), Decimal(0)) == Decimal(3)


async def test_each_model_is_counted_at_its_own_price() -> None:
    """Two models share a budget of money; the tokens of each cost what its own price says."""
    budget = Budget(money=1)
    dear, cheap = Price(input=0, output=10), Price(input=0, output=1)
    budget.settle(await budget.reserve(Usage(0, 50_000), dear), Usage(0, 50_000))
    budget.settle(await budget.reserve(Usage(0, 50_000), cheap), Usage(0, 50_000))
    assert budget.spent.money == Decimal("0.55")
    with pytest.raises(BudgetSpent):
        await budget.reserve(Usage(0, 50_000), dear)
    await budget.reserve(Usage(0, 50_000), cheap)


def test_a_limit_is_above_zero() -> None:
    """Nothing may be asked for with nothing: a limit of 0 is a mistake, and is said to be one."""
    with pytest.raises(InputError, match="`max_requests`: must be greater than 0"):
        Budget(requests=0)
