"""``prompt.verbalized_sampling`` in whole runs, with models at a real local server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.errors import RecipeError
from selfinstruct.growth.step_call import IMITATE, StepCall
from selfinstruct.recipe import load_recipe, parse_recipe, to_toml
from selfinstruct.records import Row
from selfinstruct.testing import FaultServer

FIELDS = ("Question", "Answer", "Line")
SEEDS = {
    "en": ("How large is block blk_{0}?", "{1}", "Received block blk_{0} of size {1} B from 10.0.0.1"),
    "zh": ("订单{0}的金额是多少？", "{1}", "订单{0}创建成功，金额{1}元，商品数2"),
}
RECIPE = """\
name = "blocks"
[seeds]
file = "rows.jsonl"
[fields.Question]
[fields.Answer]
appears_in = "Line"
[fields.Line]
[novelty]
fields = ["Question"]
max_rouge_l = 1.0
[quota]
rows = 20
[prompt]
rows_per_request = 5
verbalized_sampling = true
"""
STEP = """\
[[steps]]
name = "write"
prompt = "{demos}\\nRows: {count}."
rows = 5
writes = ["Question", "Answer", "Line"]
"""


def row(language: str, number: int) -> Row:
    """A row about a block or an order of its own."""
    texts = (text.format(20240000 + number, 300 + number * 7) for text in SEEDS[language])
    return dict(zip(FIELDS, texts, strict=True))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes seeds and a recipe into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(language: str = "en", more: str = "", option: str = "verbalized_sampling = true") -> str:
        lines = [json.dumps(row(language, number), ensure_ascii=False) for number in (1, 2)]
        Path("rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        Path("recipe.toml", ".").write_text(
            RECIPE.replace("verbalized_sampling = true", option) + more, encoding="utf-8"
        )
        return "recipe.toml"

    return write


#: How replies state probabilities: the n-th row of a run -> its object in the reply.
STATED: dict[str, Callable[[Row, int], Row]] = {
    "as asked": lambda row, n: {**row, "probability": (n % 20) / 20},
    "first": lambda row, n: {"probability": 0.02, **row},
    "as text": lambda row, n: {**row, "Probability": "2%"},
    "beyond 1": lambda row, n: {**row, "probability": 40},
    "around the row": lambda row, n: {"text": row, "probability": 0.02},
    "ignored": lambda row, n: row,
    "by some": lambda row, n: {**row, "probability": 0.9} if n % 2 else row,
}


class Writer:
    """Writes five new rows per reply, with probabilities ``stated`` in some form."""

    def __init__(self, language: str, stated: Callable[[Row, int], Row]) -> None:
        self._language = language
        self._stated = stated
        self._rows = 10
        self.prompts: list[str] = []

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """The next rows; "ok" to the preflight."""
        text = "\n".join(str(message["content"]) for message in messages)
        if "jsonl" not in text:
            return "ok"
        self.prompts.append(text)
        numbers = range(self._rows, self._rows + 5)
        self._rows += 5
        return json.dumps({"rows": [self._stated(row(self._language, n), n) for n in numbers]}, ensure_ascii=False)


def _grown() -> list[Row]:
    return [json.loads(line) for line in Path("run/rows.jsonl").read_text(encoding="utf-8").splitlines()]


async def _run(recipe: str, writer: Writer) -> Any:
    async with FaultServer(author=writer) as server:
        return await api.run_async(recipe, model="m", base_url=server.base_url, out="run")


@pytest.mark.parametrize("more", ["", STEP], ids=["imitation", "step"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", STATED)
async def test_rows_are_taken_whatever_their_probability(folder: Any, form: str, language: str, more: str) -> None:
    """A reply gives all of its rows, with the fields of the recipe and nothing else."""
    writer = Writer(language, STATED[form])
    run = await _run(folder(language, more), writer)
    assert (run.summary.accepted, run.summary.candidates, run.summary.rejected) == (20, 20, {})
    assert all(tuple(each) == FIELDS for each in _grown())
    assert all('"probability": 0.05}' in prompt for prompt in writer.prompts)


@pytest.mark.parametrize(("language", "said"), [("en", "the tails of the distribution"), ("zh", "分布的尾部")])
def test_the_prompt_asks_for_unlikely_rows_in_the_language_of_the_seeds(folder: Any, language: str, said: str) -> None:
    """With the option the prompt says so, without it nothing about probabilities is said."""
    asked = next(iter(api.dry_run(api.plan(folder(language), model="m")).prompts.values()))
    assert said in asked[0].content
    plain = next(iter(api.dry_run(api.plan(folder(language, option=""), model="m")).prompts.values()))
    assert not any(said in message.content or "probability" in message.content for message in plain)


def test_questions_about_passages_are_sampled_in_the_same_way(folder: Any) -> None:
    """The step that asks about a passage, which the recipe does not contain, states probabilities too."""
    path = folder()
    Path("app.log").write_text("Received block blk_9 of size 671 B from 10.0.0.9\n", encoding="utf-8")
    asked = next(iter(api.dry_run(api.plan(path, model="m", passages=["app.log"])).prompts.values()))
    assert "the tails of the distribution" in asked[-1].content
    assert asked[-1].content.endswith('{"rows": [{"Question": "...", "Answer": "...", "probability": 0.05}]}')


def test_only_replies_with_several_rows_have_probabilities(folder: Any) -> None:
    """The format that an endpoint is given has the probability where a list of rows is asked for, and nowhere else."""
    recipe = load_recipe(folder(more=STEP.replace("rows = 5", "rows = 1")))
    rows, one = StepCall(IMITATE, None).reply_format(recipe), StepCall("write", recipe.steps[0]).reply_format(recipe)
    assert rows is not None
    assert one is not None
    assert rows.types == {**dict.fromkeys(FIELDS, "string"), "probability": "number"}
    assert list(one.types) == list(FIELDS)


async def test_without_the_option_a_probability_is_an_unknown_key(folder: Any) -> None:
    """A recipe that does not ask for probabilities accepts no row with one."""
    run = await _run(folder(option=""), Writer("en", lambda row, n: {**row, "probability": 0.1} if n < 15 else row))
    assert (run.summary.accepted, run.summary.rejected["schema"]) == (20, 5)


def test_the_option_is_written_back_and_refused_beside_a_field_of_that_name() -> None:
    """A recipe loads as it was written; a row cannot have a probability of its own and one of the reply."""
    recipe = parse_recipe(RECIPE, "recipe.toml", ".")
    assert recipe.prompt.verbalized_sampling
    assert parse_recipe(to_toml(recipe, {}), "recipe.toml", ".") == recipe
    with pytest.raises(RecipeError, match=r"recipe\.toml:15: prompt\.verbalized_sampling: cannot be used"):
        parse_recipe(RECIPE + "[fields.Probability]\n", "recipe.toml", ".")
