"""A probe says how much a model knows, measured on a local server that knows half of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.cli import main
from selfinstruct.errors import EndpointError, InputError
from selfinstruct.records import Failure, Reply, Request
from selfinstruct.testing import FaultServer

CAPITALS = {f"What is the capital of country {at}?": f"City-{at}" for at in range(12)}
HEXAGRAMS = {
    f"第{at}卦": f"第{at}卦讲的是{word}：君子看到这一卦，应当{word}而行，不可轻率，终究会得到好的结果。"
    for at, word in enumerate(("谦虚", "等待", "诉讼", "军队", "亲近", "积蓄", "礼仪", "通泰"), 1)
}


class HalfKnowing:
    """An author that gives every second answer, in its own words if they are long, and remembers its prompts."""

    def __init__(self, answers: Mapping[str, str], sentence: str = "{}") -> None:
        self.known = dict(list(answers.items())[::2])
        self.sentence = sentence
        self.prompts: list[Sequence[Mapping[str, Any]]] = []

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Answer the question, or say that the answer is unknown."""
        self.prompts.append(messages)
        answer = self.known.get(str(messages[-1]["content"]))
        return "I do not know." if answer is None else self.sentence.format(answer)


class Filtering:
    """A backend that answers the questions that it knows, and fails for the others."""

    name, reads_messages = "filtering", True

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.known = dict(list(answers.items())[::2])

    async def complete(self, request: Request) -> Reply | Failure:
        """Answer one question."""
        answer = self.known.get(request.messages[-1].content)
        return Failure("filtered", "withheld") if answer is None else Reply(answer, self.name)

    async def close(self) -> None:
        """Close nothing."""


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def probe_at(server: FaultServer, source: Any, **options: Any) -> Any:
    """Probe the model of a server that is open, from another thread."""
    return asyncio.to_thread(api.probe, source, model="m", base_url=server.base_url, **options)


@pytest.mark.parametrize("sentence", ["{}", "It is {}, I believe."])
async def test_a_model_that_knows_half_knows_one_half(sentence: str, tmp_path: Path) -> None:
    """Short answers are known as they are and inside a sentence; the context is never shown."""
    rows = [{"Question": q, "Answer": a, "RawLog": f"secret: {a} lies in it"} for q, a in CAPITALS.items()]
    author = HalfKnowing(CAPITALS, sentence)
    async with FaultServer(author=author) as server:
        found = await probe_at(server, write_rows(tmp_path / "rows.jsonl", rows))
    assert (found.known, found.questions, len(found.answers)) == (0.5, 12, 12)
    assert found.exact == (0.5 if sentence == "{}" else 0)
    assert [each.question for each in found.answers] == list(CAPITALS)
    asked = [prompt for prompt in author.prompts if prompt[-1]["content"] in CAPITALS]
    assert len(asked) == 12 and not any("secret" in str(prompt) for prompt in author.prompts)


async def test_full_answers_are_compared_by_rouge_l_in_chinese(tmp_path: Path) -> None:
    """Rows of 内容 and 概要 are subjects and their explanations; the prompt is Chinese."""
    rows = [{"内容": q, "概要": a} for q, a in HEXAGRAMS.items()]
    author = HalfKnowing(HEXAGRAMS, "据我所知，{}")
    async with FaultServer(author=author) as server:
        found = await probe_at(server, write_rows(tmp_path / "易.jsonl", rows))
    assert found.known == 0.5 and found.exact == 0 and 0.4 < found.rouge_l < 0.6
    assert "一段话" in author.prompts[-1][0]["content"]


async def test_a_recipe_about_rows_is_probed_by_these(tmp_path: Path) -> None:
    """A recipe whose documents are rows has the questions in them; its own roles say which fields ask and answer."""
    write_rows(tmp_path / "rows.jsonl", [{"a": a, "q": q} for q, a in CAPITALS.items()])
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[documents]\nfiles = ["rows.jsonl"]\nby = "row"\n[fields.q]\nsource = "passage.q"\n[fields.a]\n'
        'source = "passage.a"\n[roles]\nuser = "q"\nassistant = "a"\n[[expand]]\nname = "x"\nwrites = "q"\n'
        'templates = ["{q}"]\n[novelty]\nmax_rouge_l = 0.7\n',
        encoding="utf-8",
    )
    async with FaultServer(author=HalfKnowing(CAPITALS)) as server:
        found = await probe_at(server, recipe)
        drawn = await probe_at(server, recipe, questions=5, seed=3)
        assert drawn == await probe_at(server, recipe, questions=5, seed=3)
    assert found.known == 0.5 and len(drawn.answers) == 5


