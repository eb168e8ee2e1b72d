"""The call before the first: finds a wrong key, model or address while nothing is planned yet, and says what to do.

One small chat completion with all the options of the run, so that options which the endpoint refuses are refused here,
once, and not by every call that is in flight at the time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from selfinstruct.backends.openai.call_error import CallError, from_error, from_status
from selfinstruct.backends.openai.completion import Completion
from selfinstruct.backends.openai.options import Options
from selfinstruct.backends.openai.wire import Answer, Wire
from selfinstruct.errors import EndpointError
from selfinstruct.records import Message

#: Says JSON because OpenAI's JSON mode refuses a prompt that does not.
_PROMPT = (Message("user", 'Reply with this JSON and nothing else: {"rows": []}'),)
_TOKENS = 16
#: The seconds that an endpoint which is busy is given, and the tries where nobody answers, or waiting may not help.
_PATIENCE = 30.0
_FEW_TRIES = 2
#: After so many seconds without a reply one more call is made beside those that wait, up to so many in all: a model
#: may take minutes to load, and a server stops loading it when the call is given up; but some calls are never answered.
_SILENT, _BESIDE = 20.0, 5
#: Troubles that show an endpoint at work: it read the prompt and wrote something, if nothing useful.
_AT_WORK = ("empty", "reasoning")
_ELSEWHERE = ("not-found", "page")
_MODELS_SHOWN = 8

Attempt = Callable[[dict[str, Any]], Awaitable[Completion | CallError]]


@dataclass(slots=True)
class Preflight:
    """Tries an endpoint out. ``key_env`` names the key's variable, ``keyed`` says whether it holds one.

    ``attempt`` sends one request; ``wire_to`` makes a wire to another address.
    """

    wire: Wire
    options: Options
    key_env: str
    keyed: bool
    attempt: Attempt
    wire_to: Callable[[str], Wire]
    back_off: Callable[[int], Awaitable[None]]
    clock: Callable[[], float]

    async def model(self) -> str:
        """The name of the endpoint's only or first model; raises EndpointError where it names none."""
        outcome = await self._until_settled(self._models)
        if isinstance(outcome, CallError):
            raise await self._error(outcome, "name a model: --model NAME")
        return str(outcome[0])

    async def run(self, model: str) -> None:
        """Raise EndpointError, with what to do, unless ``model`` answers."""

        async def attempt() -> Completion | CallError:
            """One small call, with fewer options where one is refused."""
            sent = self.options.trial(model, _PROMPT)
            limit = self.options.limit_name
            outcome = await self.attempt({**sent, limit: _TOKENS} if limit in sent else sent)
            if (
                isinstance(outcome, CallError)
                and outcome.option
                and self.options.refused(outcome.option, sent, outcome.message)
            ):
                return await attempt()
            if isinstance(outcome, CallError) and outcome.reason == "refused" and self.options.plainest():
                return await attempt()
            return outcome

        outcome = await self._until_settled(lambda: _first_to_end(attempt))
        if isinstance(outcome, CallError) and outcome.reason not in _AT_WORK:
            raise await self._error(outcome, outcome.hint)

    async def _until_settled(self, attempt: Callable[[], Awaitable[Any]]) -> Any:
        """What ``attempt`` comes to, tried again for a while where the trouble may pass."""
        began, tries = self.clock(), 0
        while True:
            outcome = await attempt()
            tries += 1
            if not isinstance(outcome, CallError) or outcome.fatal or outcome.reason in _AT_WORK:
                return outcome
            # So much hangs on this call that nothing but a refusal of the key or the model is believed at once.
            most = _FEW_TRIES if outcome.reason == "unreachable" else max(_FEW_TRIES, outcome.tries)
            if tries >= most or self.clock() - began >= _PATIENCE:
                return outcome
            if outcome.reason in _ELSEWHERE and isinstance(await self._models(), CallError):
                return outcome
            await self.back_off(tries)

    async def _error(self, trouble: CallError, hint: str) -> EndpointError:
        where = "" if self.wire.base_url in trouble.message else f"{self.wire.base_url}: "
        if trouble.reason == "denied" and not self.keyed:
            hint = f"Put the endpoint's key into the environment variable {self.key_env}."
        elif trouble.reason == "denied":
            hint = hint or f"Check the key in the environment variable {self.key_env}."
        elif trouble.reason == "no-model":
            names = await self._models()
            if not isinstance(names, CallError):
                more = ", ..." if len(names) > _MODELS_SHOWN else ""
                hint = f"The endpoint has: {', '.join(names[:_MODELS_SHOWN])}{more}. Name one: --model NAME."
        elif trouble.reason in _ELSEWHERE:
            other = await self._other_address()
            hint = f"The API is at {other}: give --base-url {other}" if other else trouble.hint
        return EndpointError(f"{where}{trouble.message}", hint=hint)

    async def _models(self) -> list[str] | CallError:
        return _names(await self.wire.models())

    async def _other_address(self) -> str:
        """The same address with or without /v1, or without an endpoint's path, if the API is there."""
        base = self.wire.base_url
        stem = base.removesuffix("/chat/completions").removesuffix("/completions").removesuffix("/models")
        for other in (stem, f"{stem}/v1", stem.removesuffix("/v1")):
            if other == base:
                continue
            wire = self.wire_to(other)
            try:
                if not isinstance(_names(await wire.models()), CallError):
                    return other
            finally:
                await wire.close()
        return ""


async def _first_to_end(attempt: Callable[[], Awaitable[Completion | CallError]]) -> Completion | CallError:
    """What the first of several calls comes to, each begun when those before it have been silent for long."""
    calls = {asyncio.ensure_future(attempt())}
    try:
        while True:
            patience = _SILENT if len(calls) < _BESIDE else None
            ended, _ = await asyncio.wait(calls, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if ended:
                return ended.pop().result()
            calls.add(asyncio.ensure_future(attempt()))
    finally:
        for call in calls:
            call.cancel()
        for call in (await asyncio.wait(calls))[0]:
            # Looked at, so that asyncio does not complain that nobody did.
            _ = call.cancelled() or call.exception()


def _names(answer: Answer | CallError) -> list[str] | CallError:
    """The models in a reply to GET /models, in OpenAI's form or Ollama's."""
    if isinstance(answer, CallError):
        return answer
    if answer.status != 200:
        return from_status(answer.status, answer.headers, answer.data)
    try:
        payload = json.loads(answer.data)
        listed = payload.get("data") or payload.get("models") or []
        if not listed and payload.get("error"):
            return from_error(200, payload, answer.headers, 0.0)
        names = [each.get("id") or each.get("name") or each.get("model") for each in listed]
    except (ValueError, RecursionError, AttributeError, TypeError):
        return CallError("page", "the list of models is not one", hint="Is --base-url the API's address?")
    names = [name for name in names if isinstance(name, str)]
    return names or CallError("no-model", "the endpoint has no model", hint="Load one, or name one: --model NAME.")
