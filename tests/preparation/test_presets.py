"""Seed files of known shapes without a recipe: the matching built-in recipe is used and reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import InputError
from selfinstruct.records import Row
from selfinstruct.render.plan import plan_text

TASKS: list[Row] = [
    {"instruction": "Name the capital of a country.", "input": "Peru", "output": "Lima"},
    {"instruction": "Turn the sentence into a question.", "input": "It rains.", "output": "Does it rain?"},
    {"instruction": "Give a synonym of quick.", "input": "", "output": "fast"},
]
CHATS: list[Row] = [
    {"messages": [{"role": "user", "content": f"Is {n} even?"}, {"role": "assistant", "content": said}]}
    for n, said in ((1, "No."), (2, "Yes."))
]
PAIRS: list[Row] = [{"content": f"topic {n}", "summary": f"It is the topic number {n}."} for n in (1, 2, 3)]
PAIRS_ZH: list[Row] = [{"内容": f"第{n}篇", "概要": f"这是第{n}篇的说明。"} for n in "一二三"]
LABELLED: list[Row] = [
    {"text": f"It {word} in room {n}.", "label": label}
    for word, label in (("works", "good"), ("breaks", "bad"))
    for n in range(4)
]
ABOUT_LOGS: list[Row] = [
    {"Question": f"What is the ID for stage {n}?", "Answer": f"{n}.0", "RawLog": f"Submitting stage {n} as {n}.0 now"}
    for n in (3, 7, 12, 25)
]


def seeds(where: Path, rows: list[Row]) -> Path:
    """A seed file."""
    file = where / "mine.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("rows", "like"),
    [
        (TASKS, "alpaca"),
        ([{"instruction": row["instruction"], "output": row["output"]} for row in TASKS], "alpaca"),
        (CHATS, "messages"),
        (PAIRS, "phrasings"),
        (PAIRS_ZH, "phrasings"),
        (LABELLED, "sentiment-augment"),
        (ABOUT_LOGS, "logqa"),
    ],
)
def test_the_fitting_recipe_is_picked_and_told(tmp_path: Path, rows: list[Row], like: str) -> None:
    """By the names of the fields, and what the rows show; the plan says which one it is like, and why."""
    prepared = api.plan(seeds(tmp_path, rows))
    assert prepared.preset.startswith(f"{like}: ")
    assert prepared.recipe.name == "mine"
    shown = plan_text(prepared, None, None).plain
    assert f"like the built-in recipe {like}" in shown
    assert set(rows[0]) <= set(prepared.recipe.fields)


@pytest.mark.parametrize("rows", [TASKS, CHATS, PAIRS, PAIRS_ZH])
def test_what_the_imitator_cannot_do_truthfully_asks_for_a_model(tmp_path: Path, rows: list[Row]) -> None:
    """Tasks, conversations and phrasings need a model: one line says so, and how to name one."""
    with pytest.raises(InputError, match=r"mine: needs a model.*\n.*base_url"):
        api.run(seeds(tmp_path, rows), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("rows", [LABELLED, ABOUT_LOGS])
def test_imitation_runs_without_one(tmp_path: Path, rows: list[Row]) -> None:
    """Labelled text and questions about a context grow as they are."""
    run = api.run(seeds(tmp_path, rows), rows=8, out=tmp_path / "run")
    assert run.summary.accepted > 0 and run.summary.conserved


def test_rows_of_other_fields_are_like_none(tmp_path: Path) -> None:
    """Nothing is claimed where nothing fits."""
    rows: list[Row] = [{"a": f"some words {n} here", "b": f"others {n * 7}"} for n in range(3)]
    prepared = api.plan(seeds(tmp_path, rows))
    assert prepared.preset == ""
    assert "built-in recipe" not in plan_text(prepared, None, None).plain
