"""A model behind any endpoint that speaks OpenAI's chat completions, as a Backend.

    prompt -> options -> pacing -> budget -> wire -> completion or failures -> Reply, another try, Failure, or the end

There is one retry layer, and it is ``complete``: the package's own is off.

Does not handle: what a prompt says, or reading rows out of a reply.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from selfinstruct.backends.budget import Budget, Reservation
from selfinstruct.backends.completion import Said, read
from selfinstruct.backends.failures import Trouble, from_status
from selfinstruct.backends.options import Options
from selfinstruct.backends.pacing import Pace, Pacing
from selfinstruct.backends.preflight import Preflight
from selfinstruct.backends.wire import Deadlines, Wire
from selfinstruct.errors import EndpointError
from selfinstruct.prompt import estimate_tokens
from selfinstruct.recipe import Field, Model
from selfinstruct.records import Failure, Message, Reply, Request, Usage

#: A call that fails is tried again for so many seconds after its first failure.
PATIENCE = 300.0
#: The bound of a reply where a budget needs one and the recipe has none, in tokens.
TOKENS_IN_A_REPLY = 8192
_DEADLINES = Deadlines()
# A chat template wraps messages in tokens of its own, and may put a few sentences of its own before them.
_TEMPLATE_TOKENS = 160
# Fewer prompt tokens than this share of the estimate were not the whole prompt: tokenizers do not differ so much.
_CUT_PROMPT = 0.4
# Signs of overload, as the progress line calls them.
_OVERLOADS = {
    "rate-limit": "a rate limit",
    "server-error": "a server error",
    "timeout": "a timeout",
    "dropped": "a dropped connection",
    "unreachable": "a refused connection",
}


@dataclass(slots=True)
class Tally:
    """What a backend has done: ``calls`` sent, of them ``retries``, and ``troubles`` by reason.

    ``preflight`` is what the preflight cost. ``cut_prompts`` are replies to a prompt of which the endpoint seems to
    have read a part.
    """

    calls: int = 0
    retries: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    preflight: Usage = field(default_factory=Usage)
    cut_prompts: int = 0


class OpenAIBackend:
    """Answers requests from a chat model; made by ``connect``.

    ``name`` is the model's, ``tally`` what was done so far, ``options.notes`` what the endpoint refused.
    """

    reads_messages = True

    def __init__(
        self,
        model: Model,
        wire: Wire,
        options: Options,
        pacing: Pacing,
        budget: Budget | None,
        deadlines: Deadlines,
        clock: Callable[[], float],
    ) -> None:
        self.name = model.name
        self.options = options
        self.tally = Tally()
        self._wire = wire
        self._pacing = pacing
        self._budget = budget
        self._deadlines = deadlines
        self._clock = clock
        self._written = _Mean()
        self._largest = 0
        self._tokens_a_byte = 1.0

    @classmethod
    async def connect(
        cls,
        model: Model,
        *,
        fields: Mapping[str, Field] | None = None,
        budget: Budget | None = None,
        preflight: bool = True,
        deadlines: Deadlines = _DEADLINES,
        environ: Mapping[str, str] = os.environ,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> OpenAIBackend:
        """A backend for ``model``, tried out by one small call.

        ``fields`` are the recipe's: replies are asked for in a JSON schema of them where the endpoint takes one.
        A model called "default" is the endpoint's only or first one. Without a key in ``model.api_key_env`` a
        placeholder is sent, which local servers ignore. ``deadlines`` are real seconds; ``clock`` (monotonic) and
        ``sleep`` decide everything else.

        Raises EndpointError, with what to do, where the endpoint cannot be used, and BudgetSpent.
        """
        key = _key(environ, model.api_key_env)
        if model.timeout is not None:
            deadlines = deadlines.within(model.timeout)

        def wire_to(base_url: str | None) -> Wire:
            """A connection to another base URL with the same key."""
            return Wire(base_url, key, deadlines, model.concurrency)

        pacing = Pacing(
            model.concurrency,
            requests=model.requests_per_minute,
            tokens=model.tokens_per_minute,
            clock=clock,
            sleep=sleep,
            rng=rng or Random(),
        )
        bound = TOKENS_IN_A_REPLY if budget is not None and budget.bounds_tokens else None
        options = Options(model, fields, model.max_tokens or bound)
        wire = wire_to(model.base_url)
        backend = cls(model, wire, options, pacing, budget, deadlines, clock)
        try:
            await backend._preflight(model, bool(key), wire_to, preflight)
        except BaseException:
            await backend.close()
            raise
        return backend

    async def complete(self, request: Request) -> Reply | Failure:
        """Answer one request, trying again where that may help.

        The usage of tries that were billed and brought nothing is part of what is returned. Raises EndpointError
        where no call can succeed any more (for every caller, once one has met that) and BudgetSpent.
        """
        started = self._clock()
        expected = sum(estimate_tokens(message.content) + 4 for message in request.messages)
        met: Counter[str] = Counter()
        paid = Usage()
        patience: float | None = None
        while True:
            body = self.options.body(self.name, request.messages, request.seed)
            outcome, usage, seconds = await self._attempt(body, request.messages, expected, again=bool(met))
            paid = _sum(paid, usage)
            if isinstance(outcome, Said):
                return Reply(outcome.text, self.name, paid, outcome.finish_reason, seconds)
            met[outcome.reason] += 1
            if outcome.fatal:
                raise self._stop(outcome)
            now = self._clock()
            if outcome.option and self.options.refused(outcome.option, body, outcome.message):
                self._need_bound()
                continue
            patience = now + PATIENCE if patience is None else patience
            if outcome.option or met[outcome.reason] >= outcome.tries or now >= patience:
                hint = f" ({outcome.hint})" if outcome.hint else ""
                return Failure(outcome.reason, f"{outcome.message}{hint}", paid, now - started)
            self.tally.retries += 1
            await self._pacing.back_off(met.total())

    def inspect(self) -> Pace:
        """How many calls may be in flight at the moment, how many are, and why, in a short sentence."""
        return self._pacing.inspect()

    async def close(self) -> None:
        """Let go of connections."""
        await self._pacing.close()
        await self._wire.close()

    async def _preflight(
        self, model: Model, keyed: bool, wire_to: Callable[[str | None], Wire], thoroughly: bool
    ) -> None:
        async def attempt(body: dict[str, Any]) -> Said | Trouble:
            messages = [Message(each["role"], each["content"]) for each in body["messages"]]
            outcome, usage, _ = await self._attempt(body, messages, 0, again=True)
            self.tally.preflight = _sum(self.tally.preflight, usage)
            return outcome

        checks = Preflight(
            self._wire,
            self.options,
            model.api_key_env,
            keyed,
            attempt,
            wire_to,
            self._pacing.back_off,
            self._clock,
        )
        if model.name == "default":
            self.name = await checks.model()
        if thoroughly:
            await checks.run(self.name)
            self._need_bound()

    async def _attempt(
        self, body: dict[str, Any], messages: tuple[Message, ...] | list[Message], expected: int, *, again: bool
    ) -> tuple[Said | Trouble, Usage, float]:
        """Send one request when its turn comes: what came of it, what it cost, and how long it took."""
        permit = await self._pacing.enter(expected + self._written.value, again=again)
        outcome: Said | Trouble | None = None
        usage, reservation = Usage(), None
        try:
            worst = self._worst(body, messages)
            reservation = await self._budget.reserve(worst) if self._budget is not None else None
            permit.sent = self._clock()
            self.tally.calls += 1
            outcome, headers = await self._send(body, expected)
            usage = self._usage(outcome, expected)
        finally:
            if reservation is not None and self._budget is not None:
                self._settle(self._budget, reservation, outcome)
            if outcome is None:
                self._pacing.left(permit)
        seconds = self._clock() - permit.sent
        if isinstance(outcome, Said):
            self._pacing.succeeded(permit, headers, time.time())
        else:
            self.tally.troubles[outcome.reason] += 1
            if outcome.overload:
                self._pacing.failed(permit, _OVERLOADS.get(outcome.reason, outcome.reason), outcome.wait)
            else:
                self._pacing.left(permit)
        return outcome, usage, seconds

    async def _send(self, body: dict[str, Any], expected: int) -> tuple[Said | Trouble, Mapping[str, str]]:
        deadline = self._pacing.concurrency.deadline(self._deadlines.least, self._deadlines.total)
        answer = await self._wire.complete(body, deadline)
        if isinstance(answer, Trouble):
            return answer, {}
        if answer.status != 200:
            trouble = from_status(answer.status, answer.headers, answer.data, body, time.time())
            if trouble.salvage is not None:
                return Said(trouble.salvage, "stop", None, None), answer.headers
            return trouble, answer.headers
        outcome = read(answer.data, answer.headers.get("content-type", ""))
        if isinstance(outcome, Said) and outcome.input is not None and outcome.input < _CUT_PROMPT * expected:
            self.tally.cut_prompts += 1
            if "{" not in outcome.text:
                read_of = f"the endpoint read {outcome.input:,} of about {expected:,} tokens of the prompt"
                hint = "Raise its context length (num_ctx in Ollama), or show fewer demonstrations."
                usage = Usage(outcome.input, outcome.output or 0)
                return Trouble("context", read_of, hint, billed=True, usage=usage), answer.headers
        return outcome, answer.headers

    def _usage(self, outcome: Said | Trouble, expected: int) -> Usage:
        """What a call was billed, estimated where the endpoint does not say."""
        if isinstance(outcome, Trouble):
            if outcome.usage is not None or not outcome.billed:
                return outcome.usage or Usage()
            return Usage(expected, self._written.value, estimated=True)
        given, written = outcome.input, outcome.output
        guessed = estimate_tokens(outcome.text) + outcome.reasoning // 4
        usage = Usage(
            expected if given is None else given,
            guessed if written is None else written,
            given is None or written is None,
        )
        self._written.add(usage.output)
        self._largest = max(self._largest, usage.output)
        return usage

    def _worst(self, body: Mapping[str, Any], messages: tuple[Message, ...] | list[Message]) -> Usage:
        """The most that a call may cost: a token is a byte or more, and a reply ends at its bound.

        An endpoint that was seen to go past the bound is expected to do so again.
        """
        if self._budget is None:
            return Usage()
        written = body.get(self.options.limit_name) or 0
        read_at_most = sum(len(message.content.encode("utf-8", "replace")) for message in messages) + _TEMPLATE_TOKENS
        if "response_format" in body:
            read_at_most += len(str(body["response_format"]))
        return Usage(read_at_most, max(written, self._largest))

    def _settle(self, budget: Budget, reservation: Reservation, outcome: Said | Trouble | None) -> None:
        """Settle a call by what it did cost, or by no less where that is not known.

        A reply without usage has at most a token for each byte, or more where replies with usage were seen to have
        more (reasoning that is billed and not shown).
        """
        if isinstance(outcome, Trouble) and (outcome.usage is not None or not outcome.billed):
            budget.settle(reservation, outcome.usage or Usage())
        elif not isinstance(outcome, Said):
            budget.settle(reservation, reservation.worst, certain=False)
        else:
            size = len(outcome.text.encode("utf-8", "replace")) + 4 * outcome.reasoning + 1
            if outcome.output is not None:
                self._tokens_a_byte = max(self._tokens_a_byte, outcome.output / size)
            bound = min(reservation.worst.output, math.ceil(size * self._tokens_a_byte))
            given = reservation.worst.input if outcome.input is None else outcome.input
            written = bound if outcome.output is None else outcome.output
            certain = outcome.input is not None and outcome.output is not None
            budget.settle(reservation, Usage(given, written), certain=certain)

    def _need_bound(self) -> None:
        """A budget of tokens or money cannot be kept where the endpoint takes no bound for a reply."""
        if self._budget is not None and self._budget.bounds_tokens and not self.options.limit_name:
            raise EndpointError(
                f"{self._wire.base_url}: takes no limit of tokens, so that no budget of tokens or money can be kept",
                hint="Leave the budget out, or bound the calls: --max-requests N.",
            )

    def _stop(self, trouble: Trouble) -> EndpointError:
        """The error that ends the run, for this caller and every other."""
        message, hint = f"{self._wire.base_url}: {trouble.message}", trouble.hint

        def error() -> EndpointError:
            return EndpointError(message, hint=f"{hint} Everything that came is kept.".strip())

        self._pacing.stop(error)
        return error()


class _Mean:
    """The mean of numbers as they come, rounded."""

    def __init__(self) -> None:
        self._sum = self._count = 0

    @property
    def value(self) -> int:
        return round(self._sum / self._count) if self._count else 0

    def add(self, number: int) -> None:
        self._sum += number
        self._count += 1


def _key(environ: Mapping[str, str], name: str) -> str:
    """The key in a variable; raises EndpointError for one that no header can hold, without showing it."""
    key = environ.get(name, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EndpointError(
            f"the environment variable {name} holds characters that no key has",
            hint="Set it to the key alone, without quotes, blanks or line breaks.",
        )
    return key


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(one.input + other.input, one.output + other.output, one.estimated or other.estimated)
