"""Relations in the life of a data set: inferred, shown, written, checked, kept by a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.analysis.gate import find_problems
from selfinstruct.checks import Criteria, judge
from selfinstruct.preparation.infer import infer
from selfinstruct.preparation.prepare import prepare
from selfinstruct.prompts.english import system_en
from selfinstruct.recipe import parse_recipe
from selfinstruct.records import Candidate
from selfinstruct.render.plan import plan_text
from selfinstruct.rows import rows_from_objects

BOOKINGS: list[dict[str, Any]] = [
    {"guest": f"{name} {surname}", "nights": nights, "rate": rate, "total": round(nights * rate, 2)}
    for name, surname, nights, rate in [
        ("Ann", "Reed", 3, 120.0),
        ("Bob", "Lang", 2, 95.5),
        ("Eve", "Stone", 7, 88.25),
        ("Jan", "Mills", 4, 61.1),
        ("Kim", "Frost", 5, 70.75),
        ("Lea", "Brook", 6, 45.4),
    ]
]


def written(tmp_path: Path, rows: list[dict[str, Any]]) -> Path:
    """A file of these rows."""
    file = tmp_path / "bookings.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_the_plan_and_the_starter_recipe_show_relations_with_support(tmp_path: Path) -> None:
    """Both name the relation and its support, and the recipe loads back to it."""
    file = written(tmp_path, BOOKINGS)
    assert "total = nights x rate (6 of 6 seeds)" in plan_text(prepare(file), None, None).plain
    text = api.init(file)
    assert "# total = nights x rate (6 of 6 seeds)\n[[relations]]\n" in text
    assert (
        parse_recipe(text, "r.toml", tmp_path).relations == infer(rows_from_objects(BOOKINGS, "rows")).recipe.relations
    )


def test_check_reports_the_row_that_violates_an_inferred_relation(tmp_path: Path) -> None:
    """The finding has the line, the values and what was expected; sound rows have none."""
    broken = [*BOOKINGS, {"guest": "Max Shore", "nights": 3, "rate": 50.0, "total": 160.0}]
    findings = [each for each in find_problems(written(tmp_path, broken)).findings if each.reason == "relation"]
    assert [(each.line, each.field, each.severity) for each in findings] == [(7, "total", "error")]
    assert findings[0].message == "total: expected 150 (nights x rate), got 160.0"
    assert findings[0].evidence["value"] == 160.0
    assert not [each for each in find_problems(written(tmp_path, BOOKINGS)).findings if each.reason == "relation"]


class EmptyPool:
    """A pool without rows."""

    seed_count = 0

    def room(self, category: str) -> int:
        """One row."""
        return 1

    def twin(self, row: dict[str, Any]) -> tuple[int, bool] | None:
        """None."""
        return None

    def reused(self, row: dict[str, Any]) -> tuple[str, int] | None:
        """None."""
        return None

    def reworded(self, row: dict[str, Any]) -> tuple[int, float] | None:
        """No row is about a passage."""
        return None

    def nearest(self, row: dict[str, Any], threshold: float) -> tuple[int, float] | None:
        """None."""
        return None

    def near_held_out(self, row: dict[str, Any], threshold: float) -> tuple[int, float] | None:
        """None."""
        return None


@pytest.mark.parametrize(("total", "reason"), [(150.0, None), (150, None), (160.0, "relation")])
def test_a_candidate_that_violates_a_relation_is_rejected(total: float, reason: str | None) -> None:
    """The rejection is the same for every backend, since candidates are judged alike."""
    inferred = infer(rows_from_objects(BOOKINGS, "rows"))
    criteria = Criteria(inferred.recipe, {"all": 0.9}, lambda row: "all")
    row = {"guest": "Max Shore", "nights": 3, "rate": 50.0, "total": total}
    judgement = judge(Candidate(0, json.dumps(row), row), (), criteria, EmptyPool())
    assert (judgement.rejection and judgement.rejection.reason) == reason


def test_the_prompt_of_a_model_names_the_relations() -> None:
    """A model is told what must hold in every row."""
    assert "In every row: total = nights x rate." in system_en(infer(rows_from_objects(BOOKINGS, "rows")).recipe)


def test_the_card_lists_the_checked_relations_and_the_unchecked_fields(tmp_path: Path) -> None:
    """A reader of the data set sees what every row was checked for, and what nobody checked."""
    api.run(written(tmp_path, BOOKINGS), rows=3, out=tmp_path / "run")
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "Checked in every row:\n\n- `total = nights x rate (6 of 6 seeds)`\n" in card
    assert "Not checked: the content of `guest`." in card
