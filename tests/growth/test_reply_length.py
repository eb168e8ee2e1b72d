"""The expected length of a reply follows from what is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selfinstruct.growth.reply_length import ReplyLengths
from selfinstruct.growth.step_call import IMITATE, StepCall
from selfinstruct.prompts import estimate_tokens
from selfinstruct.recipe import Recipe, parse_recipe
from selfinstruct.rows import to_json

TABLES = """
name = "x"
quota.rows = 9
novelty.max_rouge_l = 0.7
[fields.text]
[fields.label]
one_of = ["a", "b"]
[fields.note]
max_words = 100
[fields.size]
type = "integer"
[[steps]]
name = "pairs"
rows = 3
writes = ["text", "label"]
prompt = "p"
[[steps]]
name = "note"
reply = "text"
writes = ["note"]
prompt = "p"
[[steps]]
name = "story"
reply = "text"
writes = ["draft"]
prompt = "p"
[[steps]]
name = "size"
rows = 0
writes = ["size"]
prompt = "p"
[[judge]]
name = "good"
prompt = "p"
"""


def recipe(**changes: Any) -> Recipe:
    """The recipe, with other tables."""
    return parse_recipe(TABLES, "x.toml", Path()).model_copy(update=changes)


def test_rows_are_as_long_as_the_long_seeds() -> None:
    """A reply of rows has as many times the tokens of a long seed; one outlier in a hundred does not count."""
    seeds = [{"text": "word " * (10 + n % 10), "label": "a"} for n in range(100)]
    lengths = ReplyLengths(recipe(steps=()), [*seeds, {"text": "word " * 5000, "label": "a"}])
    longest = estimate_tokens(to_json(seeds[9]))
    call = StepCall(IMITATE, None)
    assert longest <= lengths.expected(call, 1) <= longest + 1
    assert lengths.expected(call, 20) == 20 * lengths.expected(call, 1)


def test_a_step_has_the_length_of_what_it_writes() -> None:
    """By the seeds; by the constraints of the recipe where seeds lack the field; by a default for other texts."""
    of = recipe()
    lengths = ReplyLengths(of, [{"text": "word " * 40}])
    pairs, note, story, size = (lengths.expected(StepCall(step.name, step), 5) for step in of.steps)
    assert 3 * 50 < pairs < 3 * 80
    assert note == 200
    assert story == 1000
    assert size < 5 * 20
    assert 50 < lengths.expected(StepCall("good", of.judge[0]), 5) < 200


def test_chinese_text_has_a_token_for_each_character() -> None:
    """Its rows are expected to be as long as they are, and not a quarter of that."""
    lengths = ReplyLengths(recipe(steps=()), [{"text": "记录数据库日志" * 20, "label": "a"}])
    assert lengths.expected(StepCall(IMITATE, None), 1) > 140
