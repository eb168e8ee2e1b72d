"""Provenance: where a row came from, or why a candidate was rejected, read from a run's journal.

Names of rows: ``12`` is the twelfth accepted row (line 12 of rows.jsonl), ``s3`` the third seed, ``x17`` rejection 17.
For a batch of several calls, the replies that led to the row are found by replaying the batch's replies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from selfinstruct.backends import PassageImitator
from selfinstruct.checks.agreement import conventions
from selfinstruct.checks.leftovers import SeedMarks
from selfinstruct.errors import InputError
from selfinstruct.growth import PASSAGE, BatchState, Draft, PromptInputs
from selfinstruct.journal import Decision, History, RecordedReply, RefusedCandidate, Standing, row_name
from selfinstruct.messages import Phrase, joined
from selfinstruct.preparation.passage_inputs import id_sequences
from selfinstruct.recipe import Recipe, accept_unimported, parse_recipe
from selfinstruct.recipe.placeholders import names_in
from selfinstruct.records import JSON, Row
from selfinstruct.similarity import RowIndex

_NEAREST = 5
#: In a larger pool the nearest rows are not searched: that takes about 30 us a row.
_MAX_SEARCHED = 20_000


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A row of the pool with its name and its ROUGE-L F1 with the row in question (None for a demonstration)."""

    name: str
    row: Row
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything that the journal records about one row.

    ``row`` is None for a rejected candidate that is not a row. ``line`` is a seed's line in its file. ``spans`` are the
    [start, end) code points of grounded values. ``replies`` are the replies of steps and judges that led to the row
    (none for a seed); ``unreadable`` gives, by call, why some of them could not be read. ``step`` is the step whose
    reply contained the row, as ``text``. ``conditions`` are the attribute values of its batch, ``passage`` its passage.
    ``nearest`` are the nearest other rows, None if the pool is too large to search. ``decisions`` are a person's, in
    order, and ``standing`` what they leave of the row, None where nothing was decided; ``row`` is as the run has it.
    """

    name: str
    category: str
    row: Row | None
    recipe: Recipe
    line: int | None = None
    spans: dict[str, tuple[int, int]] | None = None
    rejection: RefusedCandidate | None = None
    replies: Sequence[RecordedReply] = ()
    unreadable: Mapping[int, str] = field(default_factory=dict)
    position: int = 0
    step: str = ""
    text: str = ""
    demos: Sequence[Neighbour] = ()
    conditions: Mapping[str, JSON] = field(default_factory=dict)
    passage: Row | None = None
    nearest: Sequence[Neighbour] | None = None
    decisions: Sequence[Decision] = ()
    standing: Standing | None = None


def trace_row(history: History, name: str, *, most_searched: int = _MAX_SEARCHED) -> Provenance:
    """Return the provenance of the row called ``name``. Raises InputError if there is none.

    In a pool of more than ``most_searched`` rows the nearest ones are not searched.
    """
    recipe = parse_recipe(
        history.metadata().recipe, f"{history.path}: recipe", history.path.parent, importer=accept_unimported
    )
    kind, number = _parse_name(name)
    seed_count, last_row = history.seed_count(), history.last_row()
    searched = seed_count + last_row <= most_searched
    found = None
    if kind == "s":
        seeds = history.seeds()
        if number <= len(seeds):
            seed = seeds[number - 1]
            near = _nearest_rows(history, recipe, seed.row, but=number) if searched else None
            return Provenance(f"s{number}", seed.category, seed.row, recipe, line=seed.line, nearest=near)
    elif kind == "x":
        refused = history.rejection(number)
        if refused is not None:
            found = _rejected(history, recipe, refused, seed_count)
    else:
        grown = history.row(number)
        if grown is not None:
            near = _nearest_rows(history, recipe, grown.row, but=seed_count + number) if searched else None
            found = Provenance(
                str(number),
                grown.category,
                grown.row,
                recipe,
                spans=grown.spans,
                replies=history.batch_replies(grown.call),
                position=grown.position,
                nearest=near,
            )
    if found is not None:
        target = -number if kind == "x" else number
        found = replace(found, decisions=history.decisions.on(target), standing=history.decisions.of(target))
        return _with_replies(history, found, seed_count)
    last_rejection = history.last_rejection()
    here = [Phrase("the rows 1 to {last}", last=last_row)] if last_row else []
    here += [Phrase("the seeds s1 to s{last}", last=seed_count)] if seed_count else []
    here += [Phrase("the rejections x1 to x{last}", last=last_rejection)] if last_rejection else []
    raise InputError(
        Phrase("{parent}: no row {name}", parent=history.path.parent, name=name),
        hint=Phrase("It has {names}.", names=joined(here)) if here else Phrase("It has none yet."),
    )


def _parse_name(name: str) -> tuple[str, int]:
    found = re.fullmatch(r"([sx]?)0*([1-9][0-9]{0,17})", name)
    if found is None:
        raise InputError(
            "{name}: not the name of a row",
            hint="Give the number of a row, s3 for seed 3, or x17 for rejection 17.",
            name=name,
        )
    return found[1], int(found[2])


def _rejected(history: History, recipe: Recipe, refused: RefusedCandidate, seeds: int) -> Provenance:
    near = None
    if refused.nearest is not None:
        rows = history.pool_rows([refused.nearest])
        near = [Neighbour(_name(refused.nearest, seeds), row, refused.score) for row in rows.values()]
    replies = history.batch_replies(refused.call)
    # A candidate may be rejected before its category is known; then the batch decides, where it can.
    by_batch = recipe.categories.by in ("none", "attribute", "passage") and replies
    return Provenance(
        f"x{refused.id}",
        refused.category or (replies[0].batch.category if by_batch else ""),
        None,
        recipe,
        rejection=refused,
        replies=replies,
        position=refused.position,
        text=refused.text,
        nearest=near,
    )


def _with_replies(history: History, found: Provenance, seeds: int) -> Provenance:
    """Add the conditions of the row's batch, and keep only the replies that led to the row."""
    if not found.replies:
        return found
    batch, recipe = found.replies[0].batch, found.recipe
    demos = history.pool_rows(batch.demos)
    number = batch.conditions.get(PASSAGE) or 0
    passage = history.passage(number) if number else None
    inputs = PromptInputs.from_json(history.metadata().prompt_inputs, _OnePassage(number, passage))
    inputs.conventions = conventions(
        recipe.verify, [seed.row for seed in history.seeds()] if recipe.verify else (), recipe.fields
    )
    inputs.marks = SeedMarks([seed.row for seed in history.seeds()])
    if recipe.passages is not None:
        inputs.ids = id_sequences(recipe, [seed.row for seed in history.seeds()])
    # The imitator asks about passages without looking at the demonstrations.
    asked = recipe.asks and found.replies[0].reply.model == PassageImitator.name
    shown = _shows_rows(recipe) and not asked
    found = replace(
        found,
        conditions=batch.conditions,
        passage=passage,
        demos=[Neighbour(_name(demo, seeds), row) for demo, row in demos.items()] if shown else (),
    )
    replay = _BatchReplay(recipe, inputs, [demos[demo] for demo in batch.demos if demo in demos], found.replies)
    drafts, unreadable = replay.replay(found.replies)
    draft = drafts[found.position] if found.position < len(drafts) else None
    if draft is None or (found.rejection is None and not recipe.imitates and draft.row != found.row):
        return replace(found, unreadable=unreadable)  # this version parses the replies differently
    own = replay.branch_of(drafts, found.position)
    of_steps = {step.name for step in recipe.steps}
    steps = [each.step for each in own if each.call not in unreadable and replay.asked_by(each.step) in of_steps]
    return replace(
        found,
        row=draft.row if found.row is None else found.row,
        replies=own,
        unreadable=unreadable,
        step=steps[-1] if steps else "",
        text=found.text or draft.text,
    )


