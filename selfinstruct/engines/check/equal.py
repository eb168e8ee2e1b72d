"""Rows with equal keys: for each, the earlier row that counts, as ``similarity.duplicates`` finds it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfinstruct.engines.check.describing import Corpus
from selfinstruct.engines.dedup.work import Arrays, Blocks, save, size_of


def match(corpus: Corpus, name: str, part: int, parts: int) -> int:
    """Find the ``rows`` whose key an earlier row has, and that row in ``found``; those of one range of keys.

    The first row with the same answer counts, which is ``same`` then; without one, the first row.
    """
    done = corpus.job.path(f"equal-{name}", part)
    if done.exists():
        return size_of(done)
    blocks, some = Blocks.of(corpus.job), list[NDArray[Any]]()
    low, high = (part << 64) // parts, ((part + 1) << 64) // parts
    for block, start in zip(blocks.names, blocks.starts, strict=False):
        keys = Arrays(corpus.job.path("described", block))[name]
        until = len(keys) if part + 1 == parts else int(keys["first"].searchsorted(np.uint64(high)))
        own = keys[int(keys["first"].searchsorted(np.uint64(low))) : until]
        some.append(
            np.rec.fromarrays([own["first"], own["second"], own["answer"], own["row"].astype(np.int64) + start])
        )
    whole = np.concatenate(some)
    first, second, answers, rows = (whole[f"f{at}"] for at in range(4))
    order = np.lexsort((rows, second, first))
    first, second, answers, rows = first[order], second[order], answers[order], rows[order]
    group = _numbered(np.concatenate([[True], (first[1:] != first[:-1]) | (second[1:] != second[:-1])]), len(rows))
    firsts = _firsts(group, rows)
    order = np.lexsort((rows, answers, group))
    new = np.ones(len(rows), np.bool_)
    new[1:] = (np.diff(group[order]) != 0) | (answers[order][1:] != answers[order][:-1])
    alike = np.empty(len(rows), np.int64)
    alike[order] = _firsts(_numbered(new, len(rows)), rows[order])
    same = alike < rows
    later = same | (firsts < rows)
    return save(done, rows=rows[later], found=np.where(same, alike, firsts)[later], same=same[later])


def _numbered(new: NDArray[np.bool_], size: int) -> NDArray[np.int64]:
    """The number of each item's group; ``new`` says where groups begin."""
    return np.cumsum(new[:size]) - 1


def _firsts(groups: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first row of each item's group; groups are numbered in order, and their rows ascend."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    found: NDArray[np.int64] = rows[starts][groups] if len(rows) else rows
    return found
