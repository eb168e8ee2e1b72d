"""Postings for few elements that many rows contain, such as the characters of Chinese: rows alone, without gaps.

Where a text reads thousands of entries, what counts is the cost of each. So an entry is a row number and nothing else,
and a row is a candidate only if it is found under three elements, or under all that a near row must share if these are
fewer (see ``bounds``). That leaves one entry in fifty, whose signatures are then read.

Every frequent element has its own *cells*, one for each level of its position and each class of length. A text looks
for its elements in a range of lengths on each level, and what it reads there is one slice::

    starts [... 0 2 2 5 7 ...]      cells of one element and level, lengths 20 to 23: two rows, none, three, two
    rows   [ 3 8 | | 1 4 9 | 2 7 ]  lengths 20 to 22 are rows[0:5]

Rare and new elements have one cell each, by their hash.

Does not handle: removal, or another order of elements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.bounds import Layout, range_plan
from selfinstruct.similarity.postings import BY_ELEMENT, Column, Integers, grouped, ranges

_CELLS_PER_ROW = 32  # at most, of four bytes each
_RARE = 8  # an element is rare if fewer rows contain it than an eighth of the cells that it would have
_LEAST_BITS = 14  # of the number of cells for rare elements
_CHUNK = 1 << 18  # cells or entries at a time, to bound pauses
_PIECE = 1 << 14  # entries at a time: more are beyond the cache, and beyond malloc's heap
_LONG = 128  # entries a slice from which copying slices is faster than gathering items
_MARKS = 1 << 18  # bytes
_MOST_POSITIONS = 256  # that a byte tells apart
_ONE_CELL: Integers = np.array([[0], [1]])


class Entries(NamedTuple):
    """Rows, and the position in the text of the element under which each was found."""

    rows: NDArray[np.uint32]
    positions: NDArray[np.uint8]


class DensePostings:
    """The rows of a filing by element, level and length."""

    def __init__(self, layout: Layout, frequencies: Integers, rows: int) -> None:
        """Lay out cells for elements with these ``frequencies``, in a pool of ``rows`` rows."""
        self._layout, size = layout, layout.size
        frequent = min(int(np.count_nonzero(frequencies * _RARE >= size)), _CELLS_PER_ROW * rows // size)
        self._first_frequent = len(frequencies) - frequent  # as a rank
        self._bits = max(_LEAST_BITS, (2 * self._first_frequent).bit_length())
        # The end of a cell is the start of the next; one more makes room for counting (see fill).
        self._starts: NDArray[np.uint32] = np.zeros((1 << self._bits) + frequent * size + 2, np.uint32)
        self._rows = Column(np.uint32)
        self._marks: NDArray[np.uint8] = np.zeros(_MARKS, np.uint8)

    def cells(self, ranks: Integers, lengths: Integers, positions: Integers) -> NDArray[np.uint32]:
        """The cell of each element, given by its rank, at a position of a row of some length."""
        cells = self._homes(ranks)
        cells += np.where(ranks >= self._first_frequent, self._layout.cells(lengths, positions), 0)
        return cells.astype(np.uint32)

    def fill(self, cells: NDArray[np.uint32], blocks: Iterable[NDArray[np.uint32]]) -> Iterator[None]:
        """Enter the rows of all ``blocks`` into these cells, all of which are empty: a step for each item returned."""
        starts = self._starts
        for start in range(0, len(cells), _CHUNK):
            _, touched, added = grouped(cells[start : start + _CHUNK])
            starts[touched + 2] += added.astype(np.uint32)
            yield
        total = 0
        for start in range(0, len(starts), 4 * _CHUNK):
            some = starts[start : start + 4 * _CHUNK]
            some[0] += total
            np.cumsum(some, dtype=np.uint32, out=some)
            total = int(some[-1])
            yield
        self._rows.allocate(total)
        for start in range(0, total, 4 * _CHUNK):  # scattered writes would make the system clear all at once
            self._rows.values[start : start + 4 * _CHUNK] = 0
            yield
        start = 0
        for rows in blocks:  # starts[cell + 1] moves from the start of the cell to its end
            order, touched, added = grouped(cells[start : start + len(rows)])
            touched += 1
            self._rows.values[ranges(starts[touched].astype(np.int64), added)] = rows[order]
            starts[touched] += added.astype(np.uint32)
            start += len(rows)
            yield

    def merge(self, cells: NDArray[np.uint32], rows: NDArray[np.uint32]) -> Iterator[None]:
        """Enter further rows, with one cell for each item of ``rows``: a step for each item returned.

        In place, from the last cell to the first. Between two steps, what is read of the cell before those that have
        moved ends with rows of other cells, or with row 0, and no entry is missing.
        """
        if not len(rows):
            return
        order, touched, added = grouped(cells)
        rows, of = rows[order], touched.repeat(added)
        starts, count = self._starts, len(self._starts) - 2
        self._rows.allocate(len(rows))
        self._rows.values[-len(rows) :] = 0
        starts[count:] += np.uint32(len(rows))
        for low in reversed(range(0, count, _CHUNK)):
            high = min(low + _CHUNK, count)
            first, last = of.searchsorted((low, high)).tolist()
            own, more = starts[low : high + 1].astype(np.int64), of[first:last] - low
            own[-1] -= last
            piece = np.insert(self._rows.values[own[0] : own[-1]], own[more + 1] - own[0], rows[first:last])
            self._rows.values[own[0] + first : own[-1] + last] = piece
            counts = np.bincount(more, minlength=high - low)
            starts[low:high] = own[:-1] + first + counts.cumsum() - counts
            yield

    def find(self, ranks: Integers, threshold: float) -> tuple[Integers, int]:
        """The rows that may be near to a text whose elements, rare to common, have these ranks; the entries read.

        In any order and with repetitions.
        """
        plan = range_plan(threshold, len(ranks), self._layout)
        if not plan.most:
            return np.empty(0, np.int64), 0
        homes, positions, limits = self._homes(ranks[: plan.most]), plan.positions, plan.limits
        if ranks[0] < self._first_frequent:  # the rarest one
            frequent = ranks[positions] >= self._first_frequent
            kept = frequent | plan.is_first
            limits = np.where(frequent, limits, _ONE_CELL)[:, kept]
            positions = positions[kept]
        starts, ends = self._starts.take(limits + homes.take(positions)).astype(np.int64)
        counts = ends - starts
        held = counts.nonzero()[0]
        starts, counts = starts.take(held), counts.take(held)
        places = positions.take(held).astype(np.uint8)
        pieces = [
            Entries(self._at(starts[own], counts[own]), places[own].repeat(counts[own])) for own in _split(counts)
        ]
        read = sum(len(piece.rows) for piece in pieces)
        if plan.most <= _MOST_POSITIONS:
            for _ in range(plan.needed - 1):
                pieces = [self._found_again(pieces)]
        return np.concatenate([piece.rows for piece in pieces]).astype(np.int64), read

    def _homes(self, ranks: Integers) -> Integers:
        """The first cell of each element."""
        homes = (ranks - self._first_frequent) * self._layout.size + (1 << self._bits)
        if len(ranks) and ranks.min() < self._first_frequent:
            hashed = ranks.astype(np.uint64) * BY_ELEMENT >> np.uint64(64 - self._bits)
            np.copyto(homes, hashed.astype(np.int64), where=ranks < self._first_frequent)
        return homes

    def _at(self, starts: Integers, counts: Integers) -> NDArray[np.uint32]:
        """The rows of some slices."""
        rows = self._rows.values
        if counts.sum() <= _LONG * len(counts):
            return rows.take(ranges(starts, counts))
        slices = map(slice, starts.tolist(), (starts + counts).tolist())
        return np.concatenate([*map(rows.__getitem__, slices)])

    def _found_again(self, pieces: Sequence[Entries]) -> Entries:
        """The entries of rows that were found at another position, too, but for one position of each row.

        A mark is set to one position after the other, and entries whose own differs from the last one are returned.
        Rows that share a mark, whose number is such that they fit the cache, are returned without need.
        """
        marks = [np.bitwise_and(piece.rows, _MARKS - 1, dtype=np.int64) for piece in pieces]
        for own, piece in zip(marks, pieces, strict=True):
            self._marks[own] = piece.positions
        left = list[Entries]()
        for own, piece in zip(marks, pieces, strict=True):
            again = (self._marks.take(own) != piece.positions).nonzero()[0]
            left.append(Entries(piece.rows.take(again), piece.positions.take(again)))
        return Entries(*map(np.concatenate, zip(*left, strict=True)))


def _split(counts: Integers) -> list[slice]:
    """Slices of runs, each of some thousand entries; ``counts`` are those of the runs. At least one slice."""
    until = counts.cumsum()
    total = int(until[-1]) if len(until) else 0
    ends = [*until.searchsorted(np.arange(_PIECE, total, _PIECE)).tolist(), len(counts)]
    return list(map(slice, [0, *ends], ends))
