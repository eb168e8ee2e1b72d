"""The end of a run in words: rows, rejections, cost, files, and the next commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.analysis.summary import Bill, Summary
from selfinstruct.render.advice import exhaustion_advice, needs_model
from selfinstruct.render.text import counted, format_duration, format_money, format_number, pad, printable, shorten

_LISTED = 40
_NAME_CELLS = 64

#: The meaning of each reason for a rejection, for a person who has not read the documentation.
MEANINGS = {
    "schema": "wrong fields or types",
    "empty": "an empty value",
    "length": "a value is too long or too short",
    "echo": "a copy of a seed row or a demonstration",
    "same": "a value repeats the field it must differ from",
    "ungrounded": "a value does not occur in its source field",
    "identifiers": "a number or id does not occur in its source field",
    "label": "not a known category",
    "blocked": "contains blocked words",
    "check": "rejected by a check of your own",
    "relation": "values do not agree as they do in the seeds",
    "contradiction": "same question, different answer",
    "holdout": "too similar to a held-out row",
    "pii": "contains personal data",
    "near-duplicate": "too similar to a row in the pool",
    "duplicate": "identical to a row in the pool",
    "quota": "category already full",
    "judge": "rejected by the judge",
    "unanswered": "a reader of the row gives another answer",
}


def summary_text(
    summary: Summary, where: Path, arguments: str, width: int | None, *, unchecked: Sequence[str] = ()
) -> Text:
    """The summary of a run in the directory ``where``; ``arguments`` name its source on the command line.

    ``unchecked`` are the fields about whose content no rule decides.
    """
    style = "bold green" if summary.stopped == "done" else "bold yellow"
    first, _, rest = headline(summary).partition(", ")
    text = Text().append(first, style).append(f", {rest}\n\n")
    text.append_text(_categories(summary, width))
    text.append(f"\n  {rejected_phrase(summary)}{':' if summary.rejected else '.'}\n")
    text.append_text(_losses(summary))
    if unchecked and summary.accepted:
        shown = ", ".join(map(printable, unchecked))
        text.append(f"{shorten(f'  Not checked: the content of {shown}.', width)}\n", "dim")
    text.append_text(_cost(summary))
    text.append("\n")
    for name, content in (
        ("rows.jsonl", "rows"),
        ("report.html", "report, for a browser"),
        ("README.md", "data-set card"),
        ("recipe.toml", "recipe, to edit and run"),
    ):
        text.append(f"  {printable(str(where / name))}{' ' * (len('report.html') - len(name))}", "cyan")
        text.append(f"  {content}\n")
    text.append("\n")
    text.append_text(_next(summary, where, arguments))
    return text


def headline(summary: Summary) -> str:
    """How many rows in how much time, and how the run ended."""
    took = format_duration(summary.seconds)
    if summary.stopped == "done":
        return f"{counted(summary.accepted, 'row')} in {took}, {finished_phrase(summary)}."
    end = "so far" if summary.stopped == "running" else f"stopped early: {stop_phrase(summary)}"
    return f"{format_number(summary.accepted)} of {counted(summary.requested_rows, 'row')} in {took}, {end}."


def shortfall(summary: Summary) -> str:
    """One line for a run that stopped early: its rows, and the exhausted categories."""
    exhausted = [printable(name) for name, category in summary.categories.items() if category.exhausted]
    line = f"stopped early: {format_number(summary.accepted)} of {counted(summary.requested_rows, 'row')}"
    if not exhausted:
        return f"{line}; {stop_phrase(summary)}"
    more = f" and {len(exhausted) - 3} more" if len(exhausted) > 3 else ""
    return f"{line}; exhausted: {', '.join(shorten(name, _NAME_CELLS) for name in exhausted[:3])}{more}"


def stop_phrase(summary: Summary) -> str:
    """Why a run stopped short of its quota, in a few words."""
    if summary.stopped == "exhausted":
        count = sum(1 for category in summary.categories.values() if category.exhausted)
        if not count:
            return "no row was accepted"
        return f"{counted(count, 'category', 'categories')} exhausted"
    reasons = {
        "interrupted": "interrupted",
        "endpoint": "the endpoint failed",
        "storage": "the disk failed",
        "extension": "code of your own failed",
        "budget": "the budget is spent",
        "running": "still running",
    }
    return reasons.get(summary.stopped, str(summary.stopped))


def used_all_passages(summary: Summary) -> bool:
    """Whether a run ended because each passage of its documents had been used, its quota being left open."""
    return bool(summary.stopped == "done" and summary.accepted < summary.requested_rows)


def finished_phrase(summary: Summary) -> str:
    """The state of a run that is done, in a few words."""
    return "every passage used" if used_all_passages(summary) else "every quota met"


def rejected_phrase(summary: Summary) -> str:
    """How many of the candidates were rejected."""
    rejected = sum(summary.rejected.values())
    return f"{format_number(rejected)} of {counted(summary.candidates, 'candidate')} rejected"


def _categories(summary: Summary, width: int | None) -> Text:
    categories = summary.growing
    # The ones that miss rows come first where not all can be listed.
    names = list(categories)
    if len(names) > _LISTED:
        names.sort(key=lambda name: categories[name].accepted >= categories[name].quota)
    counts = {n: f"{categories[n].accepted:,}/{categories[n].quota:,}" for n in names[:_LISTED]}
    if used_all_passages(summary):
        counts = {n: format_number(categories[n].accepted) for n in counts}
    column = max(map(len, counts.values()))
    room = _NAME_CELLS if width is None else max(min(_NAME_CELLS, width - column - 16 - 20 * bool(summary.cost)), 12)
    shown = {name: shorten(printable(name), room) for name in counts}
    widest = max(map(cell_len, shown.values()))
    prices = {n: f"{format_money(each)} per row" for n in counts if (each := categories[n].cost_per_row)}
    priced = max(map(len, prices.values()), default=0)
    text = Text()
    for name, count in counts.items():
        category = categories[name]
        full = category.accepted >= category.quota or used_all_passages(summary)
        text.append(f"  {count:>{column}}  ", "green" if full else "yellow")
        if priced:
            text.append(f"{prices.get(name, ''):>{priced}}  ", "dim")
        text.append(pad(shown[name], widest) if category.exhausted else shown[name])
        text.append("  exhausted\n" if category.exhausted else "\n", "yellow")
    if len(names) > _LISTED:
        text.append(f"  and {format_number(len(names) - _LISTED)} more\n", "dim")
    return text


def _losses(summary: Summary) -> Text:
    """A line for each reason of rejections, the most frequent first, and one for unusable replies."""
    text = Text()
    if rejected := summary.rejected:
        column = max(len(format_number(count)) for count in rejected.values())
        slugs = max(map(len, rejected))
        for reason, count in sorted(rejected.items(), key=lambda pair: -pair[1]):
            text.append(f"    {format_number(count):>{column}}  {reason:<{slugs}}  ")
            text.append(f"{MEANINGS.get(reason, '')}\n", "dim")
    if failed := summary.failed:
        reasons = ", ".join(f"{format_number(count)} {reason}" for reason, count in failed.items())
        text.append(f"  {counted(sum(failed.values()), 'unusable reply', 'unusable replies')}: {reasons}.\n", "yellow")
    return text


def _cost(summary: Summary) -> Text:
    tokens = summary.tokens
    if not summary.requests:
        return Text("  No requests.\n")
    model = "the embedded imitator" if summary.model == "imitator" else printable(summary.model)
    line = f"  {counted(summary.requests, 'request')} to {model}"
    if tokens.input or tokens.output:
        about = "about " if tokens.estimated else ""
        line += f", {about}{format_number(tokens.input)} input and {format_number(tokens.output)} output tokens"
    if summary.cost:
        line += f".\n  {_money(summary)} at the recipe's prices"
        if summary.cost_per_row:
            line += f", {format_money(summary.cost_per_row)} per row"
    text = Text(f"{line}.\n")
    if len(summary.models) > 1:
        for name, bill in summary.models.items():
            line = f"{counted(bill.accepted, 'row')} in {counted(bill.requests, 'request')}"
            line += f", {_money(bill)}" if bill.cost else ""
            text.append(f"    {printable(name)}: {line}\n", "dim")
    for note in summary.notes:
        text.append(f"  {printable(note)}\n", "yellow")
    return text


def _money(bill: Bill) -> str:
    """A cost, marked as approximate where tokens were estimated."""
    return f"{'about ' if bill.tokens.estimated else ''}{format_money(bill.cost or 0)}"


def _next(summary: Summary, where: Path, arguments: str) -> Text:
    """The next commands, to copy."""
    place = shlex.quote(printable(str(where)))
    grow = f"selfinstruct run {printable(arguments)} --out {place}"
    commands = {"trace a row": f"selfinstruct show {place} 1"} if summary.accepted else {}
    text = Text()
    if summary.stopped == "exhausted":
        for line in exhaustion_advice(summary):
            text.append(f"  {line}\n")
        text.append("\n")
        if needs_model(summary):
            command = f"{grow} --base-url http://127.0.0.1:8000/v1 --model NAME"
            commands = {"ask a model": command, **commands}
    elif summary.stopped == "done" and not used_all_passages(summary):
        commands = {"grow further": f"{grow} --rows {2 * summary.requested_rows}", **commands}
    elif summary.stopped not in ("done", "running"):
        commands = {"resume": grow, **commands}
    widest = max(map(len, commands), default=0)
    for purpose, command in commands.items():
        text.append(f"  {purpose:<{widest}}  ").append(f"{command}\n", "cyan")
    return text
