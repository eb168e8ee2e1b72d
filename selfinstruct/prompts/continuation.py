"""The text that a base model continues with new rows: demonstrations as JSON Lines, as Self-Instruct was first done.

Such a model follows no instructions; it goes on with what it has begun to read. So there are none: a heading, the
demonstrations, all of the wanted category, and a line that begins.

Does not handle: models trained on instructions or on a format of their own (``row_prompt``, ``step_prompt``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfinstruct.prompts.quoting import quoted
from selfinstruct.recipe import Recipe
from selfinstruct.recipe.placeholders import fill
from selfinstruct.records import JSON, Message, Row
from selfinstruct.rows import to_json

#: Where the rows end: at a blank line, a heading or a fence.
STOP = ("\n\n", "\n#", "\n```")


def continued_rows(recipe: Recipe, demos: Sequence[Row], given: Mapping[str, JSON]) -> tuple[Message, ...]:
    """The text whose continuation is new rows; ``given`` are the attribute values that they are conditioned on."""
    heading = [f"# {recipe.task}"] if recipe.task else []
    heading += [f"# {quoted(name)}: {fill(f'{{{name}}}', {name: value})}" for name, value in given.items()]
    lines = [*heading, *map(to_json, demos), ""]
    return (Message("user", "\n".join(lines)),)
