"""A Backend for any endpoint that implements OpenAI's chat completions.

    prompt -> options -> pacing -> budget -> wire -> completion or call_error -> Reply, retry, Failure, or the end

``complete`` is the only retry layer.

Does not handle: the words of a prompt, or reading rows out of a reply.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from selfinstruct.backends.budget import Budget, BudgetSpent
from selfinstruct.backends.openai.address import Address, read_key
from selfinstruct.backends.openai.billing import DEFAULT_MAX_TOKENS, Billing
from selfinstruct.backends.openai.call_error import CallError, from_status, truncated_prompt
from selfinstruct.backends.openai.completion import Completion, read_completion
from selfinstruct.backends.openai.endings import Endings
from selfinstruct.backends.openai.known_endpoint import KnownEndpoint
from selfinstruct.backends.openai.pacing import NotNeeded, Pacing
from selfinstruct.backends.openai.preflight import Preflight
from selfinstruct.backends.openai.reply_limit import ReplyLimits
from selfinstruct.backends.openai.settings import EndpointSettings
from selfinstruct.backends.openai.strength import weakness
from selfinstruct.backends.openai.trial import Trial
from selfinstruct.backends.openai.wire import Wire
from selfinstruct.errors import EndpointError
from selfinstruct.events import Pace
from selfinstruct.messages import Phrase, joined
from selfinstruct.prompts import estimate_tokens
from selfinstruct.recipe import Model
from selfinstruct.records import Failure, Message, Reply, ReplyFormat, Request, Usage

_DEFAULTS = EndpointSettings()
# A prompt counted as fewer tokens than this share of the estimate was truncated: tokenizers do not differ that much.
_TRUNCATED_SHARE = 0.4
# Tries of a request whose reply was all reasoning, up to its limit.
_REASONED_TRIES = 3
# The tokens of a trial that has not been answered, in and out: rather too many.
_TRIAL_TOKENS = 64
# Names of the signs of overload, for the progress line.
_OVERLOADS = {
    "rate-limit": "a rate limit",
    "server-error": "a server error",
    "timeout": "a timeout",
    "dropped": "a dropped connection",
    "unreachable": "a refused connection",
}


@dataclass(slots=True)
class CallCounts:
    """Statistics of a backend: ``calls`` sent, ``retries`` among them, and ``errors`` by reason.

    ``truncated_prompts`` counts replies to prompts that the endpoint seems
    to have truncated.
    """

    calls: int = 0
    retries: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    truncated_prompts: int = 0


class OpenAIBackend:
    """Answers requests with a chat model; create it with ``connect``.

    ``name`` identifies it in the provenance of its rows, by default the model's name. ``counts`` are its statistics.
    """

    reads_messages = True

    def __init__(
        self,
        wire: Wire,
        known: KnownEndpoint,
        pacing: Pacing,
        billing: Billing,
        settings: EndpointSettings,
        clock: Callable[[], float],
    ) -> None:
        self.name = known.name
        self.known = known
        self.options = known.options
        self.counts = CallCounts()
        self._wire = wire
        self._pacing = pacing
        self._billing = billing
        self._settings = settings
        self._clock = clock
        #: The first call, which may still be under way.
        self.trial = Trial(Usage(_TRIAL_TOKENS, _TRIAL_TOKENS, estimated=True))

    @classmethod
    async def connect(
        cls,
        model: Model,
        *,
        reply_format: ReplyFormat | None = None,
        budget: Budget | None = None,
        preflight: bool = True,
        known: KnownEndpoint | None = None,
        settings: EndpointSettings = _DEFAULTS,
        environ: Mapping[str, str] = os.environ,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> OpenAIBackend:
        """Return a backend for ``model``, after a ``preflight`` of one small call.

        ``reply_format`` is the format of the replies; the preflight finds out whether the endpoint accepts it as a
        JSON schema. Where an earlier backend of ``model`` has ``known`` the endpoint and was answered, there is none.
        The model name "default" means the endpoint's only or first model. If the environment variable
        ``model.api_key_env`` is not set, a placeholder is sent as the API key, which local servers ignore. The
        deadlines in ``settings`` are real seconds; all other times are measured with ``clock`` (monotonic) and
        ``sleep``.

        Raises EndpointError, with a remedy, if the endpoint cannot be used, and BudgetSpent.
        """
        key = read_key(environ, model.api_key_env)
        if model.timeout is not None:
            settings = replace(settings, deadlines=settings.deadlines.capped_at(model.timeout))

        address = Address.of(model, key, environ)

        def make_wire(base_url: str) -> Wire:
            """Connect to another path of the address."""
            return Wire(address.at(base_url), settings.deadlines, model.concurrency, settings.max_reply_bytes)

        pacing = Pacing(
            model.concurrency,
            requests=model.requests_per_minute,
            tokens=model.tokens_per_minute,
            clock=clock,
            sleep=sleep,
            rng=rng or Random(),
            settings=settings.pacing,
        )
        billing = Billing(budget, model.price)
        default_limit = DEFAULT_MAX_TOKENS if billing.needs_token_limit else None
        known = known or KnownEndpoint.unknown(model, reply_format, default_limit)
        backend = cls(make_wire(address.base_url), known, pacing, billing, settings, clock)
        try:
            if not known.answered:
                await backend._preflight(model, bool(key), make_wire, preflight)
        except BaseException:
            await backend.close()
            raise
        return backend

    async def complete(self, request: Request) -> Reply | Failure:
        """Answer one request, retrying after transient errors.

        The usage of the result includes failed tries that were billed. An error that ends the run for every caller
        (EndpointError, BudgetSpent) is the ``fatal_error`` of a Failure, or is raised if nothing was sent for this
        request.
        """
        started = self._clock()
        expected = sum(estimate_tokens(message.content) + 4 for message in request.messages)
        errors: Counter[str] = Counter()
        billed, tries = Usage(), 0
        give_up_at: float | None = None
        last: CallError | None = None

        def failure(error: CallError, end: Exception | None = None) -> Failure:
            """The failure of this request, with the usage of all tries."""
            message = Phrase(error.message)
            if error.hint:
                message = Phrase("{problem} ({hint})", problem=message, hint=Phrase(error.hint))
            seconds = self._clock() - started
            return Failure(error.reason, message, billed, seconds, tries, self.name, end)

        while True:
            limit = self.known.limits.of(request, expected)
            body = self.options.body_of(self.known.name, request, limit)
            try:
                outcome, usage, seconds = await self._attempt(body, request.messages, expected, again=bool(errors))
            except NotNeeded:
                message = Phrase("all rows were accepted before the call was sent")
                return Failure("not-needed", message, billed, self._clock() - started, tries, self.name)
            except (EndpointError, BudgetSpent) as error:
                if last is None:
                    raise
                return failure(last, error)
            billed, tries = billed + usage, tries + 1
            if isinstance(outcome, Completion):
                self.known.answered = True
                self.known.most_rows = max(self.known.most_rows, request.rows)
                if self.known.limits.record(request, limit, outcome) and tries < _REASONED_TRIES:
                    continue
                return Reply(outcome.text, self.name, billed, outcome.finish_reason, seconds, tries)
            if outcome.reason == "context" and self.known.limits.too_long(limit, expected, outcome.message):
                continue
            last = outcome
            errors[outcome.reason] += 1
            if outcome.fatal:
                return failure(outcome, self._stop(outcome))
            if outcome.reason == "timeout" and request.rows > self.known.most_rows:
                return failure(outcome)  # fewer rows may be in time
            now = self._clock()
            if outcome.option and self.options.reject(outcome.option, body, outcome.detail or outcome.message):
                self._require_token_limit()
                continue
            give_up_at = now + self._settings.retry_seconds if give_up_at is None else give_up_at
            if outcome.option or errors[outcome.reason] >= outcome.max_tries or now >= give_up_at:
                return failure(outcome)
            self.counts.retries += 1
            await self._pacing.back_off(errors.total())

    @property
    def wire(self) -> Wire:
        """The connections to the endpoint."""
        return self._wire

    @property
    def limits(self) -> ReplyLimits:
        """How many tokens replies may have."""
        return self.known.limits

    @property
    def endings(self) -> Endings:
        """What the endings of replies mean."""
        return self.known.endings

    @property
    def model(self) -> str:
        """The endpoint's name of the model."""
        return self.known.name

    @property
    def base_url(self) -> str:
        """The URL that requests are sent to."""
        return self._wire.base_url

    @property
    def notes(self) -> list[str]:
        """Remarks for the summary: options that the endpoint rejected, and truncated prompts."""
        notes: list[str] = [
            Phrase("{where}: {problem}", where=self.name, problem=Phrase(note))
            for note in (*self.options.notes, *self.known.endings.notes, *self.known.formats.notes)
        ]
        if truncated := self.counts.truncated_prompts:
            note = "{name}: the endpoint seems to have truncated {count:,} prompts"
            notes.append(Phrase(note, name=self.name, count=truncated))
        return notes

    @property
    def weakness(self) -> Phrase | None:
        """Why this model may need calls for few rows, for the user; None where nothing says so."""
        is_silent = self.trial.is_under_way and not self.counts.errors  # it may wait for a rate limit
        after = self._settings.preflight.accepted_after if is_silent else None
        return weakness(self.known.model, self.name, self._wire.base_url, after)

    @property
    def deadline(self) -> float:
        """The most seconds that a call may take."""
        return self._settings.deadlines.total

    @property
    def ignores_format(self) -> bool:
        """Whether the replies show that the endpoint ignores the format that requests ask for."""
        return self.known.formats.ignores

    def inspect(self) -> Pace:
        """The current limit of calls in flight, their number, and the reason for the limit."""
        return self._pacing.inspect()

    def drop_waiting(self) -> None:
        """End the calls that wait for a limit, or for the endpoint to answer again: no row of theirs is needed."""
        self._pacing.drop_waiting()

    async def close(self) -> None:
        """Close the connections."""
        await self.trial.close()
        await self._pacing.close()
        await self._wire.close()

    async def _preflight(self, model: Model, has_key: bool, make_wire: Callable[[str], Wire], thoroughly: bool) -> None:
        async def send(body: dict[str, Any]) -> tuple[Completion | CallError, Usage]:
            sent = body.get("messages") or [{"role": "user", "content": body.get("prompt", "")}]
            messages = [Message(each["role"], each["content"]) for each in sent]
            outcome, usage, _ = await self._attempt(body, messages, 0, again=True)
            if isinstance(outcome, Completion):
                self.known.limits.notice_reasoning(outcome)
            return outcome, usage

        async def attempt(body: dict[str, Any]) -> Completion | CallError:
            return await self.trial.attempt(send(body))

        async def check() -> None:
            await checks.run(self.known.name)
            self._require_token_limit()

        checks = Preflight(
            self._wire,
            self.options,
            self._settings.preflight,
            model.api_key_env,
            has_key,
            attempt,
            make_wire,
            self._pacing.back_off,
            self._clock,
        )
        if model.name == "default":
            self.name = self.known.name = await checks.model()
        if thoroughly:
            accepted_after = self._settings.preflight.accepted_after
            await self.trial.run(check(), accepted_after, lambda: self._wire.connected, self._trial_failed)

    def _trial_failed(self, error: Exception) -> None:
        """End the run, whose calls have begun before the trial failed, unless one of them has been answered."""
        if not self.known.answered:
            self._pacing.stop(lambda: error)

    async def _attempt(
        self, body: dict[str, Any], messages: tuple[Message, ...] | list[Message], expected: int, *, again: bool
    ) -> tuple[Completion | CallError, Usage, float]:
        """Send one request as soon as pacing allows; its outcome, usage and seconds."""
        permit = await self._pacing.enter(expected + self._billing.average_output, retry=again)
        outcome: Completion | CallError | None = None
        usage, reservation = Usage(), None
        try:
            max_tokens = int(body.get(self.options.token_limit_name) or 0)
            reservation = await self._billing.reserve(body, messages, max_tokens)
            permit.sent_at = self._clock()
            self.counts.calls += 1
            outcome, headers = await self._send(body, expected)
            usage = self._billing.usage(outcome, expected)
        finally:
            self._billing.settle(reservation, outcome)
            if outcome is None:
                self._pacing.released(permit)
        seconds = self._clock() - permit.sent_at
        if isinstance(outcome, Completion):
            self._pacing.succeeded(permit, headers, time.time())
        else:
            self.counts.errors[outcome.reason] += 1
            if outcome.overload:
                self._pacing.failed(permit, _OVERLOADS.get(outcome.reason, outcome.reason), outcome.retry_after)
            else:
                self._pacing.released(permit)
        return outcome, usage, seconds

    async def _send(self, body: dict[str, Any], expected: int) -> tuple[Completion | CallError, Mapping[str, str]]:
        deadlines = self._settings.deadlines
        deadline = self._pacing.concurrency.deadline(deadlines.least, deadlines.total)
        answer = await self._wire.complete(body, deadline)
        if isinstance(answer, CallError):
            return answer, {}
        if not 200 <= answer.status < 300:
            error = from_status(answer.status, answer.headers, answer.data, body, time.time())
            if error.salvage is not None:
                return Completion(error.salvage, "stop", None, None), answer.headers
            return error, answer.headers
        outcome = read_completion(answer.data, answer.headers.get("content-type", ""), body)
        if isinstance(outcome, Completion):
            outcome = self.known.endings.settle(outcome, int(body.get(self.options.token_limit_name) or 0))
            self.known.formats.record(outcome.text, outcome.finish_reason, body)
        least = _TRUNCATED_SHARE * expected
        if isinstance(outcome, Completion) and outcome.input is not None and outcome.input < least:
            self.counts.truncated_prompts += 1
            if "{" not in outcome.text:
                return truncated_prompt(outcome.input, outcome.output or 0, expected), answer.headers
        return outcome, answer.headers

    def _require_token_limit(self) -> None:
        """Raise EndpointError if the budget needs a token limit for replies and the endpoint accepts none."""
        if self._billing.needs_token_limit and not self.options.token_limit_name:
            raise EndpointError(
                "{base_url}: the endpoint rejects max_tokens; the budget cannot be enforced",
                hint="Use `max_requests` to limit the number of calls instead.",
                base_url=self._wire.base_url,
            )

    def _stop(self, fatal: CallError) -> EndpointError:
        """Reject all further calls; the error that ends the run."""
        message = Phrase("{where}: {problem}", where=self._wire.base_url, problem=Phrase(fatal.message))
        kept = Phrase("Everything received so far is kept.")
        hint = joined([Phrase(fatal.hint), kept], " ") if fatal.hint else kept

        def error() -> EndpointError:
            return EndpointError(message, hint=hint)

        self._pacing.stop(error)
        return error()
