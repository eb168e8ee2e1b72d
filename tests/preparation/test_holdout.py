"""Held-out rows: which rows they are, and that nothing is grown from them, in every command and in both languages."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.errors import InputError, RecipeError, RowError
from selfinstruct.preparation.holdout import Split, hold_out
from selfinstruct.preparation.prepare import prepare
from selfinstruct.recipe import Seeds, parse_recipe
from selfinstruct.records import Row
from selfinstruct.rows import rows_from_objects
from selfinstruct.similarity.rouge import rouge_l
from selfinstruct.testing import FaultServer

GOODS = {
    "en": ["kettle", "lamp", "chair", "phone", "jacket", "bike", "desk", "oven", "clock", "piano", "tent", "drill"],
    "zh": ["水壶", "台灯", "椅子", "手机", "外套", "单车", "书桌", "烤箱", "闹钟", "钢琴", "帐篷", "电钻"],
}
REMARKS = {
    "en": {
        "positive": "The {} came on {} May. It works very well and everybody at home is happy.",
        "negative": "The {} came on {} May. It broke at once and nobody wanted to help.",
    },
    "zh": {
        "积极": "{}是五月{}日到的。用起来非常顺手，全家都很满意。",
        "消极": "{}是五月{}日到的。刚用就坏了，客服谁也不管。",
    },
}


def remarks(language: str, count: int = 12) -> list[Row]:
    """Labelled remarks, so many of each of two labels."""
    return [
        {"text": text.format(GOODS[language][at % 12], at + 1), "label": label}
        for at in range(count)
        for label, text in REMARKS[language].items()
    ]


RECIPE = """\
[seeds]
file = "rows.jsonl"
[fields.text]
[fields.label]
[categories]
by = "field"
field = "label"
[quota]
per_category = 20
[prompt]
rows_per_request = 4
"""


def divided(rows: list[Row], share: float) -> Split:
    """The rows on both sides."""
    return hold_out(rows_from_objects(rows, "rows"), Seeds(holdout=share), parse_recipe(RECIPE, "recipe.toml", "."))


def held(rows: list[Row], share: float) -> set[str]:
    """The texts of the rows that are held out."""
    return {row["text"] for row in divided(rows, share).held_out}


def recipe_file(folder: Path, rows: list[Row]) -> Path:
    """A recipe for labelled remarks, beside a file of them."""
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "recipe.toml").write_text(RECIPE)
    return folder / "recipe.toml"


@given(st.integers(0, 10_000), st.sampled_from(["en", "zh"]), st.sampled_from([0.2, 0.3, 0.5]))
def test_a_row_stays_on_its_side_when_rows_are_added_or_moved(number: int, language: str, share: float) -> None:
    """Which rows are held out depends on no order; with more rows, the earlier ones are held out as before."""
    rows, rng = remarks(language, 24), Random(number)
    shuffled = rng.sample(rows, len(rows))
    assert held(rows, share) == held(shuffled, share)
    some = [row for at, row in enumerate(rows) if at < 30 or rng.random() < 0.5]
    assert held(some, share) == held(rows, share) & {row["text"] for row in some}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_category_has_rows_on_both_sides(language: str) -> None:
    """About the share of each label is held out; at least one row of each, and never all, even of three rows."""
    rows = remarks(language, 300)
    split = divided(rows, 0.2)
    counts = Counter(row["label"] for row in split.held_out)
    assert len(split.held_out) + len(split.seeds.rows) == len(rows)
    assert all(40 <= count <= 80 for count in counts.values())
    for share in (0.2, 0.9):
        few = divided(remarks(language, 3), share)
        assert {row["label"] for row in few.held_out} == {row["label"] for row in few.seeds.rows} == set(counts)


def test_questions_about_one_text_are_on_one_side() -> None:
    """No text that rows to test with are about is the text of a row to grow from."""
    rows = [
        {"Question": question, "Answer": answer, "Line": f"job {at} took {at * 7} s on host node{at}"}
        for at in range(11, 51)
        for question, answer in (
            (f"How long did job {at} take?", f"{at * 7} s"),
            (f"Where did job {at} run?", f"node{at}"),
        )
    ]
    split = hold_out(rows_from_objects(rows, "rows"), Seeds(holdout=0.3))
    assert not {row["Line"] for row in split.held_out} & {row["Line"] for row in split.seeds.rows}
    assert 8 <= len(split.held_out) <= 40


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Train", "validation"), ("训练集", "测试集")])
def test_a_field_may_say_which_rows_are_held_out(train: str, test: str) -> None:
    """Rows whose split is not for training are held out, and the split is no field of the data set."""
    rows = [row | {"split": test if at % 4 == 0 else train} for at, row in enumerate(remarks("zh"))]
    prepared = prepare(rows, split_field="split")
    assert [row["text"] for row in prepared.held_out] == [row["text"] for row in rows[::4]]
    assert tuple(prepared.recipe.fields) == ("text", "label") and all("split" not in row for row in prepared.seeds.rows)
    assert prepared.recipe.seeds.split_field == "split"
    with pytest.raises(RowError, match=r"no row is for training; the values are 'test'"):
        prepare([row | {"split": "test"} for row in remarks("en")], split_field="split")
    with pytest.raises(RowError, match="no field 'part'"):
        prepare(rows, split_field="part")


def test_wrong_arguments_and_keys_are_refused(tmp_path: Path) -> None:
    """A share must be below 1, one way of dividing is enough, and without seed rows there is nothing to divide."""
    rows = remarks("en")
    with pytest.raises(InputError, match="below 1, got 1"):
        prepare(rows, holdout=1)
    with pytest.raises(InputError, match="cannot be combined"):
        prepare(rows, holdout=0.2, split_field="split")
    with pytest.raises(RowError, match=r"takes none of the rows \(2\)"):
        prepare(rows[:2], holdout=0.01)
    with pytest.raises(RecipeError, match="has no effect without seed rows"):
        prepare("tinystories", holdout=0.2)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[seeds]\nfile = "r.jsonl"\nholdout = 0.2\nsplit_field = "text"\n[fields.text]\n')
    with pytest.raises(RecipeError, match=r"cannot be combined with split_field[\s\S]*must not be one of the fields"):
        prepare(recipe)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_nothing_is_grown_from_held_out_rows(language: str, tmp_path: Path) -> None:
    """A model never sees a held-out row; its copies of them are refused; export, rejudge and resume keep them out."""
    rows = remarks(language)
    secret, source = held(rows, 0.3), recipe_file(tmp_path, rows)
    leaks = [row for row in rows if row["text"] in secret]
    prompts: list[str] = []

    def leaking(messages: Any, rng: Random) -> str:
        """New rows of both labels, with a held-out row in front."""
        prompts.append("\n".join(str(message["content"]) for message in messages))
        if len(messages) < 2:
            return "ok"
        pieces = GOODS["en"] if language == "en" else list("山水云风雨雪花草树木石田河海星月")
        joined = " " if language == "en" else ""
        texts = [joined.join(rng.choice(pieces) for _ in range(16)) for _ in range(4)]
        new = [{"text": text, "label": label} for text in texts for label in REMARKS[language]]
        return json.dumps({"rows": [rng.choice(leaks), *new]}, ensure_ascii=False)

    out = tmp_path / "run"
    async with FaultServer(author=leaking) as server:
        options: dict[str, Any] = {
            "concurrency": 2,
            "model": "m",
            "base_url": server.base_url,
            "out": out,
            "holdout": 0.3,
        }
        await api.run_async(source, per_category=6, **options)
        run = await api.run_async(source, per_category=9, **options)
        with pytest.raises(InputError, match=r"other settings: .*seeds.holdout"):
            await api.run_async(source, per_category=9, **options | {"holdout": 0.4})
    assert run.summary.accepted == 18 and run.summary.held_out == len(secret)
    assert run.summary.rejected["holdout"] >= 2 and run.summary.conserved
    assert not any(text in prompt for text in secret for prompt in prompts)
    written = [json.loads(line) for line in (out / "holdout.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["text"] for row in written} == secret
    assert all(rouge_l(row["text"], text).f1 <= 0.95 for row in run.rows() for text in secret)
    assert api.rejudge(out).identical
    api.export(out, tmp_path / "all.jsonl", with_seeds=True)
    exported = [json.loads(line)["text"] for line in (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(exported) == len(rows) - len(secret) + 18 and not secret & set(exported)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert f"{len(secret)} rows of the seed file were held out" in card


def test_the_imitator_does_not_come_near_held_out_rows(tmp_path: Path) -> None:
    """Without a model too, and passages that held-out rows are about are left out."""
    lines = [f"2026-11-02 10:00:{at} node{at} INFO job {at} took {at * 7} s, {at + 3} tasks" for at in range(11, 51)]
    rows = [
        {"Question": f"How long did job {line.split()[5]} take?", "Answer": line.split()[7], "Line": line}
        for line in lines
    ]
    prepared = api.plan(rows, holdout=0.3, rows=30)
    texts = {row["Line"] for row in prepared.held_out}
    assert texts and not texts & {row["Line"] for row in prepared.seeds.rows}
    log = tmp_path / "app.log"
    log.write_text("\n".join(lines + [line.replace("job", "task") for line in lines]) + "\n")
    about = api.plan(rows, holdout=0.3, passages=[log], rows=10)
    assert texts and not texts & set(about.passage_texts)
    assert any(f"{len(texts)} held out" in note for note in about.notes)


def test_evaluate_tests_on_the_rows_that_the_run_held_out(tmp_path: Path) -> None:
    """Without a file of test rows, the run's own are used; a run without any says how to get some."""
    rows = remarks("en", 20)
    source = recipe_file(tmp_path, rows)
    run = api.run(source, out=tmp_path / "run", holdout=0.4)
    done = api.evaluate(run.directory, updates=20)
    assert done.holdout == "holdout.jsonl" and done.rows["holdout"] == run.summary.held_out
    assert done.rows["seeds"] <= len(rows) - run.summary.held_out
    other = api.run(source, out=tmp_path / "other")
    with pytest.raises(InputError, match="no held-out rows"):
        api.evaluate(other.directory)
