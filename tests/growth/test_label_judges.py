"""Models that judge rows: readers who must give a label back, and judges of imitated rows, however they write it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks.agreement import named_label
from selfinstruct.errors import EndpointError, SelfInstructError
from selfinstruct.growth.score import read_score
from selfinstruct.testing import FaultServer, ScriptedAuthor, Shares

WORDS = {
    "en": ["kettle", "lamp", "chair", "phone", "jacket", "bike", "desk", "oven", "clock", "piano", "tent", "drill"],
    "zh": list("山水云风雨雪花草树木"),
}
LABELS = {"en": ("positive", "negative"), "zh": ("积极", "消极")}
#: What a reader may write for a label that it means, and for one that it does not.
MEANT = {
    "en": ['{"answer": "LABEL"}', "LABEL.", "**LABEL**", "The label is LABEL", "It is clearly LABEL, not OTHER."],
    "zh": ['{"answer": "LABEL"}', "LABEL。", "“LABEL”", "标签是LABEL", "不是OTHER，而是LABEL。"],
}
UNMEANT = {
    "en": ['{"answer": "OTHER"}', "not LABEL", "LABEL or OTHER", "The label is OTHER.", "n/a"],
    "zh": ['{"answer": "OTHER"}', "不太LABEL", "LABEL或OTHER", "标签是OTHER。", "无法判断"],
}
RECIPE = """\
[seeds]
file = "rows.jsonl"
[fields.text]
[fields.label]
[categories]
by = "field"
field = "label"
[novelty]
fields = ["text"]
max_rouge_l = 0.95
[quota]
per_category = 12
[prompt]
rows_per_request = 6
"""
VERIFY = '[[verify]]\nreads = ["text"]\nanswers = "label"\nvotes = 1\n'
JUDGE = '[[judge]]\nname = "fluent"\nleast = 4\nprompt = "Is this fluent, {category}? {text}"\n'


class Model:
    """Writes rows that begin with a label or, one in three, with another one, and says about each what it is asked."""

    def __init__(self, language: str, right: Sequence[str], wrong: Sequence[str]) -> None:
        self.language, self.right, self.wrong = language, right, wrong
        self.asked: Counter[str] = Counter()
        self.prompts: list[str] = []

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Rows, or an opinion on one."""
        if len(messages) < 2 and "fluent" not in str(messages):
            return "ok"
        text = str(messages[-1]["content"])
        one, other = LABELS[self.language]
        if '{"answer":' in text or '{"score":' in text:
            self.prompts.append("\n".join(str(message["content"]) for message in messages))
            label = one if f"<{one}>" in text else other
            is_right = "#" not in text
            self.asked["right" if is_right else "wrong"] += 1
            said = rng.choice(self.right if is_right else self.wrong)
            return said.replace("LABEL", label).replace("OTHER", other if label == one else one)
        rows = []
        for number in range(6):
            label = (one, other)[number % 2]
            words = " ".join(rng.choice(WORDS[self.language]) for _ in range(14))
            rows.append({"text": f"<{label}> {words}{' #' if number % 3 == 2 else ''}", "label": label})
        return json.dumps({"rows": rows}, ensure_ascii=False)


def recipe(folder: Path, language: str, more: str) -> Path:
    """A recipe for labelled texts, with more tables."""
    rows = [
        {"text": " ".join(WORDS[language][at:] + [label] * 3), "label": label}
        for at in range(4)
        for label in LABELS[language]
    ]
    (folder / "rows.jsonl").write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8"
    )
    (folder / "recipe.toml").write_text(RECIPE + more, encoding="utf-8")
    return folder / "recipe.toml"


async def grow(source: Path, author: Any) -> Any:
    """Run a recipe against an author."""
    async with FaultServer(author=author) as server:
        return await api.run_async(
            source, model="m", base_url=server.base_url, out=source.parent / "run", concurrency=2
        )


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_reader_of_the_text_alone_must_give_the_label_back(language: str, tmp_path: Path) -> None:
    """Rows are accepted if it does, in whatever words, and refused if it names another label, or none for sure."""
    model = Model(language, MEANT[language], UNMEANT[language])
    run = await grow(recipe(tmp_path, language, VERIFY), model)
    rows = list(run.rows())
    assert run.summary.stopped == "done" and len(rows) == 24 and run.summary.conserved
    assert not any("#" in row["text"] for row in rows) and run.summary.rejected["unanswered"] >= 6
    assert all(each in prompt for prompt in model.prompts for each in LABELS[language])  # what there is to choose from
    assert api.rejudge(run.directory).identical


