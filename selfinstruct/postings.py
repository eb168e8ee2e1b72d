"""Postings in numpy arrays: which rows hold an element, with a signature of each row beside it.

Does not handle: deleting, or telling apart two elements that fall into one bucket (their rows come out together;
whoever asks must judge each row anyway). That is the price of having no object for a bucket: a million rows of
logs have several million buckets, most with one row, and a Python list for each would take a kilobyte a row.

A bucket is a slice of the arena that begins at ``starts[bucket]`` and holds ``counts[bucket]`` rows; its capacity
is the next power of two, so it is implied. A full bucket moves to a new slice of twice the capacity, and the old
one is lost until the index is built anew, when all slices are laid out at once::

    counts [0 1 3 0 ...]      bucket 1 holds row 2; bucket 2 holds rows 4, 9, 17 and has room for one more
    starts [- 0 1 - ...]      rows [ 2 | 4 9 17 _ | ...
"""

from __future__ import annotations

from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
Integers: TypeAlias = NDArray[np.int64]
#: Signatures of rows: one array for each 64-bit word, each with an item for every row.
Words: TypeAlias = list[NDArray[np.uint64]]

# Odd multipliers with well mixed bits: the golden ratio, and those of the splitmix64 and murmur3 finalizers.
_BY_ELEMENT, _BY_CELL = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x94D049BB133111EB)
_BY_BUCKET = np.uint64(0xFF51AFD7ED558CCD)


class Column(Generic[Scalar]):
    """A numpy array that grows at its end; ``values`` is a view of what it holds."""

    def __init__(self, dtype: type[Scalar]) -> None:
        self._room: NDArray[Scalar] = np.empty(64, dtype)
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

    def allocate(self, count: int) -> None:
        """Append ``count`` items of any value."""
        self.size += count
        if self.size > len(self._room):
            room = np.empty(self.size + self.size // 4, self._room.dtype)
            room[: len(self._room)] = self._room
            self._room = room


class Postings:
    """Rows and their signatures of ``words`` 64-bit words by bucket, for 2 ** ``bits`` buckets."""

    def __init__(self, *, bits: int, words: int) -> None:
        self.bits = bits
        self.counts: NDArray[np.uint32] = np.zeros(1 << bits, np.uint32)
        self._starts: NDArray[np.uint32] = np.zeros(1 << bits, np.uint32)
        self._rows = Column(np.uint32)
        self._signatures = [Column(np.uint64) for _ in range(words)]
        self._due = 0

    def reserve(self, counts: Integers) -> None:
        """Give each bucket a slice for so many rows at once; the next rows to be filed are these, in any order.

        So no slice of theirs moves, and none is lost: for a million rows of logs that is a third of the room.
        """
        capacity = _capacity(counts)
        self._starts = (capacity.cumsum() - capacity).astype(np.uint32)
        self._due = int(counts.sum())
        for column in self._columns:
            column.allocate(int(capacity.sum()))

    def extend(self, buckets: Integers, rows: NDArray[np.uint32], signatures: Words) -> None:
        """File each row, with its signature, under its bucket; parallel arrays in the order of arrival."""
        packed = (buckets << 32) | np.arange(len(buckets))
        packed.sort()
        order, ordered = packed & 0xFFFFFFFF, packed >> 32
        last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], len(ordered) > 0))
        touched, added = ordered[last], np.diff(last, prepend=-1)
        before = self.counts[touched].astype(np.int64)
        if self._due:
            self._due -= len(buckets)
        else:
            self._make_room(touched, before, before + added)
        places = _ranges(self._starts[touched] + before, added)
        self._rows.values[places] = rows[order]
        for column, word in zip(self._signatures, signatures, strict=True):
            column.values[places] = word[order]
        self.counts[touched] = before + added

    def buckets(self, elements: NDArray[Any], cells: Integers) -> Integers:
        """The bucket of each element in each cell; others may fall into the same."""
        salted = elements.astype(np.uint64) * _BY_ELEMENT ^ cells.view(np.uint64) * _BY_CELL
        return ((salted * _BY_BUCKET) >> np.uint64(64 - self.bits)).view(np.int64)

    def places(self, buckets: Integers, counts: Integers) -> Integers:
        """Where the rows of buckets with these ``counts`` lie, bucket after bucket."""
        return _ranges(self._starts[buckets], counts)

    def rows(self, places: Integers) -> NDArray[np.uint32]:
        """The rows at these places."""
        return self._rows.values[places]

    def signatures(self, places: Integers) -> Words:
        """The signatures of the rows at these places."""
        return [column.values[places] for column in self._signatures]

    @property
    def _columns(self) -> list[Column[Any]]:
        return [self._rows, *self._signatures]

    def _make_room(self, touched: Integers, before: Integers, after: Integers) -> None:
        """Move the buckets that ``after`` rows do not fit into."""
        moving = np.flatnonzero(after > _capacity(before))
        capacity, held = _capacity(after[moving]), before[moving]
        starts = self._rows.size + np.cumsum(capacity) - capacity
        old, new = _ranges(self._starts[touched[moving]], held), _ranges(starts, held)
        for column in self._columns:
            column.allocate(int(capacity.sum()))
            column.values[new] = column.values[old]
        self._starts[touched[moving]] = starts


def _capacity(counts: Integers) -> Integers:
    """The next power of two, 0 for 0."""
    exponents = np.frexp(np.maximum(counts - 1, 0).astype(np.float64))[1]
    return np.where(counts > 0, np.int64(1) << exponents.astype(np.int64), 0)


def _ranges(starts: NDArray[Any], counts: Integers) -> Integers:
    """``starts[0], starts[0] + 1, ...`` (``counts[0]`` of them), then those of the next, and so on."""
    ends = counts.cumsum()
    shifts = starts + counts
    shifts -= ends
    return shifts.repeat(counts) + np.arange(ends[-1] if len(ends) else 0)
