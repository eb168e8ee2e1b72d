"""Rows given as Python objects: dicts, or a pandas DataFrame.

Values are converted as their users expect: missing values (None, NaN, NaT, NA) -> null, dates and times -> ISO 8601
text, NumPy scalars and arrays -> JSON numbers and lists. Anything else that JSON cannot represent is refused.

Neither pandas nor NumPy is imported; their types are recognised by what they offer.

>>> import datetime
>>> rows_from_objects([{"day": datetime.date(2026, 5, 1), "score": float("nan")}]).rows
[{'day': '2026-05-01', 'score': None}]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase
from selfinstruct.records import Row
from selfinstruct.rows.exact import LossyValueError, decode, decode_error, to_json
from selfinstruct.rows.python_values import json_value
from selfinstruct.rows.record import Record
from selfinstruct.rows.row_file import RowFile, collect_rows

_JSON_ONLY = Phrase(
    "Use strings, finite numbers, True, False, None for a missing value, lists, and dicts with string keys."
)


def rows_from_objects(rows: Iterable[Row] | Any, name: str = "<rows>", *, uniform: bool = True) -> RowFile:
    """Copy rows through JSON, so that they are judged as they will be written; of a DataFrame, drop the index.

    Messages count the rows from 1, as ``name:number``.

    Raises:
        RowError: a row is not a dict with string keys, or contains a value without a JSON type (infinity, a set, a
            tuple), or, if ``uniform``, its fields differ from those of the first row; or a DataFrame has columns of
            the same name or with names that are not strings.
    """
    if hasattr(rows, "iterrows"):
        rows = _records(rows, name)
    copies = (Record(number, b"", _copy(row, f"{name}:{number}")) for number, row in enumerate(rows, 1))
    return collect_rows(copies, name, "python", uniform=uniform)


def _records(frame: Any, name: str) -> list[Row]:
    columns = list(frame.columns)
    for column in columns:
        if not isinstance(column, str):
            raise RowError(
                name, "the column name {column!r} is not a string", hint="Rename the columns.", column=column
            )
        if columns.count(column) > 1:
            raise RowError(name, "two columns are named {column!r}", hint="Rename or drop one of them.", column=column)
    records: list[Row] = frame.to_dict(orient="records")
    return records


def _copy(row: Row, where: str) -> Row:
    """The row as it will be once it is written and read again. Raises RowError if that would be another row."""
    if not isinstance(row, dict):
        raise RowError(where, Phrase("expected a dict, got {name}", name=type(row).__name__), hint=_JSON_ONLY)
    try:
        converted = json_value(row)
        copy: Row = decode(to_json(converted))[0]
    except (LossyValueError, RecursionError) as exc:
        raise decode_error(exc, where) from exc
    except (TypeError, ValueError) as exc:
        raise RowError(where, Phrase("a value is not JSON: {exc}", exc=exc), hint=_JSON_ONLY) from exc
    if copy != converted:
        raise RowError(where, "the row would change when written as JSON", hint=_JSON_ONLY)
    return copy
