"""Where a row came from, or why a candidate was rejected, read from a run's journal.

Rows are named as people name them: ``12`` is the twelfth accepted row (line 12 of rows.jsonl), ``s3`` the third
seed, ``x17`` the rejection with that number. Of a batch that took several calls, those are told apart that a row came
from: its replies are worked through once more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from selfinstruct.errors import InputError
from selfinstruct.growth.batch_state import BatchState
from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.sampler import PASSAGE
from selfinstruct.growth.steps import Draft
from selfinstruct.journal import History, RecordedReply, RefusedCandidate
from selfinstruct.recipe import Judge, Recipe, Step, accept_unimported, parse_recipe
from selfinstruct.recipe.placeholders import names_in
from selfinstruct.records import JSON, Row
from selfinstruct.similarity.row_index import RowIndex

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
class Provenance:
    """All that the journal knows of one row.

    ``row`` is None for a rejected piece that is no row. ``line`` is a seed's line in its file. ``spans`` are the
    [start, end) code points of grounded values. ``replies`` are those that it came from, a step's or a judge's each,
    and ``useless`` says of those among them that could not be read why, by call; a seed has none. ``words`` is the
    step in whose reply it stood, as ``piece``. ``given`` are the values of attributes that its batch was given, and
    ``passage`` the passage. ``nearest`` are the nearest other rows, None where the pool is too large to search.
    """

    name: str
    category: str
    row: Row | None
    recipe: Recipe
    line: int | None = None
    spans: dict[str, tuple[int, int]] | None = None
    rejection: RefusedCandidate | None = None
    replies: Sequence[RecordedReply] = ()
    useless: Mapping[int, str] = field(default_factory=dict)
    position: int = 0
    words: str = ""
    piece: str = ""
    demos: Sequence[Neighbour] = ()
    given: Mapping[str, JSON] = field(default_factory=dict)
    passage: Row | None = None
    nearest: Sequence[Neighbour] | None = None


def trace_row(history: History, name: str) -> Provenance:
    """The origin of the row that is called ``name``. Raises InputError where there is none."""
    recipe = parse_recipe(
        history.metadata().recipe, f"{history.path}: recipe", history.path.parent, importer=accept_unimported
    )
    kind, number = _named(name)
    state = history.state()
    found = None
    if kind == "s":
        seeds = history.seeds()
        if number <= len(seeds):
            seed = seeds[number - 1]
            near = _nearest(history, recipe, seed.row, state.seeds + state.accepted, but=number)
            return Provenance(f"s{number}", seed.category, seed.row, recipe, line=seed.line, nearest=near)
    elif kind == "x":
        refused = history.rejection(number)
        if refused is not None:
            found = _refused(history, recipe, refused, state.seeds)
    else:
        grown = history.row(number)
        if grown is not None:
            near = _nearest(history, recipe, grown.row, state.seeds + state.accepted, but=state.seeds + number)
            found = Provenance(
                str(number),
                grown.category,
                grown.row,
                recipe,
                spans=grown.spans,
                replies=history.steps(grown.call),
                position=grown.position,
                nearest=near,
            )
    if found is not None:
        return _traced(history, found, state.seeds)
    here = [f"the rows 1 to {state.accepted}"] if state.accepted else []
    here += [f"the seeds s1 to s{state.seeds}"] if state.seeds else []
    here += [f"the rejections x1 to x{sum(state.rejected.values())}"] if state.rejected else []
    raise InputError(
        f"{history.path.parent}: no row {name}",
        hint=f"It has {', '.join(here[:-1])}{' and ' if here[1:] else ''}{here[-1]}." if here else "It has none yet.",
    )


def _named(name: str) -> tuple[str, int]:
    found = re.fullmatch(r"([sx]?)0*([1-9][0-9]{0,17})", name)
    if found is None:
        raise InputError(
            f"{name}: not the name of a row", hint="A row is named by its number, a seed as s3, a rejection as x17."
        )
    return found[1], int(found[2])


def _refused(history: History, recipe: Recipe, refused: RefusedCandidate, seeds: int) -> Provenance:
    near = None
    if refused.nearest is not None:
        rows = history.pooled([refused.nearest])
        near = [Neighbour(_name(refused.nearest, seeds), row, refused.score) for row in rows.values()]
    replies = history.steps(refused.call)
    # Which category a row is of may not be looked at before it is refused; here its batch decides.
    by_batch = recipe.categories.by in ("none", "attribute") and replies
    return Provenance(
        f"x{refused.id}",
        refused.category or (replies[0].batch.category if by_batch else ""),
        None,
        recipe,
        rejection=refused,
        replies=replies,
        position=refused.position,
        piece=refused.text,
        nearest=near,
    )


def _traced(history: History, found: Provenance, seeds: int) -> Provenance:
    """What is known of a row, with what its batch was given and the replies that it came from."""
    if not found.replies:
        return found
    batch, recipe = found.replies[0].batch, found.recipe
    demos = history.pooled(batch.demos)
    materials = PromptInputs.from_json(history.metadata().prompt_inputs, history.passages())
    number = batch.given.get(PASSAGE) or 0
    found = replace(
        found,
        given=batch.given,
        passage=materials.passages[number - 1] if 0 < number <= len(materials.passages) else None,
        demos=[Neighbour(_name(demo, seeds), row) for demo, row in demos.items()] if _shows_rows(recipe) else (),
    )
    trace = _Trace(recipe, materials, [demos[demo] for demo in batch.demos if demo in demos], found.replies)
    pieces, useless = trace.worked(found.replies)
    piece = pieces[found.position] if found.position < len(pieces) else None
    if piece is None or (found.rejection is None and not recipe.imitates and piece.row != found.row):
        return replace(found, useless=useless)  # by this version's reading the batch came to something else
    own = trace.line(pieces, found.position)
    steps = [each.step for each in own if each.call not in useless and trace.asked_by(each.step) in recipe.steps]
    return replace(
        found,
        row=piece.row if found.row is None else found.row,
        replies=own,
        useless=useless,
        words=steps[-1] if steps else "",
        piece=found.piece or piece.text,
    )


def _shows_rows(recipe: Recipe) -> bool:
    """Whether a prompt shows the rows that a batch has drawn as demonstrations."""
    named = [name for step in recipe.steps for name in names_in(f"{step.system} {step.prompt}")]
    return recipe.imitates or any(name.partition(".")[0] in ("demos", "demo") for name in named)


@dataclass(frozen=True, slots=True)
class _Trace:
    """The replies of one batch, worked through again to see what came of which."""

    recipe: Recipe
    materials: PromptInputs
    demos: Sequence[Row]
    replies: Sequence[RecordedReply]

    def worked(self, replies: Sequence[RecordedReply]) -> tuple[Sequence[Draft], dict[int, str]]:
        """What these replies alone come to, and why those of them cannot be read that cannot, by call."""
        work = BatchState(replies[0].batch, self.recipe, self.materials, self.demos)
        useless = {}
        for each in replies:
            if work.pending_call(each.step):
                found = work.record_reply(each.step, each.reply)
                if found.failure:
                    useless[each.call] = found.message
        work.abandon_pending()
        return work.drafts, useless

    def line(self, pieces: Sequence[Draft], position: int) -> Sequence[RecordedReply]:
        """The replies without which there would be no such piece: those of its branch and of what it grew from.

        Of pieces that are the same in all, each is on a branch of its own, in the same order.
        """
        wanted = pieces[position]
        lines: list[tuple[str, list[RecordedReply]]] = []
        for path in sorted({self._path(each.step) for each in self.replies}, key=_numbers):
            if any(_leads(shorter, path) for shorter, _ in lines):
                continue
            own = [each for each in self.replies if _leads(self._path(each.step), path)]
            if wanted in self.worked(own)[0]:
                lines.append((path, own))
        before = sum(1 for piece in pieces[:position] if piece == wanted)
        return lines[min(before, len(lines) - 1)][1] if lines else self.replies

    def asked_by(self, key: str) -> Step | Judge | None:
        """The step or judge that a call is of."""
        askers: list[Step | Judge] = [*self.recipe.steps, *self.recipe.judge]
        found = [each for each in askers if f"{key}/".startswith(f"{each.name}/")]
        return max(found, key=lambda each: len(each.name), default=None)

    def _path(self, key: str) -> str:
        """The branch of a call: "/3" of ``answers/3``."""
        asker = self.asked_by(key)
        return key.removeprefix(asker.name) if asker is not None else ""


def _leads(path: str, to: str) -> bool:
    """Whether the branch ``to`` is ``path`` or grew from it."""
    return f"{to}/".startswith(f"{path}/")


def _numbers(path: str) -> tuple[int, list[int]]:
    """The order of branches: those that are nearer the root first, then by their numbers."""
    numbers = [int(number) for number in path.split("/") if number.isdecimal()]
    return len(numbers), numbers


def _nearest(history: History, recipe: Recipe, row: Row, size: int, *, but: int) -> list[Neighbour] | None:
    """The nearest rows of the pool to one of its rows, which has the id ``but``."""
    if size > _SEARCHED:
        return None
    seeds = history.seeds()
    index = RowIndex(recipe.novelty)
    index.add_all(seed.row for seed in seeds)
    index.add_all(grown.row for grown in history.rows())
    found = index.k_nearest(row, _NEAREST + 1)
    ids = {at + 1: score for at, score in found if at + 1 != but}
    rows = history.pooled(list(ids)[:_NEAREST])
    return [Neighbour(_name(number, len(seeds)), near, ids[number]) for number, near in rows.items()]


def _name(number: int, seeds: int) -> str:
    """A pool id as people name the row."""
    return f"s{number}" if number <= seeds else str(number - seeds)