async def test_a_probe_of_reasoning_expects_the_answer_alone() -> None:
    """A chat of the recipe ends in the reasoning; a model that is asked gives the final answer."""
    async with FaultServer(author=HalfKnowing(CAPITALS)) as server:
        found = await probe_at(server, "reasoning", questions=3)
    assert len(found.answers) == 3 and all(len(each.expected) < 12 for each in found.answers)


async def test_limits_end_a_probe_with_what_was_answered(tmp_path: Path) -> None:
    """The limits are those of a run, the preflight included, and are never exceeded."""
    source = write_rows(tmp_path / "rows.jsonl", [{"question": q, "answer": a} for q, a in CAPITALS.items()])
    async with FaultServer(author=HalfKnowing(CAPITALS)) as server:
        found = await probe_at(server, source, max_requests=6, concurrency=3)
        assert len(server.ledger.billed) <= 6
        assert found.stopped == "budget" and 1 <= len(found.answers) < 6
        with pytest.raises(InputError, match="price"):
            await probe_at(server, source, budget=1.0)


async def test_failed_calls_are_counted(tmp_path: Path) -> None:
    """A refused question has no answer; an endpoint that fails for good ends the probe."""
    source = write_rows(tmp_path / "rows.jsonl", [{"question": q, "answer": a} for q, a in CAPITALS.items()])
    with pytest.raises(EndpointError):
        await asyncio.to_thread(api.probe, source, model="m", base_url="http://127.0.0.1:9/v1")
    found = await asyncio.to_thread(api.probe, source, backend=Filtering(CAPITALS))
    assert (found.failed, len(found.answers), found.known) == ({"filtered": 6}, 6, 1.0)


async def test_the_command_line_shows_answers_side_by_side(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Text for people, JSON for programs; exit code 4 where questions stay unanswered."""
    source = str(write_rows(tmp_path / "rows.jsonl", [{"q": q, "a": a} for q, a in CAPITALS.items()]))
    async with FaultServer(author=HalfKnowing(CAPITALS)) as server:
        call = ["probe", source, "--model", "m", "--base-url", server.base_url, "--columns", "user=q,assistant=a"]
        assert await asyncio.to_thread(main, call) == 0
        text = capfd.readouterr().out
        assert await asyncio.to_thread(main, [*call, "--json"]) == 0
        found = json.loads(capfd.readouterr().out)
        assert await asyncio.to_thread(main, [*call, "--max-requests", "5"]) == 4
    assert "expected  City-1\n  answered  I do not know." in text
    assert "known: 6 of 12 (50%); exact: 50%" in text
    assert (found["known"], found["exact"], found["answered"], len(found["answers"])) == (0.5, 0.5, 12, 12)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": "x", "assistant": "a"}, "no field 'x'"),
        ({"user": "q"}, "no field for assistant"),
        ({"speaker": "q"}, "unknown role 'speaker'"),
    ],
)
def test_wrong_columns_are_refused(columns: dict[str, str], message: str) -> None:
    """A wrong role or field is refused before any call."""
    with pytest.raises(InputError, match=message):
        api.probe([{"q": "1?", "a": "x"}, {"q": "2?", "a": "y"}], columns=columns, model="m", base_url="http://x/v1")


def test_a_probe_needs_a_model_and_questions(tmp_path: Path) -> None:
    """Without a model, without rows, or with rows whose fields have no clear roles, the message says what to do."""
    rows = [{"question": "1?", "answer": "x"}, {"question": "2?", "answer": "y"}]
    with pytest.raises(InputError, match="needs a model"):
        api.probe(rows)
    with pytest.raises(InputError, match="knows nothing"):
        api.probe(rows, backend="imitator")
    with pytest.raises(InputError, match="no rows with questions"):
        api.probe("tinystories", model="m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(InputError, match="not clear which field asks"):
        api.probe([{"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 3, "c": 4}], model="m", base_url="http://127.0.0.1:9/v1")
