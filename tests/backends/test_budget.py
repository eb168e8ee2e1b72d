"""Budgets: never exceeded at any concurrency, and used as far as possible."""

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
    """Make concurrent calls of random sizes up to ``worst``; the usage billed, and the number of calls rejected."""
    billed: list[Usage] = []
    rejected = 0

    async def call() -> None:
        nonlocal rejected
        try:
            reservation = await budget.reserve(worst, PRICE)
        except BudgetSpent:
            rejected += 1
            return
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        usage = Usage(rng.randint(1, worst.input), rng.randint(1, worst.output))
        billed.append(usage)
        reported = rng.random() < 2 / 3
        budget.settle(reservation, usage if reported else worst, certain=reported)

    async with asyncio.TaskGroup() as group:
        for _ in range(calls):
            group.create_task(call())
    return billed, rejected


def total(billed: list[Usage]) -> int:
    """The number of tokens billed."""
    return sum(usage.input + usage.output for usage in billed)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(2_000, 200_000))
def test_a_token_budget_is_never_exceeded(seed: int, tokens: int) -> None:
    """256 concurrent calls of random sizes, a third without usage, are billed within the budget."""
    worst = Usage(1000, 1000)
    budget = Budget(tokens=tokens)
    billed, rejected = asyncio.run(spend(budget, 256, worst, Random(seed)))
    assert total(billed) <= budget.spent.tokens <= tokens
    assert rejected + len(billed) == 256
    if rejected:
        assert budget.spent.tokens > tokens - 2000, "calls are rejected only if another one might not fit"


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.decimals("0.001", "0.1", places=4))
def test_a_money_budget_is_never_exceeded(seed: int, money: Decimal) -> None:
    """The exact total cost of the calls is within the budget."""
    budget = Budget(money=money)
    billed, _ = asyncio.run(spend(budget, 256, Usage(1000, 1000), Random(seed)))
    assert sum((cost(usage, PRICE) for usage in billed), Decimal(0)) <= budget.spent.money <= money


async def test_a_budget_of_calls_admits_that_many() -> None:
    """A budget of ten calls admits ten at any cost, and then raises BudgetSpent."""
    budget = Budget(requests=10)
    billed, rejected = await spend(budget, 25, Usage(10, 10), Random(0))
    assert (len(billed), rejected) == (10, 15)
    with pytest.raises(BudgetSpent, match="10 of 10 calls") as caught:
        await budget.reserve(Usage(1, 1))
    assert caught.value.exit_code == 4


async def test_a_call_waits_for_reservations_in_flight() -> None:
    """A call that does not fit beside the worst case of another starts as soon as that one proves to be small."""
    budget = Budget(tokens=1000)
    first = await budget.reserve(Usage(400, 500))
    second = asyncio.create_task(budget.reserve(Usage(400, 500)))
    await asyncio.sleep(0)
    assert not second.done()
    budget.settle(first, Usage(50, 50))
    reservation = await second
    budget.settle(reservation, Usage(400, 500))
    budget.settle(reservation, Usage(400, 500))
    assert budget.spent.tokens == 1000, "a call is settled once"


async def test_a_cancelled_wait_reserves_nothing() -> None:
    """A call that is cancelled while it waits leaves the budget unchanged."""
    budget = Budget(tokens=1000)
    first = await budget.reserve(Usage(400, 500))
    second = asyncio.create_task(budget.reserve(Usage(400, 500)))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    budget.settle(first, Usage(0, 0))
    budget.settle(await budget.reserve(Usage(500, 500)), Usage(0, 0))
    assert budget.spent.tokens == 0


async def test_uncertain_costs_are_counted_separately() -> None:
    """The reservations of calls that broke off count as spent, and add up as uncertain."""
    budget = Budget(tokens=10_000)
    budget.settle(await budget.reserve(Usage(100, 900)), Usage(100, 900), certain=False)
    budget.settle(await budget.reserve(Usage(100, 900)), Usage(80, 20))
    budget.settle(await budget.reserve(Usage(100, 900)), Usage(100, 900), certain=False)
    assert (budget.spent.tokens, budget.spent.uncertain) == (2100, 2000)


def test_prices_are_exact() -> None:
    """Ten million tokens at 0.1 and 0.2 per million cost exactly 1 and 2; without a price the cost is 0."""
    price = Price(input=0.1, output=0.2)
    assert sum((cost(Usage(1_000_000, 1_000_000), price) for _ in range(10)), Decimal(0)) == Decimal(3)
    assert cost(Usage(1_000_000, 1_000_000), None) == 0


def test_cached_input_has_its_own_price() -> None:
    """It is part of the input, and costs as much as the rest where it has no price."""
    usage = Usage(1_000_000, 0, cached=750_000)
    assert cost(usage, Price(input=0.4, output=1.6, cached=0.1)) == Decimal("0.175")
    assert cost(usage, Price(input=0.4, output=1.6)) == Decimal("0.4")


async def test_each_model_has_its_own_price() -> None:
    """Two models share a budget of money, and the tokens of each are counted at its own price."""
    budget = Budget(money=1)
    dear, cheap = Price(input=0, output=10), Price(input=0, output=1)
    budget.settle(await budget.reserve(Usage(0, 50_000), dear), Usage(0, 50_000))
    budget.settle(await budget.reserve(Usage(0, 50_000), cheap), Usage(0, 50_000))
    assert budget.spent.money == Decimal("0.55")
    with pytest.raises(BudgetSpent):
        await budget.reserve(Usage(0, 50_000), dear)
    await budget.reserve(Usage(0, 50_000), cheap)


def test_a_limit_must_be_positive() -> None:
    """A limit of 0 is an input error that names the parameter."""
    with pytest.raises(InputError, match="`max_requests`: must be greater than 0"):
        Budget(requests=0)