@dataclass(frozen=True, slots=True)
class _OnePassage(Sequence[Row]):
    """The passages of a run of which only one is read."""

    number: int
    passage: Row | None

    def __len__(self) -> int:
        return self.number if self.passage is not None else 0

    def __getitem__(self, at: Any) -> Any:
        if at != self.number - 1:
            raise IndexError(at)
        return self.passage


def _shows_rows(recipe: Recipe) -> bool:
    """Whether the prompts contain the batch's demonstrations."""
    named = [name for step in recipe.steps for name in names_in(f"{step.system} {step.prompt}")]
    return recipe.imitates or any(name.partition(".")[0] in ("demos", "demo") for name in named)


@dataclass(frozen=True, slots=True)
class _BatchReplay:
    """Replays the replies of one batch to find which of them led to which draft."""

    recipe: Recipe
    inputs: PromptInputs
    demos: Sequence[Row]
    replies: Sequence[RecordedReply]

    def replay(self, replies: Sequence[RecordedReply]) -> tuple[Sequence[Draft], dict[int, str]]:
        """Return the drafts that these replies alone lead to, and by call why a reply cannot be read."""
        state = BatchState(replies[0].batch, self.recipe, self.inputs, self.demos)
        unreadable = {}
        for each in replies:
            if state.pending_call(each.step):
                found = state.record_reply(each.step, each.reply)
                if found.failure:
                    unreadable[each.call] = found.message
        state.abandon_pending()
        return state.drafts, unreadable

    def branch_of(self, drafts: Sequence[Draft], position: int) -> Sequence[RecordedReply]:
        """Return the replies that a draft depends on: those of its branch and of the branches above it.

        Identical drafts are assigned to the branches that lead to them, in order.
        """
        wanted = drafts[position]
        lines: list[tuple[str, list[RecordedReply]]] = []
        for path in sorted({self._path(each.step) for each in self.replies}, key=_branch_order):
            if any(_is_on_branch(shorter, path) for shorter, _ in lines):
                continue
            own = [each for each in self.replies if _is_on_branch(self._path(each.step), path)]
            if wanted in self.replay(own)[0]:
                lines.append((path, own))
        before = sum(1 for draft in drafts[:position] if draft == wanted)
        return lines[min(before, len(lines) - 1)][1] if lines else self.replies

    def asked_by(self, key: str) -> str:
        """Return the name of the step, judge or vote that made a call, or ""."""
        votes = [ballot for each in self.recipe.verify for ballot in each.ballots]
        names = [*(each.name for each in self.recipe.steps), *(each.name for each in self.recipe.judge), *votes]
        return max((name for name in names if f"{key}/".startswith(f"{name}/")), key=len, default="")

    def _path(self, key: str) -> str:
        """Return the branch of a call: "/3" for ``answers/3``."""
        return key.removeprefix(name) if (name := self.asked_by(key)) else ""


