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
from selfinstruct.prompts import continued_answer, continued_rows
from selfinstruct.recipe import Recipe, Verify, parse_recipe
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


READS = """
name = "x"
task = "words"
seeds.file = "rows.jsonl"
quota.rows = 9
novelty.max_rouge_l = 0.95
fields = { text = {}, label = { one_of = ["hot", "cold"] }, count = { type = "integer" } }
[model]
name = "base"
api = "completions"
"""


def test_a_base_model_as_a_reader_continues_a_row_up_to_its_answer() -> None:
    """Seed rows with every label in turn, and the row with its answer open; a number has no quotation mark."""
    seeds = [{"text": f"t{at}", "label": "hot" if at < 6 else "cold", "count": at} for at in range(8)]
    label, count = (Verify(reads=("text",), answers=name) for name in ("label", "count"))
    (message,) = continued_answer(recipe(READS), label, {"text": 'a "b" 冷'}, seeds)
    *lines, open_row = message.content.split("\n")[1:]
    assert [json.loads(line)["label"] for line in lines] == ["hot", "cold", "hot", "cold", "hot", "hot"]
    assert json.loads(open_row + 'cold"}') == {"text": 'a "b" 冷', "label": "cold"}
    (message,) = continued_answer(recipe(READS), count, {"text": "a"}, seeds)
    assert json.loads(message.content.split("\n")[-1] + "3}") == {"text": "a", "count": 3}


def test_what_a_reader_continues_is_its_answer() -> None:
    """Up to the end of the value, whatever follows; an answer without an end is none."""
    label, count = (Verify(reads=("text",), answers=name) for name in ("label", "count"))
    for reader, text, answer in (
        (label, 'cold"}', "cold"),
        (label, 'c\\"d"}\n{"text": "x", "la', 'c"d'),
        (count, "12}", 12),
        (label, "", None),
        (label, "cold and so on", None),
    ):
        read = read_step_reply(
            StepCall("verify-1/1", reader), Reply(text, "base", finish_reason="length"), recipe(READS)
        )
        assert [draft.row for draft in read.drafts if draft.row] == ([{"answer": answer}] if answer else []), text


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.slow)])
async def test_a_base_model_gives_labels_back(tmp_path: Path, language: str) -> None:
    """Its second opinions accept right rows and refuse wrong ones; their prompts have no instruction."""
    words = (
        ["kettle", "lamp", "chair", "phone", "jacket", "bike", "desk", "oven", "clock"]
        if language == "en"
        else list("山水云风雨雪花草树")
    )
    hot, cold = ("hot", "cold") if language == "en" else ("热", "冷")
    opened: list[str] = []

    def base_model(messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        text = str(messages[-1]["content"])
        if text.endswith('"label": "'):
            opened.append(text)
            return f'{hot if hot in text.split(chr(10))[-1] else cold}"}}'
        labels = [rng.choice([hot, cold]) for _ in range(4)]
        texts = [" ".join([label, *(rng.choice(words) for _ in range(12))]) for label in labels]
        wrong = {hot: cold, cold: hot}
        rows = [{"text": each, "label": label} for each, label in zip(texts, labels, strict=True)]
        rows[0]["label"] = wrong[labels[0]]
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)

    seeds = [{"text": " ".join([label, *words[at:]]), "label": label} for at in range(4) for label in (hot, cold)]
    lines = "".join(f"{json.dumps(seed, ensure_ascii=False)}\n" for seed in seeds)
    (tmp_path / "rows.jsonl").write_text(lines, encoding="utf-8")
    fields = f'fields = {{ text = {{}}, label = {{ one_of = ["{hot}", "{cold}"] }} }}'
    tables = READS.replace(READS.split("\n")[6], fields)
    async with FaultServer(author=base_model) as server:
        (tmp_path / "x.toml").write_text(
            f'{tables}base_url = "{server.base_url}"\n[[verify]]\nreads = ["text"]\nanswers = "label"\nvotes = 1\n',
            encoding="utf-8",
        )
        run = await api.run_async(tmp_path / "x.toml", out=tmp_path / "run")
    rows = [json.loads(line) for line in (tmp_path / "run" / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 9 and all(row["text"].startswith(row["label"]) for row in rows)
    assert set(run.summary.rejected) <= {"unanswered", "quota"} and run.summary.rejected["unanswered"]
    assert opened and not any("Rules" in prompt or "规则" in prompt for prompt in opened)
