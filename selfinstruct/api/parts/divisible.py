"""Which runs several workers can share; the others are refused, before anything is written."""

from __future__ import annotations

from selfinstruct.api.division import Division
from selfinstruct.api.parts.orders import recipe_of_part
from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase
from selfinstruct.preparation import Prepared
from selfinstruct.recipe import Recipe


def require_divisible(prepared: Prepared, division: Division) -> None:
    """Raise InputError for a run that cannot be divided among workers."""
    recipe = prepared.recipe
    lists = [*(each.prompt for each in recipe.attributes.values()), *(each.prompt for each in recipe.expand)]
    for found, what in (
        (recipe.documents or recipe.passages or recipe.asks, Phrase("rows about passages")),
        (any(lists), Phrase("lists that a model writes")),
        (_copies_demonstrations(recipe), Phrase("rows that take values from grown demonstrations")),
        (any(model.batch for model in recipe.all_models), Phrase("batch jobs")),
    ):
        if found:
            raise InputError(
                "{name}: several workers cannot share a run with {what} yet",
                hint="Leave out `engine` and `workers`.",
                name=recipe.name,
                what=what,
            )
    for part in range(division.parts):
        recipe_of_part(recipe, part, division.parts, served=division.serve is not None)
    if division.serve is None and division.concurrency is not None and division.concurrency < division.parts:
        raise InputError(
            "`concurrency`: {calls} calls at a time are fewer than {workers} workers",
            hint="Set a larger `concurrency`, or fewer `workers`.",
            calls=division.concurrency,
            workers=division.parts,
        )


def _copies_demonstrations(recipe: Recipe) -> bool:
    """Whether a field has its value from a demonstration that the join may have dropped."""
    demos = recipe.prompt.demos
    sources = [(each.source or "").partition(".")[0] for each in recipe.fields.values()]
    return bool(demos.grown or demos.pool) and any(source in ("demo", "demos") for source in sources)
