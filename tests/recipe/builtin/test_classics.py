"""The recipe ``classics``: a call for each raw text, one for the templates, and 20 questions to each summary."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from selfinstruct import api
from selfinstruct.checks import field_faults
from selfinstruct.recipe import builtin, load_recipe
from selfinstruct.testing import Behaviour, FaultServer

INPUTS = builtin.path("classics").parent / "inputs" / "classics"
SAMPLES = (INPUTS / "raw.txt").read_text(encoding="utf-8").strip().split("\n\n")
QUESTIONS = [
    *(
        f"{asked}{{内容}}{how}？"
        for asked in ("什么是", "怎样认识", "谁知道", "如何介绍")
        for how in ("", "呢", "才好")
    ),
    *(f"{please}{{内容}}{what}。" for please in ("请讲讲", "麻烦说说") for what in ("", "这部书", "的情况", "的来历")),
]
FAULTS = {"": "", "section": "malformed", "copy": "blocked", "short": "length", "nested": "schema", "lines": "blocked"}


class Author:
    """Summarises each sample it is given, with the fault that is said for it; ``asked`` are the messages it got."""

    def __init__(self, faults: Mapping[int, str] = {}, *, forever: bool = False) -> None:
        self.faults = faults
        self.forever = forever
        self.asked: list[Sequence[Mapping[str, Any]]] = []

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Templates as models write them, or a subject and its summary in characters of any kind."""
        prompt = messages[-1]["content"]
        if prompt.startswith("Reply with"):
            return "ok"
        self.asked.append(messages)
        if prompt.startswith("用户提问"):
            lines = [f"{number}. {question}" for number, question in enumerate(QUESTIONS, 1)]
            return "\n".join(["提问方式如下：", *lines[:7], "8. 请介绍一下这部书。", *lines[7:], "21. 再说说{内容}？"])
        again = not self.forever and [each[-1]["content"] for each in self.asked].count(prompt) > 1
        fault = "" if again else self.faults.get(SAMPLES.index(prompt), "")
        said = "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(20 if fault == "short" else 120))
        row: dict[str, Any] = {"内容": re.findall("《.+?》", prompt)[0], "概要": f"{said}。"}
        match fault:
            case "section":
                row["解读"] = said
            case "copy":
                row["概要"] += f"内容：{row['内容']}概要：{said}"
            case "nested":
                row["概要"] = dict(row)
            case "lines":
                row["概要"] += f"\n{said}"
        return json.dumps(row, ensure_ascii=False)


class Grown(NamedTuple):
    """A run, its rows, its author, and how many requests were billed beside the preflight's."""

    run: api.Run
    rows: list[Mapping[str, Any]]
    author: Author
    calls: int


async def grow(recipe: Path, out: Path, author: Author) -> Grown:
    """Run a copy of the recipe against the scripted author."""
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async(recipe, out=out, base_url=server.base_url, model="m", concurrency=4)
        billed = len(server.ledger.billed)
    return Grown(run, list(run.rows()), author, billed - 1)


