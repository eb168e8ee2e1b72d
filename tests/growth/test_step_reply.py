"""Reading replies of steps and judges: rows, texts, separated parts, and what a judge's verdict means."""

from __future__ import annotations

import json

import pytest

from selfinstruct.checks.leftovers import SeedMarks
from selfinstruct.growth.prompt_inputs import PromptInputs, parse_templates
from selfinstruct.growth.step_call import StepCall
from selfinstruct.growth.step_reply import Draft, StepReply, read_step_reply
from selfinstruct.growth.steps import advance
from selfinstruct.recipe import Recipe, parse_recipe
from selfinstruct.records import JSON, Reply

RECIPE = """
[[steps]]
name = "pair"
rows = 2
writes = ["question", "answer"]
prompt = "Write two pairs"
[steps.replace]
NAME = "category"
[[judge]]
name = "sound"
prompt = "Score {question}"
[fields.question]
[fields.answer]
[quota]
rows = 10
[novelty]
fields = ["question"]
max_rouge_l = 0.9
"""
VALUES: dict[str, JSON] = {"category": "dogs"}


def recipe_of(text: str = RECIPE) -> Recipe:
    """The recipe."""
    return parse_recipe(text, "r.toml", ".")


def read(text: str, recipe: Recipe, finish_reason: str = "stop") -> StepReply:
    """Read a reply to the first step."""
    call = StepCall("pair", recipe.steps[0], VALUES)
    return read_step_reply(call, Reply(text, "test", finish_reason=finish_reason), recipe)


def pair(number: int, **more: str) -> dict[str, str]:
    """A row of the step."""
    return {"question": f"What is NAME {number}?", "answer": f"It is {number}.", **more}


def test_rows_beyond_the_requested_number_are_not_used() -> None:
    """The first two rows are, with texts replaced by values."""
    drafts = read(json.dumps({"rows": [pair(1), pair(2), pair(3)]}), recipe_of()).drafts
    assert [draft.row and draft.row["question"] for draft in drafts] == ["What is dogs 1?", "What is dogs 2?", None]
    assert drafts[2].problem == "pair: more than the 2 requested rows"


def test_rows_with_other_names_are_not_used() -> None:
    """A missing name and an unexpected one are problems of their row only."""
    rows = [{"question": "Where?"}, pair(1, extra="x")]
    reply = read(json.dumps({"rows": [*rows[:1], pair(2)]}), recipe_of())
    assert reply.drafts[0].problem == "pair: answer is missing" and reply.drafts[1].row is not None
    reply = read(json.dumps({"rows": [rows[1], pair(2)]}), recipe_of())
    assert reply.drafts[0].problem == "pair: unexpected name extra" and reply.drafts[1].row is not None


def test_list_marks_are_taken_off_unless_the_seeds_have_them() -> None:
    """Consecutive numbers in front of the values are no part of them; the note says so."""
    recipe, rows = recipe_of(), [{"question": f"{n}. Why {n}?", "answer": f"Because of {n}."} for n in (1, 2)]
    text = json.dumps({"rows": rows})
    found = read(text, recipe)
    assert [draft.row and draft.row["question"] for draft in found.drafts] == ["Why 1?", "Why 2?"]
    assert found.notes == ("list-marks",)
    call = StepCall("pair", recipe.steps[0], VALUES)
    kept = read_step_reply(call, Reply(text, "test"), recipe, SeedMarks(rows))
    assert [draft.row for draft in kept.drafts] == rows and kept.notes == ()


def test_markers_that_the_prompt_or_the_seeds_have_are_part_of_a_text() -> None:
    """A text with reasoning is whole where it is asked for in these tags, or where seeds have them."""
    one = RECIPE.replace("rows = 2\n", 'reply = "text"\n').replace(
        'writes = ["question", "answer"]', 'writes = ["question"]'
    )
    one = one.replace("[fields.answer]\n", "")
    text = "<think>Hm.</think>So.<|im_end|>"
    for prompt, seed, expected in (
        ("Write two pairs", "So.", "So."),
        ("Reason in <think> tags", "So.", "<think>Hm.</think>So."),
        ("Write two pairs", "<think>a</think>b", "<think>Hm.</think>So."),
        ("Write two pairs", "a<|im_end|>", "So.<|im_end|>"),
    ):
        recipe = recipe_of(one.replace("Write two pairs", prompt))
        call = StepCall("pair", recipe.steps[0], VALUES)
        found = read_step_reply(call, Reply(text, "test"), recipe, SeedMarks([{"question": seed}]))
        assert [draft.row for draft in found.drafts] == [{"question": expected}]


