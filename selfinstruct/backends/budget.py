"""What a run may spend, in money, calls and tokens, kept at any concurrency.

A call's worst case is set aside before it is sent, and settled by what it did cost. One that does not fit waits
while calls in flight may still give back what they set aside; where none can, the budget is spent. Money is counted
in decimal numbers, so that no rounding adds up.

Does not handle: an endpoint that bills more than the request's token limit allows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from selfinstruct.errors import InputError, SelfInstructError
from selfinstruct.recipe import Price
from selfinstruct.records import Usage

_MILLION = Decimal(1_000_000)


class BudgetSpent(SelfInstructError):
    """No further call fits into the budget; what came is kept."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Spending:
    """Money (in the price's currency), calls and tokens.

    ``uncertain`` of the tokens were set aside for calls that broke off after they were sent: they may have been billed.
    """

    money: Decimal = Decimal(0)
    requests: int = 0
    tokens: int = 0
    uncertain: int = 0


@dataclass(slots=True)
class Reservation:
    """What one call may cost at most; settled once."""

    worst: Usage
    open: bool = True


class Budget:
    """What may be spent in all; None is without limit. ``price`` is needed for money.

    ``spent`` is what was spent before, by the same run. Raises InputError for a budget of money without a price, or
    one that is not above zero.
    """

    def __init__(
        self,
        *,
        money: Decimal | float | None = None,
        requests: int | None = None,
        tokens: int | None = None,
        price: Price | None = None,
        spent: Spending = Spending(),
    ) -> None:
        for name, limit in (("--budget", money), ("--max-requests", requests), ("--max-tokens", tokens)):
            if limit is not None and not limit > 0:
                raise InputError(f"{name} {limit}: not above zero", hint="Leave it out for no limit.")
        if money is not None and price is None:
            raise InputError(
                "--budget: what tokens cost is not known",
                hint="Give the price of a million in the recipe: [model] price = { input = 0.15, output = 0.60 }",
            )
        self._money = None if money is None else Decimal(str(money))
        self._requests = requests
        self._tokens = tokens
        self._input, self._output = (Decimal(str(rate)) for rate in ((price.input, price.output) if price else (0, 0)))
        self._spent = spent
        self._held = Spending()
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def spent(self) -> Spending:
        """What is spent so far, without what is set aside for calls in flight."""
        return self._spent

    @property
    def bounds_tokens(self) -> bool:
        """Whether a call without a token limit could overspend it."""
        return self._money is not None or self._tokens is not None

    def cost(self, usage: Usage) -> Decimal:
        """What so many tokens cost."""
        return (usage.input * self._input + usage.output * self._output) / _MILLION

    async def reserve(self, worst: Usage) -> Reservation:
        """Set aside one call of at most ``worst`` tokens, waiting for calls in flight where it does not fit yet.

        Raises BudgetSpent where it will never fit.
        """
        while lacking := self._lacking(worst):
            if not self._held.requests:
                hint = "All that came is kept. Run again with a larger budget to go on."
                raise BudgetSpent(f"the budget is spent: {lacking}", hint=hint)
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._held = self._sum(self._held, worst, 1)
        return Reservation(worst)

    def settle(self, reservation: Reservation, usage: Usage, *, certain: bool = True) -> None:
        """Give back what a call did not use. ``certain`` false: ``usage`` is set aside for what it may have cost."""
        if not reservation.open:
            return
        reservation.open = False
        self._held = self._sum(self._held, reservation.worst, -1)
        spent = self._sum(self._spent, usage, 1)
        if not certain:
            uncertain = spent.uncertain + usage.input + usage.output
            spent = Spending(spent.money, spent.requests, spent.tokens, uncertain)
        self._spent = spent
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
        self._waiting.clear()

    def _sum(self, spending: Spending, usage: Usage, sign: int) -> Spending:
        return Spending(
            spending.money + sign * self.cost(usage),
            spending.requests + sign,
            spending.tokens + sign * (usage.input + usage.output),
            spending.uncertain,
        )

    def _lacking(self, worst: Usage) -> str:
        """What is not there for one more call, in words; "" where it fits."""
        spent, held, tokens = self._spent, self._held, worst.input + worst.output
        if self._requests is not None and spent.requests + held.requests + 1 > self._requests:
            return f"{spent.requests:,} of {self._requests:,} calls made"
        if self._tokens is not None and spent.tokens + held.tokens + tokens > self._tokens:
            return f"{spent.tokens:,} of {self._tokens:,} tokens used, and a call may take {tokens:,}"
        if self._money is not None and spent.money + held.money + self.cost(worst) > self._money:
            return f"{spent.money:.4f} of {self._money} used, and a call may cost {self.cost(worst):.4f}"
        return ""
