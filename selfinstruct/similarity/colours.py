"""Colours of elements: what makes a pair of them one that rows are filed under (see ``pair_bounds``).

Does not handle: correctness. Any colours will do; these make few pairs that many rows contain.

The characters of a word come together, and then both should not have one colour. So elements are coloured one after the
other, those of the most frequent pairs first, and each gets the colour that makes the fewest pairs with those before. A
pair counts by the square of its frequency, as it is looked up as often as rows are filed under it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.pair_bounds import MOST_OVERLAP, colours_for
from selfinstruct.similarity.postings import Integers, ranges

_NEW = 1 << 10  # new elements get their colours by their ranks modulo this
_MOST = 1 << 17  # pairs of a sample that are counted
_EVEN = 1e-4  # the weight of having as many elements of each colour


class Colours:
    """The colour of each element, given by its rank, for every overlap."""

    def __init__(self, known: int) -> None:
        """Any colours for elements of the ranks from 0 to ``known`` and for new ones, whose ranks are negative."""
        self._known = known
        overlaps = (2 << np.arange(MOST_OVERLAP.bit_length())) - 1
        places = np.arange(known + _NEW)
        self._tables: NDArray[np.uint16] = (places % colours_for(overlaps)[:, None]).astype(np.uint16)

    def at(self, ranks: Integers, overlaps: Integers) -> NDArray[np.uint16]:
        """The colours of elements of these ranks, each for its overlap."""
        places = ranks
        if len(ranks) and ranks.min() < 0:
            places = np.where(ranks < 0, self._known + ranks % _NEW, ranks)
        colours: NDArray[np.uint16] = self._tables.take(places + _table_of(overlaps) * self._tables.shape[1])
        return colours

    def choose(self, samples: Sequence[tuple[Integers, Integers]], overlaps: Iterable[int]) -> Iterator[None]:
        """Choose the colours for these overlaps by samples of rows: None for each step.

        A sample has the ranks of the elements of its rows, row by row, and the row of each, from 0.
        """
        codes = list[Integers]()
        for sample in samples:
            pairs = self._pairs(*sample)
            codes.append(pairs[:: len(pairs) // _MOST + 1])
            yield
        pairs, counts = np.unique(np.concatenate(codes), return_counts=True)
        yield
        often = counts > 1
        pairs, weights = pairs[often], counts[often] * (counts[often] - 1.0)
        ones, others = np.concatenate((pairs // self._known, pairs % self._known)), pairs % self._known
        others = np.concatenate((others, pairs // self._known))
        order = ones.argsort(kind="stable")
        ones, others, weights = ones[order], others[order], np.tile(weights, 2)[order]
        for overlap in overlaps:
            yield
            table = self._tables[_table_of(np.array(overlap))]
            _colour(table[: self._known], ones, others, weights, int(colours_for(np.array(overlap))))

    def _pairs(self, ranks: Integers, rows: Integers) -> Integers:
        """Every pair of two elements of a row, as one number."""
        starts = np.arange(1, len(rows) + 1)
        counts = np.bincount(rows).cumsum()[rows] - starts
        return ranks.repeat(counts) * self._known + ranks[ranges(starts, counts)]


def _colour(
    table: NDArray[np.uint16], ones: Integers, others: Integers, weights: NDArray[np.float64], colours: int
) -> None:
    """Colour the elements of these pairs, which are given both ways round and sorted."""
    known = len(table)
    ends = np.bincount(ones, minlength=known).cumsum().tolist()
    totals = np.bincount(ones, weights, minlength=known)
    found, used = np.full(known, colours), np.zeros(colours)
    for element in np.argsort(-totals, kind="stable")[: np.count_nonzero(totals)].tolist():
        own = slice(ends[element - 1] if element else 0, ends[element])
        costs = np.bincount(found[others[own]], weights[own], minlength=colours + 1)[:colours]
        costs += _EVEN * totals[element] * used
        found[element] = costs.argmin()
        used[found[element]] += 1
    np.copyto(table, found.astype(np.uint16), where=found < colours)


def _table_of(overlaps: Integers) -> Integers:
    """The table of each overlap, 1, 3, 7, 15..."""
    return np.bitwise_count(overlaps).astype(np.int64) - 1
