"""What rows were found to have in common with earlier ones, as the examination of a block asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from selfinstruct.checks import Criteria
from selfinstruct.engines.check.describing import Corpus
from selfinstruct.engines.check.stored import StoredRows
from selfinstruct.engines.dedup.work import Arrays, Blocks
from selfinstruct.records import Row


class KnownRows:
    """The rows of one block, beside all rows that are compared; ids are the numbers of these, from 1.

    ``names`` are those of unique fields.
    """

    def __init__(
        self, corpus: Corpus, all_rows: StoredRows, block: str, rows: Sequence[Row], names: Sequence[str]
    ) -> None:
        self._corpus, self._all_rows, self._names = corpus, all_rows, names
        self._blocks = Blocks.of(corpus.job)
        start = self._blocks.starts[self._blocks.names.index(block)]
        self._places = {id(row): at for at, row in enumerate(rows)}
        found = Arrays(corpus.job.path("known", 0))
        self._found = {
            name: found[name][start : start + len(rows)].tolist()
            for name in ("twins", "same", "reused", "of_field", "nearest", "scores")
        }
        self._digests: dict[str, Arrays] = {}
        self.index = self

    def look_ahead(self, rows: Sequence[Row], criteria: Criteria) -> None:
        """Do nothing: everything is known."""

    def add(self, row: Row, at: int) -> None:
        """Do nothing: everything is known."""

    def near(self, row: Row, threshold: float | None) -> frozenset[str]:
        """Nothing: this is looked for later."""
        return frozenset()

    def twin(self, row: Row) -> tuple[int, bool] | None:
        """As ``NeighbourIndex.twin``."""
        at = self._places[id(row)]
        number = self._found["twins"][at]
        return None if number < 0 else (number + 1, self._found["same"][at])

    def reused(self, row: Row) -> tuple[str, int] | None:
        """As ``NeighbourIndex.reused``."""
        at = self._places[id(row)]
        number = self._found["reused"][at]
        return None if number < 0 else (self._names[self._found["of_field"][at]], number + 1)

    def reworded(self, row: Row) -> None:
        """None: recipes with passages are refused."""

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """As ``NeighbourIndex.nearest``."""
        at = self._places[id(row)]
        number = self._found["nearest"][at]
        return None if number < 0 else (number + 1, self._found["scores"][at])

    def place(self, number: int) -> dict[str, Any]:
        """The file and line of the row with this id."""
        return {"file": self._all_rows.file(number - 1), "line": self._all_rows.lines[number - 1]}

    def digest(self, number: int) -> bytes:
        """The digest of the row with this id."""
        return digest_of(self._corpus, self._blocks, number - 1, self._digests)


def digest_of(corpus: Corpus, blocks: Blocks, row: int, opened: dict[str, Arrays]) -> bytes:
    """The digest of a row; ``opened`` has the files that were opened before."""
    at = int(np.searchsorted(blocks.starts, row, "right")) - 1
    name = blocks.names[at]
    if name not in opened:
        opened[name] = Arrays(corpus.job.path("described", name))
    return int(opened[name]["digests"][row - blocks.starts[at]]).to_bytes(8)
