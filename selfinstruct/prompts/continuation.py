"""The text that a base model continues with new rows: demonstrations as JSON Lines, as Self-Instruct was first done.

Such a model follows no instructions; it goes on with what it has begun to read. So there are none: a heading, the
demonstrations, all of the wanted category, and a line that begins. As a reader it is shown seed rows, with all answers
where these are labels, and continues a row up to its answer.

Does not handle: models trained on instructions or on a format of their own (``row_prompt``, ``step_prompt``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfinstruct.prompts.quoting import quoted
from selfinstruct.recipe import Recipe, Verify
from selfinstruct.recipe.placeholders import fill
from selfinstruct.records import JSON, Message, Row
from selfinstruct.rows import to_json

#: Where the rows end: at a blank line, a heading or a fence.
STOP = ("\n\n", "\n#", "\n```")
#: Where an answer ends.
STOP_ANSWER = ("\n",)
#: The rows that a reader is shown.
_READ = 6


def continued_rows(recipe: Recipe, demos: Sequence[Row], given: Mapping[str, JSON]) -> tuple[Message, ...]:
    """The text whose continuation is new rows; ``given`` are the attribute values that they are conditioned on."""
    heading = [f"# {recipe.task}"] if recipe.task else []
    heading += [f"# {quoted(name)}: {fill(f'{{{name}}}', {name: value})}" for name, value in given.items()]
    lines = [*heading, *map(to_json, demos), ""]
    return (Message("user", "\n".join(lines)),)


def continued_answer(
    recipe: Recipe, verify: Verify, values: Mapping[str, JSON], seeds: Sequence[Row]
) -> tuple[Message, ...]:
    """The text whose continuation is the answer of a row that has ``values``, after answers of ``seeds``."""
    names = (*verify.reads, verify.answers)
    known = [{name: seed[name] for name in names} for seed in seeds if all(name in seed for name in names)]
    lines = [f"# {recipe.task}"] if recipe.task else []
    lines += map(to_json, _evenly(known, verify.answers))
    row = {name: values[name] for name in verify.reads if name in values}
    begun = to_json({**row, verify.answers: ""}).removesuffix(_end(recipe, verify))
    return (Message("user", "\n".join([*lines, begun])),)


def completed_answer(recipe: Recipe, verify: Verify, name: str, text: str) -> str:
    """The continuation ``text`` of an answer as an object with the answer by ``name``."""
    return to_json({name: ""}).removesuffix(_end(recipe, verify)) + text


def _end(recipe: Recipe, verify: Verify) -> str:
    """What follows the beginning of an answer in an object where it is empty."""
    return '"}' if recipe.fields[verify.answers].type == "string" else '""}'


def _evenly(rows: Sequence[Row], name: str) -> list[Row]:
    """The first rows of each value of a field, in turns, so that no value is expected more than others."""
    turns: dict[str, int] = {}
    placed = []
    for at, row in enumerate(rows):
        value = to_json(row[name])
        turns[value] = turns.get(value, 0) + 1
        placed.append((turns[value], at))
    return [rows[at] for _, at in sorted(placed)[:_READ]]