def eight(folder: Path) -> Path:
    """The recipe copied to be edited, with 8 samples, between them one blank line or several, not all quite blank."""
    recipe = folder / "classics.toml"
    api.copy_recipe("classics", recipe)
    raw = "\n\n".join(SAMPLES[:3]) + "\n\n\n\n \n" + "\n\u3000\n\n".join(SAMPLES[3:8]) + "\n\n\n"
    (folder / "inputs" / "classics" / "raw.txt").write_text(raw, encoding="utf-8")
    return recipe


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run over 8 samples with a model that makes no mistakes."""
    folder = tmp_path_factory.mktemp("classics")
    return asyncio.run(grow(eight(folder), folder / "run", Author()))


def test_eight_samples_make_160_rows_with_nine_calls(grown: Grown) -> None:
    """One call for the templates and one for each sample are billed, and nothing besides the preflight."""
    summary = grown.run.summary
    assert grown.calls == len(grown.author.asked) == 8 + 1
    assert summary.accepted == summary.categories["all"].quota == len(grown.rows) == 160
    assert summary.stopped == "done" and summary.conserved and not summary.rejected and not summary.failed
    assert api.rejudge(grown.run.directory).identical


def test_the_question_varies_and_the_answer_stays(grown: Grown) -> None:
    """Each summary is the answer to the 20 questions about its subject, and to no others."""
    subjects = [re.findall("《.+?》", sample)[0] for sample in SAMPLES[:8]]
    answers: dict[str, set[str]] = {}
    for row in grown.rows:
        assert list(row) == ["内容", "概要"]
        answers.setdefault(row["概要"], set()).add(row["内容"])
    expected = [{question.replace("{内容}", subject) for question in QUESTIONS} for subject in subjects]
    assert sorted(map(sorted, answers.values())) == sorted(map(sorted, expected))
    kept = (grown.run.directory / "lists" / "questions.txt").read_text(encoding="utf-8")
    assert kept.splitlines() == QUESTIONS


def test_the_rows_go_out_as_csv_with_one_header(grown: Grown, tmp_path: Path) -> None:
    """The file has the header once, and the rows as they are."""
    assert api.export(grown.run.directory, tmp_path / "classics.csv", format="csv").rows == 160
    with (tmp_path / "classics.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["内容", "概要"] and lines.count(lines[0]) == 1
    assert lines[1:] == [list(row.values()) for row in grown.rows]


def test_the_system_prompt_has_the_task_one_example_and_the_form(grown: Grown) -> None:
    """In this order, in Chinese; the message of the user is the sample alone, and no sample is the example."""
    prompts = [messages for messages in grown.author.asked if len(messages) == 2]
    systems = {messages[0]["content"] for messages in prompts}
    assert sorted(messages[1]["content"] for messages in prompts) == sorted(SAMPLES[:8])
    assert len(systems) == 1 and all(messages[0]["role"] == "system" for messages in prompts)
    system = systems.pop()
    places = [
        system.index(part) for part in ("任务：", "示例\n原文：", "\n内容：", "\n概要：", "返回格式\n只输出 JSON")
    ]
    assert places == sorted(places) and system.endswith('{"内容": "……", "概要": "……"}')
    assert all(system.count(part) == 1 for part in ("\n原文：", "\n内容：", "\n概要："))
    assert system.split("原文：")[1].split("\n")[0][:20] not in "".join(SAMPLES)


def test_a_bad_summary_is_refused_before_it_becomes_20_rows(tmp_path: Path) -> None:
    """Copies, other lines and short texts are refused; their samples are tried again, and so are extra sections."""
    faults = dict(enumerate(FAULTS))
    made = asyncio.run(grow(eight(tmp_path), tmp_path / "run", Author(faults)))
    summary = made.run.summary
    assert summary.rejected == {"blocked": 2, "length": 1, "schema": 1}
    assert summary.failed == {"malformed": 1}
    assert made.calls == 8 + 1 + 1 + 4 and len(made.rows) == 20 * 8 and summary.stopped == "done"
    assert set(Counter(row["概要"] for row in made.rows).values()) == {20}
    assert summary.conserved and api.rejudge(made.run.directory).identical


def test_what_stays_refused_is_named(tmp_path: Path) -> None:
    """A sample whose summary is refused three times ends the run short, with its beginning in the notes."""
    author = Author({2: "short", 5: "short"}, forever=True)
    made = asyncio.run(grow(eight(tmp_path), tmp_path / "run", author))
    summary = made.run.summary
    assert (summary.stopped, len(made.rows), summary.rejected) == ("exhausted", 20 * 6, {"length": 6})
    assert made.calls == 1 + 6 + 2 * 3
    (note,) = [note for note in summary.notes if note.startswith("no row of 2 of 8 passages")]
    assert "length" in note and all(SAMPLES[at][:20] in note for at in (2, 5))
    again = asyncio.run(grow(tmp_path / "classics.toml", tmp_path / "run", author))
    assert again.run.summary.stopped == "exhausted" and again.calls == 0


def test_templates_of_one_s_own_cost_no_call(tmp_path: Path) -> None:
    """With a file in place of the prompt, as the recipe says: 8 samples, 8 calls."""
    recipe = eight(tmp_path)
    shutil.copy(INPUTS / "questions.txt", tmp_path / "inputs" / "classics")
    before, own, prompt, after = re.split(
        r'# Your own, in place of the prompt: ([^\n]+)\n(prompt = """.+?""")',
        recipe.read_text(encoding="utf-8"),
        flags=re.S,
    )
    assert "{{内容}}" in prompt
    recipe.write_text(before + own + after, encoding="utf-8")
    made = asyncio.run(grow(recipe, tmp_path / "run", Author()))
    assert made.calls == 8 and len(made.rows) == 160
    assert "请介绍一下《史记》。" in {row["内容"] for row in made.rows}


def test_the_rows_in_the_seeds_folder_are_such_pairs() -> None:
    """What a person wrote in this shape has the recipe's fields in their order, and passes its checks."""
    recipe = load_recipe(builtin.path("classics"))
    for row in map(json.loads, (INPUTS / "rows.jsonl").read_text(encoding="utf-8").splitlines()):
        assert tuple(row) == tuple(recipe.fields)
        assert field_faults(row, recipe, tuple(row)) is None
