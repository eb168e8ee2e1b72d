"""How much two texts must share to be near: the arithmetic behind the index's filters.

Does not handle: order. Everything here bounds the number of *elements* (a token and which of its occurrences
in the text it is) that two texts share; their longest common subsequence is at most that.

Two texts of m and n tokens have ``F1 = 2 LCS / (m + n) > t`` only if they share at least ``a`` elements, the
least integer with ``2 a / (m + n) > t``. So the one misses at most ``m - a`` of the other's, which misses
``n - a``. Sort the elements of both by one order, rare to common: the first one that they share is among the
first ``m - a + 1`` of the one *and* the first ``n - a + 1`` of the other (prefix filter: Chaudhuri et al. 2006;
with positions: Xiao et al. 2008, PPJoin). m = n = 25 at t = 0.857 gives a = 22: positions 0 to 3 in both.

A longer partner may miss more, and then the shorter text misses less. So a row is filed under *cells*: the class
of its length and the level of the place of the element. ``probe_plan`` lists, for a text of m tokens, which
positions of its own to look up in which cells, over all lengths n at once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.rouge import f1_score

#: Below this threshold a text has so many possible partners that every row is looked at.
LEAST_THRESHOLD = 0.05
_LONGEST_CACHED = 512
# Rows of one template have one length, and a threshold read off two of them leaves not one element to spare.
_EXACT_LENGTHS = 64
_LAST_POSITION = 1 << 16
_CLEARLY = 1.2  # times as long: one of two near texts can miss little of the other


class ProbePlan(NamedTuple):
    """What to look up for a text of m tokens: parallel arrays, one item a probe, by the partner's length.

    ``positions[p]`` is a place in the text's own elements, rare to common; ``cells[p]`` the cell that the partner
    is filed in; ``misses[p]`` the most elements that the text may have and miss in a partner from there, if the two
    are to be near; ``differences[p]`` the most elements that only one of the two may have. Partners of the probes
    before ``shorter`` are clearly shorter than the text, and there only elements that the text lacks count as
    differences; from ``longer`` on partners are clearly longer, and only elements that they lack count. At most 255.
    ``most_missed`` is the largest of ``misses``.
    """

    positions: NDArray[np.int64]
    cells: NDArray[np.uint32]
    misses: NDArray[np.int64]
    differences: NDArray[np.uint8]
    shorter: int
    longer: int
    most_missed: int


def least_common(threshold: float, total: int) -> int:
    """The least LCS with which two texts of ``total`` tokens together have an F1 strictly above ``threshold``."""
    common = max(int(threshold * total / 2), 1)
    while f1_score(common, total, 0) <= threshold:
        common += 1
    while common > 1 and f1_score(common - 1, total, 0) > threshold:
        common -= 1
    return common


def shortest_partner(threshold: float, length: int) -> int | None:
    """The length of the shortest text that may be near to one of ``length`` tokens, or None if none may."""
    shortest = max(int(threshold * length / (2 - threshold)) - 1, 1)
    while least_common(threshold, shortest + length) > shortest:
        shortest += 1
        if shortest > length:
            return None
    return shortest


@lru_cache(maxsize=1 << 16)
def most_missed(threshold: float, length: int) -> int:
    """How many of its elements a text of ``length`` tokens may miss and be near to any other; -1 for none."""
    shortest = shortest_partner(threshold, length)
    return -1 if shortest is None else length - least_common(threshold, shortest + length)


def cell_of(lengths: NDArray[np.int64], positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cell of an element at each position of a text of each length (1 or more).

    Positions below 8 have a level each, from there on there are two levels an octave (8-11, 12-15, 16-23...);
    lengths have a class each up to 64, from there on six classes an octave.
    """
    return _length_class(lengths) * _MOST_LEVELS + _LEVELS[np.minimum(positions, _LAST_POSITION)]


def probe_plan(threshold: float, length: int) -> ProbePlan:
    """The probes for a text of ``length`` tokens; ``threshold`` is at least ``LEAST_THRESHOLD``."""
    plan = _cached_plan if length <= _LONGEST_CACHED else _plan
    return plan(threshold, length)


def _plan(threshold: float, length: int) -> ProbePlan:
    shortest = shortest_partner(threshold, length)
    if shortest is None:
        nothing = np.empty(0, np.int64)
        return ProbePlan(nothing, nothing.astype(np.uint32), nothing, nothing.astype(np.uint8), 0, 0, 0)
    lengths = np.arange(shortest, int(length * (2 - threshold) / threshold) + 2)
    least = _least_common_of(threshold, lengths + length)
    lengths, least = lengths[least <= length], least[least <= length]
    ours, theirs = length - least, lengths - least  # most misses: ours fall with the partner's length, theirs rise
    classes = _length_class(lengths)
    first = np.flatnonzero(np.diff(classes, prepend=-1))
    cells, misses, lasts = [], [], []
    for start, last in zip(first.tolist(), [*(first[1:] - 1).tolist(), len(lengths) - 1], strict=True):
        levels = np.arange(_LEVELS[min(theirs[last], _LAST_POSITION)] + 1)
        cells.append(classes[start] * _MOST_LEVELS + levels)
        misses.append(ours[np.maximum(start, np.searchsorted(theirs, _FIRST_POSITIONS[levels]))])
        lasts.append(np.full(len(levels), last))
    each, last_of = np.concatenate(misses), np.concatenate(lasts)
    probes = each + 1
    starts = (np.cumsum(probes) - probes).repeat(probes)
    last_of = last_of.repeat(probes)
    shorter = int((lengths[last_of] * _CLEARLY < length).sum())
    longer = int((lengths[last_of] <= length * _CLEARLY).sum())
    misses_each, differences = each.repeat(probes), theirs[last_of]
    differences[shorter:] += misses_each[shorter:]
    differences[longer:] = misses_each[longer:]
    return ProbePlan(
        np.arange(len(starts)) - starts,
        np.concatenate(cells).astype(np.uint32).repeat(probes),
        misses_each,
        np.minimum(differences, 255).astype(np.uint8),
        shorter,
        longer,
        int(each.max()),
    )


_cached_plan = lru_cache(maxsize=4096)(_plan)


def _least_common_of(threshold: float, totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """``least_common`` of many totals; one step up and down mends what rounding may have done."""
    common = np.maximum((threshold * totals / 2).astype(np.int64), 1)
    common += 2 * common / totals <= threshold
    common += 2 * common / totals <= threshold
    common -= (common > 1) & (2 * (common - 1) / totals > threshold)
    return common


def _length_class(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    octaves = np.log2(np.maximum(lengths, _EXACT_LENGTHS) / _EXACT_LENGTHS)
    classes: NDArray[np.int64] = np.minimum(lengths, _EXACT_LENGTHS) + np.floor(6 * octaves).astype(np.int64)
    return classes


def _make_levels() -> NDArray[np.int64]:
    positions = np.arange(8, _LAST_POSITION + 1)
    octave = np.floor(np.log2(positions)).astype(np.int64)
    return np.concatenate((np.arange(8), 2 + 2 * octave + ((positions >> (octave - 1)) & 1)))


_LEVELS = _make_levels()
_MOST_LEVELS = int(_LEVELS[-1]) + 1
_FIRST_POSITIONS = np.searchsorted(_LEVELS, np.arange(_MOST_LEVELS))
