"""The number of tokens that two near texts must share: the arithmetic behind the index's filters.

Does not handle: order. Everything here bounds the number of *elements* (a token and which of its occurrences
in the text it is) that two texts share; their longest common subsequence is at most that.

Two texts of m and n tokens have ``F1 = 2 LCS / (m + n) > t`` only if they share at least ``a`` elements, the
least integer with ``2 a / (m + n) > t``. So at most ``m - a`` elements of the first are missing in the second, and
``n - a`` the other way round. Sort the elements of both in one order, rare to common: the first one that they share
is among the first ``m - a + 1`` of the first *and* the first ``n - a + 1`` of the second (prefix filter: Chaudhuri
et al. 2006; with positions: Xiao et al. 2008, PPJoin). With m = n = 25 and t = 0.857, a = 22: positions 0 to 3 in both.
The first k that they share are, in the same way, among the first ``m - a + k`` and ``n - a + k`` (Wang et al. 2012,
AdaptJoin; see ``pair_bounds``).

A longer partner may lack more, and then the shorter text lacks less. So a row is indexed by *cells*: the class
of its length and the level of the position of the element. ``probe_plan`` lists, for a text of m tokens, which
positions of its own to look up in which cells, over all lengths n at once. Narrow classes cost probes, wide ones cost
entries, so that ``length_classes`` depends on the number of rows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.rouge import f1_score

#: Below this threshold a text has too many possible partners for an index: every row is compared.
LEAST_THRESHOLD = 0.05
_LONGEST_CACHED = 512
_LAST_POSITION = 1 << 16
_CLEARLY = 1.2  # ratio of lengths from which one of two near texts contains most of the other


class LengthClasses(NamedTuple):
    """How finely lengths are told apart: each up to ``exact``, then ``per_octave`` classes for each doubling."""

    exact: int
    per_octave: int

    def of(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The class of each length."""
        octaves = np.log2(np.maximum(lengths, self.exact) / self.exact)
        classes: NDArray[np.int64] = np.minimum(lengths, self.exact) + np.floor(self.per_octave * octaves).astype(
            np.int64
        )
        return classes


_FINE, _MIDDLE, _COARSE = LengthClasses(64, 6), LengthClasses(16, 10), LengthClasses(16, 6)
#: Rows of one template have the same length, and a high threshold measured on two of them leaves no slack.
TEMPLATES = 0.8
_MIDDLE_ROWS = 50_000  # measured on Chinese rows (see benchmarks/LOG.md)


def length_classes(threshold: float, rows: int) -> LengthClasses:
    """The classes of lengths for an index of ``rows`` rows, asked at this threshold or above it."""
    if threshold >= TEMPLATES:
        return _FINE
    return _MIDDLE if rows >= _MIDDLE_ROWS else _COARSE


class ProbePlan(NamedTuple):
    """The probes for a text of m tokens: parallel arrays, one item per probe, in the order of the partner's length.

    ``positions[p]`` is a position in the text's own elements, rare to common; ``cells[p]`` the cell of the partner;
    ``misses[p]`` the maximum number of elements of the text that a near partner in that cell may lack;
    ``differences[p]`` the maximum number of elements that only one of the two has. Partners of the probes
    before ``shorter`` are clearly shorter than the text, and there only elements that the text lacks count as
    differences; from ``longer`` on partners are clearly longer, and only elements that they lack count. At most 255.
    ``most_missed`` is the largest of ``misses``; ``most_different`` the largest of ``differences`` for each of these
    three kinds of partners.
    """

    positions: NDArray[np.int64]
    cells: NDArray[np.uint32]
    misses: NDArray[np.int64]
    differences: NDArray[np.uint8]
    shorter: int
    longer: int
    most_missed: int
    most_different: tuple[int, int, int]


def least_common(threshold: float, total: int) -> int:
    """Return the least LCS for which two texts of ``total`` tokens in all have an F1 strictly above ``threshold``."""
    common = max(int(threshold * total / 2), 1)
    while f1_score(common, total, 0) <= threshold:
        common += 1
    while common > 1 and f1_score(common - 1, total, 0) > threshold:
        common -= 1
    return common


