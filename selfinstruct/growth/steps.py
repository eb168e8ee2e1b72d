"""Steps: what a batch asks next, given the replies that it has, until its candidates are all there; pure.

    values -> step 1 -> its rows, each with more values -> step 2 -> ... -> judges -> templates -> pieces

Each row that a step's reply holds goes on by itself, as a branch. A call is known by its step and its branch:
``answers/3`` asks step ``answers`` about the third row of the step before. Imitation is the recipe with one step, whose
replies hold whole rows; a recipe without steps that only expands has one call that nobody makes.

Does not handle: sending, journaling, or how often an unreadable reply is asked for again (``loop``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from selfinstruct.checks import field_faults
from selfinstruct.growth.prompt_inputs import ExpansionTemplate, PromptInputs
from selfinstruct.prompts import step_messages
from selfinstruct.recipe import Judge, Recipe, Step
from selfinstruct.recipe.placeholders import lookup
from selfinstruct.records import JSON, Message, Rejection, Reply, ReplyFormat, Row
from selfinstruct.replies import parse_reply, strip_reasoning
from selfinstruct.text import value_text

#: The one step of a recipe that has none: whole rows after the example of others, or templates alone.
IMITATE, EXPAND = "imitate", "expand"
#: How often a reply that cannot be read is asked for where a judge gives it.
_JUDGE_TRIES = 2
_VERDICT = ("score", "reason")
_SAID = {"yes": 5.0, "no": 1.0, "true": 5.0, "false": 1.0, "是": 5.0, "否": 1.0}


@dataclass(frozen=True, slots=True)
class Draft:
    """What may become a row: with ``row`` None it is none, and ``problem`` says why.

    ``rejection`` is what refuses it before any row of the pool is looked at. Pieces of one ``group`` came from one
    row by later steps or by templates, and may be alike.
    """

    row: Row | None
    text: str
    problem: str = ""
    rejection: Rejection | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class StepCall:
    """A call to be made: its key, whose form its reply has (None: whole rows), and the values for its prompt."""

    key: str
    definition: Step | Judge | None
    values: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def max_tries(self) -> int:
        """How often it may be asked in all, while its replies cannot be read."""
        if self.definition is None:
            return 1
        return self.definition.tries if isinstance(self.definition, Step) else _JUDGE_TRIES

    @property
    def model(self) -> str:
        """The model that it is for; "" is any."""
        return "" if self.definition is None else self.definition.model

    def reply_format(self, recipe: Recipe) -> ReplyFormat | None:
        """The form of a JSON reply; None where the reply is text."""
        fields = recipe.fields
        if self.definition is None:
            return ReplyFormat({name: str(each.type) for name, each in fields.items()})
        if isinstance(self.definition, Judge):
            return ReplyFormat({"score": "number", "reason": "string"}, many=False)
        if self.definition.reply != "json":
            return None
        types = {name: str(fields[name].type) if name in fields else "string" for name in self.definition.writes}
        return ReplyFormat(types, many=self.definition.rows != 1)

    def messages(self, recipe: Recipe) -> tuple[Message, ...]:
        """The prompt of a step or a judge; imitation has one of its own."""
        if self.definition is None:
            return ()
        # The last line break of a format that a model was trained on is a part of it.
        verbatim = any(each.api == "completions" for each in recipe.all_models if self.model in ("", each.name))
        return step_messages(
            self.definition.system, self.definition.prompt, self.values, self.reply_format(recipe), verbatim=verbatim
        )


@dataclass(frozen=True, slots=True)
class StepReply:
    """What a reply holds: the values that each of its rows writes, or the slug and words of why it has none."""

    drafts: Sequence[Draft] = ()
    failure: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Where a batch stands: the calls that it needs next; with none, the pieces that it has come to."""

    calls: Sequence[StepCall]
    drafts: Sequence[Draft]


@dataclass(frozen=True, slots=True)
class _Branch:
    path: str
    values: Mapping[str, JSON]
    text: str = ""
    group: str = ""


def _only(recipe: Recipe, values: Mapping[str, JSON]) -> StepCall:
    """The one call of a batch where there are no steps."""
    return StepCall(IMITATE if recipe.imitates else EXPAND, None, values)


def first_reply_format(recipe: Recipe) -> ReplyFormat | None:
    """The form of the first JSON reply that a run asks for, None where all are text."""
    asked = [*(StepCall("", step) for step in recipe.steps), *(StepCall("", judge) for judge in recipe.judge)] or [
        StepCall("", None)
    ]
    return next((form for ask in asked if (form := ask.reply_format(recipe)) is not None), None)


