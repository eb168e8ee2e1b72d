"""The first call to an endpoint: reports a wrong key, model or address before anything is planned, and how to fix it.

It finds out what the endpoint refuses of the requests (``fitting``), once, and not in every call that is in flight at
the time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from selfinstruct.backends.openai.call_error import CallError, from_error, from_status
from selfinstruct.backends.openai.completion import Completion
from selfinstruct.backends.openai.error_body import parse_error
from selfinstruct.backends.openai.fitting import Attempt, Fitting, works
from selfinstruct.backends.openai.model_list import ModelList, read_models
from selfinstruct.backends.openai.options import Options
from selfinstruct.backends.openai.settings import PreflightSettings
from selfinstruct.backends.openai.wire import Answer, Wire
from selfinstruct.errors import EndpointError
from selfinstruct.messages import Phrase, joined

#: The tries if nobody answers, or if waiting may not help.
_FEW_TRIES = 2
#: Errors of the endpoint itself, for certain.
_ABOUT_MODEL = ("no-model", "quota", "context", "filtered")
_WRONG_ADDRESS = ("not-found", "page")
_MODELS_SHOWN = 8


@dataclass(slots=True)
class Preflight:
    """Tries an endpoint. ``key_env`` is the variable of the API key, and ``has_key`` whether it is set.

    ``attempt`` sends one request; ``make_wire`` connects to another address.
    """

    wire: Wire
    options: Options
    settings: PreflightSettings
    key_env: str
    has_key: bool
    attempt: Attempt
    make_wire: Callable[[str], Wire]
    back_off: Callable[[int], Awaitable[None]]
    clock: Callable[[], float]

    async def model(self) -> str:
        """Return the first of the endpoint's models that can write; raises EndpointError if it lists none.

        A choice between several is noted.
        """
        outcome = await self._retry(self._list_models)
        if isinstance(outcome, CallError):
            if outcome.reason not in ("unreachable", "denied", "no-model", "page"):
                hint = "Check `base_url`, or set `model` if the endpoint does not list its models."
                outcome = replace(outcome, hint=hint)
            raise await self._endpoint_error(outcome)
        chosen, *others = outcome.writers
        if others:
            note = "{model} is the first model that the endpoint lists; the others are {names}"
            self.options.notes.append(Phrase(note, model=chosen, names=_shown(others)))
        return str(chosen)

    async def run(self, model: str) -> None:
        """Raise EndpointError, with a remedy, unless ``model`` answers."""
        fitting = Fitting(self.options, model, self.attempt)
        outcome = await self._retry(lambda: self._hedged(fitting.run))
        if isinstance(outcome, CallError) and not works(outcome):
            raise await self._endpoint_error(outcome)

    async def _retry(self, attempt: Callable[[], Awaitable[Any]]) -> Any:
        """The outcome of ``attempt``, repeated for a while if its error may be transient."""
        began, tries = self.clock(), 0
        while True:
            outcome = await attempt()
            tries += 1
            if not isinstance(outcome, CallError) or outcome.fatal or works(outcome):
                return outcome
            # The whole run depends on this call, so no error but a rejected key or model is final the first time.
            most = _FEW_TRIES if outcome.reason == "unreachable" else max(_FEW_TRIES, outcome.max_tries)
            if tries >= most or self.clock() - began >= self.settings.patience:
                return outcome
            if outcome.reason in _WRONG_ADDRESS and isinstance(await self._list_models(), CallError):
                return outcome
            await self.back_off(tries)

    async def _hedged(self, attempt: Callable[[], Awaitable[Completion | CallError]]) -> Completion | CallError:
        """The first outcome of several calls, each started after a long silence of those before it."""
        calls = {asyncio.ensure_future(attempt())}
        try:
            while True:
                timeout = self.settings.silent if len(calls) < self.settings.most_calls else None
                done, _ = await asyncio.wait(calls, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    return done.pop().result()
                calls.add(asyncio.ensure_future(attempt()))
        finally:
            for call in calls:
                call.cancel()
            for call in (await asyncio.wait(calls))[0]:
                # Retrieved, so that asyncio does not log an exception that was never retrieved.
                _ = call.cancelled() or call.exception()

    async def _endpoint_error(self, error: CallError) -> EndpointError:
        message = error.message
        if self.wire.base_url not in message:
            message = Phrase("{where}: {problem}", where=self.wire.base_url, problem=Phrase(message))
        hint = error.hint
        if error.reason == "denied" and not self.has_key:
            hint = Phrase("Set the environment variable {key_env} to the endpoint's API key.", key_env=self.key_env)
        elif error.reason == "denied":
            hint = hint or Phrase("Check the API key in the environment variable {key_env}.", key_env=self.key_env)
        elif error.reason == "no-model":
            names = await self._list_models()
            if not isinstance(names, CallError):
                hint = Phrase("Set `model` to one that the endpoint has: {names}.", names=_shown(names.writers))
        elif error.reason in _WRONG_ADDRESS:
            other = await self._other_address()
            hint = Phrase('Set `base_url="{other}"`.', other=other) if other else hint
        # What the endpoint is said to answer may come from the proxy.
        proxy = self.wire.proxy
        if proxy is not None and error.reason not in _ABOUT_MODEL and str(proxy.hint) not in hint:
            hint = joined([Phrase(hint), proxy.hint], " ") if hint else proxy.hint
        return EndpointError(message, hint=hint)

    async def _list_models(self) -> ModelList | CallError:
        return _models_in(await self.wire.models())

    async def _other_address(self) -> str:
        """The same address with or without /v1, or without an endpoint's path, if the API is there."""
        base = self.wire.base_url
        stem = base.removesuffix("/chat/completions").removesuffix("/completions").removesuffix("/models")
        for other in (stem, f"{stem}/v1", stem.removesuffix("/v1")):
            if other == base:
                continue
            wire = self.make_wire(other)
            try:
                if not isinstance(_models_in(await wire.models()), CallError):
                    return other
            finally:
                await wire.close()
        return ""


def _shown(names: Sequence[str]) -> str:
    return ", ".join([*names[:_MODELS_SHOWN], *(["..."] if len(names) > _MODELS_SHOWN else [])])


def _models_in(answer: Answer | CallError) -> ModelList | CallError:
    """The models in a reply to GET /models, at least one of which can write."""
    if isinstance(answer, CallError):
        return answer
    if not 200 <= answer.status < 300:
        return from_status(answer.status, answer.headers, answer.data)
    try:
        payload = json.loads(answer.data)
    except (ValueError, RecursionError):
        return CallError("page", "invalid list of models", hint="Check that `base_url` is the address of the API.")
    models = read_models(payload)
    if models.writers:
        return models
    if models.others:
        message = Phrase("the endpoint lists no model that can write: {names}", names=_shown(models.others))
        return CallError("no-model", message, hint="Load one, or set `model`.")
    if isinstance(payload, dict) and not any(key in payload for key in ("data", "models")):
        error = parse_error(payload)
        if not error.is_empty:
            return from_error(200, payload, answer.headers, 0.0)
        return CallError("page", "invalid list of models", hint="Check that `base_url` is the address of the API.")
    return CallError("no-model", "the endpoint lists no model", hint="Load a model, or set `model`.")
