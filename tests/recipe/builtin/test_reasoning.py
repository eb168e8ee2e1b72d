"""The recipe ``reasoning``: word problems whose chain computes, ends in the answer, and is confirmed by votes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.recipe import LANGUAGES, Language, Relation
from selfinstruct.testing import Behaviour, FaultServer
from selfinstruct.values.equations import false_equation

SEEDS = Path(__file__).parents[3] / "seeds/reasoning"
#: A problem, its solution, and what ends it: the number of boxes, what each holds, what is lost, and the results.
TEXTS = {
    "en": (
        "{} bring {} boxes of {} things, and {} are lost. How many are left?",
        "The boxes hold {} × {} = {} things. After the loss {} - {} = {} things are left.",
        "The answer is certain.",
    ),
    "zh": (
        "{}门口有 {} 个箱子，每箱 {} 件，丢了 {} 件。还剩多少件？",
        "共有 {}×{}＝{} 件，丢失后剩 {}－{}＝{} 件。",
        "答案就在上面。",
    ),
}
HAN = "山水云风雨雪花草树木石田河海星月光影春夏秋冬"
FAULTS = ("sum", "end", "wrong", "", "", "")


class Author:
    """Poses problems and solves them; half of the solutions have a fault, by the number of the problem."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.faults: Counter[str] = Counter()
        self.solved = 0

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """A problem, its solution, or the answer of a reader."""
        prompt = str(messages[-1]["content"])
        problem, solution, remark = TEXTS[self.language]
        if prompt.startswith(("Write one new word problem", "请写一道新的应用题")):
            if self.language == "zh":
                who = "".join(rng.choice(HAN) for _ in range(16))
            else:
                who = " ".join("".join(rng.choice(["ba", "do", "fi", "lu", "me"]) for _ in range(4)) for _ in range(12))
            boxes, things = rng.randint(5, 40), rng.randint(5, 40)
            return json.dumps({"question": problem.format(who, boxes, things, rng.randint(1, 20))}, ensure_ascii=False)
        found = re.search(r"(?:The problem: |题目：)(.+)", prompt) or re.search(r"```\n(.+)\n```", prompt)
        if found is None:
            return "ok"
        boxes, things, lost = map(int, re.findall(r"\d+", found[1]))
        product, left = boxes * things, boxes * things - lost
        if messages[0]["role"] == "system":  # a reader, who reasons first
            return json.dumps({"reasoning": f"{boxes} × {things} - {lost}", "answer": str(left)})
        fault = FAULTS[self.solved % len(FAULTS)]
        self.solved += 1
        self.faults[fault] += 1
        if fault == "wrong":  # adds up, and solves another problem
            lost += 1
            left -= 1
        wrong = product + 10 * (fault == "sum")
        steps = solution.format(boxes, things, wrong, product, lost, left) + (f" {remark} 7." if fault == "end" else "")
        return json.dumps({"reasoning": steps, "answer": str(left)}, ensure_ascii=False)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_chains_that_do_not_hold_are_refused(language: Language, tmp_path: Path) -> None:
    """Each kind gets its quota; a false equation, another end and another answer of the readers are told apart."""
    author = Author(language)
    async with FaultServer(Behaviour(seed=3), author=author) as server:
        run = await api.run_async(
            "reasoning", out=tmp_path / "run", language=language, per_category=4, base_url=server.base_url, model="m",
            concurrency=1,
        )  # fmt: skip
    summary, rows = run.summary, list(run.rows())
    assert summary.stopped == "done" and summary.conserved and summary.accepted == len(rows) == 24
    assert set(Counter(row["kind"] for row in rows).values()) == {4}
    assert author.faults["sum"] and author.faults["wrong"] and author.faults["end"]
    assert summary.rejected["relation"] == author.faults["sum"] + author.faults["end"]
    assert summary.rejected["unanswered"] == author.faults["wrong"]
    assert api.rejudge(run.directory, out=tmp_path / "again.jsonl").identical
    assert (tmp_path / "again.jsonl").read_bytes() == (run.directory / "rows.jsonl").read_bytes()
    for row in rows:
        boxes, things, lost = map(int, re.findall(r"\d+", row["question"]))
        assert row["answer"] == str(boxes * things - lost) and false_equation(row["reasoning"]) is None
    messages = [api.show(run.directory, f"x{number}").rejection for number in range(1, 4)]
    told = " ".join(each.message for each in messages if each is not None)
    assert re.search(r"reasoning: \d+ ?× ?\d+ ?= ?\d+ .* is \d+", told) and "is not the end of reasoning" in told


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.zh.jsonl"])
def test_the_seeds_compute(name: str) -> None:
    """Two of each kind, with an equation in each of those that are not about logic."""
    rows = [json.loads(line) for line in (SEEDS / name).read_text(encoding="utf-8").splitlines()]
    assert set(Counter(row["kind"] for row in rows).values()) == {2}
    for row in rows:
        assert false_equation(row["reasoning"]) is None
        assert bool(re.search("[=＝]", row["reasoning"])) == (row["kind"] not in ("logic", "推理"))


@pytest.mark.parametrize(
    ("answer", "text", "holds"),
    [
        ("48", "It makes 12 × 4 = 48 apples.", True),
        ("48", "一共４８个。", True),
        ("1200", "The total is 1,200.", True),
        ("-3", "That is 5 - 8 = -3", True),
        ("48", "It makes 48 apples in 2 boxes.", False),
        ("8", "It makes 48.", False),
        ("Ben", "The lowest floor is that of Ben.", True),
        ("Ben", "The lowest floor is that of Reuben.", False),
        ("小白", "住得最低的是小白。", True),
        ("小白", "小白住得最低。", False),
    ],
)
def test_a_text_ends_in_its_answer_or_not(answer: str, text: str, *, holds: bool) -> None:
    """A number is the last one of the text; other answers are its last words."""
    ends = Relation(contained=("answer", "text"), by="end")
    assert (ends.violation({"answer": answer, "text": text}) is None) == holds
