"""The rows that a row is compared with, by ids from 1, with the place and the digest of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selfinstruct.analysis.gate.fingerprint import digest
from selfinstruct.checks import Criteria, schema
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.rows import RowFile
from selfinstruct.similarity.neighbour_index import NeighbourIndex

#: All near rows of a near-duplicate are looked for while this many rows of a data set have been compared.
MOST_COMPARED = 20_000_000
NEIGHBOURS = 8


class EarlierRows:
    """Rows of files to keep apart, then those of the checked files as they are read, all compared with later ones."""

    def __init__(self, recipe: Recipe, min_threshold: float) -> None:
        self.index = NeighbourIndex(recipe, min_threshold)
        self._min_threshold = min_threshold
        self._files: list[tuple[int, RowFile]] = []
        self._rows: list[int] = []
        self._compared = 0

    def begin(self, file: RowFile) -> None:
        """Let the rows that are added from now on be those of ``file``."""
        self._files.append((len(self._rows), file))
        self._compared = 0

    def add(self, row: Row, at: int) -> None:
        """Add the row with this index in its file."""
        self.index.add(row)
        self._rows.append(at)

    def look_ahead(self, rows: Sequence[Row], criteria: Criteria) -> None:
        """Compare the next rows with all before them together, which takes half of the time."""
        limits = criteria.thresholds
        sound = (row for row in rows if schema.check(row, criteria.recipe.fields) is None)
        # A row of no category is compared with nothing, but later ones are compared with it.
        self.index.look_ahead((row, limits.get(criteria.categorise(row), self._min_threshold)) for row in sound)

    def place(self, number: int) -> dict[str, Any]:
        """The file and line of the row with this id."""
        file, at = self._find(number)
        return {"file": file.file(at), "line": file.lines[at]}

    def digest(self, number: int) -> bytes:
        """The digest of the row with this id."""
        file, at = self._find(number)
        return digest(file.rows[at])

    def near(self, row: Row, threshold: float | None) -> frozenset[str]:
        """The digests of the rows that a row is too near to, while that takes no more than a few seconds in all."""
        size = len(self.index)
        if threshold is None or self._compared + size > MOST_COMPARED:
            return frozenset()
        self._compared += size
        return frozenset(self.digest(number).hex() for number in self.index.all_near(row, threshold, NEIGHBOURS))

    def _find(self, number: int) -> tuple[RowFile, int]:
        file = next(file for start, file in reversed(self._files) if start < number)
        return file, self._rows[number - 1]
