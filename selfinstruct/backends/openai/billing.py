"""The cost of calls to one model: reserved at the worst case before, settled after, estimated if not reported.

Does not handle: the limits of the whole run (``budget``), which several models share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from selfinstruct.backends.budget import Budget, Reservation
from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.backends.openai.completion import Completion
from selfinstruct.prompts import estimate_tokens
from selfinstruct.recipe import Price
from selfinstruct.records import Message, Usage

#: The token limit of a reply if a budget needs one and the recipe has none.
DEFAULT_MAX_TOKENS = 8192
# A chat template wraps messages in its own tokens, and may add a few sentences.
_TEMPLATE_TOKENS = 160


class Billing:
    """Token accounting of one model; ``budget`` None is unlimited, ``price`` is per million tokens."""

    def __init__(self, budget: Budget | None, price: Price | None) -> None:
        self._budget = budget
        self._price = price
        self._replies = 0
        self._output = 0
        self._largest_output = 0
        self._tokens_per_byte = 1.0

    @property
    def needs_token_limit(self) -> bool:
        """Whether a reply without a token limit could exceed the budget."""
        return self._budget is not None and self._budget.limits_tokens

    @property
    def average_output(self) -> int:
        """The mean number of output tokens of the replies so far."""
        return round(self._output / self._replies) if self._replies else 0

    async def reserve(
        self, body: Mapping[str, Any], messages: Sequence[Message], max_tokens: int, *, sent: bool = False
    ) -> Reservation | None:
        """Reserve the worst case of a call: one token per byte of the prompt, and a reply of ``max_tokens``.

        If an earlier reply exceeded ``max_tokens``, its size is reserved instead. Raises BudgetSpent, unless the call
        was ``sent`` by an earlier session.
        """
        if self._budget is None:
            return None
        worst_input = sum(len(message.content.encode("utf-8", "replace")) for message in messages) + _TEMPLATE_TOKENS
        # A schema, and what the recipe adds to a body, may become part of the prompt.
        worst_input += sum(
            len(str(value)) for key, value in body.items() if key != "messages" and isinstance(value, dict | list)
        )
        worst = Usage(worst_input, max(max_tokens, self._largest_output))
        return self._budget.hold(worst, self._price) if sent else await self._budget.reserve(worst, self._price)

    def settle(self, reservation: Reservation | None, outcome: Completion | CallError | None) -> None:
        """Settle a call at its reported usage, or at an upper bound if that is unknown.

        The bound of a reply without usage is one token per byte, or more if replies with usage had more (reasoning
        that is billed but not returned).
        """
        if reservation is None or self._budget is None:
            return
        if isinstance(outcome, CallError) and (outcome.usage is not None or not outcome.billed):
            self._budget.settle(reservation, outcome.usage or Usage())
        elif not isinstance(outcome, Completion):
            self._budget.settle(reservation, reservation.worst, certain=False)
        else:
            size = len(outcome.text.encode("utf-8", "replace")) + 4 * outcome.reasoning_length + 1
            if outcome.output is not None:
                self._tokens_per_byte = max(self._tokens_per_byte, outcome.output / size)
            bound = min(reservation.worst.output, math.ceil(size * self._tokens_per_byte))
            usage = Usage(
                reservation.worst.input if outcome.input is None else outcome.input,
                bound if outcome.output is None else outcome.output,
                cached=outcome.cached,
            )
            certain = outcome.input is not None and outcome.output is not None
            self._budget.settle(reservation, usage, certain=certain)

    def usage(self, outcome: Completion | CallError, expected: int) -> Usage:
        """The usage of a call with a prompt of ``expected`` tokens, estimated if the endpoint did not report it."""
        if isinstance(outcome, CallError):
            if outcome.usage is not None or not outcome.billed:
                return outcome.usage or Usage()
            return Usage(expected, self.average_output, estimated=True)
        estimate = estimate_tokens(outcome.text) + outcome.reasoning_length // 4
        usage = Usage(
            expected if outcome.input is None else outcome.input,
            estimate if outcome.output is None else outcome.output,
            outcome.input is None or outcome.output is None,
            outcome.cached,
        )
        self._replies += 1
        self._output += usage.output
        self._largest_output = max(self._largest_output, usage.output)
        return usage