def read_step_reply(ask: StepCall, reply: Reply, recipe: Recipe) -> StepReply:
    """What the reply to a call holds."""
    if ask.definition is None:
        if ask.key == EXPAND:
            return StepReply((Draft({}, ""),))
        return _rows(reply, tuple(recipe.fields))
    if isinstance(ask.definition, Judge):
        found = _rows(reply, _VERDICT)
        pieces = list(found.drafts)
    else:
        step = ask.definition
        found = _rows(reply, step.writes) if step.reply == "json" else _text(reply, step)
        pieces = [_replaced(_limited(piece, at, step), step, ask.values) for at, piece in enumerate(found.drafts)]
    if pieces and all(piece.row is None for piece in pieces):
        return StepReply(failure="malformed", message=f"no row can be used: {pieces[0].problem}")
    return StepReply(pieces, found.failure, found.message)


def advance(
    recipe: Recipe, materials: PromptInputs, values: Mapping[str, JSON], replies: Mapping[str, StepReply | None]
) -> BatchProgress:
    """Where a batch stands with these replies by key; None is one that was given up, and ends its branch."""
    pieces: list[Draft] = []
    asks: list[StepCall] = []
    if not recipe.steps:
        ask = _only(recipe, values)
        if ask.key not in replies:
            return BatchProgress((ask,), ())
        held = replies[ask.key]
        if recipe.imitates:
            return BatchProgress((), held.drafts if held is not None else ())
        branches = [_Branch("", values)]
    else:
        branches, pieces, asks = _walked(recipe, values, replies)
    bases = [(branch, _base(recipe, branch)) for branch in branches]
    for branch, piece in bases:
        verdict = _verdict(recipe, branch, piece, replies, asks)
        if verdict is not None:
            pieces += _expanded(recipe, materials, branch, verdict)
    return BatchProgress(asks, () if asks else pieces)


def _walked(
    recipe: Recipe, values: Mapping[str, JSON], replies: Mapping[str, StepReply | None]
) -> tuple[list[_Branch], list[Draft], list[StepCall]]:
    """The branches that have been through every step, the pieces that went no further, the calls that are missing."""
    branches = [_Branch("", values)]
    pieces: list[Draft] = []
    asks: list[StepCall] = []
    for step in recipe.steps:
        reached: list[_Branch] = []
        for branch in branches:
            if not _applies(step, branch.values):
                reached.append(branch)
                continue
            ask = StepCall(step.name + branch.path, step, branch.values)
            if ask.key not in replies:
                asks.append(ask)
                continue
            held = replies[ask.key]
            for at, piece in enumerate(held.drafts if held is not None else (), 1):
                if piece.row is None:
                    pieces.append(piece)
                    continue
                path = branch.path if step.rows == 1 else f"{branch.path}/{at}"
                grown = {**branch.values, **piece.row}
                fault = field_faults(_row(recipe, grown), recipe, _known(recipe, grown))
                group = branch.group or (path or "/" if _compared(recipe, grown) else "")
                if fault is not None:
                    pieces.append(Draft(_row(recipe, grown), piece.text, rejection=fault, group=group))
                else:
                    reached.append(_Branch(path, grown, piece.text, group))
        branches = reached
    return branches, pieces, asks


def _verdict(
    recipe: Recipe, branch: _Branch, piece: Draft, replies: Mapping[str, StepReply | None], asks: list[StepCall]
) -> Draft | None:
    """The piece with what the judges say of it; None while one has not spoken."""
    if piece.rejection is not None:
        return piece
    for judge in recipe.judge:
        ask = StepCall(judge.name + branch.path, judge, {**branch.values, **(piece.row or {})})
        if ask.key not in replies:
            asks.append(ask)
            return None
        refusal = _judged(judge, replies[ask.key])
        if refusal:
            return Draft(piece.row, piece.text, rejection=Rejection("judge", refusal), group=piece.group)
    return piece


def _judged(judge: Judge, held: StepReply | None) -> str:
    """Why a judge refuses, or ""."""
    row = next((piece.row for piece in held.drafts if piece.row is not None), None) if held is not None else None
    if row is None:
        return f"{judge.name}: gave no verdict that can be read"
    score, reason = row.get("score"), value_text(row.get("reason", ""))
    if isinstance(score, str):
        score = _SAID.get(score.strip().casefold(), score.strip().partition("/")[0])
    if isinstance(score, bool):
        score = 5.0 if score else 1.0
    try:
        points = float(score)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return f"{judge.name}: the score {str(score)[:40]!r} is no number: {reason[:300]}"
    return f"{judge.name}: {points:g}, below {judge.least:g}: {reason[:300]}" if not points >= judge.least else ""


