"""The texts of an index as elements, in arrays: a million of them need no objects of their own.

Does not handle: comparing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.postings import Column, Integers, ranges
from selfinstruct.similarity.vocabulary import Vocabulary


class EncodedTexts:
    """The elements of each row, one row after the other."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self._elements, self._ends, self._lengths = Column(np.uint32), Column(np.int64), Column(np.uint32)
        self._ends.append(0)

    def __len__(self) -> int:
        """The number of rows."""
        return self._ends.size - 1

    @property
    def elements(self) -> NDArray[np.uint32]:
        """The elements of all rows; a view."""
        return self._elements.values

    @property
    def ends(self) -> Integers:
        """0, and the end of each row in ``elements``; a view."""
        return self._ends.values

    def append(self, elements: NDArray[np.uint32]) -> None:
        """Add a row."""
        self._elements.extend(elements)
        self._ends.append(self._elements.size)
        self._lengths.append(len(elements))

    def extend(self, rows: Sequence[Sequence[int]]) -> None:
        """Add many rows."""
        self._elements.extend(np.fromiter(chain.from_iterable(rows), np.uint32))
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        self._ends.extend(self.ends[-1] + lengths.cumsum())
        self._lengths.extend(lengths)

    def row(self, row: int) -> NDArray[np.uint32]:
        """The elements of one row; a view."""
        start, end = self.ends[row : row + 2].tolist()
        return self.elements[start:end]

    def lengths(self, rows: Integers) -> Integers:
        """The number of elements of each of these rows."""
        return self._lengths.values.take(rows).astype(np.int64)

    def characters(self, rows: Integers) -> list[str | list[int]]:
        """These rows in the form that rapidfuzz compares.

        Decoded together: decoding each row by itself takes longer than its LCS.
        """
        starts, lengths = self.ends[rows], self.lengths(rows)
        whole = self.vocabulary.characters(self.elements[ranges(starts, lengths)])
        ends = lengths.cumsum().tolist()
        return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]
