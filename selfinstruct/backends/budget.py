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
    """What one call may cost at most, at the ``price`` of its model; settled once."""

    worst: Usage
    price: Price | None = None
    open: bool = True


class Budget:
    """What may be spent in all; None is without limit.

    ``spent`` is what was spent before, by the same run. Raises InputError for a limit that is not above zero.
    """

    def __init__(
        self,
        *,
        money: Decimal | float | None = None,
        requests: int | None = None,
        tokens: int | None = None,
        spent: Spending = Spending(),
    ) -> None:
        for name, limit in (("--budget", money), ("--max-requests", requests), ("--max-tokens", tokens)):
            if limit is not None and not limit > 0:
                raise InputError(f"{name} {limit}: not above zero", hint="Leave it out for no limit.")
        self._money = None if money is None else Decimal(str(money))
        self._requests = requests
        self._tokens = tokens
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

    @property
    def needs_prices(self) -> bool:
        """Whether it is one of money, which says nothing without the price of each model."""
        return self._money is not None

    async def reserve(self, worst: Usage, price: Price | None = None) -> Reservation:
        """Set aside one call of at most ``worst`` tokens, waiting for calls in flight where it does not fit yet.

        Raises BudgetSpent where it will never fit.
        """
        while lacking := self._lacking(worst, price):
            if not self._held.requests:
                hint = "All that came is kept. Run again with a larger budget to go on."
                raise BudgetSpent(f"the budget is spent: {lacking}", hint=hint)
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._held = _sum(self._held, worst, price, 1)
        return Reservation(worst, price)

    def settle(self, reservation: Reservation, usage: Usage, *, certain: bool = True) -> None:
        """Give back what a call did not use. ``certain`` false: ``usage`` is set aside for what it may have cost."""
        if not reservation.open:
            return
        reservation.open = False
        self._held = _sum(self._held, reservation.worst, reservation.price, -1)
        spent = _sum(self._spent, usage, reservation.price, 1)
        if not certain:
            uncertain = spent.uncertain + usage.input + usage.output
            spent = Spending(spent.money, spent.requests, spent.tokens, uncertain)
        self._spent = spent
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
        self._waiting.clear()

    def _lacking(self, worst: Usage, price: Price | None) -> str:
        """What is not there for one more call, in words; "" where it fits."""
        spent, held, tokens = self._spent, self._held, worst.input + worst.output
        if self._requests is not None and spent.requests + held.requests + 1 > self._requests:
            return f"{spent.requests:,} of {self._requests:,} calls made"
        if self._tokens is not None and spent.tokens + held.tokens + tokens > self._tokens:
            return f"{spent.tokens:,} of {self._tokens:,} tokens used, and a call may take {tokens:,}"
        if self._money is not None and spent.money + held.money + cost(worst, price) > self._money:
            return f"{spent.money:.4f} of {self._money} used, and a call may cost {cost(worst, price):.4f}"
        return ""


def cost(usage: Usage, price: Price | None) -> Decimal:
    """What so many tokens cost, in the currency of the price; nothing where there is none."""
    if price is None:
        return Decimal(0)
    return (usage.input * Decimal(str(price.input)) + usage.output * Decimal(str(price.output))) / _MILLION


def _sum(spending: Spending, usage: Usage, price: Price | None, sign: int) -> Spending:
    return Spending(
        spending.money + sign * cost(usage, price),
        spending.requests + sign,
        spending.tokens + sign * (usage.input + usage.output),
        spending.uncertain,
    )
