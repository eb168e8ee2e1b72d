"""Values that others decide: dates in codes, tags of words, numbers in other bases, initials, facts of the world."""

from __future__ import annotations

from random import Random

import pytest

from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.world_facts import fact_fields, told_fields
from selfinstruct.records import Row

DATES = ("2024-03-15", "2023-04-02", "2022-05-21", "2024-06-30", "2023-07-11")


def grown(rows: list[Row], count: int = 12) -> list[Row]:
    """Some new rows like each of ``rows``."""
    statistics = ValueStatistics(rows, {})
    new = [row_template(row, statistics, 1).render(at, Random(at), at) for at in range(count) for row in rows]
    return [row for row in new if row is not None]


def test_a_date_in_an_order_number_is_that_of_the_row() -> None:
    """The number after the date varies, the date does not."""
    rows: list[Row] = [
        {"order": f"{day.replace('-', '')}{at + 7:03d}", "placed": day, "amount": 20 + 7 * at}
        for at, day in enumerate(DATES)
    ]
    new = grown(rows)
    assert all(str(row["order"])[:8] == str(row["placed"]).replace("-", "") for row in new)
    assert len({row["order"] for row in new}) > len(rows)


def test_a_year_in_an_invoice_number_is_that_of_the_date() -> None:
    """The date moves within its year."""
    rows: list[Row] = [
        {"invoice": f"INV-{day[:4]}-{61 + 13 * at:04d}", "date": day, "total": 80 + at} for at, day in enumerate(DATES)
    ]
    new = grown(rows)
    assert all(str(row["invoice"])[4:8] == str(row["date"])[:4] for row in new)
    assert len({str(row["date"]) for row in new}) > len(rows)


def test_words_with_tags_stay_single_words() -> None:
    """No name of two words replaces one, and the parts of a longer name stay."""
    rows: list[Row] = [
        {"tokens": ["Diego", "loves", "Rome", "."], "tags": ["B-PER", "O", "B-LOC", "O"]},
        {"tokens": ["Anna", "visits", "New", "York", "."], "tags": ["B-PER", "O", "B-LOC", "I-LOC", "O"]},
        {"tokens": ["Laura", "left", "Berlin"], "tags": ["B-PER", "O", "B-LOC"]},
    ]
    new = grown(rows, 60)
    assert all(" " not in token for row in new for token in row["tokens"])
    assert {tuple(row["tokens"][2:4]) for row in new if len(row["tokens"]) == 5} == {("New", "York")}
    assert len({row["tokens"][2] for row in new}) > 20


def test_a_number_in_another_base_follows() -> None:
    """Binary and hexadecimal numbers are those of the decimal one, with their prefix and zeros."""
    rows: list[Row] = [{"n": n, "bits": f"{n:08b}", "hex": f"0x{n:X}"} for n in (13, 42, 200, 77, 154)]
    new = grown(rows)
    assert all(row["bits"] == f"{row['n']:08b}" and row["hex"] == f"0x{row['n']:X}" for row in new)
    assert len({row["n"] for row in new}) > 8


def test_names_whose_initials_are_in_a_code_stay() -> None:
    """The year of the code follows the row's."""
    people = (("Anna Weber", 1987), ("Ben Kurz", 1991), ("Cara Lang", 1979), ("Dirk Maler", 2001))
    rows: list[Row] = [
        {"code": f"{name[0]}{name.split()[1][0]}-{year}", "name": name, "born": year} for name, year in people
    ]
    for row in grown(rows):
        first, last = str(row["name"]).split()
        assert row["code"] == f"{first[0]}{last[0]}-{row['born']}"
        assert 1979 <= int(str(row["born"])) <= 2001


@pytest.mark.parametrize(
    "row",
    [
        {"country": "Peru", "capital": "Lima"},
        {"city": "Lima", "lat": -12.05, "lon": -77.04},
        {"作者": "李白", "诗": "静夜思"},
        {"element": "Iron", "symbol": "Fe", "atomic_number": 26},
        {"text": "Lima is the capital of Peru."},
        {"text": "法国的首都是巴黎。"},
        {"text": "Die Stadt Bonn hat 335.000 Einwohner."},
    ],
)
def test_facts_of_the_world_are_recognised(row: Row) -> None:
    """By the names of the fields, or by the sentence."""
    assert fact_fields(row)


@pytest.mark.parametrize(
    "row",
    [
        {"name": "Ann", "city": "Lima", "age": 30},
        {"name": "Ann", "country": "Peru", "born": 1990},
        {"country": "Peru", "currency": "PEN", "amount": 3},
        {"species": "Adelie", "mass": 3700, "length": 39},
        {"text": "Block manager wrote 12 files."},
        {"context": "Lima is the capital of Peru.", "question": "What is the capital?", "answer": "Lima"},
    ],
)
def test_rows_about_other_things_are_no_facts(row: Row) -> None:
    """Persons, payments, measurements, log lines and passages with a question can be imitated."""
    assert not fact_fields(row)


def test_a_fact_in_a_row_about_other_things_is_kept() -> None:
    """The country of a payment stays with its currency."""
    assert told_fields({"country": "Peru", "currency": "PEN", "amount": 3}) == {"country", "currency"}
    assert not told_fields({"name": "Ann", "city": "Lima", "age": 30})


def test_votes_against_are_no_row_numbers() -> None:
    """A field called no beside one called yes is a quantity: the share of yes follows from both."""
    votes = ((120, 80), (45, 155), (300, 100), (77, 123), (260, 90), (51, 99))
    rows: list[Row] = [{"yes": yes, "no": no, "yes_pct": round(100 * yes / (yes + no), 1)} for yes, no in votes]
    new = grown(rows)
    assert all(abs(row["yes_pct"] - 100 * row["yes"] / (row["yes"] + row["no"])) < 0.051 for row in new)
    assert max(row["no"] for row in new) <= 155
