"""A dry run: what growing would ask for, reckoned without a call and without a file.

Does not handle: how many candidates will be refused, which nobody knows before; so the figures are the least.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from selfinstruct.planner import Progress, plan
from selfinstruct.preparation import Prepared
from selfinstruct.prompt import estimate_tokens, language, messages
from selfinstruct.recipe import Recipe
from selfinstruct.records import Message
from selfinstruct.rows import to_json


@dataclass(frozen=True, slots=True)
class Forecast:
    """The least that a run takes, every candidate being accepted; tokens by ``prompt.estimate_tokens``.

    ``requests`` counts by category. ``cost`` is in the money of the recipe's prices, None without them.
    ``prompts`` has for each category the whole of its first request.
    """

    requests: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    cost: float | None
    prompts: Mapping[str, Sequence[Message]]


def forecast(prepared: Prepared, seed: int = 0) -> Forecast:
    """What a run of ``prepared`` from nothing would ask for; ``seed`` draws the demonstrations."""
    recipe, rows = prepared.recipe, prepared.seeds.rows
    members: dict[str, list[int]] = {name: [] for name in prepared.quotas}
    for number, row in enumerate(rows, 1):
        members.setdefault(prepared.categories.of(row), []).append(number)
    said_in = language(rows)
    requests, prompts, given, got = {}, {}, 0, 0.0
    for name, quota in prepared.quotas.items():
        batch = plan({name: Progress(quota)}, members, {}, recipe.prompt, 1, Random(f"{seed}/1"))
        if batch is None:  # weights may leave a category without rows
            continue
        demos = [rows[at - 1] for at in batch.demos]
        prompts[name] = messages(recipe, name, batch.count, demos, said_in)
        requests[name] = math.ceil(quota / recipe.prompt.rows_per_request)
        given += requests[name] * sum(estimate_tokens(message.content) for message in prompts[name])
        lengths = [estimate_tokens(to_json(rows[at - 1])) for at in members[name]]
        got += quota * sum(lengths) / len(lengths)
    return Forecast(requests, given, round(got), _cost(recipe, given, got), prompts)


def _cost(recipe: Recipe, given: float, got: float) -> float | None:
    """What so many tokens in and out cost, where each model writes its share of them."""
    shares = sum(model.weight for model in recipe.authors)
    money = 0.0
    for model in recipe.authors:
        if model.price is None:
            return None
        money += (given * model.price.input + got * model.price.output) * model.weight / shares / 1_000_000
    return money if recipe.authors else None
