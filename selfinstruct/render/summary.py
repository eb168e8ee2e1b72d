"""The end of a run in words: what came, what was refused, where it is, what to do next."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.analysis.summary import Bill, Summary
from selfinstruct.render.text import counted, format_duration, format_money, format_number, pad, printable, shorten

_LISTED = 40
_NAME_CELLS = 64

#: What each slug of a refused candidate means, to a person who has not read the documentation.
MEANINGS = {
    "schema": "not a row of these fields",
    "empty": "an empty value",
    "length": "a value too long or too short",
    "echo": "a copy of a seed row or a demonstration",
    "same": "a value that repeats the field it must differ from",
    "ungrounded": "a value that its source does not hold",
    "identifiers": "a number or name that its source does not hold",
    "label": "of no known category",
    "blocked": "blocked words",
    "check": "rejected by a check of your own",
    "contradiction": "the same question answered otherwise",
    "holdout": "too like a held-out row",
    "pii": "personal data",
    "near-duplicate": "too like a row that is there",
    "duplicate": "the same as a row that is there",
    "quota": "its category was full",
    "judge": "refused by the judge",
}


def summary_text(summary: Summary, where: Path, source: str, width: int | None) -> Text:
    """The summary of a run in the directory ``where``, grown from ``source``."""
    text = _headline(summary)
    text.append_text(_categories(summary, width))
    text.append("\n")
    text.append_text(_losses(summary))
    text.append_text(_cost(summary))
    text.append("\n")
    for name, what in (
        ("rows.jsonl", "the rows"),
        ("report.html", "the report, for a browser"),
        ("README.md", "the data-set card"),
        ("recipe.toml", "the recipe, to edit and run"),
    ):
        text.append(f"  {printable(str(where / name))}{' ' * (len('report.html') - len(name))}", "cyan")
        text.append(f"  {what}\n")
    text.append("\n")
    text.append_text(_next(summary, where, source))
    return text


def shortfall(summary: Summary) -> str:
    """One line for a run that stopped short: how far it came, and which categories gave up."""
    exhausted = [printable(name) for name, category in summary.categories.items() if category.exhausted]
    said = f"stopped short: {format_number(summary.accepted)} of {counted(summary.requested_rows, 'row')}"
    if not exhausted:
        return said
    more = f" and {len(exhausted) - 3} more" if len(exhausted) > 3 else ""
    return f"{said}; exhausted: {', '.join(shorten(name, _NAME_CELLS) for name in exhausted[:3])}{more}"


def why_short(summary: Summary) -> str:
    """Why a run stopped short of its quota, in a few words."""
    if summary.stopped == "exhausted":
        count = sum(1 for category in summary.categories.values() if category.exhausted)
        return f"{counted(count, 'category is', 'categories are')} exhausted"
    reasons = {
        "interrupted": "it was interrupted",
        "endpoint": "the endpoint failed",
        "storage": "the disk failed",
        "extension": "code of your own failed",
        "budget": "the budget is spent",
        "running": "it is still running",
    }
    return reasons.get(summary.stopped, str(summary.stopped))


def used_up(summary: Summary) -> bool:
    """Whether a run ended because each passage of its documents had been used, its quota being left open."""
    return bool(summary.stopped == "done" and summary.accepted < summary.requested_rows)


def all_there(summary: Summary) -> str:
    """What it means that a run is done."""
    return "every passage used once" if used_up(summary) else "every quota met exactly"


def _headline(summary: Summary) -> Text:
    took = format_duration(summary.seconds)
    if summary.stopped == "done":
        text = Text(f"{counted(summary.accepted, 'row')} in {took}", "bold green")
        return text.append(f", {all_there(summary)}.\n\n", "not bold default")
    text = Text(
        f"{format_number(summary.accepted)} of {counted(summary.requested_rows, 'row')} in {took}", "bold yellow"
    )
    short = "so far" if summary.stopped == "running" else f"stopped short: {why_short(summary)}"
    return text.append(f", {short}.\n\n", "not bold default")


def _categories(summary: Summary, width: int | None) -> Text:
    categories = summary.categories
    # The ones that miss rows come first where not all can be listed.
    names = list(categories)
    if len(names) > _LISTED:
        names.sort(key=lambda name: categories[name].accepted >= categories[name].quota)
    counts = {n: f"{categories[n].accepted:,}/{categories[n].quota:,}" for n in names[:_LISTED]}
    if used_up(summary):
        counts = {n: format_number(categories[n].accepted) for n in counts}
    column = max(map(len, counts.values()))
    room = _NAME_CELLS if width is None else max(min(_NAME_CELLS, width - column - 16 - 20 * bool(summary.cost)), 12)
    shown = {name: shorten(printable(name), room) for name in counts}
    widest = max(map(cell_len, shown.values()))
    prices = {n: f"{format_money(each)} a row" for n in counts if (each := categories[n].cost_per_row)}
    priced = max(map(len, prices.values()), default=0)
    text = Text()
    for name, count in counts.items():
        category = categories[name]
        full = category.accepted >= category.quota or used_up(summary)
        text.append(f"  {count:>{column}}  ", "green" if full else "yellow")
        if priced:
            text.append(f"{prices.get(name, ''):>{priced}}  ", "dim")
        text.append(pad(shown[name], widest) if category.exhausted else shown[name])
        text.append("  exhausted\n" if category.exhausted else "\n", "yellow")
    if len(names) > _LISTED:
        text.append(f"  and {format_number(len(names) - _LISTED)} more\n", "dim")
    return text


def _losses(summary: Summary) -> Text:
    text = Text()
    rejected, candidates = summary.rejected, summary.candidates
    if not rejected:
        text.append(f"  None of {counted(candidates, 'candidate')} rejected.\n")
    else:
        text.append(f"  {format_number(sum(rejected.values()))} of {counted(candidates, 'candidate')} rejected:\n")
        column = max(len(format_number(count)) for count in rejected.values())
        slugs = max(map(len, rejected))
        for reason, count in sorted(rejected.items(), key=lambda pair: -pair[1]):
            text.append(f"    {format_number(count):>{column}}  {reason:<{slugs}}  ")
            text.append(f"{MEANINGS.get(reason, '')}\n", "dim")
    if failed := summary.failed:
        said = ", ".join(f"{format_number(count)} {reason}" for reason, count in failed.items())
        text.append(f"  {counted(sum(failed.values()), 'reply', 'replies')} of no use: {said}.\n", "yellow")
    return text


def _cost(summary: Summary) -> Text:
    tokens = summary.tokens
    if not summary.requests:
        return Text("  No request was made.\n")
    said = f"  {counted(summary.requests, 'request')} to {printable(summary.model)}"
    if tokens.input or tokens.output:
        about = "about " if tokens.estimated else ""
        said += f", {about}{format_number(tokens.input)} tokens in and {format_number(tokens.output)} out"
    if summary.cost:
        said += f";\n  {_money(summary)} in all by the recipe's prices"
        if summary.cost_per_row:
            said += f", {format_money(summary.cost_per_row)} a row"
    text = Text(f"{said}.\n")
    if len(summary.models) > 1:
        for name, bill in summary.models.items():
            said = f"{counted(bill.accepted, 'row')} in {counted(bill.requests, 'request')}"
            said += f", {_money(bill)}" if bill.cost else ""
            text.append(f"    {printable(name)}: {said}\n", "dim")
    for note in summary.notes:
        text.append(f"  {printable(note)}\n", "yellow")
    return text


def _money(bill: Bill) -> str:
    """A cost, with a word where tokens were estimated."""
    return f"{'about ' if bill.tokens.estimated else ''}{format_money(bill.cost or 0)}"


def _next(summary: Summary, where: Path, source: str) -> Text:
    """What may be done next, each with the command to copy."""
    place = shlex.quote(printable(str(where)))
    grow = f"selfinstruct run {shlex.quote(printable(source))} --out {place}"
    show = {"trace a row": f"selfinstruct show {place} 1"} if summary.accepted else {}
    text = Text()
    if summary.stopped == "exhausted":
        more = "seeds of the exhausted kinds" if summary.seeds else "documents or values of attributes"
        text.append(f"  For more, add {more}, or allow more likeness with\n")
        text.append("  novelty.max_rouge_l in the recipe, and grow in another --out.\n\n")
        hints = show
    elif used_up(summary):
        hints = show
    elif summary.stopped == "done":
        hints = {"grow further": f"{grow} --rows {2 * summary.requested_rows}", **show}
    elif summary.stopped == "running":
        hints = show
    else:
        hints = {"go on": grow, **show}
    widest = max(map(len, hints), default=0)
    for what, command in hints.items():
        text.append(f"  {what:<{widest}}  ").append(f"{command}\n", "cyan")
    return text
