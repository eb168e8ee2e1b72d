"""Rows from Python objects: what a pandas or NumPy user expects of each value."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import numpy
import pandas
import pytest

from selfinstruct.errors import RowError
from selfinstruct.rows import rows_from_objects

MOMENT = "2026-05-01T12:30:00"


def taken(rows: Any) -> list[dict[str, Any]]:
    """The rows as they were read."""
    return rows_from_objects(rows).rows


def test_the_index_of_a_data_frame_is_dropped() -> None:
    """The index is not a field, for any labels and name."""
    frame = pandas.DataFrame({"text": ["one", "two"]}, index=pandas.Index(["x", "x"], name="id"))
    assert taken(frame) == [{"text": "one"}, {"text": "two"}]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pandas.Series([1, None], dtype="Int64"), [1, None]),
        (pandas.Series([1.5, None], dtype="Float64"), [1.5, None]),
        (pandas.Series([True, None], dtype="boolean"), [True, None]),
        (pandas.Series(["a", None], dtype="string"), ["a", None]),
        (pandas.Series(["a", None], dtype="category"), ["a", None]),
        (pandas.Series([1.5, math.nan]), [1.5, None]),
        (pandas.Series([None, "x"], dtype=object), [None, "x"]),
        (pandas.Series([pandas.Timestamp(MOMENT), pandas.NaT]), [MOMENT, None]),
        (pandas.Series([pandas.Timestamp(MOMENT, tz="UTC"), None]), [f"{MOMENT}+00:00", None]),
        (pandas.Series([1, 2], dtype="int8"), [1, 2]),
        (pandas.Series([numpy.array([1, 2]), ["a"]]), [[1, 2], ["a"]]),
    ],
)
def test_columns_of_a_data_frame_become_json_values(column: Any, expected: list[Any]) -> None:
    """Missing values of any dtype are null, times are ISO 8601 text, numbers and arrays keep their values and kind."""
    rows = taken(pandas.DataFrame({"text": ["one", "two"], "value": column}))
    assert json.dumps([row["value"] for row in rows]) == json.dumps(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (numpy.int64(3), 3),
        (numpy.float32(0.5), 0.5),
        (numpy.float64("nan"), None),
        (numpy.bool_(True), True),
        (numpy.str_("x"), "x"),
        (numpy.datetime64("2026-05-01T12:30:00"), MOMENT),
        (numpy.datetime64("NaT"), None),
        (numpy.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (pandas.NA, None),
        (pandas.NaT, None),
        (math.nan, None),
        (datetime.datetime(2026, 5, 1, 12, 30), MOMENT),
        (datetime.date(2026, 5, 1), "2026-05-01"),
        (datetime.time(12, 30), "12:30:00"),
        ({"deep": [numpy.int64(1), math.nan]}, {"deep": [1, None]}),
    ],
)
def test_values_of_dict_rows_become_json_values(value: Any, expected: Any) -> None:
    """Rows given as dicts are converted like those of a DataFrame, at any depth."""
    assert json.dumps(taken([{"value": value}])) == json.dumps([{"value": expected}])


@pytest.mark.parametrize("value", [math.inf, numpy.float64("-inf"), {1}, b"x", 1j, datetime.timedelta(1)])
def test_values_without_a_json_type_are_refused_with_their_row(value: Any) -> None:
    """Infinities, sets, bytes and the like are errors, not text."""
    with pytest.raises(RowError, match="<rows>:2: a value is not JSON") as error:
        rows_from_objects([{"a": 1}, {"a": value}])
    assert error.value.hint


@pytest.mark.parametrize(
    ("columns", "message"), [([0, 1], "the column name 0 is not a string"), (["a", "a"], "two columns are named 'a'")]
)
def test_columns_that_name_no_field_are_refused(columns: list[Any], message: str) -> None:
    """A number, or a name that occurs twice, would lose a column or change its name."""
    with pytest.raises(RowError, match=message):
        rows_from_objects(pandas.DataFrame([[1, 2]], columns=columns))
