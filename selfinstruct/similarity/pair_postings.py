"""Postings by pairs of elements, for few elements that many rows contain, such as the characters of Chinese.

Where thousands of rows contain an element, few contain two certain ones. So a row is filed under pairs of its first
elements, enough of them that every near text has one in common with it (see ``pair_bounds``).

A pair has a *cell* for each class of length, next to each other from a place that is the hash of the pair. What a text
reads of it in a range of lengths is one slice, in which other pairs may have entries too::

    starts [... 0 2 2 5 7 ...]      cells of a pair, lengths 16 to 31: two entries, none, three, two
    entries [ 3 8 | | 1 4 9 | 2 7 ]  lengths 16 to 27 are entries[0:5]

An entry is the number of a row, and its room in the highest bits.

Does not handle: removal, or another order of elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.colours import Colours
from selfinstruct.similarity.pair_bounds import MOST_OVERLAP, ROOMS, PairLayout, pair_plan
from selfinstruct.similarity.postings import BY_ELEMENT, Column, Integers, grouped, ranges

_ROW_BITS = 32 - (ROOMS - 1).bit_length()
#: Rows that an entry can tell apart.
MOST_ROWS = 1 << _ROW_BITS
_PER_CELL = 4  # entries, at most: fewer take more memory, more are read that belong to other pairs
_LEAST_BITS = 14  # of the number of cells
_CHUNK = 1 << 18  # cells or entries at a time, to bound pauses
_LONG = 128  # entries a slice from which copying slices is faster than gathering items
_BY_PAIR = np.uint64(0xD6E8FEB86659FD93)  # another odd multiplier with well mixed bits

#: Cells, and the entry for each.
Filed = tuple[NDArray[np.uint32], NDArray[np.uint32]]


class Rows(NamedTuple):
    """The first elements of consecutive rows, row by row, rare to common.

    Parallel arrays: the rank of each element, its row, counting from ``start``, and its position there; and the
    ``lengths`` of the rows.
    """

    start: int
    lengths: Integers
    ranks: Integers
    rows: Integers
    positions: Integers

    def pairs(self, layout: PairLayout, colours: Colours) -> tuple[Integers, Integers]:
        """The pairs under which the rows are filed, as indexes of elements; the rarer one first."""
        overlaps = layout.overlaps_of(self.lengths).take(self.rows)
        alone = overlaps == 1
        groups = np.where(alone, self.positions, colours.at(self.ranks, overlaps))
        order, _, counts = grouped(self.rows * (int(groups.max(initial=0)) + 1) + groups)
        ends = counts.cumsum().repeat(counts)
        starts = np.arange(len(order)) + ~alone.take(order)
        return order.repeat(ends - starts), order.take(ranges(starts, ends - starts))


class PairPostings:
    """The rows of a filing by pair and length."""

    def __init__(self, layout: PairLayout, colours: Colours, entries: int) -> None:
        """Lay out cells for about this number of ``entries``."""
        self._layout, self._colours = layout, colours
        self._bits = max(_LEAST_BITS, (entries // _PER_CELL).bit_length())
        # The end of a cell is the start of the next; one more makes room for counting (see fill).
        self._starts: NDArray[np.uint32] = np.zeros((1 << self._bits) + layout.classes + 2, np.uint32)
        self._entries = Column(np.uint32)

    def entries(self, rows: Rows) -> Filed:
        """The cells of the pairs under which these rows are filed, and the entry of the row in each."""
        firsts, seconds = rows.pairs(self._layout, self._colours)
        of = rows.rows.take(firsts)
        cells = self._homes(rows.ranks.take(firsts), rows.ranks.take(seconds))
        cells += self._layout.classes_of(rows.lengths).take(of)
        rooms = self._layout.rooms_of(rows.lengths).take(of) - rows.positions.take(seconds)
        entries = self._layout.clipped(rooms) << _ROW_BITS
        entries |= of + rows.start
        return cells.astype(np.uint32), entries.astype(np.uint32)

    def fill(self, blocks: Callable[[], Iterable[Filed]]) -> Iterator[None]:
        """Enter all ``blocks``, twice the same, into the cells, all of which are empty: a step for each item returned.

        Making the entries twice takes less memory than keeping their cells.
        """
        starts = self._starts
        for cells, _ in blocks():
            _, touched, added = grouped(cells)
            starts[touched + 2] += added.astype(np.uint32)
            yield
        total = 0
        for start in range(0, len(starts), 4 * _CHUNK):
            some = starts[start : start + 4 * _CHUNK]
            some[0] += total
            np.cumsum(some, dtype=np.uint32, out=some)
            total = int(some[-1])
            yield
        self._entries.reserve(2 * total)  # until the pool has doubled
        self._entries.allocate(total)
        for start in range(0, total, 4 * _CHUNK):  # scattered writes would make the system clear all at once
            self._entries.values[start : start + 4 * _CHUNK] = 0
            yield
        for cells, entries in blocks():  # starts[cell + 1] moves from the start of the cell to its end
            order, touched, added = grouped(cells)
            touched += 1
            self._entries.values[ranges(starts[touched].astype(np.int64), added)] = entries[order]
            starts[touched] += added.astype(np.uint32)
            yield

    def merge(self, cells: NDArray[np.uint32], entries: NDArray[np.uint32]) -> Iterator[None]:
        """Enter further rows, with one cell for each of ``entries``: a step for each item returned.

        In place, from the last cell to the first. Between two steps, what is read of the cell before those that have
        moved ends with entries of other cells, or with row 0, and no entry is missing.
        """
        if not len(entries):
            return
        order, touched, added = grouped(cells)
        entries, of = entries[order], touched.repeat(added)
        starts, count = self._starts, len(self._starts) - 2
        self._entries.allocate(len(entries))
        self._entries.values[-len(entries) :] = 0
        starts[count:] += np.uint32(len(entries))
        for low in reversed(range(0, count, _CHUNK)):
            high = min(low + _CHUNK, count)
            first, last = of.searchsorted((low, high)).tolist()
            own, more = starts[low : high + 1].astype(np.int64), of[first:last] - low
            own[-1] -= last
            piece = np.insert(self._entries.values[own[0] : own[-1]], own[more + 1] - own[0], entries[first:last])
            self._entries.values[own[0] + first : own[-1] + last] = piece
            counts = np.bincount(more, minlength=high - low)
            starts[low:high] = own[:-1] + first + counts.cumsum() - counts
            yield

    def find(self, ranks: Integers, threshold: float) -> tuple[Integers, int]:
        """The rows that may be near to a text whose elements, rare to common, have these ranks; the entries read.

        In any order and with repetitions.
        """
        plan = pair_plan(threshold, len(ranks), self._layout)
        ranks = ranks.take(plan.positions)
        groups = plan.sets * MOST_OVERLAP + self._colours.at(ranks, plan.overlaps)
        firsts, seconds = (groups[:, None] == groups).nonzero()
        pairs = (seconds - firsts >= (plan.overlaps > 1).take(firsts)).nonzero()[0]
        firsts, seconds = firsts.take(pairs), seconds.take(pairs)
        homes = self._homes(ranks.take(firsts), ranks.take(seconds))
        starts = self._starts.take(homes + plan.starts.take(seconds)).astype(np.int64)
        ends = self._starts.take(homes + plan.ends.take(seconds)).astype(np.int64)
        counts = ends - starts
        held = counts.nonzero()[0]
        entries = self._at(starts.take(held), counts.take(held))
        near = (entries >= np.uint32(plan.least_room << _ROW_BITS)).nonzero()[0]
        return np.bitwise_and(entries.take(near), MOST_ROWS - 1, dtype=np.int64), len(entries)

    def _homes(self, firsts: Integers, seconds: Integers) -> Integers:
        """The first cell of each pair, given by the ranks of its elements, rare to common."""
        mixed = (firsts.astype(np.uint64) * BY_ELEMENT + seconds.astype(np.uint64)) * _BY_PAIR
        return (mixed >> np.uint64(64 - self._bits)).astype(np.int64)

    def _at(self, starts: Integers, counts: Integers) -> NDArray[np.uint32]:
        """The entries of some slices."""
        entries = self._entries.values
        if counts.sum() <= _LONG * len(counts):
            return entries.take(ranges(starts, counts))
        slices = map(slice, starts.tolist(), (starts + counts).tolist())
        return np.concatenate([*map(entries.__getitem__, slices)])
