"""What a deduplication will cost, from a sample of its rows: bytes of work files, pairs to compare, processor time.

Of N rows, n are in the sample. A pair of rows is in it with a probability of (n/N)^2, so that a pair in it stands for
(N/n)^2 pairs. But where a kept row is near to a share of all rows, as one row of each template of a log, the sample has
kept such a row too, and a pair with it stands for N/n pairs. Such rows are found early: a pair whose kept row came in
the second half of the sample, which one in four is if pairs are of any two rows, is of the first kind. So is a pair
whose kept row has no other.

Rows at the beginning are compared with each other, kept or not, as long as that is not too many pairs (``settling``).

Of k independent events, as many are to be expected as from (sqrt(k) - 1)^2 to (sqrt(k + 1) + 1)^2: two standard
deviations of a Poisson variable, on the scale where they are all alike (Anscombe 1948). Few pairs give a wide range.

Does not handle: the duration, which also depends on the number of workers and on their disks. Rows that are near to
more than a few others, but to less than one in a thousand, look like pairs of any two rows, but cost less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from selfinstruct.engines.dedup import joining, pairing, settling
from selfinstruct.engines.dedup.sampling import FIRST, Sample

# Measured on one core of an AMD EPYC (benchmarks/results/scale.txt).
_PER_ROW, _PER_MEETING, _PER_PAIR = 10e-6, 25e-9, 2e-6  # seconds: to read and write a row
_FOUND = 1.25  # times that a pair is found
_PAIR_BYTES, _DROPPED_BYTES = 24, 160  # of a pair, in two stages; of what is said of a dropped row


@dataclass(frozen=True, slots=True)
class Cost:
    """What is expected: ``rows`` and how many are ``kept``, ``size`` of the work files in bytes, ``pairs`` to compare.

    ``seconds`` are those of one processor for everything. From ``fewest_pairs`` to ``most_pairs`` the sample allows.
    """

    rows: int
    kept: int
    size: int
    pairs: int
    fewest_pairs: int
    most_pairs: int
    seconds: float


def expected(sample: Sample, rows: int, blocks: int, size: int) -> Cost:
    """The cost of ``rows`` rows, which were read into ``blocks`` blocks of ``size`` bytes."""
    times = rows / sample.rows
    growth = math.log2(max(1, sample.kept) / max(1, sample.early_kept))
    all_kept = sample.kept * times ** min(growth, 1.0)
    # Pairs that tell how many are of any two rows, and how many such pairs each of them stands for.
    seen, weight = max((sample.single_pairs, 1), (sample.late_pairs, 4), key=lambda each: each[0] * each[1])
    pairs = _pairs(sample, rows, min(seen * weight, sample.pairs))
    fewest = _pairs(sample, rows, weight * _fewest(seen))
    most = _pairs(sample, rows, weight * _most(seen))
    meetings = sample.meetings * times * (all_kept / max(1, sample.kept) - 1)
    return Cost(
        rows,
        round(all_kept),
        round(size + _written(sample, rows, all_kept, blocks) + _PAIR_BYTES * pairs),
        round(pairs),
        round(fewest),
        round(most),
        rows * _PER_ROW + sample.seconds * times + meetings * _PER_MEETING + pairs * _PER_PAIR,
    )


def _pairs(sample: Sample, rows: int, of_any: float) -> float:
    """The pairs to compare among all rows, if ``of_any`` of the sample's pairs are of any two rows (see above)."""
    of_few = max(0.0, sample.pairs - of_any)

    def with_kept(until: float) -> float:
        """The pairs of the first rows with kept ones."""
        times = until / sample.rows
        return of_few * times + of_any * times**2

    first: float = min(rows, settling.FIRST_PANEL)
    density = _fewest(sample.among_first) / (FIRST * (FIRST - 1) / 2)
    entries = sample.entries / sample.rows
    among = density * first**2 / 2
    while first > settling.FEW and _FOUND * among > pairing.MOST_PAIRS * entries * first + joining.MOST_PAIRS:
        first, among = first / 2, among / 4
    return with_kept(rows) + max(0.0, among - with_kept(first))


def _fewest(seen: int) -> float:
    return max(0.0, math.sqrt(seen) - 1) ** 2


def _most(seen: int) -> float:
    return (math.sqrt(seen + 1) + 1) ** 2


def _written(sample: Sample, rows: int, kept: float, blocks: int) -> float:
    """The bytes of the work files of all rows, but for those that are read, and for pairs."""
    times = rows / sample.rows
    # Elements grow with a power of the rows of a block (Heaps' law).
    power = math.log2(max(1, sample.elements) / max(1, sample.early_elements))
    vocabulary: float = sample.of_vocabulary * (rows / blocks / sample.rows) ** power * blocks
    # A row is written by one task, and put into its place in the file by another one.
    return sample.of_rows * times + vocabulary + 2 * (sample.raw * times + _DROPPED_BYTES * (rows - kept))
