"""One row as it is in a file."""

from __future__ import annotations

from typing import NamedTuple

from selfinstruct.records import Row


class Record(NamedTuple):
    """One row of a file: the line that it starts on (from 1), its bytes with their line end, its value.

    ``raw`` is empty where rows share lines (JSON arrays, objects over several lines). ``value`` is an object, or
    the text of a plain line without its end. ``file`` is the name of the row's own file where several are read as one.
    """

    line: int
    raw: bytes
    value: Row | str
    file: str = ""