def test_structures_as_strings_are_opened_where_the_type_says_so() -> None:
    """A list or an object in a string of JSON, for a field of that type; a text stays one."""
    recipe = recipe_of(RECIPE.replace("[fields.answer]", '[fields.answer]\ntype = "array"'))
    row = {"question": "[1]", "answer": '["a", "b"]'}
    assert read(json.dumps({"rows": [row]}), recipe).drafts[0].row == {"question": "[1]", "answer": ["a", "b"]}
    for text in ('{"a": 1}', "[NaN]", "[1", "none"):
        assert read(json.dumps({"rows": [row | {"answer": text}]}), recipe).drafts[0].row == row | {"answer": text}


def test_a_reply_without_a_usable_row_is_malformed() -> None:
    """The message is the first problem."""
    reply = read(json.dumps({"rows": [{"question": "Where?"}]}), recipe_of())
    assert (reply.failure, reply.drafts) == ("malformed", ())
    assert reply.message == "no usable row: pair: answer is missing"


@pytest.mark.parametrize(
    ("text", "finish_reason", "failure"),
    [
        ("Where? ### Here.", "stop", ""),
        ("<think>hm</think>\nWhere?###Here.\n", "stop", ""),
        ("Where? Here.", "stop", "malformed"),
        ("Where? ### Here. ### There.", "stop", "malformed"),
        ("Where? ### ", "stop", "malformed"),
        ("", "stop", "empty"),
        ("Where? ### He", "length", "truncated"),
        ("Where? ### Here.", "content_filter", "filtered"),
        ("Where? ### Here.<|im_end|>", "eos_token", ""),
        ("Where? ### He", "MAX_TOKENS", "truncated"),
        ("Where? ### He", "abort", "truncated"),
        ("Where? ### He", "missing", "truncated"),
        ("Where? ### Here.", "", ""),
        ("Where? ### He", "SAFETY", "filtered"),
        ("No. ### No.", "refusal", "refusal"),
    ],
)
def test_a_text_is_split_at_the_separator(text: str, finish_reason: str, failure: str) -> None:
    """There is one non-empty part for each name, in a reply that is complete."""
    parts = 'reply = "parts"\nseparator = "###"\nwrites = ["question", "answer"]'
    recipe = recipe_of(RECIPE.replace("rows = 2\n", "").replace('writes = ["question", "answer"]', parts))
    reply = read(text, recipe, finish_reason)
    assert reply.failure == failure
    assert [draft.row for draft in reply.drafts] == ([{"question": "Where?", "answer": "Here."}] if not failure else [])


@pytest.mark.parametrize(
    ("score", "objection"),
    [
        (4, ""),
        (3.9, "sound: 3.9, below 4: why"),
        ("5/5", ""),
        ("3/5", "sound: 3, below 4: why"),
        (" Yes ", ""),
        ("no", "sound: 1, below 4: why"),
        (True, ""),
        (False, "sound: 1, below 4: why"),
        ("good", "sound: the score 'good' is not a number: why"),
        (float("nan"), "sound: the score 'nan' is not a number: why"),
        (None, "sound: the score 'None' is not a number: why"),
    ],
)
def test_a_verdict_is_a_number_or_a_word(score: JSON, objection: str) -> None:
    """Scores below 4 and unreadable ones reject the row with the judge's reason."""
    recipe = recipe_of()
    rows = StepReply((Draft({"question": "Where?", "answer": "Here."}, "text"),))
    verdict = StepReply((Draft({"score": score, "reason": "why"}, ""),))
    progress = advance(recipe, PromptInputs(), VALUES, {"pair": rows, "sound/1": verdict})
    assert progress.calls == []
    (draft,) = progress.drafts
    assert (draft.rejection.message if draft.rejection else "") == objection


