"""Rows about passages, end to end, with a model at a local server."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct.api import plan, rejudge, run_async, show
from selfinstruct.errors import InputError
from selfinstruct.render.plan import plan_text
from selfinstruct.render.provenance import provenance_text
from selfinstruct.testing import Behaviour, FaultServer, mixed

SEEDS = [
    {
        "Question": "How many bytes did task 28.0 send?",
        "Answer": "2128",
        "RawLog": "Finished task 28.0 in stage 29.0. 2128 bytes sent to driver",
    },
    {
        "Question": "What is the size of block broadcast_3?",
        "Answer": "384.0 B",
        "RawLog": "Block broadcast_3 stored in memory (size 384.0 B, free 318.5 KB)",
    },
    {
        "Question": "Which stage did task 7.0 finish in?",
        "Answer": "12.0",
        "RawLog": "Finished task 7.0 in stage 12.0. 1990 bytes sent to driver",
    },
]
SEEDS_ZH = [
    {"问题": "设备 3 的温度是多少？", "答案": "41 度", "原文": "设备 3 温度 41 度，运行正常。"},
    {"问题": "设备 9 的状态是什么？", "答案": "运行正常", "原文": "设备 9 温度 38 度，运行正常。"},
]
_PASSAGE = re.compile(
    r'^(?:Passage |段落)[（(]"(?P<field>[^"]+)"[）)][:：]\n(?P<fence>`{3,})\n(?P<text>.*?)\n(?P=fence)$', re.S | re.M
)
_COUNT = re.compile(r"(?:Number of new rows about this passage: |针对这段文字写出新数据的行数：)(\d+)")
_KEYS = re.compile(r'^- "([^"]+)"', re.MULTILINE)


class Asking:
    """An author that asks for the numbers of the passage in the prompt, and remembers what it was shown."""

    def __init__(self) -> None:
        self.passages: list[str] = []

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Reply with as many questions as requested, each about another number."""
        user = str(messages[-1]["content"])
        found = _PASSAGE.search(user)
        if found is None:
            return "ok"
        text = found["text"]
        self.passages.append(text)
        question, answer, *others = _KEYS.findall(str(messages[0]["content"]))
        count = int(_COUNT.search(user)[1])  # type: ignore[index]
        words = [word.strip("，。,.()") for word in text.split() if re.search(r"\d", word)]
        answers = [word for word in words[1:] if word != words[0]]
        rng.shuffle(answers)
        rows = [
            {question: f"What {at} belongs to {words[0]} here?", answer: word, **dict.fromkeys(others, "x")}
            for at, word in zip(("value", "thing", "amount"), answers[:count], strict=False)
        ]
        return json.dumps({"rows": rows or [{question: "What?", answer: "nothing"}]}, ensure_ascii=False)