def _expanded(recipe: Recipe, materials: PromptInputs, branch: _Branch, base: Draft) -> list[Draft]:
    """The pieces that templates make of a base row; itself where there are none, or where it is refused.

    Where the passage is a row, templates name its fields as their own: ``{passage}`` is its field of that name.
    """
    if base.rejection is not None or not recipe.expand:
        return [base]
    passage = branch.values.get("passage")
    named = {**branch.values, **(passage if isinstance(passage, Mapping) else {}), **(base.row or {})}
    made: list[Row] = [{}]
    for expand in recipe.expand:
        templates = materials.templates.get(expand.name, ())
        made = [each for written in made for each in _written(templates, named, written)]
    rows = [_row(recipe, {**branch.values, **written}) for written in made]
    return [Draft(row, branch.text, group=branch.path or "/") for row in rows]


def _written(templates: Sequence[ExpansionTemplate], named: Mapping[str, JSON], before: Row) -> list[Row]:
    """What each fitting template writes, with what those of another expansion have written before."""
    values = {**named, **before}
    return [{**before, **each.render(values)} for each in templates if each.fits(values)]


def _base(recipe: Recipe, branch: _Branch) -> Draft:
    """The row of a branch that has been through every step, checked as far as it is known."""
    row = _row(recipe, branch.values)
    fault = field_faults(row, recipe, tuple(row)) if recipe.judge or recipe.expand else None
    return Draft(row, branch.text, rejection=fault, group=branch.group)


def _row(recipe: Recipe, values: Mapping[str, JSON]) -> Row:
    """The fields that have a value by now."""
    return {name: lookup(values, recipe.fields[name].source or name) for name in _known(recipe, values)}


def _known(recipe: Recipe, values: Mapping[str, JSON]) -> tuple[str, ...]:
    known = []
    for name, each in recipe.fields.items():
        try:
            lookup(values, each.source or name)
        except KeyError:
            continue
        known.append(name)
    return tuple(known)


def _compared(recipe: Recipe, values: Mapping[str, JSON]) -> bool:
    known = _known(recipe, values)
    return all(name in known for name in recipe.novelty.fields)


def _applies(step: Step, values: Mapping[str, JSON]) -> bool:
    """Whether every name of ``when``, or an item of its list, has one of the values; letter case and blanks aside."""
    for name, wanted in step.when.items():
        value = values.get(name, "")
        said = {value_text(item).strip().casefold() for item in (value if isinstance(value, list) else [value])}
        if said.isdisjoint(value_text(each).strip().casefold() for each in wanted):
            return False
    return True


def _rows(reply: Reply, names: Sequence[str]) -> StepReply:
    parsed = parse_reply(reply.text, tuple(names), finish_reason=reply.finish_reason)
    pieces = tuple(Draft(each.row, each.text, each.problem) for each in parsed.candidates)
    return StepReply(pieces, parsed.failure, parsed.message)


def _text(reply: Reply, step: Step) -> StepReply:
    """A reply that is text: all of it, or the parts around a separator."""
    if reply.finish_reason == "content_filter":
        return StepReply(failure="filtered", message="the endpoint's content filter held the reply back")
    text = strip_reasoning(reply.text).strip()
    if reply.finish_reason == "length":
        return StepReply(failure="truncated", message="the reply reached the token limit before its end")
    if not text:
        return StepReply(failure="empty", message="the reply is empty")
    if step.reply == "text":
        return StepReply((Draft({step.writes[0]: text}, text),))
    parts = [part.strip() for part in text.split(step.separator)]
    if len(parts) != len(step.writes) or not all(parts):
        said = f"{len(parts)} parts around {step.separator!r}, not {len(step.writes)}, or an empty one"
        return StepReply(failure="malformed", message=f"the reply has {said}; it begins {text[:200]!r}")
    return StepReply((Draft(dict(zip(step.writes, parts, strict=True)), text),))


def _limited(piece: Draft, at: int, step: Step) -> Draft:
    """The piece, where it has exactly the names that the step writes and is not one too many."""
    if piece.row is None:
        return piece
    if step.rows and at >= step.rows:
        return Draft(None, piece.text, f"one more than the {step.rows} that {step.name} asks for")
    missing = [name for name in step.writes if name not in piece.row]
    unknown = [name for name in piece.row if name not in step.writes]
    if missing or unknown:
        said = f"{missing[0]} is missing" if missing else f"{str(unknown[0])[:80]} is not asked for"
        return Draft(None, piece.text, f"{step.name}: {said}")
    return piece


def _replaced(piece: Draft, step: Step, values: Mapping[str, JSON]) -> Draft:
    """The piece with the value of a name in place of each text that the step replaces."""
    if piece.row is None or not step.replace:
        return piece
    row = dict(piece.row)
    for old, name in step.replace.items():
        new = value_text(lookup(values, name))
        row = {key: value.replace(old, new) if isinstance(value, str) else value for key, value in row.items()}
    return Draft(row, piece.text)
