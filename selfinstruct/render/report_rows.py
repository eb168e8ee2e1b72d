"""The rows of a report: those that a page shows without its script, and those that its script lets a reader browse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from selfinstruct.analysis.report import Browsed
from selfinstruct.growth import PASSAGE
from selfinstruct.journal import GrownRow, RecordedReply, row_name
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.text import value_text

#: Longer values and replies are cut.
CHARACTERS = 2000
#: The most characters of all rows to browse, and of a demonstration, which is cut shorter than a value.
_ALL_CHARACTERS, _DEMONSTRATION = 1_500_000, 600


class Part(NamedTuple):
    """A piece of a value; ``marked`` where another field's value was taken from it."""

    text: str
    marked: bool = False


class Sample(NamedTuple):
    """An accepted row: its number, its category, and each field's name and value in parts."""

    number: int
    category: str
    fields: tuple[tuple[str, tuple[Part, ...]], ...]


def sample(grown: GrownRow, recipe: Recipe) -> Sample:
    """A row, with the places marked that its grounded values were taken from."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for name, span in grown.spans.items():
        context = recipe.fields[name].appears_in
        if context is not None:
            spans.setdefault(context, []).append(span)
    fields = tuple((cut(name), tuple(_parts(value, spans.get(name, [])))) for name, value in grown.row.items())
    return Sample(grown.number, cut(grown.category), fields)


def rows_data(browsed: Browsed, prepared: Prepared) -> dict[str, Any]:
    """The rows to browse as plain data for the page's script: as many as fit, each with its origin.

    A value is a list of texts of which every second one is marked. Demonstrations, passages and replies, which rows
    share, are named by number.
    """
    seeds = len(prepared.seeds.rows)
    rows: list[dict[str, Any]] = []
    replies: dict[str, Any] = {}
    pool: dict[str, Any] = {}
    passages: dict[str, str] = {}
    size = 0
    for grown in browsed.rows:
        shown = sample(grown, prepared.recipe)
        row: dict[str, Any] = {"number": shown.number, "category": shown.category, "call": str(grown.call)}
        row["fields"] = [[name, _alternating(parts)] for name, parts in shown.fields]
        new: list[Any] = [row]
        reply = browsed.replies.get(grown.call)
        if reply is not None and row["call"] not in replies:
            replies[row["call"]] = _reply(reply)
            new.append(replies[row["call"]])
            for demo in reply.batch.demos:
                if demo in browsed.pool and str(demo) not in pool:
                    pool[str(demo)] = [pool_name(demo, seeds), _row_text(browsed.pool[demo])]
                    new.append(pool[str(demo)])
            number = int(reply.batch.conditions.get(PASSAGE) or 0)
            if number in browsed.passages and str(number) not in passages:
                passages[str(number)] = cut("\n".join(map(value_text, browsed.passages[number].values())))
                new.append(passages[str(number)])
        rows.append(row)
        size += len(json.dumps(new))
        if size > _ALL_CHARACTERS:
            break
    return {"rows": rows, "replies": replies, "pool": pool, "passages": passages}


def cut(text: str, characters: int = CHARACTERS) -> str:
    """The first ``characters`` of a text, with an ellipsis where it was cut."""
    return text if len(text) <= characters else f"{text[:characters]}…"


def _reply(recorded: RecordedReply) -> dict[str, Any]:
    conditions = recorded.batch.conditions
    return {
        "batch": recorded.batch.number,
        "step": recorded.step,
        "model": cut(recorded.reply.model),
        "text": cut(recorded.reply.text),
        "demos": [str(demo) for demo in recorded.batch.demos],
        "passage": str(conditions.get(PASSAGE) or ""),
        "attributes": [[cut(name), cut(value_text(each))] for name, each in conditions.items() if name != PASSAGE],
    }


def _alternating(parts: tuple[Part, ...]) -> list[str]:
    texts = [""]
    for part in parts:
        if part.marked:
            texts += [part.text, ""]
        else:
            texts[-1] += part.text
    return texts


def _row_text(row: Row) -> str:
    return cut("\n".join(f"{name}: {value_text(value)}" for name, value in row.items()), _DEMONSTRATION)


def pool_name(number: int, seeds: int) -> str:
    """What a report calls the row with this pool id."""
    if number < 0:
        return f"rejection {row_name(number)}"
    return f"seed s{number}" if number <= seeds else f"row {number - seeds}"


def _parts(value: object, spans: list[tuple[int, int]]) -> Iterator[Part]:
    if not isinstance(value, str):
        yield Part(cut(value_text(value)))
        return
    at = 0
    for start, end in sorted(spans):
        if start >= at and end <= CHARACTERS:
            yield Part(value[at:start])
            yield Part(value[start:end], marked=True)
            at = end
    yield Part(cut(value[at:], CHARACTERS - at))
