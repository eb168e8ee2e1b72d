"""Written forms of values: what is the same, what is not, and what is no value at all."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from selfinstruct.values import FORMATS, date_of, matches_format, moment_of, number_of, occurs_in, seconds_of
from selfinstruct.values.readings import same_meaning


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1,234.50", "1234.50"),
        ("$95.50", "95.50"),
        ("29 %", "29"),
        ("−3", "-3"),
        ("１２", "12"),
        ("three", "3"),
        ("forty two", "42"),
        (29.0, "29.0"),
        (1e21, "1e21"),
        ("28.0.1", None),
        ("12,34", "12.34"),
        ("1.234,50", "1234.50"),
        (True, None),
        ("", None),
        ("1" * 31, None),
    ],
)
def test_numbers(written: object, number: str | None) -> None:
    """A number is read from its usual written forms, and from nothing that only looks like one."""
    assert number_of(written) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    "written",
    [
        "2023-03-01",
        "2023/3/1",
        "01.03.2023",
        "March 1, 2023",
        "1 March 2023",
        "1. März 2023",
        "1st Mar 2023",
        "2023年3月1日",
    ],
)
def test_dates(written: str) -> None:
    """A date is read from its usual written forms."""
    assert date_of(written) == datetime.date(2023, 3, 1)
    assert same_meaning(written, "2023-03-01")


@pytest.mark.parametrize("written", ["2023-02-30", "31.04.2023", "2023-13-01", "5 o'clock", "", "1.2.3"])
def test_dates_that_no_calendar_has(written: str) -> None:
    """A date that no calendar has is none."""
    assert date_of(written) is None


def test_an_ambiguous_date_means_both_and_has_no_order() -> None:
    """03/04/2023 equals either day, and is compared with neither."""
    assert same_meaning("03/04/2023", "2023-03-04")
    assert same_meaning("03/04/2023", "2023-04-03")
    assert moment_of("03/04/2023") is None


@pytest.mark.parametrize(
    ("written", "seconds"), [("01:05:00", 3900), ("1 h 5 min", 3900), ("90 s", 90), ("1:05", None)]
)
def test_durations(written: str, seconds: int | None) -> None:
    """A duration is read in seconds; hours and minutes alone may be a time of day."""
    assert seconds_of(written) == seconds


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        (69, "Ann Reed, 69 y/o", True),
        (69, "Ann Reed, 169 y/o", False),
        (9, "29.0 kg", False),
        (29, "29.0 kg", True),
        (1234, "1,234 people", True),
        ("0,12", "je 0,12 Euro", True),
        (0.12, "je 0,12 Euro", True),
        (3, "three nights", True),
        ("2023-03-01", "on March 1, 2023.", True),
        ("2023-03-01", "on March 2, 2023.", False),
        (3900, "took 01:05:00", True),
        ("café", "le cafe\u0301 noir", True),
        (None, "None", False),
        (True, "true", False),
        (["a"], "a", False),
    ],
)
def test_occurrence_in_other_written_forms(value: object, text: str, found: bool) -> None:
    """A value occurs in a text as it is or in another written form, between token boundaries."""
    assert occurs_in(value, text) is found


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("iban", "DE89 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
        ("isbn", "978-3-16-148410-0", "978-3-16-148410-1"),
        ("isbn", "0-306-40615-2", "0-306-40615-3"),
        ("luhn", "4539 1488 0343 6467", "4539 1488 0343 6468"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-42661417400"),
        ("mac", "00:1a:2b:3c:4d:5e", "00:1a:2b:3c:4d"),
        ("ip", "10.0.0.1", "10.0.0.256"),
        ("ip", "fe80::1", "fe80::1::2"),
        ("email", "ann.reed@example.org", "ann.reed@example"),
        ("url", "https://example.org/a?b=c", "example.org"),
        ("datetime", "2023-03-01T12:30:00Z", "2023-03-01T25:30:00Z"),
        ("date", "29.02.2024", "29.02.2023"),
        ("time", "23:59:59", "24:00:00"),
    ],
)
def test_formats(name: str, right: str, wrong: str) -> None:
    """Each format accepts a valid text and refuses one that differs in a character."""
    assert matches_format(right, name)
    assert not matches_format(wrong, name)


def test_no_format_matches_what_is_no_text() -> None:
    """Null, booleans, lists and blank text have no format."""
    values: list[object] = [None, True, [], {}, "", " "]
    assert not any(matches_format(value, name) for name in FORMATS for value in values)
