"""What a number is for, and which other numbers may take its place."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.entities import find_entities
from selfinstruct.mining.number_generators import range_generator
from selfinstruct.mining.number_roles import BOUNDS, field_role
from selfinstruct.mining.numerals import ascii_digits, in_digits_of
from selfinstruct.records import Row


def roles(text: str) -> list[str]:
    """The roles of the numbers in a text, or their kinds where these are others."""
    return [each.role if each.kind == "number" else each.kind for each in find_entities(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"GET /a HTTP/1.1" 404 162 "-" "curl/8.5.0"', ["code", "code", "size", "code", "code", "code"]),
        ("exited with code 137 on signal 9", ["code", "code"]),
        ("ERROR 1062: duplicate entry", ["code"]),
        ("statusCode=503 level: 2", ["code", "code"]),
        ("version 4.2.1 came 3rd in class 7a", ["code", "code", "code", "code", "code"]),
        ("Fehlercode 17, Stufe 3", ["code", "code"]),
        ("状态码：502，第3级", ["code", "code"]),
        ("レベル 3、荷物 5512 は", ["code", "id"]),
        ("오류 코드 12, 3학년, 주문 5512는", ["code", "code", "id"]),
        ("رمز الخطأ 12 للطلب 5512", ["code", ""]),
        ("त्रुटि 12, बक्सा 214", ["code", "id"]),
        ("rdd_42_18 of task 7 (TID 12) on worker-3", ["id", "id", "id", "id", "id"]),
        ("The app closes when I open report 5521", ["id"]),
        ("order 5512, #17, /orders/18, sshd[24186]", ["id", "id", "id", "id"]),
        ("03-17 16:13:38.811  1702  2395 I Audio: on", ["time", "id", "id"]),
        ("sent 2128 bytes in 12.4s, wrote 1120 buffers for $3", ["size", "size", "size", "size"]),
        ("CPU at 93%, 40 percent", ["percent", "percent"]),
        ("荷物 5512 は 8 月に 3 日", ["id", "month", "day"]),
        ("3개월 15분", ["", "minute"]),
        ("port=50122 port 8080 ports: 443 report 1184", ["port", "port", "port", "id"]),
        ("from 1.25.3 on, 2.5 of", ["code", "code", "code", ""]),
        ("a spider has 8 legs, 12 km and 30 kg", ["", "", ""]),
    ],
)
def test_words_around_a_number_tell_its_role(text: str, found: list[str]) -> None:
    """In several languages, by the word before, the unit after, and the shape of a log line."""
    assert roles(text) == found


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("status", "code"),
        ("exitCode", "code"),
        ("zip", "postal"),
        ("Postleitzahl", "postal"),
        ("状态码", "code"),
        ("percent", "percent"),
        ("orderNumber", "id"),
        ("bytes", "size"),
        ("rate", ""),
        ("scores", ""),
    ],
)
def test_the_name_of_a_field_tells_the_role_of_its_numbers(name: str, role: str) -> None:
    """By its last word."""
    assert field_role(name) == role


def grown(rows: list[Row], count: int = 60) -> list[Row]:
    """Rows of the templates of ``rows``."""
    statistics = ValueStatistics(rows, {})
    templates = [row_template(row, statistics, 3) for row in rows]
    found = [templates[at % len(rows)].render(at, Random(at)) for at in range(count)]
    return [row for row in found if row is not None]


def test_a_code_stays_as_it_is() -> None:
    """A status is drawn neither from a range nor from another row, in a text or as a field of its own."""
    rows: list[Row] = [
        {"line": f"host {name} sent status {status} to task {task}", "status": status}
        for name, status, task in (("a", 200, 11), ("b", 404, 57), ("c", 500, 93))
    ]
    new = grown(rows)
    assert {row["status"] for row in new} == {200, 404, 500}
    assert len({row["line"] for row in new}) > 20
    assert all(
        f"status {row['status']} " in row["line"] and row["line"][5] == "abc"[row["status"] // 150 - 1] for row in new
    )


def test_an_unknown_number_stays_between_those_of_the_seeds() -> None:
    """No valve is opened further than in the seeds; one that shows a single value keeps it."""
    rows: list[Row] = [{"t": f"valve {key} opened {turns} turns at pressure 12"} for key, turns in (("x", 3), ("y", 9))]
    assert {int(row["t"].split()[3]) for row in grown(rows)} == set(range(3, 10))
    assert {row["t"].split()[-1] for row in grown(rows)} == {"12"}


def test_digits_of_other_scripts_stay_in_their_script() -> None:
    """Years in Arabic and Devanagari digits are drawn like others, and written like the seeds'."""
    rows: list[Row] = [{"نص": f"الكتاب هنا منذ سنة {year}."} for year in ("٢٠١٦", "٢٠٢١")]
    years = {row["نص"].split()[-1].rstrip(".") for row in grown(rows)}
    assert len(years) > 4
    assert all(2011 <= int(year) <= 2021 and not year.isascii() for year in years)


def test_the_same_number_in_two_scripts_stays_the_same() -> None:
    """A field with ASCII digits follows the text with Devanagari ones."""
    rows: list[Row] = [{"पाठ": f"बक्सा {in_digits_of(str(n), '०')} यहाँ है", "संख्या": n} for n in (2140, 3775, 5023)]
    for row in grown(rows):
        assert ascii_digits(row["पाठ"]).split()[1] == str(row["संख्या"])


@given(st.lists(st.integers(0, 100), min_size=1, max_size=6), st.integers(0, 500))
def test_bounded_numbers_stay_near_the_seeds_and_within_bounds(seen: list[int], place: int) -> None:
    """A percentage is at most half the seeds' distance, or ten, away from them, and from 0 to 100."""
    value = int(range_generator([str(n) for n in seen], 5, BOUNDS["percent"]).draw(place, Random(0)))
    room = max((max(seen) - min(seen)) // 2, 10)
    assert max(0, min(seen) - room) <= value <= min(100, max(seen) + room)


@given(st.lists(st.decimals(-999, 999, places=2), min_size=1, max_size=6), st.integers(0, 500))
def test_unbounded_numbers_stay_between_the_seeds(seen: list[Decimal], place: int) -> None:
    """With as many decimal places."""
    text = range_generator([str(n) for n in seen], 5).draw(place, Random(0))
    assert min(seen) <= Decimal(text) <= max(seen)
    assert len(text.partition(".")[2]) == 2


def test_a_postal_code_keeps_its_city() -> None:
    """Neither of them varies; the name does."""
    rows: list[Row] = [
        {"name": name, "zip": code, "city": city}
        for name, code, city in (
            ("Anna Kim", "75001", "Paris"),
            ("Bob Lang", "20095", "Hamburg"),
            ("Eva Roy", "00184", "Rome"),
        )
    ]
    pairs = {(row["zip"], row["city"]) for row in grown(rows)}
    assert pairs == {("75001", "Paris"), ("20095", "Hamburg"), ("00184", "Rome")}
    assert len({row["name"] for row in grown(rows)}) > 20
