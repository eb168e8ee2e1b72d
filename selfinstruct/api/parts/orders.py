"""What each part of a run gets of the whole: its models, its share of the calls and of the budget.

Pure. Does not handle: the shares of the quotas (``growth.shares``).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from selfinstruct.api.connect import SpendingLimits
from selfinstruct.backends import Spending
from selfinstruct.errors import InputError
from selfinstruct.growth.shares import equal_shares
from selfinstruct.recipe import Model, Recipe


def recipe_of_part(recipe: Recipe, part: int, parts: int, *, served: bool = False) -> Recipe:
    """The recipe with the models that this part calls, and its share of their concurrency.

    Where each part is ``served`` by a replica of its own, nothing is shared. Several models that write the same rows
    are spread over the parts. A model that several parts call gets no more calls at a time from all of them than the
    recipe says. Raises InputError where that is less than one for each.
    """
    if not recipe.all_models or served:
        return recipe
    if not recipe.models:
        return recipe.model_copy(update={"model": _shared(recipe.all_models[0], part, list(range(parts)))})
    own = []
    for model, users in zip(recipe.models, _users(recipe, parts), strict=True):
        if part in users:
            own.append(_shared(model, part, users))
    return recipe.model_copy(update={"models": tuple(own)})


def _users(recipe: Recipe, parts: int) -> list[list[int]]:
    """The parts that call each model: all of them where a step, a judge or a verification names its model."""
    count = len(recipe.models)
    named = (
        *(step.model for step in recipe.steps),
        *(judge.model for judge in recipe.judge),
        *(verify.model for verify in recipe.verify),
    )
    if any(named):
        return [list(range(parts))] * count
    if count >= parts:
        return [[at % parts] for at in range(count)]
    return [list(range(at, parts, count)) for at in range(count)]


def _shared(model: Model, part: int, users: Sequence[int]) -> Model:
    """The model with this part's share of its concurrency."""
    share = equal_shares(model.concurrency, len(users))[users.index(part)]
    if not share:
        raise InputError(
            "{model}: {workers} workers call it, but only {calls} calls at a time are allowed",
            hint="Set a larger `concurrency`, or fewer `workers`.",
            model=model.name,
            workers=len(users),
            calls=model.concurrency,
        )
    return model.model_copy(update={"concurrency": share})


def limits_of_parts(limits: SpendingLimits, spent: Sequence[Spending], active: Sequence[int]) -> list[SpendingLimits]:
    """The limits of each part: what it has spent, and for the ``active`` ones an equal share of what is left.

    Their sum is never more than ``limits``. A part that is not active must not be called.
    """
    money = sum((each.money for each in spent), Decimal(0))
    requests, tokens = sum(each.requests for each in spent), sum(each.tokens for each in spent)
    none = [0] * len(active)
    calls_left = none if limits.requests is None else equal_shares(max(0, limits.requests - requests), len(active))
    tokens_left = none if limits.tokens is None else equal_shares(max(0, limits.tokens - tokens), len(active))
    found = []
    for part, own in enumerate(spent):
        at = active.index(part) if part in active else -1
        share = max(Decimal(0), Decimal(str(limits.money)) - money) / len(active) if limits.money is not None else None
        found.append(
            SpendingLimits(
                None if share is None else float(own.money + (share if at >= 0 else 0)),
                None if limits.requests is None else own.requests + (calls_left[at] if at >= 0 else 0),
                None if limits.tokens is None else own.tokens + (tokens_left[at] if at >= 0 else 0),
            )
        )
    return found
