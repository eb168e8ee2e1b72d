"""Fields in the order in which a weak model writes them best: what a value is taken from comes before the value.

A model that writes a log line last has guessed the answer before there was anything to find it in. A large one has the
whole row in mind, and keeps the order of the seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfinstruct.recipe import Recipe
from selfinstruct.records import Row


def evidence_first(recipe: Recipe) -> Recipe:
    """The recipe with each field after those that it must occur in, or take its identifiers from."""
    ordered: list[str] = []

    def place(name: str, dependents: tuple[str, ...] = ()) -> None:
        """Place a field, and those that it depends on before it."""
        if name in ordered or name in dependents or name not in recipe.fields:
            return
        field = recipe.fields[name]
        for other in (field.appears_in, field.identifiers_in):
            if other is not None:
                place(other, (*dependents, name))
        ordered.append(name)

    for name in recipe.fields:
        place(name)
    return recipe.model_copy(update={"fields": {name: recipe.fields[name] for name in ordered}})


def in_order(recipe: Recipe, rows: Sequence[Row]) -> list[Row]:
    """The rows with the fields of the recipe first, in its order."""
    return [{**{name: row[name] for name in recipe.fields if name in row}, **row} for row in rows]
