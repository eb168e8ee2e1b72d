"""A base model continues demonstrations with new rows: its prompt, the end of its replies, and a whole run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.errors import RecipeError
from selfinstruct.growth.step_call import IMITATE, StepCall
from selfinstruct.growth.step_reply import read_step_reply
from selfinstruct.prompts import continued_rows
from selfinstruct.recipe import Recipe, parse_recipe
from selfinstruct.records import Reply
from selfinstruct.testing import FaultServer, ScriptedAuthor

SEEDS = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
TABLES = """
name = "x"
task = "colours"
seeds.file = "colours.jsonl"
quota.rows = 9
novelty.max_rouge_l = 0.7
fields = { a = {}, b = {} }
[model]
name = "base"
api = "completions"
"""


def recipe(text: str = TABLES) -> Recipe:
    """The recipe of a base model."""
    return parse_recipe(text, "x.toml", Path())


def test_the_prompt_ends_where_the_next_row_begins() -> None:
    """A heading, the conditions, and demonstrations as lines; no instruction, which a base model would continue."""
    demos = [{"a": "red", "b": "warm"}, {"a": "蓝", "b": "冷"}]
    (message,) = continued_rows(recipe(), demos, {"tone": "dry"})
    lines = message.content.split("\n")
    assert lines[:2] == ["# colours", '# "tone": dry']
    assert [json.loads(line) for line in lines[2:-1]] == demos and lines[-1] == ""


def test_a_row_that_the_limit_cut_off_is_no_bad_row() -> None:
    """It is left out where whole rows precede it; a reply that is nothing else is malformed, and so is a torn end."""
    call, row = StepCall(IMITATE, None), '{"a": "x", "b": "y"}'
    for text, reason, found in (
        (f'{row}\n{{"a": "x", "b', "length", [True]),
        ('{"a": "x", "b', "length", [False]),
        (f'{row}\n{{"a": "x", "b', "stop", [True, False]),
        (f"{row}\n{row}", "length", [True, True]),
    ):
        read = read_step_reply(call, Reply(text, "base", finish_reason=reason), recipe())
        assert [draft.row is not None for draft in read.drafts] == found, text


async def test_a_base_model_grows_rows(tmp_path: Path) -> None:
    """A run of a completion endpoint meets its quota, with bounded calls that stop at a blank line."""
    prompts: list[str] = []
    author = ScriptedAuthor()

    def base_model(messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        prompts.append(str(messages[-1]["content"]))
        return author(messages, rng)

    written = api.init(SEEDS, tmp_path / "base.toml")
    async with FaultServer(author=base_model) as server:
        table = f'\n[model]\nname = "base"\nbase_url = "{server.base_url}"\napi = "completions"\nconcurrency = 2\n'
        (tmp_path / "base.toml").write_text(written + table, encoding="utf-8")
        run = await api.run_async(tmp_path / "base.toml", rows=40, out=tmp_path / "run")
    assert (run.summary.accepted, run.summary.stopped) == (40, "done")
    assert run.summary.rejected.get("malformed", 0) == 0
    rows = [prompt for prompt in prompts if prompt.rstrip().endswith("}") and "RawLog" in prompt]
    assert rows and not any("Write" in prompt for prompt in rows)


def test_models_that_imitate_have_one_interface() -> None:
    """A prompt is either a text to be continued or a message; the hint says what to do."""
    two = TABLES.replace("[model]", "[[models]]") + '[[models]]\nname = "chat"\n'
    with pytest.raises(RecipeError, match="must have one api"):
        recipe(two)
