r"""Writes JSON Lines and JSON arrays, a row at a time.

JSON has no form for a lone surrogate in UTF-8: it is written as an escape, as everywhere in this package.

>>> import io
>>> write_array([{"a": "0042"}], file := io.BytesIO())
1
>>> file.getvalue()
b'[\n{"a": "0042"}\n]\n'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from selfinstruct.records import Row
from selfinstruct.rows import to_json


def write_json_lines(rows: Iterable[Row], file: BinaryIO) -> int:
    """Write a line for each row, and return their number."""
    count = 0
    for row in rows:
        file.write(f"{to_json(row)}\n".encode())
        count += 1
    return count


def write_array(rows: Iterable[Row], file: BinaryIO) -> int:
    """Write an array with one row on each line, and return their number."""
    count = 0
    file.write(b"[")
    for row in rows:
        file.write(f"{',' if count else ''}\n{to_json(row)}".encode())
        count += 1
    file.write(b"\n]\n")
    return count
