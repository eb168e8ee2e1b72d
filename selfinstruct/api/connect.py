"""Choose and connect the backends of a run: models of the recipe or the arguments, the imitator, or a recording."""

from __future__ import annotations

import asyncio
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfinstruct.analysis.dry_run import dry_run as dry_run
from selfinstruct.analysis.summary import cost_of
from selfinstruct.backends import (
    Backend,
    Budget,
    ExtensionBackend,
    Imitator,
    ModelPool,
    NoModel,
    PassageImitator,
    Replay,
    Spending,
    batch_name,
)
from selfinstruct.errors import EndpointError, InputError, SelfInstructError
from selfinstruct.growth import first_reply_format
from selfinstruct.journal import History, Journal, keys_of_calls, sent_jobs
from selfinstruct.messages import Phrase
from selfinstruct.preparation import constants_of, make_questions, passage_fields
from selfinstruct.preparation.infer import context_fields, prose_field
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Model, Recipe, import_extension, is_reference
from selfinstruct.run_directory import open_history
from selfinstruct.similarity import unique_field_names

if TYPE_CHECKING:
    from selfinstruct.backends.openai.batches import BatchBackend
    from selfinstruct.backends.openai.known_endpoint import KnownEndpoint

#: The user and the query of an address, which messages do not show.
_SECRETS = re.compile(r"(?<=//)[^/]*@|\?.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SpendingLimits:
    """Limits for a whole run: money, calls and tokens; None is unlimited."""

    money: float | None
    requests: int | None
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Connection:
    """The connected backends, and what the journal records about them.

    ``prices`` are per million tokens by model: input, output, and perhaps cached input. ``preflights`` returns the
    requests, input tokens, output tokens, and whether these are estimated (0 or 1), of the preflight of each model,
    which may still be under way when the run begins. ``unavailable`` lists the models that failed it, with the reason.
    ``online`` answers a few requests at once, where ``models`` answer in rounds. ``known`` is what is found out about
    the endpoints.
    """

    models: ModelPool
    prices: dict[str, list[float]] = field(default_factory=dict)
    preflights: Callable[[], dict[str, list[int]]] = dict
    unavailable: Sequence[str] = ()
    in_rounds: Sequence[BatchBackend] = ()
    online: ModelPool | None = None
    known: Sequence[KnownEndpoint] = ()

    def begin(self, journal: Journal) -> None:
        """Begin to record batch jobs, and take up those of earlier sessions, also of models that the run had then."""
        if self.in_rounds:
            absent = {job.model for job in sent_jobs(journal.history)} - {backend.name for backend in self.in_rounds}
            for backend in self.in_rounds:
                backend.begin(journal, absent)


def choose_models(
    recipe: Recipe,
    model: str | None,
    base_url: str | None,
    backend: str | Backend | None,
    concurrency: int | None = None,
    temperature: float | None = None,
    batch: bool | None = None,
) -> Recipe:
    """Return ``recipe`` with the model that the arguments name, if any.

    ``model`` selects by name from a recipe's ``[[models]]``; ``concurrency`` is divided among them by weight, and
    ``temperature`` and ``batch`` apply to each.
    A reference to a factory as ``backend`` is kept in the recipe. Raises InputError for an unknown backend, or
    arguments that contradict the recipe, RecipeError for a factory that cannot be imported.
    """
    if isinstance(backend, str) and is_reference(backend):
        import_extension(backend)  # an error here costs nothing yet
        recipe = recipe.model_copy(update={"backend": backend})
    elif isinstance(backend, str) and backend not in ("imitator", "openai", "replay"):
        raise InputError(
            "`backend`: unknown value {backend!r}",
            hint="Choose one of imitator, openai, replay, or name a factory of your own: package.module:factory.",
            backend=backend,
        )
    if backend in ("imitator", "openai"):
        recipe = recipe.model_copy(update={"backend": None})
    if backend == "imitator":
        recipe = recipe.model_copy(update={"model": None, "models": ()})
    elif recipe.models and base_url is not None:
        raise InputError(
            "`base_url`: ambiguous, because the recipe has [[models]]",
            hint="Select one of them with `model`, or set base_url in the recipe.",
        )
    elif model is not None and (picked := tuple(each for each in recipe.models if each.name == model)):
        recipe = recipe.model_copy(update={"models": picked})
    elif model is not None or base_url is not None or (backend == "openai" and not recipe.models):
        old = recipe.model.model_dump() if recipe.model is not None else {"name": "default"}
        named = {key: value for key, value in (("name", model), ("base_url", base_url)) if value is not None}
        recipe = recipe.model_copy(update={"model": _model({**old, **named}), "models": ()})
    if concurrency is not None:
        recipe = recipe.model_copy(update=_share_concurrency(recipe.model, recipe.models, concurrency))
    if batch is not None:
        if batch and (not recipe.all_models or recipe.backend is not None or backend not in (None, "openai")):
            raise InputError(
                "`batch` has no effect without a model at an endpoint",
                hint="Set `model` (and `base_url`), or leave out `batch`.",
            )
        recipe = with_models(recipe, batch=batch)
    return recipe if temperature is None else _with_temperature(recipe, temperature)


def _with_temperature(recipe: Recipe, temperature: float) -> Recipe:
    """The recipe with this temperature of each of its models. InputError if it has none."""
    if not 0 <= temperature < math.inf:
        raise InputError(
            "`temperature`: invalid value {temperature}",
            hint="Use a number, 0 or more, such as 1.2.",
            temperature=temperature,
        )
    if not recipe.all_models:
        raise InputError("`temperature` has no effect without a model", hint="Set `model`, or leave out `temperature`.")
    return with_models(recipe, temperature=temperature)


def with_models(recipe: Recipe, **changes: Any) -> Recipe:
    """The recipe with these changes to each of its models."""
    if not recipe.all_models:
        return recipe
    models = [each.model_copy(update=changes) for each in recipe.all_models]
    if recipe.models:
        return recipe.model_copy(update={"models": tuple(models)})
    return recipe.model_copy(update={"model": models[0]})


def uses_imitator(recipe: Recipe, backend: str | Backend | None) -> bool:
    """Whether the embedded imitator writes the rows of this recipe."""
    if backend not in (None, "imitator") or recipe.backend is not None or recipe.all_models:
        return False
    return (recipe.imitates or recipe.asks) and not recipe.needs_model and not recipe.expand


def make_imitator(prepared: Prepared, seed: int) -> Imitator:
    """The embedded imitator of a run."""
    recipe = prepared.recipe
    label = [recipe.categories.field] if recipe.categories.by == "field" and recipe.categories.field else []
    # The times of a row that depend on each other are moved together, not counted on.
    timed = {name for each in recipe.relations if each.kind in ("difference", "weekday") for name in each.fields}
    unique = [name for name in unique_field_names(recipe) if name not in timed]
    return Imitator(
        prepared.statistics.with_fixed(
            [*label, *(name for name in unique if (name,) not in prepared.statistics.unique)]
        ),
        context_fields(recipe),
        mixed=prose_field(recipe),
        seed=seed,
        most_rows=recipe.prompt.rows_per_request,
        unique=unique,
        relations=recipe.relations,
    )


def make_passage_imitator(prepared: Prepared, seed: int) -> PassageImitator:
    """The embedded imitator of a run about passages."""
    recipe, seeds = prepared.recipe, prepared.seeds.rows
    roles = passage_fields(recipe, seeds)
    return PassageImitator(
        prepared.questions or make_questions(prepared),
        roles.question,
        roles.answer,
        constants_of(recipe, roles, seeds),
        rows=recipe.prompt.rows_per_request,
        seed=seed,
    )


async def connect(
    prepared: Prepared,
    backend: str | Backend | None,
    seed: int,
    limits: SpendingLimits,
    history: History | None,
    recording: str | Path | None,
    batch: bool | None = None,
    known: Sequence[KnownEndpoint] = (),
) -> Connection:
    """Connect the backends of a run; each model is tested with one small call, unless it is ``known`` to answer.

    ``history`` is that of a run being resumed, whose spending counts towards ``limits``; None for a new run. If it has
    batch jobs with replies to collect, and no model of the run uses such, ``batch`` must be False, to lose them.
    Raises InputError for invalid arguments, and EndpointError if no model can be used.
    """
    if history is not None and batch is None and not any(model.batch for model in prepared.recipe.all_models):
        _require_no_open_jobs(history)
    if backend is not None and not isinstance(backend, str):
        _require_no_limits(backend.name, limits)
        return Connection(ModelPool([backend]))
    if (backend == "replay") != (recording is not None):
        raise InputError(
            '`backend="replay"` and `recording` require each other',
            hint="Set `recording` to the run whose replies to replay.",
        )
    if recording is not None:
        _require_no_limits("replay", limits)
        with open_history(recording) as history:
            return Connection(ModelPool([Replay(history)]))
    recipe = prepared.recipe
    if recipe.backend is not None:
        _require_no_limits(recipe.backend, limits)
        return Connection(ModelPool([await ExtensionBackend.create(recipe.backend, recipe)]))
    without_server = any(model.name == "default" and not model.base_url for model in recipe.all_models)
    if (not recipe.all_models and recipe.needs_model) or (without_server and not os.environ.get("OPENAI_BASE_URL")):
        raise InputError(
            "{name}: needs a model: the embedded imitator can only imitate rows",
            hint='Set `model="NAME"` and `base_url="http://127.0.0.1:8000/v1"` (see docs/models.md).',
            name=recipe.name,
        )
    spent = Spending() if history is None else spent_so_far(history, recipe.all_models)
    budget = Budget(money=limits.money, requests=limits.requests, tokens=limits.tokens, spent=spent)
    if not recipe.all_models and not recipe.needs_model:
        _require_no_limits(recipe.name, limits)
        if recipe.expand:
            return Connection(ModelPool([NoModel()]))
        if recipe.asks:
            return Connection(ModelPool([make_passage_imitator(prepared, seed)]))
        return Connection(ModelPool([make_imitator(prepared, seed)]))
    for model in recipe.all_models:
        if model.price is None and budget.needs_prices:
            raise InputError(
                "`budget`: the token price of {name} is unknown",
                hint="Add the price per million tokens to the recipe: "
                "[model] price = {{ input = 0.15, output = 0.60 }}",
                name=model.name,
            )
    return await _endpoints(prepared, budget, [each for each in known if each.answered])


def _require_no_open_jobs(history: History) -> None:
    """Raise InputError if batch jobs have replies that the journal lacks: they are paid for."""
    jobs = sent_jobs(history)
    if not jobs:
        return
    from selfinstruct.backends.openai.batches import open_jobs

    if found := open_jobs(jobs, keys_of_calls(history)):
        raise InputError(
            "{path}: {count:,} requests of it are in batch jobs at the endpoint",
            hint="Set `batch=True` to collect their replies, or `batch=False` to send them again and pay twice.",
            path=history.path.parent,
            count=sum(len(job.requests) for job in found),
        )


def _require_no_limits(backend: str, limits: SpendingLimits) -> None:
    """Raise InputError if the run has limits: they are enforced on calls to endpoints only."""
    if limits != SpendingLimits(None, None, None):
        raise InputError(
            "{backend}: cannot enforce `budget`, `max_requests` and `max_tokens` without an endpoint",
            hint="Leave these out.",
            backend=backend,
        )


async def _endpoints(prepared: Prepared, budget: Budget, known: Sequence[KnownEndpoint]) -> Connection:
    """Connect the models of a recipe that answer; raises the error of the first one if none does."""
    from selfinstruct.backends.openai import OpenAIBackend
    from selfinstruct.backends.openai.batches import BatchBackend

    async def try_model(model: Model) -> OpenAIBackend | SelfInstructError:
        """Connect one model; its error if it does not answer."""
        form, found = first_reply_format(prepared.recipe), next((each for each in known if each.model == model), None)
        try:
            return await OpenAIBackend.connect(model, reply_format=form, budget=budget, known=found)
        except SelfInstructError as error:
            return error

    models = prepared.recipe.all_models
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(try_model(model)) for model in models]
    outcomes = [task.result() for task in tries]
    answering = [(model, got) for model, got in zip(models, outcomes, strict=True) if isinstance(got, OpenAIBackend)]
    failing = [(model, got) for model, got in zip(models, outcomes, strict=True) if isinstance(got, SelfInstructError)]
    final = [error for _, error in failing if not isinstance(error, EndpointError)]
    if final or not answering:
        for _, endpoint in answering:
            await endpoint.close()
        raise (final or [error for _, error in failing])[0]
    occurrences = Counter(endpoint.name for _, endpoint in answering)
    for _, endpoint in answering:
        if occurrences[endpoint.name] > 1:
            endpoint.name += f" at {endpoint.base_url}"
    trials = {endpoint.name: endpoint.trial for _, endpoint in answering}
    shares, names = [model.weight for model, _ in answering], [model.name for model, _ in answering]
    online = ModelPool([endpoint for _, endpoint in answering], shares, names)
    prices = {endpoint.name: model.price.figures for model, endpoint in answering if model.price}
    backends = [BatchBackend(endpoint, model, budget) if model.batch else endpoint for model, endpoint in answering]
    in_rounds = [each for each in backends if isinstance(each, BatchBackend)]
    prices |= {
        backend.name: model.batch_price.figures
        for (model, _), backend in zip(answering, backends, strict=True)
        if model.batch_price and model.batch
    }
    return Connection(
        ModelPool(backends, shares, names) if in_rounds else online,
        prices,
        lambda: {
            name: [trial.calls, trial.usage.input, trial.usage.output, int(trial.usage.estimated)]
            for name, trial in trials.items()
        },
        [
            Phrase(
                "{name} is not used, because it failed its first call: {problem}",
                name=model.name,
                problem=error.message,
            )
            for model, error in failing
        ],
        in_rounds,
        online,
        [endpoint.known for _, endpoint in answering],
    )


def spent_so_far(history: History, models: Sequence[Model]) -> Spending:
    """The spending of earlier sessions of a run."""
    state, prices = history.state(), dict(history.metadata().prices)
    prices.update({model.name: model.price.figures for model in models if model.price})
    prices.update({batch_name(model.name): model.batch_price.figures for model in models if model.batch_price})
    money, _ = cost_of(state.spent, prices)
    return Spending(money=money, requests=state.requests, tokens=state.tokens.input + state.tokens.output)


def _share_concurrency(model: Model | None, models: Sequence[Model], concurrency: int) -> dict[str, Any]:
    """The models with ``concurrency`` divided among them by weight, each at least 1."""
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
    if wrong == "base_url":
        raise InputError(
            "`base_url`: invalid value {value!r}",
            hint="Use a URL such as http://127.0.0.1:8000/v1.",
            value=_SECRETS.sub("", str(table[wrong])),
        )
    raise InputError("`model`: invalid value {name!r}", hint="Use a name that the endpoint lists.", name=table["name"])
