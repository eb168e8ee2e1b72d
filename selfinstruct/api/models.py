"""Who writes the rows: the model that a recipe or the options name, the imitator, or a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selfinstruct.backends.base import Backend
from selfinstruct.backends.budget import Budget, Spending
from selfinstruct.backends.imitator import Imitator
from selfinstruct.backends.replay import Replay
from selfinstruct.directory import holds_run, recorded
from selfinstruct.errors import InputError
from selfinstruct.forecast import forecast as forecast
from selfinstruct.infer import contexts, prose
from selfinstruct.journal import History
from selfinstruct.preparation import Prepared
from selfinstruct.recipe import Model, Price


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may spend in all: money, calls, tokens; None is without limit."""

    money: float | None
    requests: int | None
    tokens: int | None


def with_model(
    prepared: Prepared,
    model: str | None,
    base_url: str | None,
    backend: str | Backend | None,
    concurrency: int | None = None,
) -> Prepared:
    """``prepared`` with the model that the options name, if they name one."""
    if backend not in (None, "imitator", "openai", "replay") and isinstance(backend, str):
        raise InputError(f"--backend {backend}: unknown", hint="The backends are: imitator, openai, replay.")
    recipe = prepared.recipe
    if backend == "imitator":
        recipe = recipe.model_copy(update={"model": None})
    elif model is not None or base_url is not None or backend == "openai":
        old = recipe.model.model_dump() if recipe.model is not None else {"name": "default"}
        named = {key: value for key, value in (("name", model), ("base_url", base_url)) if value is not None}
        recipe = recipe.model_copy(update={"model": _model({**old, **named})})
    if recipe.model is not None and concurrency is not None:
        recipe = recipe.model_copy(update={"model": _model({**recipe.model.model_dump(), "concurrency": concurrency})})
    return replace(prepared, recipe=recipe)


async def backend_for(
    prepared: Prepared,
    backend: str | Backend | None,
    seed: int,
    limits: Limits,
    where: Path,
    recording: str | Path | None,
) -> Backend:
    """Who writes the rows; a model is called once, to see that it answers, before anything is written."""
    if backend is not None and not isinstance(backend, str):
        return backend
    if (backend == "replay") != (recording is not None):
        raise InputError(
            "--backend replay and --from RUN go together", hint="Name the run whose replies are to serve again."
        )
    if recording is not None:
        with recorded(recording) as history:
            return Replay(history)
    recipe = prepared.recipe
    price = recipe.model.price if recipe.model is not None else Price(input=0.0, output=0.0)
    spent = _spent(where, price) if holds_run(where) else Spending()
    budget = Budget(money=limits.money, requests=limits.requests, tokens=limits.tokens, price=price, spent=spent)
    if recipe.model is None:
        label = [recipe.categories.field] if recipe.categories.by == "field" and recipe.categories.field else []
        return Imitator(prepared.seeds.rows, contexts(recipe), mixed=prose(recipe), fixed=label, seed=seed)
    from selfinstruct.backends.openai import OpenAIBackend

    return await OpenAIBackend.connect(recipe.model, fields=recipe.fields, budget=budget)


def _spent(where: Path, price: Price | None) -> Spending:
    """What the run in ``where`` has spent so far, for its budget."""
    with History.open(where) as history:
        state = history.state()
    used = state.tokens
    money = Budget(price=price).cost(used)
    return Spending(money=money, requests=state.requests, tokens=used.input + used.output)


def _model(table: Mapping[str, Any]) -> Model:
    from pydantic import ValidationError

    try:
        return Model(**table)
    except ValidationError as error:
        wrong = "--base-url" if "base_url" in str(error.errors()[0]["loc"]) else "--model"
        given = table["base_url" if wrong == "--base-url" else "name"]
    raise InputError(
        f"{wrong} {given!r}: cannot be used",
        hint="A base URL is like http://127.0.0.1:8000/v1; a model has the name that the endpoint lists.",
    )
