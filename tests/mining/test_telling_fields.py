"""Rows that differ from a seed in an id, a date or a number alone are copies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import RowError
from selfinstruct.mining.telling_fields import telling_fields
from selfinstruct.mining.unique_fields import unique_fields
from selfinstruct.preparation.infer import infer
from selfinstruct.records import Row
from selfinstruct.rows import rows_from_objects

FAQ = {
    "de": [
        ("Wie lange dauert der Versand?", "Der Versand dauert 2–3 Werktage.", "03.05.2023"),
        ("Wie lange habe ich Rückgaberecht?", "Sie haben 30 Tage Rückgaberecht.", "11.05.2023"),
        ("Kann ich stornieren?", "Ja, bis zu 24 Stunden nach der Bestellung.", "12.06.2023"),
        ("Wo finde ich meine Rechnung?", "In Ihrem Konto unter Bestellungen.", "13.06.2023"),
    ],
    "zh": [
        ("送货需要多长时间？", "送货需要2至3个工作日。", "2023年5月3日"),
        ("可以退货吗？", "30天内可以免费退货。", "2023年5月11日"),
        ("怎样取消订单？", "下单后24小时内可在账户中取消。", "2023年6月12日"),
        ("在哪里可以找到发票？", "在账户的订单页面中。", "2023年6月13日"),
    ],
}


@pytest.mark.parametrize("language", FAQ)
def test_an_faq_with_dates_is_refused_before_the_run(language: str, tmp_path: Path) -> None:
    """Its answers are knowledge; a new number, or the date of the entry alone, makes no new row."""
    rows = [{"Nr.": n, "q": q, "a": a, "as of": day} for n, (q, a, day) in enumerate(FAQ[language], 1)]
    file = tmp_path / "faq.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(RowError, match="the embedded imitator can"):
        api.run(file, rows=20, out=tmp_path / "run")


def test_a_question_about_a_numbered_thing_grows(tmp_path: Path) -> None:
    """The number of an order is the same in the question and the answer, and varies."""
    file = tmp_path / "orders.jsonl"
    rows = [
        {"q": "Where is my order 48213?", "a": "Order 48213 ships today."},
        {"q": "Can you cancel order 51077?", "a": "Order 51077 is cancelled."},
        {"q": "Has order 60394 been paid?", "a": "Order 60394 was paid by card."},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    grown = list(api.run(file, rows=20, out=tmp_path / "run").rows())
    numbers = [[word.strip("?.") for word in f"{row['q']} {row['a']}".split() if word[0].isdigit()] for row in grown]
    assert all(len(set(found)) == 1 for found in numbers)
    assert len(grown) == 20


def test_dates_and_numbers_are_not_compared_beside_a_text() -> None:
    """Inference compares the text; a table without any text compares all of its values."""
    rows: list[Row] = [
        {"text": f"The {noun} arrived late and broken.", "day": f"2023-05-1{n}", "stars": str(n)}
        for n, noun in enumerate(("kettle", "lamp", "chair", "radio"))
    ]
    assert infer(rows_from_objects(rows, "rows")).recipe.novelty.fields == ("text",)
    assert telling_fields([{"day": "2023-05-01", "n": "4"}], ["day", "n"]) == ["day", "n"]


def test_dedup_finds_copies_under_other_dates(tmp_path: Path) -> None:
    """The same text on another day is a duplicate."""
    file = tmp_path / "rows.csv"
    file.write_text(
        "text,day\nThe kettle leaks.,2023-05-01\nThe kettle leaks.,2023-06-07\nBoth lamps flicker.,2023-06-08\n"
    )
    assert api.dedup(file, out=tmp_path / "out.csv").dropped == 1


def test_ascending_codes_are_unique_unless_rows_are_the_same_without_them() -> None:
    """S-4410, S-4417 ... number the rows; the flights of a timetable are what its rows are about."""
    codes = ("S-4410", "S-4417", "S-4423", "S-4431", "S-4438")
    rows: list[Row] = [{"student": code, "text": f"Report {n * n}"} for n, code in enumerate(codes)]
    assert unique_fields(rows) == ("student",)
    assert unique_fields([{"student": code, "text": "Report"} for code in codes]) == ()
    assert unique_fields([{**row, "student": codes[-1 - n]} for n, row in enumerate(rows)]) == ()
