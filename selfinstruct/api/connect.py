"""Who writes the rows: the models that a recipe or the options name, the imitator, or a recording."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from selfinstruct.analysis.dry_run import dry_run as dry_run
from selfinstruct.analysis.metrics import cost_of
from selfinstruct.backends.base import Backend
from selfinstruct.backends.budget import Budget, Spending
from selfinstruct.backends.imitator import Imitator
from selfinstruct.backends.model_pool import ModelPool
from selfinstruct.backends.no_model import NoModel
from selfinstruct.backends.replay import Replay
from selfinstruct.errors import EndpointError, InputError, SelfInstructError
from selfinstruct.growth.steps import first_reply_format
from selfinstruct.journal import History
from selfinstruct.preparation.infer import context_fields, prose_field
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Model
from selfinstruct.run_directory import open_history


@dataclass(frozen=True, slots=True)
class SpendingLimits:
    """What a run may spend in all: money, calls, tokens; None is without limit."""

    money: float | None
    requests: int | None
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Connection:
    """Who writes, and what the journal is to know of it.

    ``prices`` has for each model what a million tokens cost, in and out. ``preflights`` has what was spent on seeing
    that it answers, as requests, tokens in, tokens out, and whether these are estimated. ``set_aside`` says which
    models did not.
    """

    models: ModelPool
    prices: dict[str, list[float]] = field(default_factory=dict)
    preflights: dict[str, list[int]] = field(default_factory=dict)
    set_aside: Sequence[str] = ()


def with_model(
    prepared: Prepared,
    model: str | None,
    base_url: str | None,
    backend: str | Backend | None,
    concurrency: int | None = None,
) -> Prepared:
    """``prepared`` with the model that the options name, if they name one.

    Of a recipe's ``[[models]]``, ``model`` picks those of that name; ``concurrency`` is shared out by weight.
    """
    if backend not in (None, "imitator", "openai", "replay") and isinstance(backend, str):
        raise InputError(f"`backend`: unknown value {backend!r}", hint="Choose one of imitator, openai, replay.")
    recipe = prepared.recipe
    if backend == "imitator":
        recipe = recipe.model_copy(update={"model": None, "models": ()})
    elif recipe.models and base_url is not None:
        raise InputError("`base_url`: the recipe has [[models]]", hint="Pick one with `model`, or edit their base_url.")
    elif model is not None and (picked := tuple(each for each in recipe.models if each.name == model)):
        recipe = recipe.model_copy(update={"models": picked})
    elif model is not None or base_url is not None or (backend == "openai" and not recipe.models):
        old = recipe.model.model_dump() if recipe.model is not None else {"name": "default"}
        named = {key: value for key, value in (("name", model), ("base_url", base_url)) if value is not None}
        recipe = recipe.model_copy(update={"model": _model({**old, **named}), "models": ()})
    if concurrency is not None:
        recipe = recipe.model_copy(update=_sharing(recipe.model, recipe.models, concurrency))
    return replace(prepared, recipe=recipe)


async def connect(
    prepared: Prepared,
    backend: str | Backend | None,
    seed: int,
    limits: SpendingLimits,
    history: History | None,
    recording: str | Path | None,
) -> Connection:
    """Who writes the rows; a model is called once, to see that it answers.

    ``history`` is that of the run that goes on, of which the limits hold too; None for a new one.
    Raises InputError where the options cannot be, and EndpointError where no model can be used.
    """
    if backend is not None and not isinstance(backend, str):
        return Connection(ModelPool([backend]))
    if (backend == "replay") != (recording is not None):
        raise InputError(
            '`backend="replay"` and `recording` require each other',
            hint="Set `recording` to the run whose replies to replay.",
        )
    if recording is not None:
        with open_history(recording) as history:
            return Connection(ModelPool([Replay(history)]))
    recipe = prepared.recipe
    nowhere = any(model.name == "default" and not model.base_url for model in recipe.all_models)
    if (not recipe.all_models and recipe.needs_model) or (nowhere and not os.environ.get("OPENAI_BASE_URL")):
        raise InputError(
            f"{recipe.name}: needs a model: the embedded imitator can only imitate rows",
            hint='Set `model="NAME"` and `base_url="http://127.0.0.1:8000/v1"` (see docs/models.md).',
        )
    spent = Spending() if history is None else _spent(history, recipe.all_models)
    budget = Budget(money=limits.money, requests=limits.requests, tokens=limits.tokens, spent=spent)
    if not recipe.all_models and not recipe.needs_model:
        if recipe.expand:
            return Connection(ModelPool([NoModel()]))
        label = [recipe.categories.field] if recipe.categories.by == "field" and recipe.categories.field else []
        imitator = Imitator(
            prepared.seeds.rows, context_fields(recipe), mixed=prose_field(recipe), fixed=label, seed=seed
        )
        return Connection(ModelPool([imitator]))
    for model in recipe.all_models:
        if model.price is None and budget.needs_prices:
            raise InputError(
                f"`budget`: the token price of {model.name} is unknown",
                hint="Add the price per million tokens to the recipe: [model] price = { input = 0.15, output = 0.60 }",
            )
    return await _endpoints(prepared, budget)


async def _endpoints(prepared: Prepared, budget: Budget) -> Connection:
    """The models of a recipe, those that answer; raises what the first says where none does."""
    from selfinstruct.backends.openai.backend import OpenAIBackend

    async def tried(model: Model) -> OpenAIBackend | SelfInstructError:
        """A model that answers, or why it does not."""
        try:
            return await OpenAIBackend.connect(model, form=first_reply_format(prepared.recipe), budget=budget)
        except SelfInstructError as error:
            return error

    models = prepared.recipe.all_models
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(tried(model)) for model in models]
    outcomes = [task.result() for task in tries]
    answering = [(model, got) for model, got in zip(models, outcomes, strict=True) if isinstance(got, OpenAIBackend)]
    refusing = [(model, got) for model, got in zip(models, outcomes, strict=True) if isinstance(got, SelfInstructError)]
    others = [error for _, error in refusing if not isinstance(error, EndpointError)]
    if others or not answering:
        for _, endpoint in answering:
            await endpoint.close()
        raise (others or [error for _, error in refusing])[0]
    often = Counter(endpoint.name for _, endpoint in answering)
    for _, endpoint in answering:
        if often[endpoint.name] > 1:
            endpoint.name += f" at {endpoint.base_url}"
    tallies = {endpoint.name: endpoint.tally for _, endpoint in answering}
    return Connection(
        ModelPool(
            [endpoint for _, endpoint in answering],
            [model.weight for model, _ in answering],
            [model.name for model, _ in answering],
        ),
        {endpoint.name: [model.price.input, model.price.output] for model, endpoint in answering if model.price},
        {
            name: [tally.calls, tally.preflight.input, tally.preflight.output, int(tally.preflight.estimated)]
            for name, tally in tallies.items()
        },
        [f"{model.name} was set aside before the first row: {error.message}" for model, error in refusing],
    )


def _spent(history: History, models: Sequence[Model]) -> Spending:
    """What a run has spent so far, for its budget."""
    state, prices = history.state(), dict(history.metadata().prices)
    prices.update({model.name: [model.price.input, model.price.output] for model in models if model.price})
    money, _ = cost_of(state.spent, prices)
    return Spending(money=money, requests=state.requests, tokens=state.tokens.input + state.tokens.output)


def _sharing(model: Model | None, models: Sequence[Model], concurrency: int) -> dict[str, Any]:
    """The models with as many calls at once as they get of ``concurrency``: each at least one."""
    total = sum(each.weight for each in models)
    shares = [max(1, round(concurrency * each.weight / total)) for each in models]
    return {
        "model": model and model.model_copy(update={"concurrency": concurrency}),
        "models": tuple(
            each.model_copy(update={"concurrency": share}) for each, share in zip(models, shares, strict=True)
        ),
    }


def _model(table: Mapping[str, Any]) -> Model:
    from pydantic import ValidationError

    try:
        return Model(**table)
    except ValidationError as error:
        wrong = "base_url" if "base_url" in str(error.errors()[0]["loc"]) else "model"
        given = table["base_url" if wrong == "base_url" else "name"]
    raise InputError(
        f"`{wrong}`: invalid value {given!r}",
        hint="A base URL looks like http://127.0.0.1:8000/v1; a model has the name that the endpoint lists.",
    )
