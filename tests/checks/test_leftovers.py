"""Placeholders and damage are refused where the seeds have none, and are data where they have some."""

from __future__ import annotations

import pytest

from selfinstruct.checks import Criteria, judge_alone
from selfinstruct.checks.leftovers import SeedMarks
from selfinstruct.recipe import Recipe, parse_recipe
from selfinstruct.records import Candidate, Rejection, Row

RECIPE = """
[seeds]
file = "seeds.jsonl"
[fields.Question]
[fields.Answer]
[fields.tags]
type = "any"
[quota]
rows = 10
[novelty]
fields = ["Question"]
max_rouge_l = 0.9
"""


def recipe_of(text: str = RECIPE) -> Recipe:
    """The recipe."""
    return parse_recipe(text, "r.toml", ".")


def rejection(value: str, *seeds: str, recipe: str = RECIPE, question: str = "Who?") -> Rejection | None:
    """The rejection of a row with this answer, where seeds have these."""
    rows: list[Row] = [{"Question": "Where?", "Answer": each, "tags": []} for each in ("Here.", *seeds)]
    criteria = Criteria(recipe_of(recipe), {"all": 0.9}, lambda row: "all", SeedMarks(rows))
    row = {"Question": question, "Answer": value, "tags": []}
    return judge_alone(Candidate(0, "", row), criteria).rejection


def test_what_a_template_writes_is_no_damage() -> None:
    """A text that templates make of a passage may show JSON with its escapes; in the same words of a model they are."""
    templates = '[[expand]]\nname = "as JSON"\nwrites = "Answer"\ntemplates = ["about {Question}"]\n'
    damaged = r"first\nsecond"
    assert rejection(damaged, recipe=RECIPE + templates) is None
    refused = rejection(damaged)
    assert refused is not None and refused.reason == "blocked"


EMPTY = [
    "<noinput>",
    "N/A",
    "None",
    "none.",
    "null",
    "...",
    "……",
    "Output:",
    "answer:",
    "[insert name]",
    "TODO",
    "无",
    "?",
]
BLOCKED = {
    "a\x00b": "'\\x00'",
    "a\ufffd": "'\ufffd'",
    "28.0<|im_end|>": "<|im_end|>",
    "28.0 </s>": "</s>",
    "one\\ntwo": "\\\\n",
    'say \\"hi\\"': '\\\\"',
    "\\u4e2d\\u6587": "\\\\u4e2d",
    "R&amp;D": "&amp;",
    "[INST] Who?": "[INST]",
    "天<｜end▁of▁sentence｜>": "<｜end▁of▁sentence｜>",
}
FINE = [
    "Nobody.",
    "C++",
    "%",
    "42",
    "R&D",
    "a\tb\nc",
    "`print('\\n')`",
    "C:\\new\\table",
    "none of them",
    "a <s>b</s> c",
]


@pytest.mark.parametrize("value", EMPTY)
def test_a_placeholder_is_an_empty_value(value: str) -> None:
    """Unless a seed has it in this field."""
    found = rejection(value)
    assert found is not None and found.reason == "empty"
    assert found.message == f"Answer is a placeholder: {value!r}"
    assert rejection(value, value) is None


@pytest.mark.parametrize("value", BLOCKED)
def test_damage_is_blocked(value: str) -> None:
    """With what it is; unless seeds have the same damage."""
    found = rejection(value)
    assert found is not None and found.reason == "blocked"
    assert BLOCKED[value] in found.message
    assert rejection(value, value) is None


@pytest.mark.parametrize("value", FINE)
def test_other_values_pass(value: str) -> None:
    """Words that contain one, signs, line breaks, code, paths and markup."""
    assert rejection(value) is None


def test_where_neither_is_looked_for() -> None:
    """A chosen or copied value may be a placeholder; with backslashes in the seeds, only some escapes are."""
    assert (
        rejection("None", recipe=RECIPE.replace("[fields.Answer]", '[fields.Answer]\none_of = ["None", "Some"]'))
        is None
    )
    grounded = RECIPE.replace("[fields.Answer]", '[fields.Answer]\nappears_in = "Question"')
    assert rejection("None", recipe=grounded, question="Is None a user?") is None
    assert rejection("one\\ntwo", "a\\alpha") is None
    assert rejection("\\u4e2d", "a\\alpha") is not None


def test_values_inside_lists_count_and_a_file_is_not_judged_by_it() -> None:
    """The leaves of a list are looked at; without marks of seeds nothing is."""
    criteria = Criteria(recipe_of(), {"all": 0.9}, lambda row: "all", SeedMarks())
    row: Row = {"Question": "Who?", "Answer": "She.", "tags": ["x", {"y": "N/A"}]}
    found = judge_alone(Candidate(0, "", row), criteria).rejection
    assert found is not None and found.reason == "empty"
    unmarked = Criteria(recipe_of(), {"all": 0.9}, lambda row: "all")
    assert judge_alone(Candidate(0, "", row), unmarked).rejection is None