@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        (
            "en",
            ["5/5", "4 out of 5", "Score: 5", '{"score": "4/5 - fluent", "reason": "x"}'],
            ["2/5", "Score: 1", '{"score": 3}'],
        ),
        (
            "zh",
            ["五分", "评分：4分", "5 分，很流畅", '{"score": "四分", "reason": "好"}'],
            ["二分", "评分：1", '{"score": 3}'],
        ),
    ],
)
async def test_a_judge_scores_imitated_rows(language: str, good: list[str], bad: list[str], tmp_path: Path) -> None:
    """A recipe without steps may have a judge: each row that is right so far is scored, and low scores are refused."""
    model = Model(language, good, bad)
    source = recipe(tmp_path, language, JUDGE)
    run = await grow(source, model)
    rows = list(run.rows())
    assert run.summary.stopped == "done" and len(rows) == 24 and run.summary.conserved
    assert not any("#" in row["text"] for row in rows) and run.summary.rejected["judge"] >= 6
    assert any(f"fluent, {LABELS[language][0]}?" in prompt for prompt in model.prompts)
    assert api.rejudge(run.directory).identical
    assert api.dry_run(api.plan(source, model="m", base_url="http://127.0.0.1:1/v1")).requests["fluent"] == 24
    with pytest.raises(SelfInstructError, match="model"):
        api.run(source, out=tmp_path / "other")


async def test_the_scripted_author_answers_as_a_reader_and_as_a_judge(tmp_path: Path) -> None:
    """It gives the labels of its own rows back, but for a share of misreadings, of which each row is refused."""
    author = ScriptedAuthor(Shares(misread=0.3))
    async with FaultServer(author=author) as server:
        run = await api.run_async(
            "sentiment-augment",
            model="m",
            base_url=server.base_url,
            out=tmp_path / "run",
            per_category=8,
            language="zh",
        )
    assert run.summary.accepted == 24 and 2 <= run.summary.rejected["unanswered"] <= 30


async def test_an_author_that_fails_ends_the_run_at_once(tmp_path: Path) -> None:
    """The server does not answer as if it were overloaded, which clients retry for minutes."""

    def failing(messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Never a reply."""
        raise LookupError("no such prompt")

    start = time.monotonic()
    with pytest.raises(EndpointError, match="LookupError"):
        await grow(recipe(tmp_path, "en", VERIFY), failing)
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("Positive.", "positive"),
        ("very positive", "very positive"),
        ("It's not negative but positive", "positive"),
        ("neither positive nor negative: neutral", "neutral"),
        ("non-positive", None),
        ("It isn't very positive", None),
        ("positive and negative", None),
        ("", None),
        ("积极", None),
    ],
)
def test_a_label_is_found_in_a_sentence(said: str, label: str | None) -> None:
    """The one label that is named without a negation; the longest where one is a part of another."""
    assert named_label(said, ["positive", "very positive", "negative", "neutral"]) == label


@pytest.mark.parametrize(
    ("said", "score"),
    [
        (4, 4.0), (True, 5.0), ("5", 5.0), ("4.5", 4.5), ("4 out of 5", 4.0), ("4/5", 4.0), ("Score: 5", 5.0),
        ("The score is 3.", 3.0), ("**Rating: 2 / 5**", 2.0), ("five stars", 5.0), ("Four out of five", 4.0),
        ("五分", 5.0), ("评分：4分", 4.0), ("我给它打四分。", 4.0), ("打三分", 3.0), ("４／５", 4.0), ("★★★☆☆", 3.0),
        ("yes", 5.0), ("否", 1.0), ("[[4]]", 4.0), ("\\boxed{4}", 4.0), ("<score>4</score>", 4.0), ("- Score: 4", 4.0),
        ("1. Score: 4", 4.0), ("Score (1-5): 4", 4.0), ("Overall: 4", 4.0), ("我给4分", 4.0), ("该行得分为 4 分", 4.0),
        ("The row is true.\n\nFinal score: **4**/5", 4.0), ("理由：正确。\n评分：4分", 4.0), ("⭐⭐⭐", 3.0),
        ("I'd give it a 4 out of 5.", 4.0), ("It deserves a 2", 2.0), ({"value": 4}, 4.0), ({"Rating": "4/5"}, 4.0),
        ([4], 4.0), ("Score: 4. Final score: 2", 4.0), ("First I gave a score: 4, then a score: 2", None),
        ("1 of the 5 is wrong", None), ("a score between 3 and 4", None), ({"reason": "x"}, None),
        ("4-5", None), ("good", None), ("one of the best", None), ("", None), (None, None), (float("nan"), None),
    ],
)  # fmt: skip
def test_a_score_is_read_however_it_is_written(said: Any, score: float | None) -> None:
    """Out of five, with words around it, in Chinese; a range, and praise without a number, are no score."""
    assert read_score(said) == score
