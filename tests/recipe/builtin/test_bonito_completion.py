"""The recipe ``bonito-completion``: Bonito's own format, to the byte, there and back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.backends.openai.options import Options
from selfinstruct.growth import StepCall
from selfinstruct.growth.step_reply import read_step_reply
from selfinstruct.recipe import builtin, load_recipe
from selfinstruct.records import Message, Reply
from selfinstruct.testing import Behaviour, FaultServer

PASSAGES = (Path(builtin.__file__).parent / "inputs/bonito/passages.txt").read_text(encoding="utf-8").split("\n\n")
PROMPT = "<|tasktype|>\n{task_type}\n<|context|>\n{context}\n<|task|>\n"
RECIPE = load_recipe(builtin.path("bonito-completion"))
#: Replies that are not in the format, by what becomes of them.
BAD = {
    "What is it about? A canal.": "malformed",
    "What is it about?<|pipe|>A canal.<|pipe|>A canal.": "malformed",
    "What is it about?<|pipe|>": "malformed",
    f"What is it about?<|pipe|>{'A canal. ' * 150}": "truncated",
}


class Author:
    """Bonito, as far as its format goes; ``bad`` counts the replies that do not keep to it."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.bad: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Two parts, the passage marked in one or in both of them."""
        prompt = messages[-1]["content"]
        if not prompt.startswith("<|tasktype|>"):
            return "ok"
        self.prompts.append(prompt)
        if rng.random() < 0.1:
            reply = rng.choice(list(BAD))
            self.bad[BAD[reply]] += 1
            return reply
        asked = f" {{{{context}}}}\n\nWhat is {rng.random()}? "
        return f"{asked}<|pipe|>\n{rng.choice(['A number.', 'It says: {{context}}', '{context}'])}"


Grown = tuple[api.Run, list[Mapping[str, Any]], Author]


async def grow(out: Path) -> Grown:
    """Run the recipe, 10 rows of each type, against a server that takes no chat messages."""
    author = Author()
    async with FaultServer(Behaviour(seed=1, refuses=frozenset({"messages"})), author=author) as server:
        run = await api.run_async(
            "bonito-completion", out=out, base_url=server.base_url, model="m", per_category=10, concurrency=4
        )
    return run, list(run.rows()), author


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run of the recipe with a smaller quota."""
    return asyncio.run(grow(tmp_path_factory.mktemp("bonito") / "run"))


def test_the_prompt_is_bonito_s_to_the_byte(grown: Grown) -> None:
    """Type and passage between the marks, and a line break after the last of them, which chat prompts would lose."""
    _, rows, author = grown
    types = RECIPE.attributes["task_type"].values
    possible = {PROMPT.format(task_type=each, context=passage.strip()) for each in types for passage in PASSAGES}
    assert set(author.prompts) <= possible
    assert {PROMPT.format_map(row) for row in rows} <= set(author.prompts)


def test_the_request_is_sampled_as_on_the_model_s_card() -> None:
    """A completion of at most 256 tokens, top_p 0.95 and temperature 0.5, and no form of a reply."""
    assert RECIPE.model is not None
    values = {"task_type": "sentiment", "passage": "It rains."}
    said = StepCall("task", RECIPE.steps[0], values).messages(RECIPE)
    assert said == (Message("user", "<|tasktype|>\nsentiment\n<|context|>\nIt rains.\n<|task|>\n"),)
    assert Options(RECIPE.model, None, RECIPE.model.max_tokens).body("m", said, 7) == {
        "model": "m",
        "prompt": said[0].content,
        "temperature": 0.5,
        "top_p": 0.95,
        "max_tokens": 256,
        "seed": 7,
    }


@pytest.mark.parametrize(
    ("reply", "parts"),
    [
        ("{{context}}\nWhy? <|pipe|> Because.", ("It rains.\nWhy?", "Because.")),
        ("Sum it up.<|pipe|>{{context}}", ("Sum it up.", "It rains.")),
        ("{{context}} or {{context}}?<|pipe|>{context}", ("It rains. or It rains.?", "{context}")),
    ],
)
def test_a_reply_is_two_parts_with_the_passage_in_its_places(reply: str, parts: tuple[str, str]) -> None:
    """``{{context}}`` is replaced by the passage in both parts; other braces are text."""
    ask = StepCall("task", RECIPE.steps[0], {"task_type": "sentiment", "passage": "It rains."})
    (piece,) = read_step_reply(ask, Reply(reply, "m"), RECIPE).drafts
    assert piece.row == dict(zip(("instruction", "response"), parts, strict=True))


def test_tasks_come_out_of_bonito_s_replies(grown: Grown) -> None:
    """10 rows of each of the 16 types; replies that are not in the format are asked for again."""
    run, rows, author = grown
    summary = run.summary
    assert summary.stopped == "done" and summary.conserved
    assert Counter(row["task_type"] for row in rows) == dict.fromkeys(RECIPE.attributes["task_type"].values, 10)
    for row in rows:
        assert list(row) == ["task_type", "context", "instruction", "response"]
        assert row["instruction"].startswith(f"{row['context']}\n\nWhat is 0.")
        assert row["response"] in ("A number.", f"It says: {row['context']}", "{context}")
    assert summary.failed == author.bad and len(author.bad) == 2
    assert set(summary.rejected) <= {"quota"}
    assert api.rejudge(run.directory).identical