def write_log(path: Path, count: int, seed: int = 0) -> list[str]:
    """Write a log with lines of three templates, one of which is rare."""
    rng = Random(seed)
    lines = []
    for at in range(count):
        number = rng.randrange(10**5, 10**6)
        lines.append(
            f"disk sda{number} failed after {rng.randrange(10**6)} hours"
            if at % 10 == 9
            else f"worker w{number} took {rng.randrange(10**6)} ms"
            if at % 2
            else f"request r{number} sent {rng.randrange(10**6)} bytes to 10.0.{at % 250}.7"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lines


def write_seeds(path: Path, rows: Sequence[Mapping[str, Any]] = SEEDS) -> Path:
    """Write seed rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def rows_of(directory: Path) -> list[dict[str, Any]]:
    """The grown rows of a run."""
    return [json.loads(line) for line in (directory / "rows.jsonl").read_text(encoding="utf-8").splitlines()]


async def test_a_model_asks_about_lines_word_for_word_evenly_over_templates(tmp_path: Path) -> None:
    """Each row has a line of the log as its context, and each template its share of the rows."""
    lines = write_log(tmp_path / "app.log", 90)
    author = Asking()
    async with FaultServer(Behaviour(), author=author) as server:
        done = await run_async(
            write_seeds(tmp_path / "seeds.jsonl"),
            passages=[tmp_path / "app.log"],
            rows=27,
            base_url=server.base_url,
            model="m",
            out=tmp_path / "run",
        )
    rows = rows_of(tmp_path / "run")
    assert (done.summary.stopped, len(rows)) == ("done", 27)
    assert all(list(row) == ["Question", "Answer", "RawLog"] and row["RawLog"] in lines for row in rows)
    assert all(row["Answer"] in row["RawLog"] for row in rows)
    assert Counter(row["RawLog"].split()[0] for row in rows) == {"request": 9, "worker": 9, "disk": 9}
    assert {name: category.quota for name, category in done.summary.categories.items()} == {
        "request <*> sent <*> bytes to <*>": 9,
        "worker <*> took <*> ms": 9,
        "disk <*> failed after <*> hours": 9,
    }
    assert len(set(author.passages)) == len(author.passages)


async def grow(tmp_path: Path, seeds: Path | None, *, rows: int, out: str = "run", **options: Any) -> Path:
    """Grow rows about ``app.log`` with the asking author; returns the run directory."""
    async with FaultServer(Behaviour(), author=options.pop("author", Asking())) as server:
        options.setdefault("passages", [tmp_path / "app.log"])
        await run_async(seeds, rows=rows, base_url=server.base_url, model="m", out=tmp_path / out, **options)
    return tmp_path / out


async def test_a_row_shows_the_file_and_the_line_of_its_passage(tmp_path: Path) -> None:
    """``show`` names file:line, also in a run without its files; ``rejudge`` accepts the same rows."""
    lines = write_log(tmp_path / "app.log", 30)
    run = await grow(tmp_path, write_seeds(tmp_path / "seeds.jsonl"), rows=6)
    (tmp_path / "app.log").unlink()
    for number, row in enumerate(rows_of(run), 1):
        place = f"{tmp_path / 'app.log'}:{lines.index(row['RawLog']) + 1}"
        assert f"of {place}: {row['RawLog']}" in provenance_text(show(run, number), 0.9, None).plain
    assert rejudge(run).identical


async def test_several_rows_a_passage_come_from_one_call(tmp_path: Path) -> None:
    """With ``rows_per_passage = 2`` each request asks for two rows about its line."""
    lines = [line for line in write_log(tmp_path / "app.log", 40) if line.startswith("request")]
    (tmp_path / "app.log").write_text("\n".join(lines), encoding="utf-8")
    seeds = write_seeds(tmp_path / "seeds.jsonl")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'name = "two"\n[seeds]\nfile = "{seeds}"\n[fields.Question]\n[fields.Answer]\nappears_in = "RawLog"\n'
        '[fields.RawLog]\n[passages]\nfiles = ["app.log"]\nrows_per_passage = 2\n[quota]\nrows = 12\n',
        encoding="utf-8",
    )
    author = Asking()
    async with FaultServer(Behaviour(), author=author) as server:
        await run_async(recipe, base_url=server.base_url, model="m", out=tmp_path / "run")
    counts = Counter(row["RawLog"] for row in rows_of(tmp_path / "run"))
    assert sum(counts.values()) == 12
    assert max(counts.values()) == 2
    assert len(author.passages) < 12


async def test_chinese_seeds_get_a_chinese_prompt_and_rows(tmp_path: Path) -> None:
    """The prompt is Chinese, the fields are the seeds', and answers are spans of Chinese lines."""
    lines = [f"设备 {at} 温度 {at * 7} 度，压力 {at * 13} 帕。" for at in range(11, 60)]
    (tmp_path / "app.log").write_text("\n".join(lines), encoding="utf-8")
    run = await grow(tmp_path, write_seeds(tmp_path / "seeds.jsonl", SEEDS_ZH), rows=8)
    rows = rows_of(run)
    assert [list(row) for row in rows] == [["问题", "答案", "原文"]] * 8
    assert all(row["原文"] in lines and row["答案"] in row["原文"] for row in rows)
    system, prompt = plan(tmp_path / "seeds.jsonl", passages=[tmp_path / "app.log"]).recipe.steps[0], "段落"
    assert prompt in system.prompt
    assert "Passage" not in system.prompt


async def test_without_seeds_the_fields_are_question_answer_and_raw_log(tmp_path: Path) -> None:
    """No seeds are needed: the categories are the templates of the lines."""
    lines = write_log(tmp_path / "app.log", 30)
    run = await grow(tmp_path, None, rows=9)
    assert [set(row) for row in rows_of(run)] == [{"Question", "Answer", "RawLog"}] * 9
    assert all(row["RawLog"] in lines for row in rows_of(run))
    assert run == tmp_path / "run"


async def test_ids_continue_those_of_the_seeds_and_labels_are_the_categories(tmp_path: Path) -> None:
    """A unique field gets the next ids; with a label, rows are requested for each label in turn."""
    write_log(tmp_path / "app.log", 60)
    seeds = [
        {
            "id": at,
            "Question": f"What is the size of block b{at}{at}7?",
            "Answer": f"{at}12",
            "level": level,
            "RawLog": log,
        }
        for at, level in enumerate(["easy", "hard", "easy", "hard"], 1)
        for log in [f"Block b{at}{at}7 stored (size {at}12) in memory"]
    ]
    run = await grow(tmp_path, write_seeds(tmp_path / "seeds.jsonl", seeds), rows=10)
    rows = rows_of(run)
    assert Counter(row["level"] for row in rows) == {"easy": 5, "hard": 5}
    ids = [row["id"] for row in rows]
    assert (len(set(ids)), min(ids) > 4) == (10, True)
    assert [list(row) for row in rows] == [["id", "Question", "Answer", "level", "RawLog"]] * 10


async def test_lines_that_seeds_and_held_out_rows_use_are_kept_out_and_counted(tmp_path: Path) -> None:
    """A line with more in front of a seed's log is kept out too; plan and summary say how many."""
    lines = write_log(tmp_path / "app.log", 40)
    log = [f"17/06/09 20:10:40 INFO Executor: {SEEDS[0]['RawLog']}", *lines]
    (tmp_path / "app.log").write_text("\n".join(log), encoding="utf-8")
    held_out = [{"Question": "?", "Answer": "1", "RawLog": line} for line in lines[:7]]
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, held_out)), encoding="utf-8")
    seeds = write_seeds(tmp_path / "seeds.jsonl")
    author = Asking()
    run = await grow(tmp_path, seeds, rows=33, against=[tmp_path / "test.jsonl"], author=author)
    assert not {log[0], *lines[:7]} & set(author.passages)
    place = tmp_path / "app.log"
    note = f"passages left out: 1 used by seeds (first: {place}:1), 7 held out (first: {place}:2)"
    assert note in json.loads((run / "summary.json").read_text(encoding="utf-8"))["notes"]
    prepared = plan(seeds, passages=[place], against=[tmp_path / "test.jsonl"])
    assert note in plan_text(prepared, None, None).plain


