"""The order of the elements of an index, from rare to common.

Does not handle: changes of the order. Elements that are new to it rank as rarer than all others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.postings import Integers

_MOST = np.iinfo(np.uint16).max


class TokenOrder:
    """The ranks of elements, given the number of rows that contain each."""

    def __init__(self, frequencies: Integers) -> None:
        """Sort the elements 0, 1, ... by their ``frequencies``; equally frequent ones by their codes."""
        # numpy sorts 16-bit numbers by radix, ten times as fast as longer ones; few elements are more frequent.
        self._by_rank: Integers = np.argsort(np.minimum(frequencies, _MOST).astype(np.uint16), kind="stable")
        common = self._by_rank[len(frequencies) - np.count_nonzero(frequencies >= _MOST) :]
        common[:] = common[np.argsort(frequencies[common], kind="stable")]
        self._ranks: Integers = np.empty(len(frequencies), np.int64)
        self._ranks[self._by_rank] = np.arange(len(frequencies))

    def cover(self, elements: int) -> None:
        """Rank the elements up to at least ``elements``: later ones are negative, the newest lowest."""
        if elements > len(self._ranks):
            more = np.arange(len(self._ranks), elements * 5 // 4 + 1024)
            self._ranks = np.concatenate((self._ranks, -1 - more))

    def ranks(self, elements: NDArray[np.uint32]) -> Integers:
        """Return the rank of each element, rare to common."""
        return self._ranks[elements]

    def at_ranks(self, ranks: Integers) -> Integers:
        """Return the elements with these ranks."""
        elements, known = -1 - ranks, ranks >= 0
        elements[known] = self._by_rank[ranks[known]]
        return elements
