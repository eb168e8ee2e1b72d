"""A sample of the rows of a deduplication, deduplicated by the same stages: what its cost is told from.

Rows are drawn at random, each as likely as the next, and come in random order: what the first half of the sample shows
is what a sample of half the size would show.

Does not handle: what that means for all rows (``cost``).
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from selfinstruct.engines.dedup.joining import distinct
from selfinstruct.engines.dedup.pairing import Pairing, RunAll
from selfinstruct.engines.dedup.settling import Verdicts, settle
from selfinstruct.engines.dedup.work import Arrays, Blocks, Job, load, packed, save, size_of
from selfinstruct.similarity.postings import Integers

#: Rows of the sample that are compared with each other; the others are compared with those kept before.
FIRST = 256
_LEAST, _MOST = 1 << 11, 1 << 15  # rows of a sample
_TIMES = 4  # as many rows are worth a sample
_SHARE, _ROOTS = 16, 16  # one row of 16, at most 16 times the square root: 1.6% of a million
_BLOCKS = 1024  # that rows are taken from
_PARTITIONS = 8
_ROW = 0xFFFFFFFF
#: The arrays of a counted block that have an item for each distinct element.
_OF_ELEMENTS = ("names", "name_ends", "frequencies", "order", "first_occurrences")


@dataclass(frozen=True, slots=True)
class Sample:
    """What the stages showed of ``rows`` sampled rows: pairs that were to be compared, and bytes that were written.

    ``kept`` rows are kept, ``early_kept`` of them in the first half. Of the pairs of a row and an earlier row that is
    kept, there are ``pairs``: in ``late_pairs`` the earlier row is in the second half, and in ``single_pairs`` it is in
    no other pair. ``among_first`` are all pairs of the first ``FIRST`` rows, kept or not. The rows have ``entries``,
    which met others ``meetings`` times. All this took ``seconds`` of a processor.

    ``raw`` bytes are those of the rows in their file, ``of_rows`` and ``of_vocabulary`` those of work files: the latter
    for ``elements`` distinct elements, ``early_elements`` of them in the first half.
    """

    rows: int
    kept: int
    early_kept: int
    pairs: int
    late_pairs: int
    single_pairs: int
    among_first: int
    entries: int
    meetings: int
    seconds: float
    raw: int
    of_rows: int
    of_vocabulary: int
    elements: int
    early_elements: int


def sampled(rows: int) -> int:
    """The size of the sample of ``rows`` rows; 0 if they are too few to be worth one."""
    size = max(_LEAST, min(rows // _SHARE, _ROOTS * math.isqrt(rows), _MOST))
    return size if rows >= _TIMES * size else 0


def take_sample(job: Job, blocks: Blocks, run: RunAll) -> Sample:
    """Deduplicate a sample of the rows of all blocks, in a directory of its own."""
    begun = time.process_time()
    sample = replace(job, folder=job.folder / "sample", partitions=_PARTITIONS)
    shutil.rmtree(sample.folder, ignore_errors=True)  # of a command that was killed: its time is to be measured
    sample.folder.mkdir()
    texts, raw = _draw(job, blocks)
    whole, ends = packed(texts)
    only = Blocks(("sample",), (0, len(texts)))
    save(sample.path("rows", "sample"), text=whole, text_ends=ends)
    only.save(sample)
    only.save(sample, "groups")
    pairing, verdicts = Pairing(sample, run), Verdicts(len(texts))
    copies, _ = pairing.encode(only)
    alone = np.ones(len(texts), np.bool_)
    alone[copies] = False
    settle(alone, verdicts, pairing, first_panel=FIRST)
    return _seen(sample, verdicts, raw, time.process_time() - begun)


def _draw(job: Job, blocks: Blocks) -> tuple[list[bytes], int]:
    """The texts of the sample, in random order, and the bytes of its rows in their file."""
    chosen = np.unique(np.linspace(0, len(blocks.names) - 1, _BLOCKS).astype(int))
    counts = np.diff(blocks.starts)[chosen]
    size = min(sampled(blocks.starts[-1]), int(counts.sum()))
    drawn = np.random.default_rng(0).choice(int(counts.sum()), size, replace=False)
    order, starts = np.argsort(drawn), np.cumsum(counts) - counts
    found, raw = list[bytes](), 0
    edges = np.searchsorted(drawn[order], [*starts, counts.sum()]).tolist()
    for at, start, low, high in zip(chosen.tolist(), starts.tolist(), edges[:-1], edges[1:], strict=True):
        if low < high:
            arrays = Arrays(job.path("rows", blocks.names[at]))
            rows = drawn[order[low:high]] - start
            found += _texts(arrays, rows)
            raw += sum(end - begin for begin, end in _spans(arrays["raw_ends"], rows))
    texts = [b""] * size
    for place, text in zip(order.tolist(), found, strict=True):
        texts[place] = text
    return texts, raw


def _texts(arrays: Arrays, rows: Integers) -> list[bytes]:
    text = arrays["text"]
    return [text[start:end].tobytes() for start, end in _spans(arrays["text_ends"], rows)]


def _spans(ends: NDArray[np.int64], rows: Integers) -> Iterator[tuple[int, int]]:
    return zip(np.where(rows > 0, ends[rows - 1], 0).tolist(), ends[rows].tolist(), strict=True)


def _seen(sample: Job, verdicts: Verdicts, raw: int, seconds: float) -> Sample:
    """What the files of the stages tell."""
    files = list(sample.folder.glob("pairs-*/*"))
    whole = distinct(np.concatenate([np.empty(0, np.int64), *(load(each, "pairs") for each in files)]))
    queries, targets, half = whole >> 32, whole & _ROW, len(verdicts.kept) // 2
    of_kept = targets[verdicts.kept[targets]]
    counted = Arrays(sample.path("counted", "sample"))
    elements, lengths = counted["elements"], counted["lengths"]
    early = elements[: int(lengths[:half].sum())]
    merged = sum(size_of(each) for each in sample.path("merged", "").iterdir())
    stages = [*sample.path("counted", "").iterdir(), *sample.path("encoded", "").iterdir()]
    of_elements = sum(counted[name].nbytes for name in _OF_ELEMENTS)
    return Sample(
        rows=len(verdicts.kept),
        kept=int(verdicts.kept.sum()),
        early_kept=int(verdicts.kept[:half].sum()),
        pairs=len(of_kept),
        late_pairs=int(np.count_nonzero(of_kept >= half)),
        single_pairs=int(np.count_nonzero(np.bincount(of_kept) == 1)),
        among_first=int(np.count_nonzero(queries < FIRST)),
        entries=len(load(sample.path("encoded", "sample"), "entries")),
        meetings=sum(int(load(each, "meetings")[0]) for each in files),
        seconds=seconds,
        raw=raw,
        of_rows=sum(map(size_of, stages)) - of_elements,
        of_vocabulary=of_elements + merged,
        elements=len(counted["order"]),
        early_elements=int(early.max()) + 1 if len(early) else 0,
    )
