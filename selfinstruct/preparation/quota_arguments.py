"""The quota that the arguments of a run set: rows in all, or rows per category.

Does not handle: dividing it among categories (``growth.planner``, ``passage_quotas``).
"""

from __future__ import annotations

from selfinstruct.errors import InputError
from selfinstruct.recipe import Quota, Recipe


def quota_of(rows: int | None, per_category: int | None) -> Quota | None:
    """The quota of these arguments; None if neither is set. Raises InputError for invalid ones."""
    if rows is not None and per_category is not None:
        raise InputError("`rows` and `per_category` exclude each other", hint="Set one of them.")
    for name, value in (("rows", rows), ("per_category", per_category)):
        if value is not None and (type(value) is not int or value < 1):
            raise InputError(
                "`{name}`: expected a whole number of at least 1, got {value!r}",
                hint="Omit it for the default.",
                name=name,
                value=value,
            )
    if rows is None and per_category is None:
        return None
    return Quota(rows=rows, per_category=per_category)


def with_quota(recipe: Recipe, quota: Quota | None) -> Recipe:
    """The recipe with another quota, whose shares are the recipe's weights."""
    if quota is None:
        return recipe
    weights = recipe.quota.weights if quota.rows is not None else {}
    return recipe.model_copy(update={"quota": quota.model_copy(update={"weights": weights})})
