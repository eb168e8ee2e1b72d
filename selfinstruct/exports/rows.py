"""The rows of a run as the writers of formats take them: accepted rows in their order, perhaps after the seeds."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import NamedTuple

from selfinstruct.exports.order import spread
from selfinstruct.journal import History
from selfinstruct.records import Row
from selfinstruct.rows import to_json

#: The origins of rows.
SYNTHETIC, SEED, REAL = "synthetic", "seed", "real"


class ExportRow(NamedTuple):
    """A row as one line of JSON, with its category and, if it was grown, its spans as JSON.

    Rows of one batch have one ``subject``; each seed has its own. ``number`` is that of a grown row, minus the id of
    an accepted rejection, or 0, and ``origin`` is ``synthetic``, ``seed`` or ``real``.
    """

    line: str
    category: str
    spans_line: str = "{}"
    subject: int = 0
    number: int = 0
    origin: str = SYNTHETIC

    @property
    def row(self) -> Row:
        """The row itself, parsed at each use."""
        row: Row = json.loads(self.line)
        return row

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """For each grounded field, the [start, end) code points of its value in its context."""
        return {name: (start, end) for name, (start, end) in json.loads(self.spans_line).items()}


class ExportRows(NamedTuple):
    """The rows of an export, to be iterated once, and the names of their fields in order."""

    each: Iterator[ExportRow]
    fields: Sequence[str]


def export_rows(history: History, *, with_seeds: bool = False) -> ExportRows:
    """Return the rows of a run, perhaps after its seeds; of a run in progress, those accepted so far."""
    seeds = history.seeds()

    def each() -> Iterator[ExportRow]:
        if with_seeds:
            for number, seed in enumerate(seeds, 1):
                yield ExportRow(to_json(seed.row), seed.category, subject=-number, origin=SEED)
        for grown in history.final_rows():
            yield ExportRow(grown.line, grown.category, grown.spans_line, grown.call, grown.number)

    rows = (seed.row for seed in seeds) if seeds else (grown.row for grown in history.final_rows())
    return ExportRows(each(), tuple(dict.fromkeys(name for row in rows for name in row)))


def shuffled(
    rows: Sequence[ExportRow], rng: Random, passages: Mapping[int, Hashable] = MappingProxyType({})
) -> list[ExportRow]:
    """Return the rows in a random order in which those of one subject stand apart, see ``order``.

    ``passages`` are those of subjects that are about one; the rows of a passage have one subject.
    """
    subjects = [("passage", passages[row.subject]) if row.subject in passages else row.subject for row in rows]
    return [rows[at] for at in spread(subjects, rng)]
