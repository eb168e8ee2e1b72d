"""Reading the reply to a call: the drafts that it contains, or the reason why it contains none; pure.

Does not handle: parsing rows out of text (``selfinstruct.replies``), or repeating a call with an unreadable reply.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from selfinstruct.checks.agreement import named_label
from selfinstruct.checks.leftovers import SeedMarks
from selfinstruct.checks.snippets import snippets
from selfinstruct.growth.score import read_score
from selfinstruct.growth.step_call import EXPAND, StepCall
from selfinstruct.messages import Phrase
from selfinstruct.prompts import ANSWER, completed_answer, without_probability
from selfinstruct.recipe import Judge, Recipe, Step, Verify
from selfinstruct.recipe.placeholders import lookup
from selfinstruct.records import JSON, Rejection, Reply, Row
from selfinstruct.replies import answer_text, ending_of, marker_names, parse_reply
from selfinstruct.replies.list_marks import without_list_marks
from selfinstruct.text import value_text

_NO_MARKS = SeedMarks()
_STRUCTURES: Mapping[str, type] = {"array": list, "object": dict}


@dataclass(frozen=True, slots=True)
class Draft:
    """A row in the making; where ``row`` is None, ``problem`` is the reason.

    ``rejection`` is set where the draft is rejected before it is compared with the pool. Drafts of one ``group`` were
    made from one row by later steps or by templates, and may be similar. ``scores`` are the points that judges gave
    the row, and the shares of votes for its answer, by the name of the judge or the second opinion.
    """

    row: Row | None
    text: str
    problem: str = ""
    rejection: Rejection | None = None
    group: str = ""
    scores: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class StepReply:
    """The drafts in a reply, or the slug of its ``failure`` with a ``message``.

    ``notes`` are what was corrected: those of ``replies.Parsed``, and ``list-marks`` that were taken off.
    """

    drafts: Sequence[Draft] = ()
    failure: str = ""
    message: str = ""
    notes: Sequence[str] = ()


def read_step_reply(call: StepCall, reply: Reply, recipe: Recipe, marks: SeedMarks = _NO_MARKS) -> StepReply:
    """Read the reply to a call; ``marks`` are what the seeds have of the dress of replies, which is then data."""
    if call.definition is None:
        if call.key == EXPAND:
            return StepReply((Draft({}, ""),))
        read = _read_rows(reply, tuple(recipe.fields), marks)
        read = _without_begun(read, reply) if recipe.continues_rows else _without_probabilities(read, call, recipe)
        return _without_list_marks(_structured(read, recipe), tuple(recipe.fields), marks)
    if isinstance(call.definition, Judge | Verify):
        form = call.reply_format(recipe)
        if recipe.continues_rows and call.continues_answer and isinstance(call.definition, Verify):
            reply = replace(reply, text=completed_answer(recipe, call.definition, ANSWER, reply.text))
        read = _read_rows(reply, () if form is None else tuple(form.types), marks)
        if all(draft.row is None for draft in read.drafts) and ending_of(reply.finish_reason) == "whole":
            read = _read_bare(answer_text(reply.text), call.definition, recipe) or read
        drafts = list(read.drafts)
    else:
        step = call.definition
        read = _read_rows(reply, step.writes, marks) if step.reply == "json" else _read_text(reply, step, marks)
        read = _without_probabilities(read, call, recipe)
        if step.reply == "json":
            read = _without_list_marks(_structured(read, recipe), step.writes, marks)
        drafts = [
            _replace_texts(_require_names(draft, at, step), step, call.values) for at, draft in enumerate(read.drafts)
        ]
    if drafts and all(draft.row is None for draft in drafts):
        return StepReply(failure="malformed", message=f"no usable row: {drafts[0].problem}")
    return StepReply(drafts, read.failure, read.message, read.notes)


def _read_bare(text: str, definition: Judge | Verify, recipe: Recipe) -> StepReply | None:
    """A reply without JSON that names one label, or begins with a score; None for any other."""
    if isinstance(definition, Judge):
        return StepReply((Draft({"score": text, "reason": text}, text),)) if read_score(text) is not None else None
    labels = [value_text(label) for label in recipe.fields[definition.answers].one_of]
    label = named_label(text, labels)
    return StepReply((Draft({ANSWER: label}, text),)) if label is not None else None


def _read_rows(reply: Reply, names: Sequence[str], marks: SeedMarks) -> StepReply:
    parsed = parse_reply(reply.text, tuple(names), finish_reason=reply.finish_reason, kept=marks)
    drafts = tuple(Draft(each.row, each.text, each.problem) for each in parsed.candidates)
    return StepReply(drafts, parsed.failure, parsed.message, tuple(slug for slug, _ in parsed.notes))


def _structured(read: StepReply, recipe: Recipe) -> StepReply:
    """The drafts with lists and objects that a model has written as strings of JSON, where fields have these types."""
    wanted = {name: _STRUCTURES[each.type] for name, each in recipe.fields.items() if each.type in _STRUCTURES}
    if not wanted:
        return read
    kept = []
    for draft in read.drafts:
        opened = {
            name: value
            for name, kind in wanted.items()
            if draft.row is not None
            and isinstance(text := draft.row.get(name), str)
            and type(value := _opened(text)) is kind
        }
        kept.append(replace(draft, row=draft.row | opened) if draft.row is not None and opened else draft)
    return replace(read, drafts=kept)


def _opened(text: str) -> JSON:
    try:
        return json.loads(text, parse_constant=_refuse) if text.lstrip()[:1] in ("[", "{") else None
    except (ValueError, RecursionError):
        return None


def _refuse(word: str) -> JSON:
    raise ValueError(word)


def _without_list_marks(read: StepReply, names: Sequence[str], marks: SeedMarks) -> StepReply:
    """The drafts without numbers and bullets that count them."""
    if len(read.drafts) < 2:
        return read
    rows, found = without_list_marks([draft.row for draft in read.drafts], names, marks.list_marked)
    if not found:
        return read
    drafts = [
        draft if draft.row is None else replace(draft, row=row) for draft, row in zip(read.drafts, rows, strict=True)
    ]
    return replace(read, drafts=drafts, notes=(*read.notes, "list-marks"))


def _without_begun(read: StepReply, reply: Reply) -> StepReply:
    """The rows of a model that continues a text without the last one if the token limit cut it off, as it will."""
    is_begun = len(read.drafts) > 1 and read.drafts[-1].row is None
    return replace(read, drafts=read.drafts[:-1]) if is_begun and ending_of(reply.finish_reason) != "whole" else read


def _without_probabilities(read: StepReply, call: StepCall, recipe: Recipe) -> StepReply:
    """The drafts without the probabilities that the call asked for; a reply may lack them."""
    form = call.reply_format(recipe)
    if form is None or not form.is_verbalized:
        return read
    kept = [each if each.row is None else replace(each, row=without_probability(each.row)) for each in read.drafts]
    return replace(read, drafts=kept)


def _read_text(reply: Reply, step: Step, marks: SeedMarks) -> StepReply:
    """Read a text reply: the whole of it, its parts around a separator, or its blocks of code."""
    ending = ending_of(reply.finish_reason)
    if ending == "filtered":
        return StepReply(failure="filtered", message="the endpoint's content filter withheld the reply")
    if ending == "truncated":
        return StepReply(failure="truncated", message="the reply reached the token limit before its end")
    text = answer_text(reply.text, marks.names | _names_in(step.system, step.prompt))
    if ending == "refused":
        return StepReply(failure="refusal", message=f"the model refused; the reply begins {text[:200]!r}")
    if ending == "doubtful" and text:
        message = f"the reply may be cut off: its finish_reason is {reply.finish_reason[:40]!r}"
        return StepReply(failure="truncated", message=message)
    if not text:
        return StepReply(failure="empty", message="the reply is empty")
    if step.reply == "text":
        return StepReply((Draft({step.writes[0]: text}, text),))
    if step.reply == "code":
        return _read_code(text, step.writes)
    parts = [part.strip() for part in text.split(step.separator)]
    if len(parts) != len(step.writes) or not all(parts):
        expected = f"expected {len(step.writes)} non-empty parts separated by {step.separator!r}"
        got = f"got {sum(map(bool, parts))} in a reply that begins {text[:200]!r}"
        return StepReply(failure="malformed", message=f"{expected}, {got}")
    return StepReply((Draft(dict(zip(step.writes, parts, strict=True)), text),))


@lru_cache(maxsize=64)
def _names_in(*prompts: str) -> frozenset[str]:
    """The names of markers that a step's prompt asks for."""
    return marker_names(prompts)


