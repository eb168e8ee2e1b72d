"""A row and where it came from, as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.origin import Neighbour, Origin
from selfinstruct.records import Row
from selfinstruct.render.summary import MEANINGS
from selfinstruct.render.text import counted, duration, number, pad, printable, shorten
from selfinstruct.text import value_text

_PIECE_CHARACTERS = 4000


def origin_text(found: Origin, threshold: float | None, width: int | None) -> Text:
    """All that is known of a row; ``threshold`` is its category's largest ROUGE-L F1, where it is known."""
    text = Text()
    kind = {"s": "seed ", "x": "rejected candidate "}.get(found.name[:1], "row ")
    text.append(f"{kind}{found.name}", "bold").append(f" · {printable(found.category) or 'of no category'}\n\n")
    if found.rejection is not None:
        reason = found.rejection.reason
        text.append(f"  {reason}", "bold red").append(f"  {MEANINGS.get(reason, '')}\n", "dim")
        text.append(f"  {printable(found.rejection.message)}\n\n")
    if found.row is not None:
        text.append_text(_row(found))
    if found.line is not None:
        text.append(f"\n  line {found.line} of {printable(found.recipe.seeds.file)}\n")
    if found.replies:
        text.append_text(_reply(found, width))
    text.append_text(_nearest(found, threshold, width))
    return text


def _row(found: Origin) -> Text:
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


def _reply(found: Origin, width: int | None) -> Text:
    last = found.replies[-1]
    reply, batch = last.reply, last.batch
    text = Text("\nwritten by ", "bold")
    text.append(f"{printable(reply.model)}", "default not bold")
    text.append(
        f", batch {batch.number}, {counted(batch.count, 'row')} asked for, place {found.position + 1} in the reply\n",
        "default not bold",
    )
    for step in found.replies:
        usage = step.reply.usage
        tokens = f", {number(usage.input)} tokens in and {number(usage.output)} out" if usage.input else ""
        took = f", {duration(step.reply.seconds)}" if step.reply.seconds >= 0.05 else ""
        if tokens or took or len(found.replies) > 1:
            text.append(f"  step {printable(step.step)}{tokens}{took}\n", "not bold")
    if batch.category != found.category:
        text.append(f"  asked for another category: {printable(batch.category)}\n", "yellow not bold")
    text.append("after the example of\n", "bold")
    text.append_text(_neighbours(found.demos, width))
    text.append("in these words of the reply\n", "bold")
    piece = found.piece if len(found.piece) <= _PIECE_CHARACTERS else f"{found.piece[:_PIECE_CHARACTERS]}…"
    text.append("".join(f"  {printable(line)}\n" for line in piece.split("\n")), "not bold")
    return text


def _nearest(found: Origin, threshold: float | None, width: int | None) -> Text:
    if found.nearest is None:
        if found.rejection is not None:
            return Text()
        return Text("\nnearest rows: not looked up in a pool of this size\n", "dim")
    heading = "it clashes with" if found.rejection is not None else "nearest rows"
    text = Text(f"\n{heading}", "bold")
    if threshold is not None:
        text.append(f", by ROUGE-L; its category allows {threshold:.4f}", "dim not bold")
    text.append("\n").append_text(_neighbours(found.nearest, width))
    return text


def _neighbours(rows: Sequence[Neighbour], width: int | None) -> Text:
    """A line for each row: its name, its score, its values."""
    widest = max((len(near.name) for near in rows), default=0)
    text = Text()
    for near in rows:
        score = "" if near.score is None else f"{near.score:.4f}  "
        values = " | ".join(printable(value_text(value)) for value in near.row.values())
        room = None if width is None else width - widest - len(score) - 5
        text.append(f"  {near.name:>{widest}}  {score}", "cyan not bold")
        text.append(f"{shorten(values, room)}\n", "default not bold")
    return text
