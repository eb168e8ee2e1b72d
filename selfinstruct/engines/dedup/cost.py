"""What a deduplication will cost, from a sample of its rows: bytes of work files, pairs to compare, processor time.

The sample is deduplicated by the same stages. How many rows will be kept is extrapolated by the power law through the
sample and its first quarter; rows meet in proportion to rows times kept rows. Other rows than those of the sample may
be otherwise, so that the figures are of the order of magnitude.

Does not handle: the duration, which also depends on the number of workers and on their disks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from selfinstruct.engines.dedup.settling import Verdicts
from selfinstruct.engines.dedup.work import Blocks, Job, load, packed, save, unpacked

#: Rows of a sample, and blocks that they are taken from.
SAMPLE, _BLOCKS = 4096, 16
# Measured on one core of an AMD EPYC (benchmarks/results/scale.txt).
_PER_ROW, _PER_MEETING, _PER_PAIR = 30e-6, 25e-9, 2e-6  # seconds


@dataclass(frozen=True, slots=True)
class Cost:
    """What is expected: ``rows`` and how many are ``kept``, ``size`` of the work files in bytes, ``pairs`` to compare.

    ``seconds`` are those of one processor for everything.
    """

    rows: int
    kept: int
    size: int
    pairs: int
    seconds: float


def take_sample(job: Job, blocks: Blocks, sample: Job) -> Blocks:
    """Save a sample of the rows of all blocks, in order, as the only block of another job; the blocks of that."""
    chosen = np.unique(np.linspace(0, len(blocks.names) - 1, _BLOCKS).astype(int)).tolist()
    texts = list[bytes]()
    for at in chosen:
        own = unpacked(job.path("rows", blocks.names[at]), "text")
        step = max(1, len(own) * len(chosen) // SAMPLE)
        texts += own[::step]
    whole, ends = packed(texts)
    only = Blocks(("sample",), (0, len(texts)))
    save(sample.path("rows", "sample"), text=whole, text_ends=ends)
    only.save(sample)
    only.save(sample, "groups")
    return only


def expected(sample: Job, verdicts: Verdicts, sample_size: int, rows: int, size: int) -> Cost:
    """The cost of ``rows`` rows; the stages of the sample wrote ``sample_size`` bytes, reading all rows ``size``."""
    taken, kept = len(verdicts.kept), max(1, int(verdicts.kept.sum()))
    quarter = max(1, int(verdicts.kept[: taken // 4].sum()))
    growth = min(1.0, math.log(kept / quarter, 4))
    times = rows / taken
    all_kept = kept * times**growth
    meetings = pairs = 0
    for path in sample.folder.glob("pairs-*/*"):
        meetings += int(load(path, "meetings")[0])
        pairs += len(load(path, "pairs"))
    meetings_of_all, pairs_of_all = (count * times * (all_kept / kept) for count in (meetings, pairs))
    seconds = rows * _PER_ROW + meetings_of_all * _PER_MEETING + pairs_of_all * _PER_PAIR
    return Cost(rows, round(all_kept), round(size + sample_size * times), round(pairs_of_all), seconds)
