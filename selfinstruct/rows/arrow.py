"""Parquet, Arrow and Feather files as rows, by pyarrow (the extra ``parquet``), a batch at a time.

Strings, integers, finite floats, booleans, null, lists and structs are as JSON has them; dictionaries (categories) are
their values; dates, times and timestamps become ISO 8601 text; decimals become text with all their digits; NaN becomes
null, as in a DataFrame. Binary values, durations and infinities are refused.

Does not handle: partitioned data sets, in which folder names are values; files that are not on this machine.
"""

from __future__ import annotations

import decimal
import io
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase, joined
from selfinstruct.records import JSON
from selfinstruct.rows.exact import to_json
from selfinstruct.rows.python_values import json_value
from selfinstruct.rows.record import Record

_PARQUET, _ARROW, _STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
_BATCH = 1024
_INDEX = "__index_level_"
_INSTALL = Phrase("Install it: pip install 'selfinstruct[parquet]'")


def arrow_format(start: bytes) -> str:
    """Return ``parquet``, ``arrow`` or, for a stream without an index, ``arrow-stream``; "" for other content."""
    if start.startswith(_PARQUET):
        return "parquet"
    if start.startswith(_ARROW):
        return "arrow"
    return "arrow-stream" if start.startswith(_STREAM) else ""


def arrow_rows(file: BinaryIO, name: str, form: str) -> tuple[tuple[str, ...], list[str], Iterator[Record]]:
    """Return the fields, the notes for the user, and the rows with their numbers from 1 in place of lines.

    Raises:
        RowError: pyarrow is not installed, the file is damaged, or a column has no JSON type; or, while iterating, a
            batch is damaged or a value is infinite.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise RowError(name, "a Parquet or Arrow file needs pyarrow, which is not installed", hint=_INSTALL) from exc
    source = file if file.seekable() else io.BytesIO(file.read())
    try:
        if form == "parquet":
            parquet = pq.ParquetFile(source)
            schema, batches = parquet.schema_arrow, parquet.iter_batches(_BATCH)
        elif form == "arrow":
            reader = pa.ipc.open_file(source)
            schema = reader.schema
            batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
        else:
            stream = pa.ipc.open_stream(source)
            schema, batches = stream.schema, iter(stream)
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise _damaged(name, exc) from exc
    _refuse_types(schema, name)
    fields = [field for field in schema.names if not field.startswith(_INDEX)]
    dropped = [field for field in schema.names if field not in fields]
    if not fields:
        raise RowError(name, "no columns found", hint="Name a file with rows.")
    notes: list[str] = (
        [Phrase("left out the index column of pandas: {names}", names=joined(dropped))] if dropped else []
    )
    return tuple(fields), notes, _records(batches, fields, name, pa.ArrowException)


def _records(batches: Iterator[Any], fields: list[str], name: str, damage: type[Exception]) -> Iterator[Record]:
    number = 0
    try:
        for whole in batches:
            for start in range(0, whole.num_rows, _BATCH):
                for row in whole.select(fields).slice(start, _BATCH).to_pylist():
                    number += 1
                    value = {field: _value(row[field], f"{name}:{number}") for field in fields}
                    yield Record(number, to_json(value).encode() + b"\n", value)
    except (damage, OSError) as exc:
        raise _damaged(name, exc) from exc


def _value(value: Any, where: str) -> JSON:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        if math.isinf(value):
            raise RowError(
                where, "contains {value}, which JSON cannot represent", hint="Write null, or a string.", value=value
            )
        return None if value != value else value
    if kind is list:
        if value and all(type(each) is tuple for each in value):  # a map
            return {str(key): _value(member, where) for key, member in value}
        return [_value(each, where) for each in value]
    if kind is dict:
        return {key: _value(member, where) for key, member in value.items()}
    return str(value) if isinstance(value, decimal.Decimal) else json_value(value)


def _refuse_types(schema: Any, name: str) -> None:
    import pyarrow.types as types

    def refused(kind: Any) -> str:
        if types.is_dictionary(kind):
            return refused(kind.value_type)
        if types.is_map(kind):
            return "" if types.is_string(kind.key_type) or types.is_large_string(kind.key_type) else f"{kind}"
        below = [kind.field(at).type for at in range(kind.num_fields)]
        if below:
            return next((found for each in below if (found := refused(each))), "")
        plain = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)
        timed = (types.is_null, types.is_date, types.is_time, types.is_timestamp, types.is_decimal)
        view = str(kind) == "string_view"
        return "" if view or any(test(kind) for test in (*plain, *timed)) else f"{kind}"

    twice = next((field for field in schema.names if schema.names.count(field) > 1), None)
    if twice is not None:
        raise RowError(name, "two columns are named {twice!r}", hint="Rename or drop one of them.", twice=twice)
    for field in schema:
        if found := refused(field.type):
            raise RowError(
                name,
                "column {name!r} has the type {found}, which JSON cannot represent",
                hint="Drop the column, or write it as text.",
                name=field.name,
                found=found,
            )


def _damaged(name: str, exc: Exception) -> RowError:
    reason = str(exc).strip().splitlines()[0][:200] if str(exc).strip() else type(exc).__name__
    return RowError(
        name, "damaged Parquet or Arrow data: {reason}", hint="Copy or download the file again.", reason=reason
    )
