"""The pairs of elements that two near texts must share: the arithmetic of postings by pairs.

Does not handle: single elements (see ``bounds``).

The first k elements that two near texts share are among the first ``m - a + k`` of the one and the first ``n - a + k``
of the other (see ``bounds``). Give each element one of k - 1 colours. Then two of any k elements have the same
colour. So it is enough to file a row under each pair of its first elements that have one colour, and to look up the
pairs of a text. A row of 40 tokens at 0.7 is filed under its first 25 elements for k = 7: six colours with about four
elements each, so that it has some 50 pairs.

A larger k needs more elements, but fewer pairs of them: ``p ** 2 / 2 (k - 1)`` of p elements. A short text does not
share many elements with a near one. So k, the *overlap*, depends on the length of the row, and a text looks up pairs
for each overlap that rows of some near length have. Rows that may share a single element are filed under
each of their first elements, as a pair with itself.

A row that has the second element of a pair late leaves room for fewer further ones that it lacks. Its *room* is what
remains, and a text needs the more of it the longer it is: ``(1 - t / 2) n - j > t m / 2 - k`` for a pair that ends at
position j, from ``n - a + k > j`` and ``a > t (m + n) / 2``. The room is kept with each entry.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.bounds import LengthClasses, filed_elements, most_missed, partners

#: The largest overlap, a power of two less one; the colours for each are kept.
MOST_OVERLAP = 255
#: Rooms are less than this.
ROOMS = 64
_CLASSES = LengthClasses(8, 4)  # a range of lengths is one slice, in which other pairs are found the more the finer
_SHORT = 7  # the overlap for rows up to some 60 tokens
_LENGTH_PER_OVERLAP = 4  # from which longer rows have a larger one, so that they have about as many pairs as tokens
_LONGEST_CACHED = 512


class PairLayout(NamedTuple):
    """How entries of pairs are told apart, for rows that are asked for at ``threshold`` or above it.

    A pair has a cell for each of ``classes`` classes of length, from ``first_class`` on; other lengths count as the
    nearest one. ``scale`` divides rooms.
    """

    threshold: float
    first_class: int
    classes: int
    scale: int

    def classes_of(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The class of each length, from 0."""
        classes: NDArray[np.int64] = np.clip(_CLASSES.of(lengths) - self.first_class, 0, self.classes - 1)
        return classes

    def overlaps_of(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The overlap of rows of each length."""
        each, which = np.unique(lengths, return_inverse=True)
        overlaps: NDArray[np.int64] = np.array([overlap(self.threshold, length) for length in each.tolist()], np.int64)
        return overlaps[which]

    def rooms_of(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The room of rows of each length before anything of a pair's position is taken from it (see ``clipped``)."""
        rooms: NDArray[np.int64] = np.floor((1 - self.threshold / 2) * lengths).astype(np.int64)
        return rooms + self.overlaps_of(lengths)

    def clipped(self, rooms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rooms as they are kept, less than ``ROOMS``."""
        clipped: NDArray[np.int64] = np.clip(rooms // self.scale, 0, ROOMS - 1)
        return clipped


def pair_layout(threshold: float, shortest: int, longest: int) -> PairLayout:
    """The cells for rows of these lengths, asked for at this threshold or above it."""
    first, last = _CLASSES.of(np.array([shortest, longest])).tolist()
    layout = PairLayout(threshold, first, last - first + 1, 1)
    return layout._replace(scale=int(layout.rooms_of(np.array([longest]))[0]) // ROOMS + 1)


@lru_cache(maxsize=1 << 16)
def overlap(threshold: float, length: int) -> int:
    """The number of elements that a row of this length is known to share with a near text, for the use of pairs.

    1, 3, 7, 15...: at most as many as it shares with any text that is near at this threshold, or 1 if none is.
    """
    missed = most_missed(threshold, length)
    least = length - missed if missed >= 0 else 0
    found = 1
    while (more := 2 * found + 1) <= min(least, MOST_OVERLAP) and (
        more <= _SHORT or _LENGTH_PER_OVERLAP * (more + 1) <= length
    ):
        found = more
    return found


class PairPlan(NamedTuple):
    """What a text of m tokens looks up: the pairs of its first elements, for each overlap of rows of a near length.

    Parallel arrays, one item for an element and an overlap: the ``positions`` of the element, the overlap, and the
    ``sets`` of elements that are pairs if they have one colour. A pair that ends with this element is read from the
    cell ``starts`` to before ``ends``. An entry with less than ``least_room`` is not near.
    """

    positions: NDArray[np.int64]
    overlaps: NDArray[np.int64]
    sets: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    least_room: int


def pair_plan(threshold: float, length: int, layout: PairLayout) -> PairPlan:
    """Return what a text of ``length`` tokens looks up; ``threshold`` is at least that of the layout."""
    plan = _cached_plan if length <= _LONGEST_CACHED else _plan
    return plan(threshold, length, layout)


def _plan(threshold: float, length: int, layout: PairLayout) -> PairPlan:
    lengths, least = partners(threshold, length)
    overlaps = layout.overlaps_of(lengths)
    # The number of first elements, of ours and of the partner's: the former falls with its length for one overlap.
    ours, theirs = np.minimum(length - least + overlaps, length), np.minimum(lengths - least + overlaps, lengths)
    parts = [(np.empty(0, np.int64),) * 5]
    for number, value in enumerate(np.unique(overlaps).tolist()):
        own = overlaps == value
        positions = np.arange(ours[own].max())
        classes = layout.classes_of(lengths[own])
        ends = classes[(-ours[own]).searchsorted(-positions, "left") - 1] + 1
        same = np.ones_like(positions)
        sets = number * same if value > 1 else -1 - positions  # each by itself
        parts.append((positions, value * same, sets, classes[0] * same, ends))
    least_room = int(layout.clipped(layout.rooms_of(lengths) - (theirs - 1)).min(initial=ROOMS - 1))
    positions, each, sets, starts, ends = map(np.concatenate, zip(*parts, strict=True))
    return PairPlan(positions, each, sets, starts, ends, least_room)


_cached_plan = lru_cache(maxsize=4096)(_plan)


def colours_for(overlaps: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of colours with which two of any ``overlaps`` elements share one; 1 for single elements."""
    return np.maximum(overlaps - 1, 1)


def filed_under(threshold: float, length: int) -> int:
    """The number of first elements of a row of this length whose pairs it is filed under."""
    return filed_elements(threshold, length, overlap(threshold, length))
