"""A dry run as text: the figures, then every prompt whole."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from selfinstruct.analysis.dry_run import DryRun
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.render.description import writer_phrase
from selfinstruct.render.text import counted, format_money, format_number, printable


def dry_run_text(expected: DryRun, prepared: Prepared) -> Text:
    """What a run would ask for, and one whole prompt for each category or step."""
    total = sum(expected.requests.values())
    tokens = f"{counted(expected.input_tokens, 'token')} in and {format_number(expected.output_tokens)} out by estimate"
    recipe = prepared.recipe
    text = Text()
    text.append("A dry run: nothing is called or written.\n", "bold")
    if not total:
        return text.append("The templates make every row of a passage: no model is asked, and nothing is paid.\n")
    text.append(f"Were every row accepted, it would take {counted(total, 'request')} to {writer_phrase(prepared)}")
    if not recipe.all_models and not recipe.needs_model and recipe.backend is None:
        text.append(f",\nwhich reads no prompt. To a model it would be {tokens}, with these prompts.\n")
    else:
        text.append(f",\n{tokens}")
        text.append(
            f", {format_money(expected.cost)} by the recipe's prices.\n" if expected.cost is not None else ".\n"
        )
    if len(recipe.steps) + len(recipe.judge) > 1 or any(each.prompt for each in recipe.attributes.values()):
        text.append("Names in {braces} are for replies to fill; the other values are the first batch's.\n", "dim")
    for name, messages in expected.prompts.items():
        text.append(f"\n=== {printable(name)} ", "bold cyan")
        text.append(f"({counted(expected.requests[name], 'request')})\n", "dim")
        for message in messages:
            text.append(f"--- {message.role}\n", "dim")
            # A prompt keeps its lines; everything else that a terminal would act upon is escaped.
            text.append("\n".join(map(printable, message.content.split("\n"))) + "\n")
    return text


def dry_run_json(expected: DryRun) -> dict[str, Any]:
    """The same as an object, ``requests`` and ``prompts`` by category, or else by list, step and judge.

    ``tokens`` are {input, output}, ``cost`` is money or null.
    """
    return {
        "requests": dict(expected.requests),
        "tokens": {"input": expected.input_tokens, "output": expected.output_tokens},
        "cost": expected.cost,
        "prompts": {
            name: [{"role": message.role, "content": message.content} for message in messages]
            for name, messages in expected.prompts.items()
        },
    }
