"""Rows that meet in a partition: the pairs that lengths, positions and signatures do not rule out.

Targets are put in buckets by element and cell, and queries look into the cells where a near target would be, as in
``similarity.filing``. A pair that shares several rare elements is found in several partitions, and compared once.

Does not handle: the comparison (``comparing``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfinstruct.engines.dedup.chosen import Asked, Chosen
from selfinstruct.engines.dedup.work import Arrays, Blocks, Job, save, size_of
from selfinstruct.similarity.bounds import LengthClasses, cell_of, length_classes, probe_plan
from selfinstruct.similarity.postings import Integers, ranges

#: Pairs that a task finds in any case.
MOST_PAIRS = 1 << 16
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_ENTRIES = 1 << 16  # of queries, read at a time
_PROBES = 1 << 19  # buckets looked into at a time
_MEETINGS = 1 << 20  # entries of targets read at a time


class Part(NamedTuple):
    """The part of a join that one task does: partitions from ``first`` to ``last``, targets in some of the groups.

    ``most`` is the number of pairs for each entry of a query above which the task gives up, after some; 0 for no limit.
    """

    first: int
    last: int
    target_groups: tuple[int, int]
    query_groups: tuple[int, int]
    most: int


@dataclass(slots=True)
class _Entries:
    """Entries with the numbers of their rows among all rows."""

    rows: Integers
    own: NDArray[Any]


def join(job: Job, step: str, at: int, part: Part) -> int:
    """Find the pairs of a query and an earlier target that may be near; those of one part of a step.

    Saves ``pairs`` (query << 32 | target), ascending, or, if there are too many, ``gave_up``; and how often a query met
    an earlier target under an element, in ``meetings``.
    """
    done = job.path(f"pairs-{step}", at)
    if done.exists():
        return size_of(done)
    groups = Blocks.of(job, "groups")
    asked = Asked.of(job.path("steps", step))
    targets = _together(list(_read(job, groups, part, asked.targets, part.target_groups)))
    found = list[Integers]()
    pairs = entries = meetings = 0
    if targets is not None:
        buckets = _Buckets(targets, length_classes(job.threshold, asked.targets.count()))
        for queries in _gathered(_read(job, groups, part, asked.queries, part.query_groups)):
            entries += len(queries.rows)
            bars = asked.bars_of(queries.rows, job.threshold)
            for few, met in _meetings(queries, bars, buckets, targets):
                found.append(few)
                meetings += met
                pairs += len(few)
                if part.most and pairs > part.most * entries + MOST_PAIRS:
                    return _save(done, np.empty(0, np.int64), meetings, gave_up=True)
    whole = np.concatenate(found) if found else np.empty(0, np.int64)
    return _save(done, distinct(whole), meetings, gave_up=False)


def _save(done: Path, pairs: Integers, meetings: int, *, gave_up: bool) -> int:
    return save(done, pairs=pairs, gave_up=np.array([gave_up]), meetings=np.array([meetings]))


def distinct(pairs: Integers) -> Integers:
    """The distinct pairs, ascending. numpy.unique (2.3) hashes, which takes several times as long for these numbers."""
    ordered = np.sort(pairs)
    new = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return ordered[new]


class _Buckets:
    """Entries of targets by bucket: of one element and one cell, and of others that share the bucket by chance."""

    def __init__(self, targets: _Entries, classes: LengthClasses) -> None:
        own, self.classes = targets.own, classes
        self._mask = np.uint64((1 << max(10, len(own).bit_length())) - 1)
        cells = cell_of(own["length"].astype(np.int64), own["place"].astype(np.int64), classes)
        buckets = self.buckets(own["element"], cells)
        order = np.argsort(buckets, kind="stable")
        self.starts = np.concatenate(([0], np.bincount(buckets, minlength=int(self._mask) + 1).cumsum()))
        targets.rows, targets.own = targets.rows[order], own[order]

    def buckets(self, elements: NDArray[Any], cells: NDArray[Any]) -> Integers:
        """The bucket of each element in the cell beside it."""
        homes = elements.astype(np.uint64) * _MIXER >> np.uint64(20)
        return ((homes + cells.astype(np.uint64)) & self._mask).astype(np.int64)


class _Probes(NamedTuple):
    """The cells that a query of one length looks into, by the position of the element: from ``starts[position]`` on.

    ``most`` is the number of bits that may differ there; bits that only the query has count if ``of_ours``, those that
    only the target has if ``of_theirs``.
    """

    starts: Integers
    cells: NDArray[np.uint32]
    most: NDArray[np.uint8]
    of_ours: NDArray[np.bool_]
    of_theirs: NDArray[np.bool_]


@lru_cache(maxsize=4096)
def _probes(threshold: float, length: int, classes: LengthClasses) -> _Probes:
    plan = probe_plan(threshold, length, classes)
    order = np.argsort(plan.positions, kind="stable")
    starts = np.searchsorted(plan.positions[order], np.arange(plan.most_missed + 2))
    at = np.arange(len(order))[order]
    return _Probes(starts, plan.cells[order], plan.differences[order], at >= plan.shorter, at < plan.longer)


def _read(job: Job, groups: Blocks, part: Part, chosen: Chosen, among: tuple[int, int]) -> Iterator[_Entries]:
    """The entries of the chosen rows in some groups and in the partitions of ``part``."""
    for at in range(*among):
        mine = chosen.within(groups.starts[at], groups.starts[at + 1])
        if not mine.any():
            continue
        encoded = Arrays(job.path("encoded", groups.names[at]))
        starts = encoded["starts"]
        entries = encoded["entries"][starts[part.first] : starts[part.last]]
        own = entries[mine[entries["row"]]]
        if len(own):
            yield _Entries(own["row"].astype(np.int64) + groups.starts[at], own)


def _gathered(read: Iterator[_Entries]) -> Iterator[_Entries]:
    """Entries of several groups together, so that each has enough to be worth numpy's overhead."""
    waiting, size = list[_Entries](), 0
    for entries in read:
        waiting.append(entries)
        size += len(entries.rows)
        if size >= _ENTRIES:
            yield _join(waiting)
            waiting, size = [], 0
    if waiting:
        yield _join(waiting)


