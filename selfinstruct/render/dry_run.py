"""A dry run as text and as JSON: expected requests, tokens and cost, and the prompts."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from selfinstruct.analysis.dry_run import DryRun
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.render.description import writer_phrase
from selfinstruct.render.text import counted, format_money, format_number, printable, shorten

#: Cells of a passage that are shown.
_BEGINNING = 60


def dry_run_text(expected: DryRun, prepared: Prepared) -> Text:
    """The expected requests, and one whole prompt for each category or step."""
    total = sum(expected.requests.values())
    tokens = (
        f"about {format_number(expected.input_tokens)} input and {format_number(expected.output_tokens)} output tokens"
    )
    recipe = prepared.recipe
    text = Text()
    text.append("Dry run: sends no request and writes no file.\n", "bold")
    text.append_text(_passages(expected))
    if not total:
        return text.append("Templates make every row: no requests, no cost.\n")
    text.append(f"At least {counted(total, 'request')} to {writer_phrase(prepared)}")
    if not recipe.all_models and not recipe.needs_model and recipe.backend is None:
        text.append(f", which reads no prompt.\nWith a model and the prompts below: {tokens}.\n")
    else:
        text.append(f":\n{tokens}")
        text.append(
            f", {format_money(expected.cost)} at the recipe's prices.\n" if expected.cost is not None else ".\n"
        )
    if len(recipe.steps) + len(recipe.judge) > 1 or any(each.prompt for each in recipe.attributes.values()):
        text.append("Replies fill the names in {braces}; the other values are those of the first batch.\n", "dim")
    for name, messages in expected.prompts.items():
        text.append(f"\n=== {printable(name)} ", "bold cyan")
        text.append(f"({counted(expected.requests[name], 'request')})\n", "dim")
        for message in messages:
            text.append(f"--- {message.role}\n", "dim")
            # A prompt keeps its lines; other control characters are escaped.
            text.append("\n".join(map(printable, message.content.split("\n"))) + "\n")
    return text


def _passages(expected: DryRun) -> Text:
    """How many passages were found, and some of them."""
    found = expected.passages
    text = Text()
    if found is None:
        return text
    text.append(f"{counted(found.count, 'passage')}:\n")
    for label, passage in found.shown.items():
        place = f"{printable(passage.document)}, {counted(len(passage.text), 'character')}"
        text.append(f"  {label:<9}", "cyan")
        text.append(f"{shorten(printable(' '.join(passage.text.split())), _BEGINNING)}  ({place})\n")
    return text


def dry_run_json(expected: DryRun) -> dict[str, Any]:
    """The same as an object, ``requests`` and ``prompts`` by category, or else by list, step and judge.

    ``tokens`` are {input, output}, ``cost`` is money or null. ``passages`` has their number, and the first, the last,
    the shortest and the longest of them; null if the recipe has none.
    """
    return {
        "requests": dict(expected.requests),
        "tokens": {"input": expected.input_tokens, "output": expected.output_tokens},
        "cost": expected.cost,
        "passages": expected.passages
        and {
            "count": expected.passages.count,
            **{
                label: {"document": passage.document, "characters": len(passage.text), "text": passage.text}
                for label, passage in expected.passages.shown.items()
            },
        },
        "prompts": {
            name: [{"role": message.role, "content": message.content} for message in messages]
            for name, messages in expected.prompts.items()
        },
    }