def shortest_partner(threshold: float, length: int) -> int | None:
    """Return the length of the shortest text that may be near to one of ``length`` tokens, or None if none can be."""
    if not length:
        return None
    shortest = max(int(threshold * length / (2 - threshold)) - 1, 1)
    while least_common(threshold, shortest + length) > shortest:
        shortest += 1
        if shortest > length:
            return None
    return shortest


@lru_cache(maxsize=1 << 16)
def most_missed(threshold: float, length: int) -> int:
    """Return the maximum number of elements that a text of ``length`` tokens need not share to be near another.

    -1 if no text can be near to it.
    """
    shortest = shortest_partner(threshold, length)
    return -1 if shortest is None else length - least_common(threshold, shortest + length)


def filed_elements(threshold: float, length: int, overlap: int = 1) -> int:
    """The number of first elements of a text of ``length`` tokens of which a near text shares ``overlap``.

    Or all that the two share, where these are fewer. 0 if no text can be near to it.
    """
    missed = most_missed(threshold, length)
    return min(missed + overlap, length) if missed >= 0 else 0


def cell_of(lengths: NDArray[np.int64], positions: NDArray[np.int64], classes: LengthClasses) -> NDArray[np.int64]:
    """Return the cell of an element at each position of a text of each length (1 or more).

    Each position below 8 has its own level, later ones two levels per octave (8-11, 12-15, 16-23...).
    """
    return classes.of(lengths) * _MOST_LEVELS + _LEVELS[np.minimum(positions, _LAST_POSITION)]


def probe_plan(threshold: float, length: int, classes: LengthClasses) -> ProbePlan:
    """Return the probes for a text of ``length`` tokens; ``threshold`` is at least ``LEAST_THRESHOLD``."""
    plan = _cached_plan if length <= _LONGEST_CACHED else _plan
    return plan(threshold, length, classes)


def _plan(threshold: float, length: int, of: LengthClasses) -> ProbePlan:
    lengths, least = partners(threshold, length)
    if not len(lengths):
        nothing = np.empty(0, np.int64)
        return ProbePlan(nothing, nothing.astype(np.uint32), nothing, nothing.astype(np.uint8), 0, 0, 0, (0, 0, 0))
    ours, theirs = length - least, lengths - least  # ours fall with the partner's length, theirs rise
    classes = of.of(lengths)
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
    differences = np.minimum(differences, 255)
    kinds = (differences[:shorter], differences[shorter:longer], differences[longer:])
    return ProbePlan(
        np.arange(len(starts)) - starts,
        np.concatenate(cells).astype(np.uint32).repeat(probes),
        misses_each,
        differences.astype(np.uint8),
        shorter,
        longer,
        int(each.max()),
        (int(kinds[0].max(initial=0)), int(kinds[1].max(initial=0)), int(kinds[2].max(initial=0))),
    )


_cached_plan = lru_cache(maxsize=4096)(_plan)


def partners(threshold: float, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The lengths of the texts that may be near to one of ``length`` tokens, ascending, and what each must share."""
    shortest = shortest_partner(threshold, length)
    if shortest is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    lengths = np.arange(shortest, int(length * (2 - threshold) / threshold) + 2)
    least = _least_common_of(threshold, lengths + length)
    return lengths[least <= length], least[least <= length]


def _least_common_of(threshold: float, totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``least_common`` for many totals; steps up and down correct rounding errors."""
    common = np.maximum((threshold * totals / 2).astype(np.int64), 1)
    common += 2 * common / totals <= threshold
    common += 2 * common / totals <= threshold
    common -= (common > 1) & (2 * (common - 1) / totals > threshold)
    return common


def _make_levels(exact: int, per_octave: int) -> NDArray[np.int64]:
    """The level of each position: one for each up to ``exact``, a power of two, and then ``per_octave`` an octave."""
    positions = np.arange(_LAST_POSITION + 1)
    octaves = np.floor(np.log2(np.maximum(positions, exact) / exact)).astype(np.int64)
    steps = (np.maximum(positions, exact) * per_octave >> octaves) // exact - per_octave
    return np.minimum(positions, exact) + octaves * per_octave + steps


_LEVELS = _make_levels(8, 2)
_MOST_LEVELS = int(_LEVELS[-1]) + 1
_FIRST_POSITIONS = np.searchsorted(_LEVELS, np.arange(_MOST_LEVELS))
