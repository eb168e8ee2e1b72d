"""The pairs that a join found, compared by their longest common subsequence: those that are near, with their F1.

Does not handle: which of the two is kept (``settling``).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cpdist

from selfinstruct.engines.dedup.chosen import Asked
from selfinstruct.engines.dedup.joining import distinct
from selfinstruct.engines.dedup.settling import Near
from selfinstruct.engines.dedup.work import Arrays, Blocks, Job, load, save, size_of
from selfinstruct.similarity.bounds import least_common
from selfinstruct.similarity.postings import Integers, ranges

_PAIRS = 1 << 15  # compared at a time
_ROW = 0xFFFFFFFF
# What a str cannot contain in UTF-32: codes are renumbered from here on, past the surrogates.
_FIRST_CHARACTER, _CHARACTERS = 0xE000, 0x110000 - 0xE000

_least_common = lru_cache(maxsize=1 << 16)(least_common)


def compare(job: Job, step: str, joins: int, at: int, span: tuple[int, int], nearest: bool) -> int:
    """Compare the pairs of a step whose queries are in a span of rows.

    Saves the near ones as ``pairs``, ascending (query << 32 | target), and their ``scores``; of each query the
    ``nearest`` alone, or all.
    """
    done = job.path(f"near-{step}", at)
    if done.exists():
        return size_of(done)
    groups = Blocks.of(job, "groups")
    low, high = span[0] << 32, span[1] << 32
    some = list[Integers]()
    for number in range(joins):
        pairs = load(job.path(f"pairs-{step}", number), "pairs")
        some.append(np.array(pairs[pairs.searchsorted(low) : pairs.searchsorted(high)]))
    whole = distinct(np.concatenate(some))
    scores = np.zeros(len(whole))
    for start in range(0, len(whole), _PAIRS):
        scores[start : start + _PAIRS] = _scores(job, groups, whole[start : start + _PAIRS])
    above = scores > Asked.of(job.path("steps", step)).bars_of(whole >> 32, job.threshold)
    near = Near(whole[above], scores[above])
    found = near.nearest() if nearest else near
    return save(done, pairs=found.pairs, scores=found.scores)


def _scores(job: Job, groups: Blocks, pairs: Integers) -> NDArray[np.float64]:
    """The F1 of each pair, or 0 where it is not above the threshold."""
    rows, which = np.unique(np.concatenate((pairs >> 32, pairs & _ROW)), return_inverse=True)
    texts, lengths = _texts(job, groups, rows)
    first, second = which[: len(pairs)], which[len(pairs) :]
    totals = lengths[first] + lengths[second]
    scores = np.zeros(len(pairs))
    # Pairs of the same lengths in all need the same LCS, below which the comparison may stop.
    order = np.argsort(totals, kind="stable")
    edges = np.flatnonzero(np.diff(totals[order], prepend=-1, append=-1))
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        same = order[start:end]
        total = int(totals[same[0]])
        common: Integers = cpdist(
            [texts[at] for at in first[same].tolist()],
            [texts[at] for at in second[same].tolist()],
            scorer=LCSseq.similarity,
            score_cutoff=_least_common(job.threshold, total),
            dtype=np.int64,
        )
        scores[same] = 2 * common / total
    return scores


def _texts(job: Job, groups: Blocks, rows: Integers) -> tuple[list[Any], Integers]:
    """The tokens of each of these rows, ascending, as rapidfuzz compares them fastest; and their lengths."""
    parts, lengths = list[NDArray[Any]](), list[Integers]()
    ends_of = np.searchsorted(rows, groups.starts).tolist()
    for at, (first, last) in enumerate(pairwise(ends_of)):
        if first == last:
            continue
        encoded = Arrays(job.path("encoded", groups.names[at]))
        own = rows[first:last] - groups.starts[at]
        ends = encoded["ends"]
        starts, until = ends[own], ends[own + 1]
        parts.append(encoded["tokens"][ranges(starts, until - starts)])
        lengths.append(until - starts)
    codes, which = np.unique(np.concatenate(parts), return_inverse=True)
    length = np.concatenate(lengths)
    ends = length.cumsum().tolist()
    whole: Any = which.tolist()
    if len(codes) <= _CHARACTERS:
        whole = (which + _FIRST_CHARACTER).astype(np.uint32).tobytes().decode("utf-32-le")
    return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)], length
