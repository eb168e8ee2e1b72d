"""The near-duplicate index of rows: compares all novelty fields together, or each field by itself.

Does not handle: thresholds (see ``preparation.thresholds``), or exact duplicates (see ``duplicates``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from selfinstruct.recipe import Novelty
from selfinstruct.records import Row
from selfinstruct.rows.leaves import leaf_text
from selfinstruct.similarity.exact_index import NoveltyIndex


def compared_text(row: Row, fields: Sequence[str]) -> str:
    """Return the compared text of a row: the texts of its novelty fields, one per line, without keys or punctuation."""
    if len(fields) == 1:
        return leaf_text(row.get(fields[0]))
    return "\n".join([leaf_text(row.get(name)) for name in fields])


class RowIndex:
    """An incremental index of rows, numbered from 0, that finds the nearest ones by ROUGE-L F1, exactly.

    With ``novelty.per_field`` every field has an index of its own, and two rows are as near as the nearest of their
    fields. A missing field is near to nothing.
    """

    def __init__(self, novelty: Novelty, *, min_threshold: float = 0.7) -> None:
        """Index rows for thresholds of at least ``min_threshold``; below it every row is compared."""
        self._novelty = novelty
        count = len(novelty.fields) if novelty.per_field else 1
        self._indexes = [NoveltyIndex(min_threshold=min_threshold) for _ in range(count)]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._indexes[0])

    def add(self, row: Row) -> None:
        """Add one row."""
        for index, text in zip(self._indexes, self.texts(row), strict=True):
            index.add(text)

    def add_all(self, rows: Iterable[Row]) -> None:
        """Add many rows, in order; several times as fast as one by one."""
        first, *others = self._indexes

        def texts() -> Iterator[str]:
            for row in rows:
                text, *more = self.texts(row)
                for index, other in zip(others, more, strict=True):
                    index.add(other)
                yield text

        first.add_all(texts())

    def look_ahead(self, rows: Iterable[tuple[Row, float]]) -> None:
        """Prepare the answers of ``nearest`` to these rows and thresholds; see ``NoveltyIndex.look_ahead``."""
        texts = [(self.texts(row), threshold) for row, threshold in rows]
        for at, index in enumerate(self._indexes):
            index.look_ahead([(of[at], threshold) for of, threshold in texts])

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        """Return the nearest row whose F1 is strictly greater than ``threshold``, with its F1; of ties the first."""
        pairs = zip(self._indexes, self.texts(row), strict=True)
        found = [near for index, text in pairs if (near := index.nearest(text, threshold)) is not None]
        return min(found, key=_nearest_first, default=None)

    def near(self, row: Row, threshold: float, labels: NDArray[np.int64]) -> list[int]:
        """Return rows whose F1 is strictly greater than ``threshold``, of those with one label at least one."""
        pairs = zip(self._indexes, self.texts(row), strict=True)
        return [found for index, text in pairs for found in index.near(text, threshold, labels)]

    def raise_scores(self, row: Row, scores: NDArray[np.float64]) -> None:
        """Raise the score of each row, in place, to its F1 with ``row`` where that is higher."""
        for index, text in zip(self._indexes, self.texts(row), strict=True):
            index.raise_scores(text, scores)

    def k_nearest(self, row: Row, k: int) -> list[tuple[int, float]]:
        """Return the ``k`` nearest rows with their F1, nearest first, ties in row order."""
        best: dict[int, float] = {}
        for index, text in zip(self._indexes, self.texts(row), strict=True):
            for other, score in index.k_nearest(text, k):
                best[other] = max(score, best.get(other, 0.0))
        return sorted(best.items(), key=_nearest_first)[:k]

    def texts(self, row: Row) -> list[str]:
        """The text of a row for each index."""
        if not self._novelty.per_field:
            return [compared_text(row, self._novelty.fields)]
        return [leaf_text(row[name]) if name in row else "" for name in self._novelty.fields]


def _nearest_first(found: tuple[int, float]) -> tuple[float, int]:
    return -found[1], found[0]