def test_drafts_are_complete_only_when_no_call_is_needed() -> None:
    """While one branch waits for its verdict, the other's draft is not returned; a lost verdict rejects the row."""
    recipe = recipe_of()
    rows = StepReply(tuple(Draft({"question": f"Where {n}?", "answer": "Here."}, "") for n in (1, 2)))
    verdict = StepReply((Draft({"score": 5, "reason": ""}, ""),))
    progress = advance(recipe, PromptInputs(), VALUES, {"pair": rows, "sound/1": verdict})
    assert [call.key for call in progress.calls] == ["sound/2"] and progress.drafts == ()
    progress = advance(recipe, PromptInputs(), VALUES, {"pair": rows, "sound/1": verdict, "sound/2": None})
    assert [draft.rejection and draft.rejection.message for draft in progress.drafts] == [
        None,
        "sound: no readable verdict",
    ]


def test_a_row_that_breaks_a_rule_is_not_judged() -> None:
    """It is rejected before a judge is called, in the group of its row."""
    recipe = recipe_of(RECIPE.replace("[fields.answer]", "[fields.answer]\nmin_words = 3"))
    rows = StepReply((Draft({"question": "Where?", "answer": "Here."}, ""),))
    progress = advance(recipe, PromptInputs(), VALUES, {"pair": rows})
    assert progress.calls == []
    assert [(draft.rejection and draft.rejection.reason, draft.group) for draft in progress.drafts] == [
        ("length", "/1")
    ]


@pytest.mark.parametrize(
    ("value", "applies"), [("Dogs ", True), ("cats", False), (["cats", "DOGS"], True), ([], False)]
)
def test_a_step_applies_where_its_condition_holds(value: JSON, applies: bool) -> None:
    """Letter case and outer spaces are ignored, and one item of a list is enough."""
    text = RECIPE.replace('name = "pair"', 'name = "pair"\nwhen = { kind = ["dogs"] }')
    text = f'[attributes.kind]\nvalues = ["dogs", "cats"]\n{text}'
    progress = advance(recipe_of(text), PromptInputs(), {**VALUES, "kind": value}, {})
    assert any(call.key == "pair" for call in progress.calls) == applies


def test_a_complete_row_that_breaks_a_rule_is_not_judged() -> None:
    """The check of the complete row also covers fields that no step has written."""
    text = RECIPE.replace('name = "pair"', 'name = "pair"\nwhen = { kind = ["dogs"] }')
    text = text.replace("[fields.answer]", '[fields.answer]\n[fields.topic]\nsource = "kind"\nmin_words = 3')
    text = f'[attributes.kind]\nvalues = ["dogs", "cats"]\n{text}'
    progress = advance(recipe_of(text), PromptInputs(), {**VALUES, "kind": "cats"}, {})
    assert progress.calls == []
    assert [draft.rejection and draft.rejection.reason for draft in progress.drafts] == ["length"]


def test_templates_name_the_fields_of_a_passage_that_is_a_row() -> None:
    """``{passage}`` is then its field of that name; a template without all its values is skipped."""
    recipe = recipe_of(
        '[documents]\nfiles = ["rows.jsonl"]\nby = "row"\n[[expand]]\nname = "questions"\nwrites = "question"\n'
        'templates = ["{passage}?"]\n[fields.question]\n[quota]\nrows = 10\n[novelty]\nmax_rouge_l = 0.9\n'
    )
    templates = parse_templates(["What is {subject}?", "Who said {passage}?", "Where is {place}?"], recipe.expand[0])
    inputs = PromptInputs(templates={"questions": templates})
    values = {"passage": {"subject": "a harbour", "passage": "hello"}}
    (call,) = advance(recipe, inputs, values, {}).calls
    reply = read_step_reply(call, Reply("", "test"), recipe)
    drafts = advance(recipe, inputs, values, {call.key: reply}).drafts
    assert [draft.row and draft.row["question"] for draft in drafts] == ["What is a harbour?", "Who said hello?"]
    assert {draft.group for draft in drafts} == {"/"}, "rows of one passage are not compared with each other"
