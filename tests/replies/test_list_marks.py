"""List marks are taken off where all rows of a reply carry them, and are part of the value otherwise."""

from __future__ import annotations

import pytest

from selfinstruct.records import Row
from selfinstruct.replies.list_marks import has_list_mark, without_list_marks


def taken_off(*values: object, kept: tuple[str, ...] = ()) -> list[object]:
    """The values of one field of several rows without their marks; None for a row that could not be read."""
    rows: list[Row | None] = [None if value is None else {"q": value, "n": 3} for value in values]
    return [row and row["q"] for row in without_list_marks(rows, ("q", "n"), kept)[0]]


@pytest.mark.parametrize(
    "marked",
    [
        ("1. a", "2. b", "3. c"),
        ("1) a", "2) b", "3) c"),
        ("(4) a", "(5) b", "(6) c"),
        ("1、a", "2、b", "3、c"),
        ("（1）a", "（2）b", "（3）c"),
        ("①a", "②b", "③c"),
        ("Q1: a", "Q2: b", "Q3: c"),
        ("Question 7: a", "Question 8: b", "Question 9: c"),
        ("**1.** a", "**2.** b", "**3.** c"),
        ("第1题：a", "第2题：b", "第3题：c"),
        ("- a", "- b", "- c"),
        ("• a", "• b", "• c"),
    ],
)
def test_marks_of_all_rows_are_taken_off(marked: tuple[str, ...]) -> None:
    """Numbers of any form, from any start, and bullets; not where the seeds have them."""
    assert taken_off(*marked) == ["a", "b", "c"]
    assert taken_off(*marked, kept=("q",)) == list(marked)
    assert all(map(has_list_mark, marked))


@pytest.mark.parametrize(
    "values",
    [
        ("1. a",),
        ("1. a", "b"),
        ("1. a", "3. b"),
        ("2. a", "1. b"),
        ("- a", "• b"),
        ("1.5 kb", "2.5 kb"),
        ("2019-01-01", "2020-01-01"),
        ("1. ", "2. "),
        ("1 a", "2 b"),
        ("1:30 h", "2:30 h"),
        ("1. a", 2),
    ],
)
def test_other_beginnings_stay(values: tuple[object, ...]) -> None:
    """One row, gaps, other kinds, decimals, dates, times, and values that are nothing else."""
    assert taken_off(*values) == list(values)


def test_a_row_that_cannot_be_read_still_counts() -> None:
    """Its number is missing, and the others are consecutive by their places."""
    assert taken_off("1. a", None, "3. c") == ["a", None, "c"]


def test_a_key_that_counts_the_rows_is_removed() -> None:
    """Beside the fields, from 0 or 1, as number or text; other keys stay, for the schema check to report."""
    for numbers in ((0, 1), (1, 2), ("1", "2")):
        rows: list[Row | None] = [{"id": number, "q": "a"} for number in numbers]
        assert without_list_marks(rows, ("q",)) == ([{"q": "a"}, {"q": "a"}], True)
    for numbers in ((1, 1), (1, 3), (5, 6), ("a", "b"), (True, 2)):
        rows = [{"id": number, "q": "a"} for number in numbers]
        assert without_list_marks(rows, ("q",)) == (rows, False)