def _is_on_branch(path: str, to: str) -> bool:
    """Whether the branch ``to`` is ``path`` or lies below it."""
    return f"{to}/".startswith(f"{path}/")


def _branch_order(path: str) -> tuple[int, list[int]]:
    """Sort key of branches: those nearer the root first, then by their numbers."""
    numbers = [int(number) for number in path.split("/") if number.isdecimal()]
    return len(numbers), numbers


def _nearest_rows(history: History, recipe: Recipe, row: Row, *, but: int) -> list[Neighbour]:
    """Return the rows of the pool nearest to ``row``, leaving out the id ``but``, its own."""
    seeds = history.seeds()
    index = RowIndex(recipe.novelty)
    index.add_all(seed.row for seed in seeds)
    index.add_all(grown.row for grown in history.rows())
    found = index.k_nearest(row, _NEAREST + 1)
    ids = {at + 1: score for at, score in found if at + 1 != but}
    rows = history.pool_rows(list(ids)[:_NEAREST])
    return [Neighbour(_name(number, len(seeds)), near, ids[number]) for number, near in rows.items()]


def _name(number: int, seeds: int) -> str:
    """Return the name of the row with this pool id."""
    return f"s{number}" if 0 < number <= seeds else row_name(number - seeds if number > 0 else number)
