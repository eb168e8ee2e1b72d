"""Parquet, by pyarrow (the extra ``parquet``): a column for each field.

Strings stay strings, whole numbers 64-bit integers, other numbers doubles, booleans booleans; lists and objects are
nested. A column whose values would change in any such type (a text beside a number, an integer beyond 64 bits, objects
with different keys) becomes text, in which every value that is not a string is JSON; a note names it. A missing field
is null.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, BinaryIO

from selfinstruct.errors import InputError
from selfinstruct.exports.rows import ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.messages import Phrase
from selfinstruct.records import JSON


def write_parquet(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write the rows; return their number, and a note on the columns that became text.

    Raises InputError if pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise InputError(
            "`format=parquet`: needs pyarrow, which is not installed",
            hint="Install it: pip install 'selfinstruct[parquet]'",
        ) from exc
    rows = [item.row for item in items.each]
    columns, as_text = {}, []
    for name in items.fields:
        values = [row.get(name) for row in rows]
        columns[name] = _column(values, pa)
        if columns[name] is None:
            as_text.append(name)
            columns[name] = pa.array([_as_text(value) for value in values], pa.string())
    pq.write_table(pa.table(columns), file)
    if not as_text:
        return len(rows), ""
    names = ", ".join(as_text)
    return len(rows), Phrase("{names}: written as text, since the values have no common type", names=names)


def _column(values: Sequence[JSON], pa: Any) -> Any:
    """The values as an Arrow array from which they can be read as they are; None if there is none."""
    try:
        made = pa.array(values)
        # Texts need no look at each value, and an array of nulls alone would have no type in other files.
        if pa.types.is_null(made.type):
            return pa.array(values, pa.string())
        return made if pa.types.is_string(made.type) or _is_same(made.to_pylist(), values) else None
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeError):
        return None


def _is_same(read: JSON, values: JSON) -> bool:
    return json.dumps(read, sort_keys=True) == json.dumps(values, sort_keys=True)


def _as_text(value: JSON) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
