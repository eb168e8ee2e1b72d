"""The steps of a batch: the calls that it needs next, given its replies, until all its drafts are complete; pure.

    values -> step 1 -> its rows, each with more values -> step 2 -> ... -> judges, votes -> templates -> drafts

Each row in a step's reply continues on its own, as a branch. The key of a call names its step and its branch:
``answers/3`` calls step ``answers`` about the third row of the step before. Imitation is the recipe with one step,
whose replies contain whole rows, which models may judge and vote on; a recipe without steps that only expands has one
call, which is never sent.

Does not handle: sending, journaling, or repeating a call with an unreadable reply (``batch_state``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from selfinstruct.checks import field_faults
from selfinstruct.growth.prompt_inputs import ExpansionTemplate, PromptInputs, made_by_templates
from selfinstruct.growth.step_call import EXPAND, IMITATE, StepCall
from selfinstruct.growth.step_reply import Draft, StepReply
from selfinstruct.growth.verdicts import read_verdict
from selfinstruct.growth.votes import count_votes
from selfinstruct.recipe import Recipe, Step
from selfinstruct.recipe.placeholders import lookup
from selfinstruct.records import JSON, Rejection, Row
from selfinstruct.text import caseless, value_text


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """The calls that a batch needs next; where there are none, its drafts."""

    calls: Sequence[StepCall]
    drafts: Sequence[Draft]


@dataclass(frozen=True, slots=True)
class _Branch:
    """A row in the making: its values so far, the text of its last reply, and its path in the keys of calls."""

    path: str
    values: Mapping[str, JSON]
    text: str = ""
    group: str = ""


def advance(
    recipe: Recipe, inputs: PromptInputs, values: Mapping[str, JSON], replies: Mapping[str, StepReply | None]
) -> BatchProgress:
    """The progress of a batch with these replies by key; None is a call that was given up, which ends its branch."""
    drafts: list[Draft] = []
    calls: list[StepCall] = []
    if not recipe.steps:
        call = StepCall(IMITATE if recipe.imitates else EXPAND, None, values)
        if call.key not in replies:
            return BatchProgress((call,), ())
        reply = replies[call.key]
        if recipe.imitates:
            return _judge_all(recipe, inputs, values, reply.drafts if reply is not None else (), replies)
        branches = [_Branch("", values)]
    else:
        branches, drafts, calls = _follow_steps(recipe, values, replies)
    complete = [(branch, _completed_draft(recipe, branch)) for branch in branches]
    for branch, draft in complete:
        judged = _judged(recipe, branch, draft, replies, calls)
        judged = judged and _verified(recipe, inputs, branch.path, judged, replies, calls)
        if judged is not None:
            drafts += _expanded(recipe, inputs, branch, judged)
    return BatchProgress(calls, () if calls else drafts)


def _follow_steps(
    recipe: Recipe, values: Mapping[str, JSON], replies: Mapping[str, StepReply | None]
) -> tuple[list[_Branch], list[Draft], list[StepCall]]:
    """The branches that have passed every step, the drafts that ended earlier, and the calls still needed."""
    branches = [_Branch("", values)]
    drafts: list[Draft] = []
    calls: list[StepCall] = []
    for step in recipe.steps:
        reached: list[_Branch] = []
        for branch in branches:
            if not _applies(step, branch.values):
                reached.append(branch)
                continue
            call = StepCall(step.name + branch.path, step, branch.values)
            if call.key not in replies:
                calls.append(call)
                continue
            reply = replies[call.key]
            for number, draft in enumerate(reply.drafts if reply is not None else (), 1):
                following = _extended(recipe, step, branch, number, draft)
                if isinstance(following, Draft):
                    drafts.append(following)
                else:
                    reached.append(following)
        branches = reached
    return branches, drafts, calls


def _extended(recipe: Recipe, step: Step, branch: _Branch, number: int, draft: Draft) -> _Branch | Draft:
    """The branch with the values that row ``number`` of a reply adds; a draft where it ends here."""
    if draft.row is None:
        return draft
    path = branch.path if step.rows == 1 else f"{branch.path}/{number}"
    values = {**branch.values, **draft.row}
    known = _known_fields(recipe, values)
    row = _row(recipe, values)
    rejection = field_faults(row, recipe, known)
    # Once the novelty fields are known, everything that later steps make of this row forms one group.
    comparable = all(name in known for name in recipe.novelty.fields)
    group = branch.group or (path or "/" if comparable else "")
    if rejection is not None:
        return Draft(row, draft.text, rejection=rejection, group=group)
    return _Branch(path, values, draft.text, group)


def _judged(
    recipe: Recipe, branch: _Branch, draft: Draft, replies: Mapping[str, StepReply | None], calls: list[StepCall]
) -> Draft | None:
    """The draft, rejected where a judge rejects it; None, with a call more, where a verdict is missing."""
    if draft.rejection is not None:
        return draft
    for judge in recipe.judge:
        call = StepCall(judge.name + branch.path, judge, {**branch.values, **(draft.row or {})})
        if call.key not in replies:
            calls.append(call)
            return None
        verdict = read_verdict(judge, replies[call.key])
        if verdict.objection:
            return replace(draft, rejection=Rejection("judge", verdict.objection))
        draft = replace(draft, scores=(*draft.scores, (judge.name, verdict.points)))
    return draft


def _judge_all(
    recipe: Recipe,
    inputs: PromptInputs,
    values: Mapping[str, JSON],
    drafts: Sequence[Draft],
    replies: Mapping[str, StepReply | None],
) -> BatchProgress:
    """The whole rows of a reply, after the verdicts and votes of models on those that are right so far."""
    if not (recipe.judge or recipe.verified_by_models):
        return BatchProgress((), drafts)
    calls: list[StepCall] = []
    complete: list[Draft] = []
    for number, draft in enumerate(drafts, 1):
        # The checks of the pool reject the others, with their own reasons.
        is_right = draft.row is not None and not field_faults(draft.row, recipe, tuple(draft.row))
        judged: Draft | None = draft
        if is_right:
            judged = _judged(recipe, _Branch(f"/{number}", values), draft, replies, calls)
            judged = judged and _verified(recipe, inputs, f"/{number}", judged, replies, calls)
        complete += [] if judged is None else [judged]
    return BatchProgress(calls, () if calls else complete)


def _verified(
    recipe: Recipe,
    inputs: PromptInputs,
    path: str,
    draft: Draft,
    replies: Mapping[str, StepReply | None],
    calls: list[StepCall],
) -> Draft | None:
    """The draft, rejected where models do not give its answer; None, with more calls, where votes are missing."""
    row = draft.row
    if draft.rejection is not None or row is None:
        return draft
    for verify in recipe.verified_by_models:
        if any(name not in row for name in (*verify.reads, verify.answers)):
            continue
        keys = [ballot + path for ballot in verify.ballots]
        seen = {name: row[name] for name in verify.reads}
        count = count_votes(keys, replies, value_text(row[verify.answers]), inputs.conventions[verify.answers])
        if count.calls:
            calls += [StepCall(key, verify, seen) for key in count.calls]
            return None
        if count.rejection is not None:
            return replace(draft, rejection=count.rejection)
        draft = replace(draft, scores=(*draft.scores, (verify.name, count.confirmed)))
    return draft


def _expanded(recipe: Recipe, inputs: PromptInputs, branch: _Branch, draft: Draft) -> list[Draft]:
    """The drafts that templates make of one; the draft itself where there are no templates or it is rejected.

    Where the passage is a row, templates name its fields directly: ``{passage}`` is its field of that name.
    """
    if draft.rejection is not None or not recipe.expand:
        return [draft]
    passage = branch.values.get("passage")
    values = {**branch.values, **(passage if isinstance(passage, Mapping) else {}), **(draft.row or {})}
    expanded: list[Row] = [{}]
    for expand in recipe.expand:
        if expand.in_jinja:
            expanded = [{**before, **new} for before in expanded for new in made_by_templates(branch.values, expand)]
            continue
        templates = inputs.templates.get(expand.name, ())
        expanded = [new for before in expanded for new in _rendered(templates, values, before)]
    rows = [_row(recipe, {**branch.values, **each}) for each in expanded]
    return [Draft(row, branch.text, group=branch.path or "/", scores=draft.scores) for row in rows]


def _rendered(templates: Sequence[ExpansionTemplate], values: Mapping[str, JSON], before: Row) -> list[Row]:
    """The fields that each applicable template writes, added to those of earlier expansions."""
    values = {**values, **before}
    return [{**before, **each.render(values)} for each in templates if each.applies(values)]


def _completed_draft(recipe: Recipe, branch: _Branch) -> Draft:
    """The row of a branch that has passed every step; checked here where judges, votes or templates follow."""
    row = _row(recipe, branch.values)
    rejection = (
        field_faults(row, recipe, tuple(row)) if recipe.judge or recipe.verified_by_models or recipe.expand else None
    )
    return Draft(row, branch.text, rejection=rejection, group=branch.group)


def _row(recipe: Recipe, values: Mapping[str, JSON]) -> Row:
    """The fields that have a value so far."""
    return {name: lookup(values, recipe.fields[name].source or name) for name in _known_fields(recipe, values)}


def _known_fields(recipe: Recipe, values: Mapping[str, JSON]) -> tuple[str, ...]:
    """The names of the fields that have a value so far."""
    known = []
    for name, each in recipe.fields.items():
        try:
            lookup(values, each.source or name)
        except KeyError:
            continue
        known.append(name)
    return tuple(known)


def _applies(step: Step, values: Mapping[str, JSON]) -> bool:
    """Whether each name in ``when`` has, or lists, one of the given texts, ignoring letter case and outer spaces."""
    for name, wanted in step.when.items():
        value = values.get(name, "")
        texts = set(map(caseless, value if isinstance(value, list) else [value]))
        if texts.isdisjoint(map(caseless, wanted)):
            return False
    return True