def _read_code(text: str, names: Sequence[str]) -> StepReply:
    """Read the fenced blocks of a reply, one for each name; a reply without a fence is the code for a single name."""
    blocks, rest = snippets(text)
    if not blocks and len(names) == 1:
        return StepReply((Draft({names[0]: text}, text),))
    if rest is None:
        return StepReply(failure="malformed", message="a code fence is never closed")
    codes = ["\n".join(lines).strip("\n") for lines in blocks]
    if len(codes) != len(names) or not all(map(str.strip, codes)):
        expected = f"expected {len(names)} non-empty fenced code {'block' if len(names) == 1 else 'blocks'}"
        return StepReply(
            failure="malformed", message=f"{expected}, got {len(codes)} in a reply that begins {text[:200]!r}"
        )
    return StepReply((Draft(dict(zip(names, codes, strict=True)), text),))


def _require_names(draft: Draft, position: int, step: Step) -> Draft:
    """The draft, without its row where it exceeds the requested number or has other names than the step writes."""
    if draft.row is None:
        return draft
    if step.rows and position >= step.rows:
        return Draft(None, draft.text, f"{step.name}: more than the {step.rows} requested rows")
    missing = [name for name in step.writes if name not in draft.row]
    unknown = [name for name in draft.row if name not in step.writes]
    if missing or unknown:
        problem = (
            Phrase("{missing} is missing", missing=missing[0])
            if missing
            else Phrase("unexpected name {unknown}", unknown=str(unknown[0])[:80])
        )
        return Draft(None, draft.text, f"{step.name}: {problem}")
    return draft


def _replace_texts(draft: Draft, step: Step, values: Mapping[str, JSON]) -> Draft:
    """The draft with the texts that the step replaces by values."""
    if draft.row is None or not step.replace:
        return draft
    row = dict(draft.row)
    for old, name in step.replace.items():
        new = value_text(lookup(values, name))
        row = {key: value.replace(old, new) if isinstance(value, str) else value for key, value in row.items()}
    return Draft(row, draft.text)
