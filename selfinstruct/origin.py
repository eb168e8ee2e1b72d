"""Where a row came from, or why a candidate was rejected, read from a run's journal.

Rows are named as people name them: ``12`` is the twelfth accepted row (line 12 of rows.jsonl), ``s3`` the third
seed, ``x17`` the rejection with that number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from selfinstruct.errors import InputError
from selfinstruct.journal import History, RecordedReply, RefusedCandidate
from selfinstruct.novelty import NoveltyIndex
from selfinstruct.parse import parse
from selfinstruct.recipe import Recipe, parse_recipe
from selfinstruct.records import Row
from selfinstruct.thresholds import novelty_text

_NEAREST = 5
#: A pool of more rows is not searched for the nearest of one: it takes about 30 us a row.
_SEARCHED = 20_000


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A row of the pool by its name, and its ROUGE-L F1 with the row in question (None for a demonstration)."""

    name: str
    row: Row
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """All that the journal knows of one row.

    ``row`` is None for a rejected piece that is no row. ``line`` is a seed's line in its file. ``spans`` are the
    [start, end) code points of grounded values. ``replies`` are those of its batch, one a step, the last of them
    the one that it stood in, as ``piece``; a seed has none. ``nearest`` are the nearest other rows, None where the
    pool is too large to search.
    """

    name: str
    category: str
    row: Row | None
    recipe: Recipe
    line: int | None = None
    spans: dict[str, tuple[int, int]] | None = None
    rejection: RefusedCandidate | None = None
    replies: Sequence[RecordedReply] = ()
    position: int = 0
    piece: str = ""
    demos: Sequence[Neighbour] = ()
    nearest: Sequence[Neighbour] | None = None


def origin(history: History, name: str) -> Origin:
    """The origin of the row that is called ``name``. Raises InputError where there is none."""
    recipe = parse_recipe(str(history.notes()["recipe"]), f"{history.path}: recipe", history.path.parent)
    kind, number = _named(name)
    state = history.state()
    if kind == "s":
        seeds = history.seeds()
        if number <= len(seeds):
            seed = seeds[number - 1]
            near = _nearest(history, recipe, seed.row, state.seeds + state.accepted, but=number)
            return Origin(f"s{number}", seed.category, seed.row, recipe, line=seed.line, nearest=near)
    elif kind == "x":
        refused = history.rejection(number)
        if refused is not None:
            return _refused(history, recipe, refused, state.seeds)
    else:
        grown = history.row(number)
        if grown is not None:
            replies = history.steps(grown.call)
            return Origin(
                str(number),
                grown.category,
                grown.row,
                recipe,
                spans=grown.spans,
                replies=replies,
                position=grown.position,
                piece=_piece(replies, recipe, grown.position),
                demos=_demos(history, replies, state.seeds),
                nearest=_nearest(history, recipe, grown.row, state.seeds + state.accepted, but=state.seeds + number),
            )
    rejections = sum(state.rejected.values())
    raise InputError(
        f"{history.path.parent}: there is no row {name}",
        hint=f"It has the rows 1 to {state.accepted}, the seeds s1 to s{state.seeds}"
        + (f" and the rejections x1 to x{rejections}." if rejections else "."),
    )


def _named(name: str) -> tuple[str, int]:
    found = re.fullmatch(r"([sx]?)0*([1-9][0-9]{0,17})", name)
    if found is None:
        raise InputError(
            f"{name}: not the name of a row", hint="A row is named by its number, a seed as s3, a rejection as x17."
        )
    return found[1], int(found[2])


def _refused(history: History, recipe: Recipe, refused: RefusedCandidate, seeds: int) -> Origin:
    replies = history.steps(refused.call)
    parsed = parse(refused.text, tuple(recipe.fields))
    row = parsed.candidates[0].row if len(parsed.candidates) == 1 else None
    near = None
    if refused.nearest is not None:
        rows = history.pooled([refused.nearest])
        near = [Neighbour(_name(refused.nearest, seeds), row, refused.score) for row in rows.values()]
    return Origin(
        f"x{refused.id}",
        refused.category,
        row,
        recipe,
        rejection=refused,
        replies=replies,
        position=refused.position,
        piece=refused.text,
        demos=_demos(history, replies, seeds),
        nearest=near,
    )


def _piece(replies: Sequence[RecordedReply], recipe: Recipe, position: int) -> str:
    reply = replies[-1].reply
    parsed = parse(reply.text, tuple(recipe.fields), finish_reason=reply.finish_reason)
    return next((candidate.text for candidate in parsed.candidates if candidate.position == position), "")


def _demos(history: History, replies: Sequence[RecordedReply], seeds: int) -> list[Neighbour]:
    rows = history.pooled(replies[-1].batch.demos) if replies else {}
    return [Neighbour(_name(number, seeds), row) for number, row in rows.items()]


def _nearest(history: History, recipe: Recipe, row: Row, size: int, *, but: int) -> list[Neighbour] | None:
    """The nearest rows of the pool to one of its rows, which has the id ``but``."""
    if size > _SEARCHED:
        return None
    fields = recipe.novelty.fields
    seeds = history.seeds()
    index = NoveltyIndex()
    index.add_all(novelty_text(seed.row, fields) for seed in seeds)
    index.add_all(novelty_text(grown.row, fields) for grown in history.rows())
    found = index.k_nearest(novelty_text(row, fields), _NEAREST + 1)
    ids = {at + 1: score for at, score in found if at + 1 != but}
    rows = history.pooled(list(ids)[:_NEAREST])
    return [Neighbour(_name(number, len(seeds)), near, ids[number]) for number, near in rows.items()]


def _name(number: int, seeds: int) -> str:
    """A pool id as people name the row."""
    return f"s{number}" if number <= seeds else str(number - seeds)
