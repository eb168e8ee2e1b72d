"""Postings in numpy arrays: the rows that contain an element, each with its signature.

Does not handle: removal, or two elements that hash to the same bucket: their rows are returned together, and the caller
must check each row anyway. So no bucket needs an object: a million rows of logs have several million buckets, most with
one row, and a Python list for each would take a kilobyte per row.

A bucket is a slice of the arena that begins at ``starts[bucket]`` and contains ``counts[bucket]`` rows; its capacity is
the next power of two. A full bucket moves to a slice of twice the capacity, and the old slice is reused::

    counts [0 1 3 0 ...]      bucket 1: row 2; bucket 2: rows 4, 9, 17 and room for one more
    starts [- 0 1 - ...]      rows [ 2 | 4 9 17 _ | ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
Integers: TypeAlias = NDArray[np.int64]
#: Signatures: a line of 64-bit words for each row. Kept together, since reading one word costs as much as three.
Words: TypeAlias = NDArray[np.uint64]
#: Rows, and the signature of each.
Entries: TypeAlias = tuple[NDArray[np.uint32], Words]

#: An odd multiplier with well mixed bits: the golden ratio.
BY_ELEMENT = np.uint64(0x9E3779B97F4A7C15)
_CHUNK = 1 << 18  # buckets at a time, to bound pauses
_EVERY = slice(None)
_PIECE = 1 << 13  # entries returned at a time: a few times as many are beyond the cache, and beyond malloc's heap
_LONG = 24  # entries per bucket from which copying slices is faster than gathering items


class Column(Generic[Scalar]):
    """A numpy array that grows at its end; ``values`` is a view of its items."""

    def __init__(self, dtype: type[Scalar], width: int | None = None) -> None:
        """A column of single items, or of lines of ``width`` items."""
        self._room: NDArray[Scalar] = np.empty(64 if width is None else (64, width), dtype)
        self.size = 0

    @property
    def values(self) -> NDArray[Scalar]:
        """A view of the items; valid until the column grows."""
        return self._room[: self.size]

    def append(self, item: Any) -> None:
        """Append one item."""
        self.allocate(1)
        self._room[self.size - 1] = item

    def extend(self, items: NDArray[Any]) -> None:
        """Append the items."""
        self.allocate(len(items))
        self._room[self.size - len(items) : self.size] = items

    def reserve(self, count: int) -> None:
        """Make room for ``count`` items in an empty column; room that is never used takes no memory."""
        self._room = np.empty((count, *self._room.shape[1:]), self._room.dtype)

    def allocate(self, count: int) -> None:
        """Append ``count`` items of any value."""
        self.size += count
        if self.size == count > len(self._room):
            self._room = np.empty((count, *self._room.shape[1:]), self._room.dtype)
        elif self.size > len(self._room):  # a large array grows in place, without a copy; numpy clears what is new
            self._room.resize((self.size + self.size // 16, *self._room.shape[1:]), refcheck=False)


class Found(NamedTuple):
    """The entries of some buckets, one after the other.

    ``held`` are the indexes of the requested buckets that are not empty; each of these begins at ``starts`` in the
    arena and has ``counts`` entries, ``until`` is their running total; ``signatures`` have one line per entry.
    """

    held: Integers
    starts: Integers
    counts: Integers
    until: Integers
    signatures: Words

    def before(self, bucket: int) -> int:
        """The number of entries of the buckets requested before this one."""
        which = int(self.held.searchsorted(bucket))
        return int(self.until[which - 1]) if which else 0


class Postings:
    """Rows and their signatures of ``words`` 64-bit words by bucket, for 2 ** ``bits`` buckets.

    The cells of one element are adjacent, and close to each other in the arena after ``fill``.
    """

    def __init__(self, *, bits: int, words: int) -> None:
        self._bits, self._mask = bits, np.uint32((1 << bits) - 1)
        self._counts: NDArray[np.uint32] = np.zeros(1 << bits, np.uint32)
        self._starts: NDArray[np.uint32] = np.zeros(1 << bits, np.uint32)
        self._rows, self._signatures = Column(np.uint32), Column(np.uint64, words)
        self._columns: list[Column[Any]] = [self._rows, self._signatures]
        self._free: list[Integers] = [np.empty(0, np.int64)] * 33  # free slices, by exponent of capacity

    def fill(self, buckets: NDArray[np.uint32], blocks: Iterable[Entries]) -> Iterator[None]:
        """File the rows of all ``blocks`` under ``buckets``, all of which are empty: a step for each item returned.

        Since all rows are known, every bucket gets its final place and none moves.
        """
        capacities = self._starts
        for start in range(0, len(capacities), 4 * _CHUNK):  # scattered writes would make the system clear all at once
            for array in (self._counts, self._starts):
                array[start : start + 4 * _CHUNK] = 0
            yield
        for start in range(0, len(buckets), _CHUNK):
            _, touched, added = grouped(buckets[start : start + _CHUNK])
            capacities[touched] += added.astype(np.uint32)
            yield
        for start in range(0, len(capacities), _CHUNK):
            capacities[start : start + _CHUNK] = _capacity(capacities[start : start + _CHUNK])
            yield
        total = 0
        for start in range(0, len(capacities), _CHUNK):
            some = capacities[start : start + _CHUNK]
            ends = total + some.cumsum(dtype=np.int64)
            total = int(ends[-1])
            some[:] = ends - some
            yield
        for column in self._columns:
            column.allocate(total)
        for start in range(0, total, 4 * _CHUNK):
            for column in self._columns:
                column.values[start : start + 4 * _CHUNK] = 0
            yield
        start = 0
        for rows, signatures in blocks:
            self._put(*grouped(buckets[start : start + len(rows)]), rows, signatures)
            start += len(rows)
            yield

    def extend(self, buckets: NDArray[np.uint32], rows: NDArray[np.uint32], signatures: Words) -> None:
        """File each row, with its signature, under its bucket; parallel arrays in the order of arrival."""
        order, touched, added = grouped(buckets)
        self._make_room(touched, added)
        self._put(order, touched, added, rows, signatures)

    def buckets(
        self, elements: NDArray[Any], cells: NDArray[np.uint32], which: Integers | slice = _EVERY
    ) -> NDArray[np.uint32]:
        """The bucket of each element, or of those that ``which`` picks, in each cell; others may share it."""
        homes = (elements.astype(np.uint64) * BY_ELEMENT >> np.uint64(64 - self._bits)).astype(np.uint32)
        buckets: NDArray[np.uint32] = homes[which] + cells
        buckets &= self._mask
        return buckets

    def count(self, buckets: NDArray[np.uint32]) -> int:
        """The number of entries of all these buckets."""
        return int(self._counts.take(buckets).sum(dtype=np.int64))

    def find(self, buckets: NDArray[np.uint32]) -> Iterator[Found]:
        """Return the entries of all these buckets, some thousands at a time."""
        all_counts = self._counts.take(buckets)
        held = (all_counts != 0).nonzero()[0]  # twice as fast on booleans as on numbers
        counts = all_counts.take(held).astype(np.int64)
        starts, until = self._starts.take(buckets.take(held)).astype(np.int64), counts.cumsum()
        if not len(held):
            return
        total = int(until[-1])
        if total <= _PIECE:
            yield Found(held, starts, counts, until, self._at(starts, counts, total))
            return
        first = before = 0
        while first < len(held):
            last = max(int(until.searchsorted(before + _PIECE, "right")), first + 1)
            own, size = slice(first, last), int(until[last - 1]) - before
            signatures = self._at(starts[own], counts[own], size)
            yield Found(held[own], starts[own], counts[own], until[own] - before, signatures)
            first, before = last, before + size

    def rows(self, found: Found, entries: Integers) -> NDArray[np.uint32]:
        """Return the rows of some of the entries found."""
        which = found.until.searchsorted(entries, "right")
        rows: NDArray[np.uint32] = self._rows.values[
            found.starts[which] + entries - found.until[which] + found.counts[which]
        ]
        return rows

    def _at(self, starts: Integers, counts: Integers, total: int) -> Words:
        """The signatures of the entries of some buckets, ``total`` in all."""
        if total < _LONG * len(counts):
            return self._signatures.values.take(ranges(starts, counts), axis=0)
        slices = map(slice, starts.tolist(), (starts + counts).tolist())
        return np.concatenate([*map(self._signatures.values.__getitem__, slices)])

    def _put(self, order: Integers, touched: Integers, added: Integers, *entries: NDArray[Any]) -> None:
        """Write rows and signatures into their buckets, which have enough room."""
        before = self._counts[touched].astype(np.int64)
        places = ranges(self._starts[touched] + before, added)
        for column, items in zip(self._columns, entries, strict=True):
            column.values[places] = items[order]
        self._counts[touched] = before + added

    def _make_room(self, touched: Integers, added: Integers) -> None:
        """Move the buckets that have no room for the added rows."""
        before = self._counts[touched].astype(np.int64)
        moving = np.flatnonzero(before + added > _capacity(before))
        touched, held, total = touched[moving], before[moving], (before + added)[moving]
        old = self._starts[touched].astype(np.int64)
        new = self._take(_exponent(total))
        for column in self._columns:
            column.values[ranges(new, held)] = column.values[ranges(old, held)]
        self._starts[touched] = new
        self._release(old[held > 0], _exponent(held[held > 0]))

    def _take(self, exponents: Integers) -> Integers:
        """The starts of slices of capacity 2 ** exponent: free ones first, then new ones."""
        starts = np.empty(len(exponents), np.int64)
        for exponent in np.unique(exponents).tolist():
            asking = np.flatnonzero(exponents == exponent)
            again = self._free[exponent][: len(asking)]
            self._free[exponent] = self._free[exponent][len(again) :]
            more = (len(asking) - len(again)) << exponent
            starts[asking] = np.concatenate((again, np.arange(0, more, 1 << exponent) + self._rows.size))
            for column in self._columns:
                column.allocate(more)
        return starts

    def _release(self, starts: Integers, exponents: Integers) -> None:
        """Mark slices as free."""
        for exponent in np.unique(exponents).tolist():
            self._free[exponent] = np.concatenate((self._free[exponent], starts[exponents == exponent]))


def grouped(buckets: NDArray[np.uint32] | Integers) -> tuple[Integers, Integers, Integers]:
    """The order that sorts these buckets, the distinct ones, and how often each occurs."""
    packed = (buckets.astype(np.int64) << 32) | np.arange(len(buckets))
    packed.sort()
    order, ordered = packed & 0xFFFFFFFF, packed >> 32
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], len(ordered) > 0))
    return order, ordered[last], np.diff(last, prepend=-1)


def _exponent(counts: NDArray[Any]) -> Integers:
    """The exponent of the next power of two, for counts from 1."""
    return np.frexp((counts - 1).astype(np.float64))[1].astype(np.int64)


def _capacity(counts: NDArray[Any]) -> Integers:
    """The next power of two, 0 for 0."""
    return np.where(counts > 0, np.int64(1) << _exponent(np.maximum(counts, 1)), 0)


def ranges(starts: NDArray[Any], counts: Integers) -> Integers:
    """``starts[0], starts[0] + 1, ...`` (``counts[0]`` of them), then those of the next, and so on."""
    ends = counts.cumsum()
    shifts = starts + counts
    shifts -= ends
    places = shifts.repeat(counts)
    places += np.arange(len(places))
    return places
