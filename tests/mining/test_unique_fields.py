"""Fields that are unique by construction are recognised by their values, and never make a row new."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import Criteria, judge
from selfinstruct.mining.unique_fields import unique_fields
from selfinstruct.preparation.infer import infer, prose_field
from selfinstruct.preparation.prepare import prepare
from selfinstruct.records import Candidate, Row
from selfinstruct.rows import rows_from_objects
from selfinstruct.similarity.neighbour_index import NeighbourIndex

TEXTS = ("The kettle leaks.", "My parcel came late.", "Both lamps flicker.", "The zip is stuck.", "It smells of paint.")


def rows_with(name: str, values: Sequence[Any]) -> list[Row]:
    """Rows of a text and of one field with these values."""
    return [{name: value, "text": text} for value, text in zip(values, TEXTS, strict=False)]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", ["t1", "t2"]),
        ("id", [48213, 17, 992]),
        ("Nr.", [1, 2, 3]),
        ("", [0, 1]),
        ("position", [1, 2, 3, 4, 5]),
        ("file", ["doc-0009.txt", "doc-0010.txt", "doc-0011.txt", "doc-0012.txt", "doc-0013.txt"]),
        ("ref", ["3f2b8c1e-1111-4222-8333-444455556666", "9a2b8c1e-7777-4222-8333-444455550000"]),
        ("commit", ["9f86d081884c7d65", "00e3b0c44298fc1c"]),
        ("created_at", ["2024-03-01T09:00:00Z", "2024-03-01T09:00:07Z", "2024-03-02T00:00:00Z"]),
        ("ts", [1700000000, 1700000004, 1700000950]),
    ],
)
def test_ids_counters_hashes_and_ordering_times_are_unique(name: str, values: list[Any]) -> None:
    """Whatever their type."""
    assert unique_fields(rows_with(name, values)) == (name,)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", ["t1", "t1", "t2"]),
        ("rating", [1, 2, 3]),
        ("number", [17, 5, 99]),
        ("year", [2001, 2002, 2003, 2004, 2005]),
        ("label", ["good", "bad"]),
        ("phone", ["12345678", "87654321"]),
        ("seen", ["2024-03-02T09:00:00Z", "2024-03-01T09:00:07Z", "2024-03-02T00:00:00Z"]),
        ("id", [None, 1, 2]),
        ("score", [1.5, 2.5]),
    ],
)
def test_other_values_are_not_unique_by_construction(name: str, values: list[Any]) -> None:
    """Values that repeat, that are out of order, or that only happen to differ."""
    assert unique_fields(rows_with(name, values)) == ()


def test_an_id_that_the_text_refers_to_is_not_left_out() -> None:
    """It is a value of the row like others."""
    rows: list[Row] = [{"id": f"t{n}", "text": f"Ticket t{n} is open."} for n in range(1, 4)]
    assert unique_fields(rows) == ()


def test_a_row_needs_another_field() -> None:
    """Rows of ids alone are compared by them."""
    assert unique_fields([{"id": 1}, {"id": 2}]) == ()


def test_ids_are_left_out_of_novelty_and_grounding_and_do_not_stop_prose() -> None:
    """The recipe is that of the rows without their ids."""
    rows: list[Row] = [{"id": n, "text": text, "label": "ab"[n % 2]} for n, text in enumerate(TEXTS[:4])]
    recipe = infer(rows_from_objects(rows, "rows")).recipe
    assert recipe.fields["id"].unique
    assert recipe.novelty.fields == ("text",)
    assert recipe.categories.field == "label"
    assert prose_field(recipe) == ["text"]


def judged(row: Row, seeds: list[Row]) -> str | None:
    """The reason for rejecting a candidate of a run with these seeds."""
    prepared = prepare(seeds)
    index = NeighbourIndex(prepared.recipe, 0.7)
    index.add_all(seeds)

    class View:
        seed_count = len(seeds)
        twin, nearest, reused, reworded = index.twin, index.nearest, index.reused, index.reworded

        def room(self, category: str) -> int:
            return 10

        def near_held_out(self, row: Row, threshold: float) -> None:
            return None

    criteria = Criteria(prepared.recipe, prepared.thresholds, prepared.categories.of)
    rejection = judge(Candidate(0, "", row), (), criteria, View()).rejection
    return rejection.reason if rejection else None


def test_a_copy_is_an_echo_whatever_its_id_is() -> None:
    """A new id does not make a row new, and a used one does not make a new row a copy."""
    seeds: list[Row] = [
        {"id": "s-01", "turns": ["Where is my bag?", "It is in Oslo."]},
        {"id": "s-02", "turns": ["Cancel the order, please.", "Done."]},
    ]
    assert judged({"id": "s-77", "turns": seeds[0]["turns"]}, seeds) == "echo"
    assert judged({"id": "s-01", "turns": ["Do you ship to Peru?", "Twice a week."]}, seeds) == "relation"
    assert judged({"id": "s-77", "turns": ["Do you ship to Peru?", "Twice a week."]}, seeds) is None


def test_check_and_dedup_find_copies_under_other_ids(tmp_path: Any) -> None:
    """Both compare the texts inside lists, and not the ids."""
    rows: list[Row] = [
        {"id": "s-01", "turns": ["Where is my bag?", "It is in Oslo."]},
        {"id": "s-02", "turns": ["Cancel the order, please.", "Done."]},
        {"id": "s-03", "turns": ["Where is my bag?", "It is in Oslo."]},
    ]
    (finding,) = api.check(rows).findings
    assert (finding.line, finding.reason, finding.evidence["line"]) == (3, "duplicate", 1)
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    done = api.dedup(file)
    assert (done.kept, done.fields, done.unique) == (2, ("turns",), ("id",))
    assert api.dedup(file, fields=["id"]).kept == 3


def test_check_reports_an_id_that_is_used_twice(tmp_path: Any) -> None:
    """By a recipe that requires unique ids; the later row is reported."""
    (tmp_path / "r.toml").write_text(
        '[seeds]\nfile = "s.jsonl"\n[fields.id]\nunique = true\n[fields.text]\n[novelty]\nmax_rouge_l = 0.9\n'
    )
    rows = rows_with("id", ["a1", "a2", "a1"])
    (tmp_path / "s.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows[:2]))
    (finding,) = api.check(rows, recipe=tmp_path / "r.toml").findings
    assert (finding.line, finding.reason) == (3, "relation")
    assert finding.message == 'id "a1" must be unique, but another row has it'


def test_seeds_that_differ_only_by_their_id_are_named() -> None:
    """Like seeds that are equal in every field."""
    rows = [*rows_with("id", ["a1", "a2", "a3"]), {"id": "a4", "text": TEXTS[0]}]
    prepared = prepare(rows, skip_bad_seeds=True)
    assert list(prepared.skipped) == ["rows:4: the same row as line 1, apart from id"]


def test_questions_without_blanks_are_no_ids() -> None:
    """Chinese questions whose values all differ, with ascending numbers, are texts; short codes are ids."""
    questions = [f"任务{number}用了多少秒？" for number in range(1101, 1109)]
    statements = [f"服务器重启之后第{number}号任务失败" for number in range(1101, 1109)]
    codes = [f"问题-{number}" for number in range(1101, 1109)]
    for values, unique in ((questions, ()), (statements, ()), (codes, ("q",))):
        rows = [{"q": value, "a": f"{at * 7} 秒"} for at, value in enumerate(values)]
        assert unique_fields(rows) == unique
