"""Rows of a run in the formats that others read; one file a family of formats, and here the table of them.

Accepted rows in the order of acceptance, seeds before them where asked for; every value as it was judged, unless the
format says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, TypeAlias

from selfinstruct.exports.lines import write_lines
from selfinstruct.exports.messages import write_messages
from selfinstruct.exports.table import write_table
from selfinstruct.journal import History
from selfinstruct.records import Row
from selfinstruct.rows import to_json

__all__ = ["FORMATS", "ExportRow", "ExportRows", "Writer", "export_rows"]


class ExportRow(NamedTuple):
    """A row to be written: as one line of JSON, with its category and, of a grown row, its spans as JSON."""

    line: str
    category: str
    spans_line: str = "{}"

    @property
    def row(self) -> Row:
        """The row itself, parsed anew at each use."""
        row: Row = json.loads(self.line)
        return row


class ExportRows(NamedTuple):
    """What there is to be written: the rows, once, and the names of their fields in order."""

    each: Iterator[ExportRow]
    fields: Sequence[str]


#: Writes items to an open file; gives how many, and what a person should know of them ("" for nothing).
Writer: TypeAlias = Callable[[ExportRows, BinaryIO], tuple[int, str]]

#: The formats by name.
FORMATS: dict[str, Writer] = {"jsonl": write_lines, "csv": write_table, "messages": write_messages}


def export_rows(history: History, *, with_seeds: bool = False) -> ExportRows:
    """The rows of a run, while it goes on those that there are by now."""
    seeds = history.seeds()

    def each() -> Iterator[ExportRow]:
        if with_seeds:
            for seed in seeds:
                yield ExportRow(to_json(seed.row), seed.category)
        for grown in history.rows():
            yield ExportRow(grown.line, grown.category, grown.spans_line)

    first = seeds[0].row if seeds else next((grown.row for grown in history.rows()), {})
    return ExportRows(each(), tuple(first))
