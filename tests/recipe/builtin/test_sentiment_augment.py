"""The recipe ``sentiment-augment``: new remarks with the label of those shown, as many of each label."""

from __future__ import annotations

import asyncio
import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.recipe import builtin
from selfinstruct.render.description import step_lines
from selfinstruct.testing import Behaviour, FaultServer

LABELS = ("positive", "negative", "neutral")
SEEDS = builtin.path("sentiment-augment").parent / "inputs" / "sentiment" / "rows.csv"


class Author:
    """Writes remarks that end in their label; ``bad`` counts those of a label that there is not, and copies."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.read = 0
        self.bad: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """As many rows as the last line of the prompt asks for."""
        prompt = str(messages[-1]["content"])
        if '{"answer":' in prompt:  # asked as a reader of the text alone
            written = (each for each in LABELS if f". {each}\n" in prompt)
            label = next(written, "") or next(row["label"] for row in seeds() if row["text"] in prompt)
            self.read += 1
            return rng.choice([json.dumps({"answer": label}), f"{label.title()}.", f"The label is {label}"])
        asked = re.search(r"Write (\d+) new row", prompt)
        if asked is None:
            return "ok"
        self.prompts.append(prompt)
        label = wanted(prompt)
        rows: list[Mapping[str, str]] = []
        for _ in range(int(asked[1])):
            fault = rng.choice(["mixed", "copied", "other", *[""] * 17])
            self.bad[fault] += bool(fault)
            said = label if fault != "other" else rng.choice([each for each in LABELS if each != label])
            text = " ".join("".join(rng.choice(["zo", "vu", "xi", "qua", "ju"]) for _ in range(3)) for _ in range(12))
            row = {"text": f"{text}. {said}", "label": "mixed" if fault == "mixed" else said}
            rows.append(rng.choice(examples(prompt)) if fault == "copied" else row)
        return json.dumps({"rows": rows})


def wanted(prompt: str) -> str:
    """The label that a prompt asks for."""
    return str(re.findall(r'"label" is "(\w+)"', prompt)[-1])


def examples(prompt: str) -> list[dict[str, str]]:
    """The rows that a prompt shows."""
    return [json.loads(line) for line in prompt.splitlines() if line.startswith("{")]


def seeds() -> list[dict[str, str]]:
    """The real rows."""
    with SEEDS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def grow(out: Path) -> tuple[api.Run, Author]:
    """Run the recipe, with its own quota, against the scripted author."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async("sentiment-augment", out=out, base_url=server.base_url, model="m", concurrency=4)
    return run, author


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[api.Run, Author]:
    """One run of the recipe as it is."""
    return asyncio.run(grow(tmp_path_factory.mktemp("sentiment") / "run"))


def test_the_classes_are_equal_though_the_seeds_are_not(grown: tuple[api.Run, Author]) -> None:
    """12, 8 and 4 real rows become 200 new ones each; other labels and copies of what was shown are refused."""
    run, author = grown
    summary, rows = run.summary, list(run.rows())
    assert Counter(row["label"] for row in seeds()) == {"positive": 12, "negative": 8, "neutral": 4}
    assert summary.stopped == "done" and summary.conserved
    assert {name: each.accepted for name, each in summary.categories.items()} == dict.fromkeys(LABELS, 200)
    assert Counter(row["label"] for row in rows) == dict.fromkeys(LABELS, 200)
    assert all(row["text"].endswith(row["label"]) for row in rows)
    assert author.bad["mixed"] and author.bad["copied"] and author.bad["other"]
    assert summary.rejected["label"] == author.bad["mixed"]
    assert summary.rejected["echo"] == author.bad["copied"]
    assert author.read >= 600 and "unanswered" not in summary.rejected
    assert api.rejudge(run.directory).identical


def test_a_prompt_shows_real_rows_of_the_label_that_it_asks_for(grown: tuple[api.Run, Author]) -> None:
    """The label is kept because the examples have it; what is imitated are the real rows and never grown ones."""
    _, author = grown
    shown = [(wanted(prompt), examples(prompt)) for prompt in author.prompts]
    assert all(rows and all(row["label"] == label for row in rows) for label, rows in shown)
    demos = {json.dumps(row) for _, rows in shown for row in rows}
    assert demos <= {json.dumps(row) for row in seeds()}
    assert len(demos) >= 20, "which of the 24 are drawn depends on the number of batches"


def test_the_real_rows_are_mixed_in_on_export(grown: tuple[api.Run, Author], tmp_path: Path) -> None:
    """The CSV of a mixed export begins with the unchanged real rows and has the header once."""
    run, _ = grown
    count = api.export(run.directory, tmp_path / "mixed.csv", format="csv", with_seeds=True).rows
    with (tmp_path / "mixed.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert count == len(rows) == 624
    assert rows[:24] == seeds() and [dict(row) for row in run.rows()] == rows[24:]


def test_the_recipe_needs_no_model(tmp_path: Path) -> None:
    """The embedded imitator makes the classes equal too, of sentences that remarks of the same label have."""
    run = api.run("sentiment-augment", out=tmp_path / "run")
    rows = list(run.rows())
    assert "skipped without a model" in str(dict(step_lines(api.plan("sentiment-augment"))))
    assert run.summary.model == "imitator" and Counter(row["label"] for row in rows) == dict.fromkeys(LABELS, 200)
    last = {row["text"].rpartition(". ")[2]: row["label"] for row in seeds()}
    ends = [(last[end], row["label"]) for row in rows if (end := row["text"].rpartition(". ")[2]) in last]
    assert len(ends) > 100 and all(there == here for there, here in ends)