async def test_a_run_resumes_and_grows_with_the_passages_that_it_recorded(tmp_path: Path) -> None:
    """A larger quota continues the order of the lines, though the log has grown since; quotas stay balanced."""
    lines = write_log(tmp_path / "app.log", 60)
    seeds = write_seeds(tmp_path / "seeds.jsonl")
    author = Asking()
    await grow(tmp_path, seeds, rows=12, author=author)
    write_log(tmp_path / "app.log", 90, seed=5)
    run = await grow(tmp_path, seeds, rows=18, author=author)
    rows = rows_of(run)
    assert len(rows) == 18
    assert all(row["RawLog"] in lines for row in rows)
    assert Counter(row["RawLog"].split()[0] for row in rows) == {"request": 6, "worker": 6, "disk": 6}
    assert len(set(author.passages)) == len(author.passages)


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        (
            [{"text": "Late again.", "label": "bad"}, {"text": "Well done!", "label": "good"}],
            "no field that a question",
        ),
        (None, "no such file"),
    ],
)
def test_seeds_without_a_context_and_missing_files_are_refused(
    tmp_path: Path, seeds: list[dict[str, Any]] | None, words: str
) -> None:
    """The error names what is needed."""
    write_log(tmp_path / "app.log", 10)
    source = write_seeds(tmp_path / "seeds.jsonl", seeds) if seeds else None
    with pytest.raises(InputError) as raised:
        plan(source, passages=[tmp_path / ("app.log" if seeds else "other.log")])
    assert words in raised.value.message
    assert raised.value.hint


def test_holdout_without_passages_and_no_source_are_refused(tmp_path: Path) -> None:
    """``against`` needs passages, and a run needs seeds, a recipe or passages."""
    with pytest.raises(InputError, match="against"):
        plan(write_seeds(tmp_path / "seeds.jsonl"), against=[tmp_path / "seeds.jsonl"])
    with pytest.raises(InputError, match="no seeds"):
        plan(None)


@pytest.mark.slow
async def test_a_failed_call_takes_no_other_passage_out_of_its_turn(tmp_path: Path) -> None:
    """With faults, quotas are met exactly, and rejudging accepts the same rows."""
    write_log(tmp_path / "app.log", 120)
    seeds = write_seeds(tmp_path / "seeds.jsonl")
    async with FaultServer(Behaviour(faults=mixed(0.3)), author=Asking()) as server:
        done = await run_async(
            seeds, passages=[tmp_path / "app.log"], rows=30, base_url=server.base_url, model="m", out=tmp_path / "run"
        )
    assert done.summary.stopped == "done"
    assert Counter(row["RawLog"].split()[0] for row in rows_of(tmp_path / "run")) == dict.fromkeys(
        ("request", "worker", "disk"), 10
    )
    assert rejudge(tmp_path / "run").identical
