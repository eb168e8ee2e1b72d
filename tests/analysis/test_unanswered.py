"""Findings of ``check`` on rows whose answer a reader of the other rows contradicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api

RECIPE = """\
name = "lines"
[seeds]
file = "seeds.jsonl"
[fields.Question]
[fields.Answer]
answer = true
[fields.Line]
[novelty]
fields = ["Question", "Line"]
max_rouge_l = 1.0
[quota]
rows = 10
[[verify]]
reads = ["Line", "Question"]
answers = "Answer"
"""


def _row(language: str, at: int) -> dict[str, str]:
    number, size = 1000 + 7 * at, 5000 + 13 * at
    if language == "zh":
        line = f"订单{number}创建成功，金额{size}元，商品数{at + 20}"
        return {"Question": f"编号为{number}的订单，金额是多少？", "Answer": str(size), "Line": line}
    line = f"Received block blk_{number} of size {size} B from 10.0.{at}.1"
    return {"Question": f"How large is block blk_{number}?", "Answer": str(size), "Line": line}


def _rows(language: str, count: int, wrong: dict[int, str]) -> list[dict[str, Any]]:
    rows = [_row(language, at) for at in range(count)]
    return [{**row, "Answer": wrong.get(at, row["Answer"])} for at, row in enumerate(rows)]


def _doubted(source: Any, **options: Any) -> list[Any]:
    return [each for each in api.check(source, **options).findings if each.reason == "unanswered"]


@pytest.mark.parametrize(
    ("language", "wrong"), [("en", {30: "Received", 70: "from"}), ("zh", {30: "创建", 70: "商品数"})]
)
def test_a_wrong_word_of_the_line_is_a_warning_at_its_line(
    language: str, wrong: dict[int, str], tmp_path: Path
) -> None:
    """The finding has the row's line, the answer of the reader and its confidence, and does not fail the gate."""
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in _rows(language, 140, wrong)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = _doubted(file)
    assert [(each.line, each.field, each.severity) for each in found] == [
        (31, "Answer", "warning"),
        (71, "Answer", "warning"),
    ]
    assert found[0].evidence["answer"] == _row(language, 30)["Answer"]
    assert 0.5 <= found[0].evidence["confidence"] <= 1
    assert found[0].evidence["value"] == wrong[30]
    assert api.check(file).measures.reasons["unanswered"] == 2


def test_right_rows_are_not_doubted() -> None:
    """A file without errors has no such finding."""
    assert not _doubted(_rows("en", 140, {}))


def test_small_files_are_read_only_where_a_recipe_asks_for_it(tmp_path: Path) -> None:
    """Under 100 rows a reader learns too little; a recipe without a second opinion turns it off."""
    assert not _doubted(_rows("en", 90, {30: "Received"}))
    (tmp_path / "seeds.jsonl").write_text(json.dumps(_row("en", 500)) + "\n", encoding="utf-8")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    assert [each.line for each in _doubted(_rows("en", 140, {30: "Received"}), recipe=recipe)] == [31]
    recipe.write_text(RECIPE[: RECIPE.index("[[verify]]")], encoding="utf-8")
    assert not _doubted(_rows("en", 140, {30: "Received"}), recipe=recipe)


def test_a_reader_that_disagrees_with_most_rows_says_nothing() -> None:
    """Answers without a rule teach nothing: no row is doubted."""
    rows = _rows("en", 140, {})
    for at, row in enumerate(rows):
        words = row["Line"].split()
        row["Answer"] = words[(at * 7 + at // 3) % len(words)]
    assert not _doubted(rows)
