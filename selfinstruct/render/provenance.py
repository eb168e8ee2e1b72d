"""The provenance of a row as text."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.analysis.provenance import Neighbour, Provenance
from selfinstruct.growth import PASSAGE, ROUND
from selfinstruct.messages import Phrase, _, joined, translated
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.render.description import join_words
from selfinstruct.render.summary import MEANINGS
from selfinstruct.render.text import counted, format_duration, pad, printable, shorten
from selfinstruct.text import value_text

_PIECE_CHARACTERS = 4000
_VALUE_CHARACTERS = 400


def provenance_text(found: Provenance, threshold: float | None, width: int | None) -> Text:
    """Return everything known about a row; ``threshold`` is the largest ROUGE-L F1 of its category, if known."""
    text = Text()
    if found.name.startswith("s"):
        title = _("seed {name}", name=found.name)
    elif found.name.startswith("x"):
        title = _("rejected candidate {name}", name=found.name)
    else:
        title = _("row {name}", name=found.name)
    text.append(title, "bold").append(f" · {printable(found.category) or _('no category')}\n\n")
    if found.rejection is not None:
        reason = found.rejection.reason
        text.append(f"  {reason}", "bold red").append(f"  {translated(MEANINGS.get(reason, ''))}\n", "dim")
        text.append(f"  {printable(translated(found.rejection.message))}\n\n")
    if found.row is not None:
        text.append_text(_row(found))
    if found.line is not None:
        place = _("line {line} of {file}", line=found.line, file=printable(found.recipe.seeds.file))
        text.append(f"\n  {place}\n")
    text.append_text(_decisions(found))
    if found.replies:
        text.append_text(_reply(found, width))
    text.append_text(_nearest(found, threshold, width))
    return text


def _decisions(found: Provenance) -> Text:
    """What a person decided about the row, in order, and the values that it has since."""
    text = Text()
    if not found.decisions:
        return text
    text.append(f"\n{_('decisions')}\n", "bold")
    for each in found.decisions:
        said = Phrase(
            "{action} at {time} by {person}" if each.person else "{action} at {time}",
            action=each.action,
            time=each.at,
            person=printable(each.person),
        )
        text.append(f"  {translated(said)}", "cyan not bold")
        text.append(f"  {printable(each.reason)}\n" if each.reason else "\n", "default not bold")
    if found.standing is not None and found.standing.action == "edit" and found.standing.line is not None:
        text.append(f"\n{_('values by a person')}\n", "bold")
        row = json.loads(found.standing.line)
        widest = max((cell_len(printable(name)) for name in row), default=0)
        for name, value in row.items():
            text.append(f"  {pad(printable(name), widest)}  ", "cyan not bold")
            text.append(f"{printable(value_text(value))}\n", "default not bold")
    return text


def _row(found: Provenance) -> Text:
    row: Row = found.row or {}
    names = {name: printable(name) for name in row}
    widest = max(map(cell_len, names.values()), default=0)
    marks = {
        context: span
        for name, span in (found.spans or {}).items()
        if (context := found.recipe.fields[name].appears_in) is not None
    }
    text = Text()
    for name, value in row.items():
        text.append(f"  {pad(names[name], widest)}  ", "cyan")
        shown = value_text(value)
        start, end = marks.get(name, (0, 0))
        text.append(printable(shown[:start]))
        text.append(printable(shown[start:end]), "bold underline")
        text.append(printable(shown[end:]) + "\n")
    return text


def _reply(found: Provenance, width: int | None) -> Text:
    """The author, the inputs and steps of the batch, and the text in the reply."""
    batch = found.replies[-1].batch
    models = list(dict.fromkeys(each.reply.model for each in found.replies))
    text = Text("\n")
    if not found.recipe.imitates and not found.recipe.steps:
        text.append(_("made by templates"), "bold").append(f"{_(' in batch {number}', number=batch.number)}\n")
        return text.append_text(_given(found, width))
    text.append(_("written by "), "bold")
    text.append(translated(join_words([printable(model) for model in models])))
    text.append(_(" in batch {number}, {rows} requested", number=batch.number, rows=counted(batch.count, "row")))
    if found.recipe.imitates:
        text.append(_(", candidate {number} of the reply", number=found.position + 1))
    text.append("\n")
    if found.recipe.steps:
        text.append_text(_given(found, width))
    text.append_text(_steps(found, width, named=len(models) > 1))
    if batch.category != found.category:
        other = _("requested for another category: {category}", category=printable(batch.category))
        text.append(f"  {other}\n", "yellow not bold")
    if not found.recipe.steps:
        text.append_text(_given(found, width))
    if found.demos:
        text.append(f"\n{_('demonstrations')}\n", "bold")
        text.append_text(_neighbours(found.demos, found.recipe, width))
    if not found.text:
        return text
    step = printable(found.step)
    heading = _("text in the reply of step {step}", step=step) if step else _("text in the reply")
    text.append(f"\n{heading}\n", "bold")
    piece = found.text if len(found.text) <= _PIECE_CHARACTERS else f"{found.text[:_PIECE_CHARACTERS]}…"
    text.append("".join(f"  {printable(line)}\n" for line in piece.split("\n")), "not bold")
    return text


def _given(found: Provenance, width: int | None) -> Text:
    """The passage and the values of attributes in the prompts of the batch."""
    said = {name: value_text(value) for name, value in found.conditions.items() if name not in (PASSAGE, ROUND)}
    if found.passage is not None:
        line = found.passage.get("start") if found.recipe.passages is not None else None
        place = f"{found.passage['document']}{f':{line}' if line else ''}"
        given = {"number": found.conditions[PASSAGE], "place": place, "text": value_text(found.passage[PASSAGE])}
        if (page := found.passage.get("page")) is not None:
            said[PASSAGE] = _("{number}, of {place}, page {page}: {text}", **given, page=page)
        else:
            said[PASSAGE] = _("{number}, of {place}: {text}", **given)
    if not said:
        return Text()
    names = {name: printable(name) for name in said}
    widest = max(map(cell_len, names.values()))
    text = Text(f"\n{_('inputs')}\n", "bold")
    for name, value in said.items():
        text.append(f"  {pad(names[name], widest)}  ", "cyan not bold")
        shown = printable(value[:_VALUE_CHARACTERS])
        text.append(f"{shorten(shown, None if width is None else width - widest - 5)}\n", "default not bold")
    return text


def _steps(found: Provenance, width: int | None, *, named: bool) -> Text:
    """A line for each call: its step, the model where there are several, tokens, seconds, and why it failed."""
    text = Text(f"\n{_('steps')}\n" if found.recipe.steps else "", "bold")
    keys = {step.call: printable(step.step) for step in found.replies}
    widest = max(map(cell_len, keys.values()))
    for step in found.replies:
        usage = step.reply.usage
        tokens = Phrase("{input:,} input and {output:,} output tokens", input=usage.input, output=usage.output)
        took = format_duration(step.reply.seconds) if step.reply.seconds >= 0.05 else ""
        parts = filter(None, [printable(step.reply.model) if named else "", tokens if usage.input else "", took])
        said = translated(joined(parts))
        if not found.recipe.steps:
            text.append(f"  {_('step {step}, {said}', step=keys[step.call], said=said)}\n" if said else "", "not bold")
            continue
        text.append(f"  {pad(keys[step.call], widest)}", "cyan not bold")
        text.append(f"  {said}".rstrip(), "default not bold")
        if why := found.unreadable.get(step.call):
            text.append(
                f"\n  {pad('', widest)}  {shorten(printable(translated(why)), width and width - widest - 5)}",
                "yellow not bold",
            )
        text.append("\n")
    return text


def _nearest(found: Provenance, threshold: float | None, width: int | None) -> Text:
    if found.nearest is None:
        if found.rejection is not None:
            return Text()
        return Text(f"\n{_('nearest rows: not computed for a pool of this size')}\n", "dim")
    heading = _("conflicting rows") if found.rejection is not None else _("nearest rows")
    text = Text(f"\n{heading}", "bold")
    if threshold is not None:
        most = _(", by ROUGE-L F1; the category allows at most {threshold:.4f}", threshold=threshold)
        text.append(most, "dim not bold")
    text.append("\n").append_text(_neighbours(found.nearest, found.recipe, width))
    return text


def _neighbours(rows: Sequence[Neighbour], recipe: Recipe, width: int | None) -> Text:
    """Return a line for each row: name, score and values; if rows are not imitated, only the compared values.

    Otherwise the line might show only a passage that many rows share.
    """
    widest = max((len(near.name) for near in rows), default=0)
    text = Text()
    for near in rows:
        score = "" if near.score is None else f"{near.score:.4f}  "
        fields = near.row if recipe.imitates else [name for name in recipe.novelty.fields if name in near.row]
        values = " | ".join(printable(value_text(near.row[name])) for name in fields)
        room = None if width is None else width - widest - len(score) - 5
        text.append(f"  {near.name:>{widest}}  {score}", "cyan not bold")
        text.append(f"{shorten(values, room)}\n", "default not bold")
    return text
