"""A dry run as text: expected requests, tokens and cost, and the prompts."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from selfinstruct.analysis.dry_run import DryRun
from selfinstruct.messages import Phrase, _, translated
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.render.description import join_words, writer_phrase
from selfinstruct.render.text import counted, format_money, pad, printable, shorten, span

#: Cells of a passage that are shown.
_BEGINNING = 60
_LABELS: dict[str, str] = {
    each: each for each in (Phrase("first"), Phrase("last"), Phrase("shortest"), Phrase("longest"))
}


def dry_run_text(expected: DryRun, prepared: Prepared) -> Text:
    """The expected requests, and one whole prompt for each category or step."""
    total = sum(expected.requests.values())
    tokens = _tokens(expected)
    recipe = prepared.recipe
    text = Text()
    text.append(f"{_('Dry run: sends no request and writes no file.')}\n", "bold")
    text.append_text(_passages(expected))
    if not total:
        return text.append(f"{_('Templates make every row: no requests, no cost.')}\n")
    asked: dict[str, Any] = {"requests": counted(total, "request"), "writer": writer_phrase(prepared)}
    if not recipe.all_models and not recipe.needs_model and recipe.backend is None:
        text.append(_("At least {requests} to {writer}, which reads no prompt.", **asked) + "\n")
        text.append(_("With a model and the prompts below: {tokens}.", tokens=tokens) + "\n")
    else:
        text.append(_("At least {requests} to {writer}:", **asked) + "\n")
        cost = None if expected.cost is None else _price(expected)
        priced = _("{tokens}, {money} at the recipe's prices.", tokens=tokens, money=cost)
        text.append((priced if cost is not None else _("{tokens}.", tokens=tokens)) + "\n")
    if expected.rounds:
        rounds = counted(expected.rounds, "round")
        said = _("In batch jobs: at least {rounds}, each of which may take a day.", rounds=rounds)
        text.append(f"{said}\n", "dim")
    for model in recipe.all_models:
        if model.temperature is not None:
            sampled = _(
                "{model} samples at temperature {temperature:g}.",
                model=printable(model.name),
                temperature=model.temperature,
            )
            text.append(f"{sampled}\n", "dim")
    if expected.unknown:
        names = join_words([printable(name) for name in expected.unknown])
        unknown = _(
            "No rule says how long {names} will be: after the first replies, a run says how many tokens are left.",
            names=names,
        )
        text.append(f"{unknown}\n", "dim")
    if len(recipe.steps) + len(recipe.judge) > 1 or any(each.prompt for each in recipe.attributes.values()):
        said = _("Replies fill the names in {braces}; the other values are those of the first batch.")
        text.append(f"{said}\n", "dim")
    for name, messages in expected.prompts.items():
        text.append(f"\n=== {printable(name)} ", "bold cyan")
        text.append(_("({requests})", requests=counted(expected.requests[name], "request")) + "\n", "dim")
        for message in messages:
            text.append(f"--- {message.role}\n", "dim")
            # A prompt keeps its lines; other control characters are escaped.
            text.append("\n".join(map(printable, message.content.split("\n"))) + "\n")
    return text


def _tokens(expected: DryRun) -> Phrase:
    """The tokens of both directions: in full if they are known, else as a range."""
    given, replied = expected.input_tokens, expected.output_tokens
    if expected.output_range == (replied, replied):
        return Phrase("about {input:,} input and {output:,} output tokens", input=given, output=replied)
    prompts = span(expected.input_range)
    if expected.input_range == (given, given):
        prompts = Phrase("about {usual:,}", usual=given)
    return Phrase("{input} input and {output} output tokens", input=prompts, output=span(expected.output_range))


def _price(expected: DryRun) -> str:
    """The cost, or its range."""
    least, most = expected.cost_range or (expected.cost, expected.cost)
    if most is None:
        return Phrase("at least {least}", least=format_money(least or 0))
    if format_money(least or 0) == format_money(most):
        return format_money(most)
    return Phrase("{least} to {most}", least=format_money(least or 0), most=format_money(most))


def _passages(expected: DryRun) -> Text:
    """How many passages were found, and some of them."""
    found = expected.passages
    text = Text()
    if found is None:
        return text
    text.append(_("{passages}:", passages=counted(found.count, "passage")) + "\n")
    for label, passage in found.shown.items():
        size = counted(len(passage.text), "character")
        place = _("({document}, {size})", document=printable(passage.document), size=size)
        text.append(f"  {pad(translated(_LABELS.get(label, label)), 9)}", "cyan")
        text.append(f"{shorten(printable(' '.join(passage.text.split())), _BEGINNING)}  {place}\n")
    return text
