"""The leaves of a row: complete, replaceable, and with paths that survive as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import Path, leaves, parse_path, path_text, replace_leaves, value_at

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3)
)
ROWS = st.dictionaries(st.text(), VALUES, max_size=4)
STEPS = st.text() | st.integers(min_value=0, max_value=99)


@given(ROWS)
def test_the_leaves_describe_the_row(row: Row) -> None:
    """Each leaf is the value at its path; a row in which every leaf is replaced by itself is the same row."""
    found = leaves(row)
    assert all(value_at(row, path) == value for path, value in found.items())
    assert replace_leaves(row, found) == row
    assert leaves(replace_leaves(row, dict.fromkeys(found, "x"))) == dict.fromkeys(found, "x")


@given(st.text().filter(bool), st.lists(STEPS, max_size=4))
def test_a_path_survives_as_text(field: str, steps: list[str | int]) -> None:
    """Any names, also with dots, brackets, quotes and blanks."""
    path = (field, *steps)
    assert parse_path(path_text(path)) == path


def test_replacing_copies_the_row() -> None:
    """The original row and its lists are not changed."""
    row: Row = {"a": [1, {"b": 2}]}
    assert replace_leaves(row, {("a", 1, "b"): 3}) == {"a": [1, {"b": 3}]}
    assert row == {"a": [1, {"b": 2}]}


@pytest.mark.parametrize("path", [("b",), ("a", 5), ("a", 1, "c")])
def test_an_unknown_path_is_not_added(path: Path) -> None:
    """It raises KeyError or IndexError."""
    row: dict[str, JSON] = {"a": [1, {"b": 2}]}
    with pytest.raises((KeyError, IndexError)):
        replace_leaves(row, {path: 0})


@pytest.mark.parametrize("text", ["", "[0]", "a..b", "a[x]", "a[1", 'a["b]'])
def test_what_is_no_path_is_a_value_error(text: str) -> None:
    """The message contains the text."""
    with pytest.raises(ValueError, match="not a path"):
        parse_path(text)
