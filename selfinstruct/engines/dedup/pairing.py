"""Near pairs of rows, found by tasks: rows are encoded once, then each step is a join and a comparison.

Does not handle: which pairs are asked for (``settling``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from selfinstruct.engines.dedup.chosen import Asked, Chosen
from selfinstruct.engines.dedup.comparing import compare
from selfinstruct.engines.dedup.counting import count, find_copies, merge
from selfinstruct.engines.dedup.encoding import Scale, encode
from selfinstruct.engines.dedup.joining import Part, join
from selfinstruct.engines.dedup.settling import Near
from selfinstruct.engines.dedup.work import Blocks, Job, load
from selfinstruct.similarity.postings import Integers
from selfinstruct.similarity.signatures import words_for

#: Pairs for each entry of a query, of rows that are compared with each other.
MOST_PAIRS = 16
_FEWEST = 8  # partitions for each of the ranges of digests
_TARGETS = 1 << 21  # entries of targets that a task holds: some 200 MB
_TASK = 1 << 17  # entries that are worth a task of their own
_COMPARED = 1 << 18  # pairs that a task compares


class RunAll(Protocol):
    """Runs the tasks of a stage."""

    def __call__(self, stage: str, task: Callable[..., int], calls: Sequence[tuple[Any, ...]]) -> None:
        """Run a task for each of ``calls``."""
        ...


class Pairing:
    """The near pairs of the rows of one job, whose blocks and groups are saved; all of them, or some at a time."""

    def __init__(self, job: Job, run: RunAll) -> None:
        self._job, self._all = job, run
        self._steps = 0
        self._groups = Blocks.of(job, "groups")
        self._entries = np.empty((0, 0), np.int64)

    def encode(self, blocks: Blocks) -> tuple[Integers, Integers]:
        """Encode all rows; the rows that have the text of an earlier one, and that one."""
        job, names = self._job, list(blocks.names)
        self._all("count", count, [(job, name) for name in names])
        self._all("merge", merge, [(job, at) for at in range(job.mergers)])
        sizes = [int(load(job.path("merged", at), "size")[0]) for at in range(job.mergers)]
        tokens = sum(int(load(job.path("counted", name), "lengths").sum()) for name in names)
        scale = Scale(tuple(np.cumsum([0, *sizes]).tolist()), blocks.starts[-1], words_for(tokens / blocks.starts[-1]))
        groups = self._groups.names
        self._all("encode", encode, [(job, scale, at) for at in range(len(groups))])
        self._entries = np.array([np.diff(load(job.path("encoded", name), "starts")) for name in groups])
        parts = max(1, job.partitions // _FEWEST)
        self._all("copies", find_copies, [(job, at, parts) for at in range(parts)])
        found = [job.path("copies", at) for at in range(parts)]
        copies, firsts = (np.concatenate([load(each, name) for each in found]) for name in ("rows", "firsts"))
        return copies, firsts

    def nearest(self, queries: Chosen, targets: Chosen) -> Iterator[Near]:
        """The nearest earlier target of each query: a join, then a comparison."""
        asked = Asked(queries, targets)
        return self._compared(*self._joined(asked, 0), nearest=True)

    def nearer(self, queries: Chosen, targets: Chosen, bars: NDArray[np.float64], *, limited: bool) -> Near | None:
        """The nearest earlier target of each query whose F1 is above its bar; None if ``limited`` and too many pairs.

        ``bars`` are those of all rows, none below the threshold of the job.
        """
        step, joined = self._joined(Asked(queries, targets, bars[queries.span]), MOST_PAIRS if limited else 0)
        if any(load(each, "gave_up")[0] for each in joined):
            return None
        found = list(self._compared(step, joined, nearest=True))
        pairs, scores = ([getattr(each, name) for each in found] for name in ("pairs", "scores"))
        return Near(np.concatenate([np.empty(0, np.int64), *pairs]), np.concatenate([np.empty(0), *scores]))

    def pairs(self, queries: Chosen, targets: Chosen) -> Iterator[Near]:
        """All near pairs of a query and an earlier target."""
        return self._compared(*self._joined(Asked(queries, targets), 0), nearest=False)

    def among(self, rows: Chosen, *, limited: bool) -> Iterator[Near] | None:
        """All near pairs of these rows; None if ``limited`` and too many."""
        step, joined = self._joined(Asked(rows, rows), MOST_PAIRS if limited else 0)
        if any(load(each, "gave_up")[0] for each in joined):
            return None
        return self._compared(step, joined, nearest=False)

    def _joined(self, asked: Asked, most: int) -> tuple[str, list[Path]]:
        """The name of the next step, and the files of its pairs."""
        job, step = self._job, f"{self._steps:04d}"
        self._steps += 1
        asked.save(job.path("steps", step))
        parts = self._parts(asked, most)
        self._all("join", join, [(job, step, at, part) for at, part in enumerate(parts)])
        return step, [job.path(f"pairs-{step}", at) for at in range(len(parts))]

    def _compared(self, step: str, joined: Sequence[Path], *, nearest: bool) -> Iterator[Near]:
        """The near ones of the pairs of a step, or of each query the nearest alone."""
        spans = self._spans(joined)
        self._all(
            "compare", compare, [(self._job, step, len(joined), at, each, nearest) for at, each in enumerate(spans)]
        )
        near = [self._job.path(f"near-{step}", at) for at in range(len(spans))]
        return (Near(np.array(load(each, "pairs")), np.array(load(each, "scores"))) for each in near)

    def _parts(self, rows: Asked, most: int) -> list[Part]:
        """The tasks of a join: few partitions or a piece of one, as many targets as a task holds."""
        starts = self._groups.starts
        counts = np.array([[np.count_nonzero(each.within(*ends)) for ends in pairwise(starts)] for each in rows[:2]])
        asked, given = map(_occupied, counts)
        shares = counts / np.diff(starts)
        query_entries, target_entries = (self._entries * share[:, None] for share in shares)
        total = (query_entries + target_entries).sum(axis=0)
        parts, first = list[Part](), 0
        for partition in range(self._job.partitions):
            until = partition + 1
            held = target_entries[:, first:until].sum(axis=1)
            if (
                until < self._job.partitions
                and total[first:until].sum() < _TASK
                and held.sum() + target_entries[:, until].sum() <= _TARGETS
            ):
                continue
            if total[first:until].any():
                parts += [Part(first, until, piece, asked, most) for piece in _pieces(held, given)]
            first = until
        return parts

    def _spans(self, joined: Sequence[Path]) -> list[tuple[int, int]]:
        """Spans of rows that have about as many pairs as a task compares."""
        step = _COMPARED // 64
        sample = np.sort(np.concatenate([load(each, "pairs")[::step] >> 32 for each in joined] or [np.empty(0, int)]))
        rows = self._groups.starts[-1]
        edges = sorted({0, rows, *sample[::64].tolist()})
        return list(pairwise(edges)) if len(sample) else []


def _occupied(counts: Any) -> tuple[int, int]:
    """The range of blocks that have chosen rows, by the number of these in each."""
    blocks = counts.nonzero()[0].tolist()
    return (blocks[0], blocks[-1] + 1) if blocks else (0, 0)


def _pieces(held: Any, given: tuple[int, int]) -> list[tuple[int, int]]:
    """Ranges of blocks with as many entries of targets as a task holds, or one block."""
    pieces, start, size = list[tuple[int, int]](), given[0], 0.0
    for at in range(*given):
        if size and size + held[at] > _TARGETS:
            pieces.append((start, at))
            start, size = at, 0.0
        size += held[at]
    return [*pieces, (start, given[1])]
