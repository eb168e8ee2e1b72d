"""What in a row depends on its times, and what of it stays."""

from __future__ import annotations

import re
from datetime import date
from random import Random

import pytest

from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.entities import find_entities
from selfinstruct.mining.lengths import is_length, length_generator
from selfinstruct.records import Row
from selfinstruct.values.durations import length_of, write_length


def _grown(rows: list[Row], count: int = 40) -> list[Row]:
    """New rows of the first of ``rows``."""
    template = row_template(rows[0], ValueStatistics(rows, {}), 1)
    drawn = [template.render(at, Random(at)) for at in range(count)]
    return [row for row in drawn if row is not None]


def test_parts_of_a_date_follow_it() -> None:
    """The fields of year, month, day and quarter are those of the new date."""
    rows: list[Row] = [
        {"date": f"2023-{month:02d}-{10 + month}", "year": 2023, "month": month, "day": 10 + month, "x": month * 7}
        for month in (11, 3, 7, 5)
    ]
    grown = _grown(rows)
    assert len({row["date"] for row in grown}) > 20
    for row in grown:
        day = date.fromisoformat(row["date"])
        assert (row["year"], row["month"], row["day"]) == (day.year, day.month, day.day)


def test_a_length_between_two_times_stays() -> None:
    """Nights, minutes and a length in words stay, as both times move together."""
    rows: list[Row] = [
        {"a": "2024-02-27 10:00", "b": "2024-03-02 11:20", "note": "4 nights", "minutes": 5840},
        {"a": "2024-04-10 09:00", "b": "2024-04-12 09:50", "note": "2 nights", "minutes": 2930},
        {"a": "2024-05-10 09:00", "b": "2024-05-13 09:10", "note": "3 nights", "minutes": 4330},
    ]
    for row in _grown(rows):
        assert (row["note"], row["minutes"]) == ("4 nights", 5840)
        assert row["a"] != rows[0]["a"]


def test_an_age_keeps_the_date_of_birth() -> None:
    """Neither moves: whether a birthday lies between two dates depends on both."""
    rows: list[Row] = [
        {"dob": "1987-05-03", "age": 36, "code": "A-4471"},
        {"dob": "1990-11-20", "age": 33, "code": "A-5212"},
        {"dob": "1955-01-31", "age": 69, "code": "A-6190"},
    ]
    assert {(row["dob"], row["age"]) for row in _grown(rows)} == {("1987-05-03", 36)}


def test_a_length_in_the_form_of_a_clock_is_no_time_of_day() -> None:
    """Its seconds in another field are those of the new length."""
    rows: list[Row] = [
        {"length": f"0{hours}:{minutes:02d}:07", "seconds": 3600 * hours + 60 * minutes + 7}
        for hours, minutes in ((1, 5), (2, 40), (0, 12), (3, 59))
    ]
    grown = _grown(rows)
    assert len({row["length"] for row in grown}) > 20
    assert all(length_of(row["length"]) == row["seconds"] for row in grown)


def test_addresses_in_a_network_that_the_row_names_stay() -> None:
    """Others vary."""
    rows: list[Row] = [
        {"text": f"{net}.0/24 has {net}.17, a client is 203.0.113.{at}"}
        for at, net in enumerate(("10.2.3", "10.9.8", "10.4.4"), 5)
    ]
    for row in _grown(rows):
        assert row["text"].startswith("10.2.3.0/24 has 10.2.3.17, ")
    assert len({row["text"] for row in _grown(rows)}) > 20


@pytest.mark.parametrize(
    ("text", "seconds", "next_text"),
    [
        ("1h 20m", 4800, "1h 21m"),
        ("1 Std. 59 Min.", 7140, "2 Std. 0 Min."),
        ("PT1H20M", 4800, "PT1H21M"),
        ("1小时20分钟", 4800, "1小时21分钟"),
        ("1時間20分", 4800, "1時間21分"),
        ("1시간 20분", 4800, "1시간 21분"),
        ("1 hour and 59 minutes", 7140, "2 hours and 0 minutes"),
        ("01:20:00", 4800, "01:21:00"),
        ("42 min", None, ""),
        ("P", None, ""),
    ],
)
def test_lengths(text: str, seconds: int | None, next_text: str) -> None:
    """A length is read in seconds, and another one is written in its form."""
    assert length_of(text) == seconds
    if seconds is not None:
        assert write_length(text, seconds) == text
        assert write_length(text, seconds + 60) == next_text


def test_new_lengths_are_between_those_seen() -> None:
    """In steps of their shortest unit."""
    generator = length_generator("1h 20m", ["1h 20m", "2h 05m", "0h 50m"], 3)
    drawn = {length_of(generator.draw(at, Random(at))) for at in range(76)}
    assert drawn == set(range(3000, 7501, 60))
    assert all(re.fullmatch(r"\d+h \d+m", generator.draw(at, Random(at))) for at in range(10))


def test_words_tell_a_length_from_a_time() -> None:
    """A field's name, or the word before it."""
    assert is_length("duration", "", "%H:%M:%S")
    assert is_length("text", "the run took ", "%H:%M")
    assert not is_length("start", "", "%H:%M:%S")
    assert not is_length("duration", "", "%Y-%m-%d")
    assert [each.kind for each in find_entities("it took 1h 20m")] == ["duration"]
