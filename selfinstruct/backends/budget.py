"""Limits on what a run spends, in money, calls and tokens, enforced at any concurrency.

The worst case of a call is reserved before it is sent, and settled by its actual cost afterwards. A call that does not
fit waits while calls in flight may still return part of their reservation; if none are in flight, the budget is spent.
Money is counted in decimal numbers, so rounding errors do not accumulate.

Does not handle: an endpoint that bills more than the request's token limit allows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from selfinstruct.errors import InputError, SelfInstructError
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Price
from selfinstruct.records import Usage

_MILLION = Decimal(1_000_000)


class BudgetSpent(SelfInstructError):
    """No further call fits into the budget; everything received so far is kept."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Spending:
    """Money (in the price's currency), calls and tokens.

    ``uncertain`` is the part of ``tokens`` that was reserved for calls that broke off after they were sent, and may
    have been billed.
    """

    money: Decimal = Decimal(0)
    requests: int = 0
    tokens: int = 0
    uncertain: int = 0


@dataclass(slots=True)
class Reservation:
    """The most that one call may cost, at the ``price`` of its model; ``open`` until it is settled."""

    worst: Usage
    price: Price | None = None
    open: bool = True


class Budget:
    """Limits for a whole run; None is unlimited.

    ``spent`` is what earlier sessions of the same run spent. Raises InputError for a limit that is not positive.
    """

    def __init__(
        self,
        *,
        money: Decimal | float | None = None,
        requests: int | None = None,
        tokens: int | None = None,
        spent: Spending = Spending(),
    ) -> None:
        for name, limit in (("budget", money), ("max_requests", requests), ("max_tokens", tokens)):
            if limit is not None and not limit > 0:
                raise InputError(
                    "`{name}`: must be greater than 0, got {limit}",
                    hint="Leave it out for no limit.",
                    name=name,
                    limit=limit,
                )
        self._money = None if money is None else Decimal(str(money))
        self._requests = requests
        self._tokens = tokens
        self._spent = spent
        self._reserved = Spending()
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def spent(self) -> Spending:
        """The spending so far, without the reservations of calls in flight."""
        return self._spent

    @property
    def limits_tokens(self) -> bool:
        """Whether a reply without a token limit could exceed the budget."""
        return self._money is not None or self._tokens is not None

    @property
    def needs_prices(self) -> bool:
        """Whether money is limited, so that the price of each model must be known."""
        return self._money is not None

    async def reserve(self, worst: Usage, price: Price | None = None) -> Reservation:
        """Reserve one call of at most ``worst`` tokens, waiting for calls in flight if it does not fit yet.

        Raises BudgetSpent if it cannot fit.
        """
        while shortfall := self._shortfall(worst, price):
            if not self._reserved.requests:
                hint = Phrase("Everything received so far is kept. Run again with a larger budget to continue.")
                raise BudgetSpent(Phrase("the budget is spent: {shortfall}", shortfall=shortfall), hint=hint)
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
        return self.hold(worst, price)

    def hold(self, worst: Usage, price: Price | None = None) -> Reservation:
        """Reserve a call that has been sent already, whether or not it fits."""
        self._reserved = _add(self._reserved, worst, price, 1)
        return Reservation(worst, price)

    def settle(self, reservation: Reservation, usage: Usage, *, certain: bool = True) -> None:
        """Count ``usage`` as spent and release the rest; a second call for the same reservation has no effect.

        With ``certain`` false, ``usage`` is an upper bound of an unknown cost.
        """
        if not reservation.open:
            return
        reservation.open = False
        self._reserved = _add(self._reserved, reservation.worst, reservation.price, -1)
        spent = _add(self._spent, usage, reservation.price, 1)
        if not certain:
            uncertain = spent.uncertain + usage.input + usage.output
            spent = Spending(spent.money, spent.requests, spent.tokens, uncertain)
        self._spent = spent
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def _shortfall(self, worst: Usage, price: Price | None) -> str:
        """Why one more call does not fit, for a message; "" if it fits."""
        spent, reserved, tokens = self._spent, self._reserved, worst.input + worst.output
        if self._requests is not None and spent.requests + reserved.requests + 1 > self._requests:
            return Phrase("{made:,} of {limit:,} calls made", made=spent.requests, limit=self._requests)
        if self._tokens is not None and spent.tokens + reserved.tokens + tokens > self._tokens:
            return Phrase(
                "{used:,} of {limit:,} tokens used, and the next call may use {next:,}",
                used=spent.tokens,
                limit=self._tokens,
                next=tokens,
            )
        if self._money is not None and spent.money + reserved.money + cost(worst, price) > self._money:
            return Phrase(
                "{used:.4f} of {limit} used, and the next call may cost {next:.4f}",
                used=spent.money,
                limit=self._money,
                next=cost(worst, price),
            )
        return ""


def batch_name(name: str) -> str:
    """The name of a model in the provenance of rows from batch jobs, whose price is another one."""
    return f"{name} (batch)"


def cost(usage: Usage, price: Price | None) -> Decimal:
    """The cost of ``usage`` in the currency of ``price``; 0 without a price."""
    if price is None:
        return Decimal(0)
    cached = price.input if price.cached is None else price.cached
    new = (usage.input - usage.cached) * Decimal(str(price.input)) + usage.cached * Decimal(str(cached))
    return (new + usage.output * Decimal(str(price.output))) / _MILLION


def _add(spending: Spending, usage: Usage, price: Price | None, sign: int) -> Spending:
    return Spending(
        spending.money + sign * cost(usage, price),
        spending.requests + sign,
        spending.tokens + sign * (usage.input + usage.output),
        spending.uncertain,
    )
