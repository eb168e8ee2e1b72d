"""A model behind any endpoint that speaks OpenAI's chat completions, as a Backend.

    prompt -> options -> pacing -> budget -> wire -> completion or failures -> Reply, another try, Failure, or the end

There is one retry layer, and it is ``complete``: the package's own is off.

Does not handle: what a prompt says, or reading rows out of a reply.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from selfinstruct.backends.budget import Budget, BudgetSpent
from selfinstruct.backends.openai.billing import TOKENS_IN_A_REPLY, Billing
from selfinstruct.backends.openai.call_error import CallError, from_status
from selfinstruct.backends.openai.completion import Completion, read_completion
from selfinstruct.backends.openai.options import Options
from selfinstruct.backends.openai.pacing import Pacing
from selfinstruct.backends.openai.preflight import Preflight
from selfinstruct.backends.openai.wire import Deadlines, Wire
from selfinstruct.errors import EndpointError
from selfinstruct.events import Pace
from selfinstruct.prompts.prompt import estimate_tokens
from selfinstruct.recipe import Model
from selfinstruct.records import Failure, Message, Reply, ReplyFormat, Request, Usage

#: A call that fails is tried again for so many seconds after its first failure.
PATIENCE = 300.0
_DEADLINES = Deadlines()
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
class CallCounts:
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

    ``name`` is what its rows are credited to: the model's, unless it is set. ``tally`` is what was done so far.
    """

    reads_messages = True

    def __init__(
        self,
        model: Model,
        wire: Wire,
        options: Options,
        pacing: Pacing,
        billing: Billing,
        deadlines: Deadlines,
        clock: Callable[[], float],
    ) -> None:
        self.name = model.name
        self.options = options
        self.tally = CallCounts()
        self._wire = wire
        self._pacing = pacing
        self._billing = billing
        self._deadlines = deadlines
        self._clock = clock
        self._model = model.name

    @classmethod
    async def connect(
        cls,
        model: Model,
        *,
        form: ReplyFormat | None = None,
        budget: Budget | None = None,
        preflight: bool = True,
        deadlines: Deadlines = _DEADLINES,
        environ: Mapping[str, str] = os.environ,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> OpenAIBackend:
        """A backend for ``model``, tried out by one small call.

        ``form`` is that of the replies that are asked for: in a JSON schema where the endpoint takes one, which the
        first call finds out.
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
        billing = Billing(budget, model.price)
        bound = TOKENS_IN_A_REPLY if billing.needs_bound else None
        options = Options(model, form, model.max_tokens or bound)
        wire = wire_to(model.base_url)
        backend = cls(model, wire, options, pacing, billing, deadlines, clock)
        try:
            await backend._preflight(model, bool(key), wire_to, preflight)
        except BaseException:
            await backend.close()
            raise
        return backend

    async def complete(self, request: Request) -> Reply | Failure:
        """Answer one request, trying again where that may help.

        The usage of tries that were billed and brought nothing is part of what is returned. What ends the run for
        every caller (the endpoint can be used no more, the budget is spent) is the ``end`` of a failure, or raised
        where nothing was sent for this request: EndpointError, BudgetSpent.
        """
        started = self._clock()
        expected = sum(estimate_tokens(message.content) + 4 for message in request.messages)
        met: Counter[str] = Counter()
        paid, tries = Usage(), 0
        patience: float | None = None
        last: CallError | None = None

        def failure(trouble: CallError, end: Exception | None = None) -> Failure:
            """What the call came to, with all that it cost until now."""
            hint = f" ({trouble.hint})" if trouble.hint else ""
            seconds = self._clock() - started
            return Failure(trouble.reason, f"{trouble.message}{hint}", paid, seconds, tries, self.name, end)

        while True:
            body = self.options.body(self._model, request.messages, request.seed, request.form)
            try:
                outcome, usage, seconds = await self._attempt(body, request.messages, expected, again=bool(met))
            except (EndpointError, BudgetSpent) as error:
                if last is None:
                    raise
                return failure(last, error)
            paid, tries = paid + usage, tries + 1
            if isinstance(outcome, Completion):
                return Reply(outcome.text, self.name, paid, outcome.finish_reason, seconds, tries)
            last = outcome
            met[outcome.reason] += 1
            if outcome.fatal:
                return failure(outcome, self._stop(outcome))
            now = self._clock()
            if outcome.option and self.options.refused(outcome.option, body, outcome.message):
                self._need_bound()
                continue
            patience = now + PATIENCE if patience is None else patience
            if outcome.option or met[outcome.reason] >= outcome.tries or now >= patience:
                return failure(outcome)
            self.tally.retries += 1
            await self._pacing.back_off(met.total())

    @property
    def base_url(self) -> str:
        """Where requests go."""
        return self._wire.base_url

    @property
    def notes(self) -> list[str]:
        """What a person should know of how the endpoint did."""
        said = [f"{self.name}: {note}" for note in self.options.notes]
        if self.tally.cut_prompts:
            said.append(f"{self.name}: it seems to have read only the beginning of {self.tally.cut_prompts:,} prompts")
        return said

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
        async def attempt(body: dict[str, Any]) -> Completion | CallError:
            said = body.get("messages") or [{"role": "user", "content": body.get("prompt", "")}]
            messages = [Message(each["role"], each["content"]) for each in said]
            outcome, usage, _ = await self._attempt(body, messages, 0, again=True)
            self.tally.preflight = self.tally.preflight + usage
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
            self.name = self._model = await checks.model()
        if thoroughly:
            await checks.run(self._model)
            self._need_bound()

    async def _attempt(
        self, body: dict[str, Any], messages: tuple[Message, ...] | list[Message], expected: int, *, again: bool
    ) -> tuple[Completion | CallError, Usage, float]:
        """Send one request when its turn comes: what came of it, what it cost, and how long it took."""
        permit = await self._pacing.enter(expected + self._billing.typical, again=again)
        outcome: Completion | CallError | None = None
        usage, reservation = Usage(), None
        try:
            bound = int(body.get(self.options.limit_name) or 0)
            reservation = await self._billing.reserve(body, messages, bound)
            permit.sent = self._clock()
            self.tally.calls += 1
            outcome, headers = await self._send(body, expected)
            usage = self._billing.usage(outcome, expected)
        finally:
            self._billing.settle(reservation, outcome)
            if outcome is None:
                self._pacing.left(permit)
        seconds = self._clock() - permit.sent
        if isinstance(outcome, Completion):
            self._pacing.succeeded(permit, headers, time.time())
        else:
            self.tally.troubles[outcome.reason] += 1
            if outcome.overload:
                self._pacing.failed(permit, _OVERLOADS.get(outcome.reason, outcome.reason), outcome.wait)
            else:
                self._pacing.left(permit)
        return outcome, usage, seconds

    async def _send(self, body: dict[str, Any], expected: int) -> tuple[Completion | CallError, Mapping[str, str]]:
        deadline = self._pacing.concurrency.deadline(self._deadlines.least, self._deadlines.total)
        answer = await self._wire.complete(body, deadline)
        if isinstance(answer, CallError):
            return answer, {}
        if answer.status != 200:
            trouble = from_status(answer.status, answer.headers, answer.data, body, time.time())
            if trouble.salvage is not None:
                return Completion(trouble.salvage, "stop", None, None), answer.headers
            return trouble, answer.headers
        outcome = read_completion(answer.data, answer.headers.get("content-type", ""))
        if isinstance(outcome, Completion) and outcome.input is not None and outcome.input < _CUT_PROMPT * expected:
            self.tally.cut_prompts += 1
            if "{" not in outcome.text:
                read_of = f"the endpoint read {outcome.input:,} of about {expected:,} tokens of the prompt"
                hint = "Raise its context length (num_ctx in Ollama), or show fewer demonstrations."
                usage = Usage(outcome.input, outcome.output or 0)
                return CallError("context", read_of, hint, billed=True, usage=usage), answer.headers
        return outcome, answer.headers

    def _need_bound(self) -> None:
        """A budget of tokens or money cannot be kept where the endpoint takes no bound for a reply."""
        if self._billing.needs_bound and not self.options.limit_name:
            raise EndpointError(
                f"{self._wire.base_url}: takes no limit of tokens, so that no budget of tokens or money can be kept",
                hint="Leave the budget out, or bound the calls: --max-requests N.",
            )

    def _stop(self, trouble: CallError) -> EndpointError:
        """The error that ends the run, for this caller and every other."""
        message, hint = f"{self._wire.base_url}: {trouble.message}", trouble.hint

        def error() -> EndpointError:
            return EndpointError(message, hint=f"{hint} Everything that came is kept.".strip())

        self._pacing.stop(error)
        return error()


def _key(environ: Mapping[str, str], name: str) -> str:
    """The key in a variable; raises EndpointError for one that no header can hold, without showing it."""
    key = environ.get(name, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EndpointError(
            f"the environment variable {name} holds characters that no key has",
            hint="Set it to the key alone, without quotes, blanks or line breaks.",
        )
    return key