def _together(read: Sequence[_Entries]) -> _Entries | None:
    return _join(read) if read else None


def _join(read: Sequence[_Entries]) -> _Entries:
    if len(read) == 1:
        return read[0]
    return _Entries(np.concatenate([each.rows for each in read]), np.concatenate([each.own for each in read]))


def _meetings(
    queries: _Entries, bars: NDArray[np.float64], buckets: _Buckets, targets: _Entries
) -> Iterator[tuple[Integers, int]]:
    """The pairs of rows, query and target, that may be above the query's bar, some at a time; how often any met.

    Each entry of a query has a bar.
    """
    plans, which = _plans(queries.own["length"], bars)
    tables = [_probes(bar, length, buckets.classes) for length, bar in plans]
    places = queries.own["place"].astype(np.int64)
    # Rows are filed for the threshold of the job: above a higher bar, fewer entries of a query are enough.
    enough = places < np.array([len(table.starts) - 1 for table in tables])[which]
    if not enough.all():
        queries, bars = _Entries(queries.rows[enough], queries.own[enough]), bars[enough]
        places, which = places[enough], which[enough]
    bases = np.cumsum([0, *(len(table.cells) for table in tables)])
    # The probes of an entry are one range of the tables put together.
    offsets = np.cumsum([0, *(len(table.starts) for table in tables)])
    all_starts = np.concatenate([table.starts + base for table, base in zip(tables, bases, strict=False)])
    begin = all_starts[offsets[which] + places]
    counts = all_starts[offsets[which] + places + 1] - begin
    whole = _Probes(all_starts, *(np.concatenate(column) for column in list(zip(*tables, strict=True))[1:]))
    for start, end in _slices(counts, _PROBES):
        of = np.arange(start, end).repeat(counts[start:end])
        probes = ranges(begin[start:end], counts[start:end])
        found = buckets.buckets(queries.own["element"][of], whole.cells[probes])
        held = buckets.starts[found + 1] - buckets.starts[found]
        full = held.nonzero()[0]
        of, probes, found, held = of[full], probes[full], buckets.starts[found[full]], held[full]
        for low, high in _slices(held, _MEETINGS):
            some = slice(low, high)
            yield _possible(queries, bars, targets, whole, of[some], probes[some], found[some], held[some])


def _plans(lengths: NDArray[Any], bars: NDArray[np.float64]) -> tuple[list[tuple[int, float]], Integers]:
    """The distinct pairs of a length and a bar, and which of them each entry has."""
    one, of_length = np.unique(lengths, return_inverse=True)
    other, of_bar = np.unique(bars, return_inverse=True)
    codes, which = np.unique(of_length * len(other) + of_bar, return_inverse=True)
    return list(zip(one[codes // len(other)].tolist(), other[codes % len(other)].tolist(), strict=True)), which


def _possible(
    queries: _Entries,
    bars: NDArray[np.float64],
    targets: _Entries,
    table: _Probes,
    of: Integers,
    probes: Integers,
    found: Integers,
    held: Integers,
) -> tuple[Integers, int]:
    """The pairs of earlier targets that signatures do not rule out, once each; how many met under an element."""
    entries, of, probes = ranges(found, held), of.repeat(held), probes.repeat(held)
    # Not those of other elements that share the bucket: one that most rows have would pair each query with all of them.
    same = targets.own["element"][entries] == queries.own["element"][of]
    earlier = (same & (targets.rows[entries] < queries.rows[of])).nonzero()[0]
    entries, of, probes = entries[earlier], of[earlier], probes[earlier]
    ours, theirs = queries.own["signature"][of], targets.own["signature"][entries]
    lacking = np.bitwise_count(ours & ~theirs).sum(axis=1, dtype=np.uint16)
    beyond = np.bitwise_count(theirs & ~ours).sum(axis=1, dtype=np.uint16)
    near = (lacking * table.of_ours[probes] + beyond * table.of_theirs[probes] <= table.most[probes]).nonzero()[0]
    entries, of, ours, theirs, lacking = entries[near], of[near], ours[near], theirs[near], lacking[near]
    pairs = (queries.rows[of] << 32) | targets.rows[entries]
    bits = np.bitwise_count(ours).sum(axis=1, dtype=np.int64)
    our_length, their_length = queries.own["length"][of].astype(np.int64), targets.own["length"][entries]
    rest = np.minimum(
        our_length - bits, their_length.astype(np.int64) - np.bitwise_count(theirs).sum(axis=1, dtype=np.int64)
    )
    return distinct(pairs[2 * (bits - lacking + rest) / (our_length + their_length) > bars[of]]), len(earlier)


def _slices(counts: Integers, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of items whose counts are together at most ``most``, or of one item."""
    until, start = counts.cumsum(), 0
    while start < len(counts):
        before = int(until[start - 1]) if start else 0
        end = max(int(until.searchsorted(before + most, "right")), start + 1)
        yield start, end
        start = end
