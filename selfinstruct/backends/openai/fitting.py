"""Fit the options of the requests to an endpoint, by small calls, each without what the one before was refused for.

The calls have the shape of those of a run: a system message, all options, a token limit. An endpoint that does not say
what it refuses gets a call without any option, and then one with each of them. A server that fails twice, and not
without ``response_format``, refuses that.

Does not handle: which options there are, and what replaces one that is refused (``options``).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.backends.openai.completion import Completion
from selfinstruct.backends.openai.options import Options
from selfinstruct.backends.openai.refused_option import RESPONSE_FORMAT
from selfinstruct.records import Message

#: Mentions JSON because OpenAI's JSON mode rejects a prompt that does not.
_PROMPT = (
    Message("system", "You write rows of a data set, as JSON."),
    Message("user", 'Reply with this JSON and nothing else: {"rows": []}'),
)
_MAX_TOKENS = 16
#: Fallbacks of one fitting; there are fewer options than that.
_MOST_FALLBACKS = 30
#: The failures of a server before it is tried without ``response_format``; one that is busy may be loading the model.
_FAILURES, _BUSY_FAILURES = 2, 4
_BUSY = re.compile("status (?:503|529)")
#: Errors of a model that works: it read the prompt and generated something, if nothing useful.
_MODEL_WORKS = ("empty", "reasoning")

Attempt = Callable[[dict[str, Any]], Awaitable[Completion | CallError]]


def works(outcome: Completion | CallError) -> bool:
    """Whether the model answered."""
    return not isinstance(outcome, CallError) or outcome.reason in _MODEL_WORKS


@dataclass(slots=True)
class Fitting:
    """Fits ``options`` to ``model``; ``attempt`` sends one request."""

    options: Options
    model: str
    attempt: Attempt
    _searched: bool = False
    _failures: int = 0
    _works_without_format: bool = False

    async def run(self) -> Completion | CallError:
        """The outcome of one small request with all options that are left."""
        fallbacks = 0
        while True:
            body = self._body()
            outcome = await self.attempt(body)
            fallbacks += 1
            if not isinstance(outcome, CallError) or fallbacks > _MOST_FALLBACKS:
                return outcome
            if outcome.option and self.options.reject(outcome.option, body, outcome.message):
                continue
            if outcome.reason == "refused" and not outcome.fatal and not self._searched:
                self._searched = True
                return await self._search(body, outcome)
            if outcome.reason == "server-error" and RESPONSE_FORMAT in body:
                self._failures += 1
                most = _BUSY_FAILURES if _BUSY.search(outcome.message) else _FAILURES
                if self._failures >= most and await self._crashes_on_format(body, outcome):
                    continue
            return outcome

    def _body(self) -> dict[str, Any]:
        return self.options.probe(self.model, _PROMPT, _MAX_TOKENS)

    async def _without(self, *names: str) -> tuple[dict[str, Any], Completion | CallError]:
        """The body and the outcome of a request without some options."""
        self.options.set_aside(names)
        try:
            body = self._body()
            return body, await self.attempt(body)
        finally:
            self.options.set_aside(())

    async def _search(self, body: dict[str, Any], refusal: CallError) -> Completion | CallError:
        """Find the options that an endpoint refuses without a word, by adding one after another to a bare request.

        After each that is found, all others are tried at once: there is rarely another one.
        """
        left = self.options.optional(body)
        _, outcome = await self._without(*left)
        if not works(outcome):
            return refusal
        for _ in range(_MOST_FALLBACKS):
            if not left:
                break
            body, outcome = await self._without(*left[1:])
            if works(outcome):
                left.pop(0)
                continue
            if not isinstance(outcome, CallError):
                return outcome
            if not self.options.reject(left[0], body, outcome.detail or outcome.message):
                return outcome
            if left[0] not in self.options.optional(self._body()):
                left.pop(0)
            _, outcome = await self._without()
            if works(outcome):
                break
        return outcome

    async def _crashes_on_format(self, body: dict[str, Any], error: CallError) -> bool:
        """Whether a server fails with ``response_format``, and not without it; the format then falls back."""
        if not self._works_without_format:
            _, bare = await self._without(RESPONSE_FORMAT)
            if not works(bare):
                return False
            self._works_without_format = True
            again = await self.attempt(body)
            if not isinstance(again, CallError) or again.reason != "server-error":
                return True  # it was a coincidence: the next request will do
        return self.options.reject(RESPONSE_FORMAT, body, error.message)
