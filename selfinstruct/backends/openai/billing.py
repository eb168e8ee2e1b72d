"""What the calls to one model cost: reserved at the worst before, settled after, estimated where it is not said.

Does not handle: how much may be spent in all (``budget``), which several models share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from selfinstruct.backends.budget import Budget, Reservation
from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.backends.openai.completion import Completion
from selfinstruct.prompts.prompt import estimate_tokens
from selfinstruct.recipe import Price
from selfinstruct.records import Message, Usage

#: The bound of a reply where a budget needs one and the recipe has none, in tokens.
TOKENS_IN_A_REPLY = 8192
# A chat template wraps messages in tokens of its own, and may put a few sentences of its own before them.
_TEMPLATE_TOKENS = 160


class Billing:
    """One model's account: ``budget`` None keeps no limit, ``price`` is that of a million of its tokens."""

    def __init__(self, budget: Budget | None, price: Price | None) -> None:
        self._budget = budget
        self._price = price
        self._replies = 0
        self._written = 0
        self._largest = 0
        self._tokens_a_byte = 1.0

    @property
    def needs_bound(self) -> bool:
        """Whether a reply without a bound could overspend."""
        return self._budget is not None and self._budget.bounds_tokens

    @property
    def typical(self) -> int:
        """The tokens of a reply so far, on average."""
        return round(self._written / self._replies) if self._replies else 0

    async def reserve(self, body: Mapping[str, Any], messages: Sequence[Message], bound: int) -> Reservation | None:
        """Set aside the most that a call may cost: a token is a byte or more, and a reply ends at its ``bound``.

        An endpoint that was seen to go past the bound is expected to do so again. Raises BudgetSpent.
        """
        if self._budget is None:
            return None
        read_at_most = sum(len(message.content.encode("utf-8", "replace")) for message in messages) + _TEMPLATE_TOKENS
        if "response_format" in body:
            read_at_most += len(str(body["response_format"]))
        return await self._budget.reserve(Usage(read_at_most, max(bound, self._largest)), self._price)

    def settle(self, reservation: Reservation | None, outcome: Completion | CallError | None) -> None:
        """Settle a call by what it did cost, or by no less where that is not known.

        A reply without usage has at most a token for each byte, or more where replies with usage were seen to have
        more (reasoning that is billed and not shown).
        """
        if reservation is None or self._budget is None:
            return
        if isinstance(outcome, CallError) and (outcome.usage is not None or not outcome.billed):
            self._budget.settle(reservation, outcome.usage or Usage())
        elif not isinstance(outcome, Completion):
            self._budget.settle(reservation, reservation.worst, certain=False)
        else:
            size = len(outcome.text.encode("utf-8", "replace")) + 4 * outcome.reasoning + 1
            if outcome.output is not None:
                self._tokens_a_byte = max(self._tokens_a_byte, outcome.output / size)
            bound = min(reservation.worst.output, math.ceil(size * self._tokens_a_byte))
            given = reservation.worst.input if outcome.input is None else outcome.input
            written = bound if outcome.output is None else outcome.output
            certain = outcome.input is not None and outcome.output is not None
            self._budget.settle(reservation, Usage(given, written), certain=certain)

    def usage(self, outcome: Completion | CallError, expected: int) -> Usage:
        """What a call of ``expected`` tokens was billed, estimated where the endpoint does not say."""
        if isinstance(outcome, CallError):
            if outcome.usage is not None or not outcome.billed:
                return outcome.usage or Usage()
            return Usage(expected, self.typical, estimated=True)
        given, written = outcome.input, outcome.output
        guessed = estimate_tokens(outcome.text) + outcome.reasoning // 4
        usage = Usage(
            expected if given is None else given,
            guessed if written is None else written,
            given is None or written is None,
        )
        self._replies += 1
        self._written += usage.output
        self._largest = max(self._largest, usage.output)
        return usage
