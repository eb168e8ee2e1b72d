"""The end of a run in words: rows, rejections, cost, files, and the next commands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.analysis.summary import Bill, Summary
from selfinstruct.messages import Phrase, _, joined, translated
from selfinstruct.render.advice import exhaustion_advice, needs_model
from selfinstruct.render.text import (
    counted,
    format_duration,
    format_money,
    format_number,
    pad,
    pad_left,
    printable,
    shorten,
    two_digits,
)

_LISTED = 40
_NAME_CELLS = 64

#: The meaning of each reason for a rejection, for a person who has not read the documentation.
MEANINGS = {
    "schema": Phrase("wrong fields or types"),
    "empty": Phrase("an empty value"),
    "length": Phrase("a value is too long or too short"),
    "echo": Phrase("a copy of a seed row or a demonstration"),
    "same": Phrase("a value repeats the field it must differ from"),
    "ungrounded": Phrase("a value does not occur in its source field"),
    "identifiers": Phrase("a number or id does not occur in its source field"),
    "label": Phrase("not a known category"),
    "blocked": Phrase("contains blocked words"),
    "check": Phrase("rejected by a check of your own"),
    "relation": Phrase("values do not agree as they do in the seeds"),
    "contradiction": Phrase("same question, different answer"),
    "holdout": Phrase("too similar to a held-out row"),
    "pii": Phrase("contains personal data"),
    "near-duplicate": Phrase("too similar to a row in the pool"),
    "duplicate": Phrase("identical to a row in the pool"),
    "quota": Phrase("category already full"),
    "judge": Phrase("rejected by the judge"),
    "unanswered": Phrase("a reader of the row gives another answer"),
    "tests": Phrase("code does not pass its tests"),
    "person": Phrase("rejected by a person"),
}


def summary_text(
    summary: Summary, where: Path, arguments: str, width: int | None, *, unchecked: Sequence[str] = ()
) -> Text:
    """The summary of a run in the directory ``where``; ``arguments`` name its source on the command line.

    ``unchecked`` are the fields about whose content no rule decides.
    """
    style = "bold green" if summary.stopped == "done" else "bold yellow"
    rows, end = _beginning(summary), _end(summary)
    text = Text().append(translated(rows), style).append(f"{_(', {end}.', end=end)}\n\n")
    text.append_text(_categories(summary, width))
    rejected = rejected_phrase(summary)
    text.append(f"\n  {_('{rejected}:' if summary.rejected else '{rejected}.', rejected=rejected)}\n")
    text.append_text(_losses(summary))
    if summary.decisions.total:
        text.append(f"  {_('{line}.', line=decisions_phrase(summary))}\n")
    if unchecked and summary.accepted:
        shown = _("Not checked: the content of {fields}.", fields=joined(map(printable, unchecked)))
        text.append(f"{shorten(f'  {shown}', width)}\n", "dim")
    text.append_text(_cost(summary))
    text.append("\n")
    files = {"rows.jsonl": _("rows")}
    if summary.held_out:
        held_out = counted(summary.held_out, "held-out row")
        files["holdout.jsonl"] = _("{rows}, to test with", rows=held_out)
    files |= {"report.html": _("report, for a browser"), "README.md": _("data-set card")}
    files["recipe.toml"] = _("recipe, to edit and run")
    widest = max(map(len, files))
    for name, content in files.items():
        text.append(f"  {printable(str(where / name))}{' ' * (widest - len(name))}", "cyan")
        text.append(f"  {content}\n")
    text.append("\n")
    text.append_text(_next(summary, where, arguments))
    return text


def headline(summary: Summary) -> Phrase:
    """How many rows in how much time, and how the run ended."""
    return Phrase("{rows}, {end}.", rows=_beginning(summary), end=_end(summary))


def _beginning(summary: Summary) -> Phrase:
    rows, took = counted(summary.accepted, "row"), format_duration(summary.seconds)
    if summary.stopped == "done" and not reopened(summary):
        return Phrase("{rows} in {time}", rows=rows, time=took)
    wanted = counted(summary.requested_rows, "row")
    return Phrase("{accepted:,} of {rows} in {time}", accepted=summary.accepted, rows=wanted, time=took)


def _end(summary: Summary) -> Phrase:
    if summary.stopped == "done":
        return finished_phrase(summary)
    if summary.stopped == "running":
        return Phrase("so far")
    return Phrase("stopped early: {why}", why=stop_phrase(summary))


def shortfall(summary: Summary) -> Phrase:
    """One line for a run that stopped early: its rows, and the exhausted categories."""
    exhausted = [printable(name) for name, category in summary.categories.items() if category.exhausted]
    wanted = counted(summary.requested_rows, "row")
    line = Phrase("stopped early: {accepted:,} of {rows}", accepted=summary.accepted, rows=wanted)
    if not exhausted:
        return joined([line, stop_phrase(summary)], "; ")
    names: Phrase = joined(shorten(name, _NAME_CELLS) for name in exhausted[:3])
    if len(exhausted) > 3:
        names = Phrase("{names} and {count:,} more", names=names, count=len(exhausted) - 3)
    return joined([line, Phrase("exhausted: {names}", names=names)], "; ")


def stop_phrase(summary: Summary) -> str:
    """Why a run stopped short of its quota, in a few words."""
    if summary.stopped == "exhausted":
        count = sum(1 for category in summary.categories.values() if category.exhausted)
        if not count:
            return Phrase("no row was accepted")
        return Phrase("{categories} exhausted", categories=counted(count, "category", "categories"))
    reasons = {
        "interrupted": Phrase("interrupted"),
        "endpoint": Phrase("the endpoint failed"),
        "storage": Phrase("the disk failed"),
        "extension": Phrase("code of your own failed"),
        "budget": Phrase("the budget is spent"),
        "running": Phrase("still running"),
    }
    return reasons.get(summary.stopped, str(summary.stopped))


def used_all_passages(summary: Summary) -> bool:
    """Whether a run ended because each passage of its documents had been used, its quota being left open."""
    met = summary.accepted + summary.rejected_by_person
    return bool(summary.stopped == "done" and met < summary.requested_rows)


def reopened(summary: Summary) -> bool:
    """Whether a run had met its quotas before a person rejected rows; resuming it fills them again."""
    short = summary.accepted < summary.requested_rows
    return bool(summary.stopped == "done" and short and not used_all_passages(summary))


def finished_phrase(summary: Summary) -> Phrase:
    """The state of a run that is done, in a few words."""
    if reopened(summary):
        rows = counted(summary.rejected_by_person, "row")
        return Phrase("every quota was met before a person rejected {rows}", rows=rows)
    return Phrase("every passage used") if used_all_passages(summary) else Phrase("every quota met")


def decisions_phrase(summary: Summary) -> Phrase:
    """How many rows a person judged, and how."""
    made = summary.decisions
    return Phrase(
        "A person judged {rows}: {accepted:,} accepted, {rejected:,} rejected, {edited:,} edited",
        rows=counted(made.total, "row"),
        accepted=made.accepted,
        rejected=made.rejected,
        edited=made.edited,
    )


def rejected_phrase(summary: Summary) -> Phrase:
    """How many of the candidates were rejected."""
    candidates = counted(summary.candidates, "candidate")
    return Phrase(
        "{rejected:,} of {candidates} rejected", rejected=sum(summary.rejected.values()), candidates=candidates
    )


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
    prices = {n: _("{money} per row", money=format_money(each)) for n in counts if (each := categories[n].cost_per_row)}
    priced = max(map(cell_len, prices.values()), default=0)
    text = Text()
    for name, count in counts.items():
        category = categories[name]
        full = category.accepted >= category.quota or used_all_passages(summary)
        text.append(f"  {count:>{column}}  ", "green" if full else "yellow")
        if priced:
            text.append(f"{pad_left(prices.get(name, ''), priced)}  ", "dim")
        text.append(pad(shown[name], widest) if category.exhausted else shown[name])
        text.append(f"  {_('exhausted')}\n" if category.exhausted else "\n", "yellow")
    if len(names) > _LISTED:
        text.append(f"  {_('and {count:,} more', count=len(names) - _LISTED)}\n", "dim")
    return text


def _losses(summary: Summary) -> Text:
    """A line for each reason of rejections, the most frequent first, and one for unusable replies."""
    text = Text()
    if rejected := summary.rejected:
        column = max(len(format_number(count)) for count in rejected.values())
        slugs = max(map(len, rejected))
        for reason, count in sorted(rejected.items(), key=lambda pair: -pair[1]):
            text.append(f"    {format_number(count):>{column}}  {reason:<{slugs}}  ")
            text.append(f"{translated(MEANINGS.get(reason, ''))}\n", "dim")
    if failed := summary.failed:
        reasons = joined(f"{format_number(count)} {reason}" for reason, count in failed.items())
        replies = counted(sum(failed.values()), "unusable reply", "unusable replies")
        text.append(f"  {_('{replies}: {reasons}.', replies=replies, reasons=reasons)}\n", "yellow")
    return text


#: The ends of a run that can be continued, with the same prompts.
_RESUMABLE = ("budget", "interrupted", "endpoint")


def _cost(summary: Summary) -> Text:
    tokens = summary.tokens
    if not summary.requests:
        return Text(f"  {_('No requests.')}\n")
    model = Phrase("the embedded imitator") if summary.model == "imitator" else printable(summary.model)
    line = Phrase("{requests} to {model}", requests=counted(summary.requests, "request"), model=model)
    if tokens.input or tokens.output:
        line = Phrase(
            "{what}, about {input:,} input and {output:,} output tokens"
            if tokens.estimated
            else "{what}, {input:,} input and {output:,} output tokens",
            what=line,
            input=tokens.input,
            output=tokens.output,
        )
    if tokens.cached:
        share = tokens.cached / tokens.input
        line = Phrase("{what}, {share:.0%} of the input from the endpoint's cache", what=line, share=share)
    text = Text(f"  {_('{line}.', line=line)}\n")
    missing = summary.requested_rows - summary.accepted
    if tokens.input + tokens.output and summary.accepted and missing > 0 and summary.stopped in _RESUMABLE:
        each = (tokens.input + tokens.output) / summary.accepted
        rest = _(
            "{each:,} tokens a row so far: about {tokens:,} for the {rows} that are missing.",
            each=round(each),
            tokens=two_digits(round(each * missing)),
            rows=counted(missing, "row"),
        )
        text.append(f"  {rest}\n")
    if summary.cost:
        line = Phrase("{money} at the recipe's prices", money=_money(summary))
        if summary.cost_per_row:
            line = Phrase("{what}, {money} per row", what=line, money=format_money(summary.cost_per_row))
        text.append(f"  {_('{line}.', line=line)}\n")
    if len(summary.models) > 1:
        for name, bill in summary.models.items():
            rows, requests = counted(bill.accepted, "row"), counted(bill.requests, "request")
            line = Phrase("{rows} in {requests}", rows=rows, requests=requests)
            line = joined([line, _money(bill)]) if bill.cost else line
            text.append(f"    {printable(name)}{_(': ')}{translated(line)}\n", "dim")
    for note in summary.notes:
        text.append(f"  {printable(translated(note))}\n", "yellow")
    return text


def _money(bill: Bill) -> str:
    """A cost, marked as approximate where tokens were estimated."""
    money = format_money(bill.cost or 0)
    return Phrase("about {money}", money=money) if bill.tokens.estimated else money


def _next(summary: Summary, where: Path, arguments: str) -> Text:
    """The next commands, to copy."""
    place = shlex.quote(printable(str(where)))
    grow = f"selfinstruct run {printable(arguments)} --out {place}"
    commands = {_("trace a row"): f"selfinstruct show {place} 1"} if summary.accepted else {}
    text = Text()
    if summary.stopped == "exhausted":
        for line in exhaustion_advice(summary):
            text.append(f"  {line}\n")
        text.append("\n")
        if needs_model(summary):
            command = f"{grow} --base-url http://127.0.0.1:8000/v1 --model NAME"
            commands = {_("ask a model"): command, **commands}
    elif reopened(summary):
        commands = {_("fill the quotas again"): grow, **commands}
    elif summary.stopped == "done" and summary.requests and not used_all_passages(summary):  # templates write no more
        commands = {_("grow further"): f"{grow} --rows {2 * summary.requested_rows}", **commands}
    elif summary.stopped not in ("done", "running"):
        commands = {_("resume"): grow, **commands}
    widest = max(map(cell_len, commands), default=0)
    for purpose, command in commands.items():
        text.append(f"  {pad(purpose, widest)}  ").append(f"{command}\n", "cyan")
    return text
