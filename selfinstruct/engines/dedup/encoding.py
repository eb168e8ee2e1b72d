"""The third stage: each row is filed under its rarest elements, so that near rows meet in some partition.

The entries of a row are its first ``most_missed + 1`` elements, rare to common over all rows (``similarity.bounds``
says why two near rows share one of them). Each entry has what rules out most rows that it meets: the length of its
row, the position of the element, the row's signature.

Does not handle: which rows are compared with which (``settling``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfinstruct.engines.dedup.work import Arrays, Blocks, Job, save, size_of
from selfinstruct.similarity.bounds import most_missed
from selfinstruct.similarity.signatures import are_common, bit_places, signed

_MIXER = np.uint64(0x9E3779B97F4A7C15)  # an odd multiplier with well mixed bits: the golden ratio
_MOST_CODES = 1 << 32


@dataclass(frozen=True, slots=True)
class Scale:
    """What the encoding of a row needs to know of all rows.

    ``bases`` are the first codes of the partitions of elements, ``rows`` the number of rows, ``words`` that of the
    64-bit words of a signature.
    """

    bases: tuple[int, ...]
    rows: int
    words: int

    @property
    def code_type(self) -> type[np.unsignedinteger[Any]]:
        """The type of codes: 32 bits as long as they are enough."""
        return np.uint32 if self.bases[-1] < _MOST_CODES else np.uint64

    def entry_type(self) -> np.dtype[Any]:
        """The record of an entry; ``row`` is the place of the row in its group of blocks."""
        columns = [("element", self.code_type), ("row", np.uint32), ("length", np.uint32), ("place", np.uint32)]
        return np.dtype([*columns, ("signature", np.uint64, (self.words,))])


def encode(job: Job, scale: Scale, group: int) -> int:
    """Encode the blocks of a group: its tokens in text order, its entries by partition."""
    blocks, groups = Blocks.of(job), Blocks.of(job, "groups")
    done, start = job.path("encoded", groups.names[group]), groups.starts[group]
    if done.exists():
        return size_of(done)
    tokens, lengths, entries = list[NDArray[Any]](), list[NDArray[np.int64]](), list[NDArray[Any]]()
    for at in blocks.between(*groups.starts[group : group + 2]):
        own_tokens, own_lengths, own = _encoded(job, scale, blocks.names[at], at)
        own["row"] += blocks.starts[at] - start
        tokens.append(own_tokens)
        lengths.append(own_lengths)
        entries.append(own)
    whole = np.concatenate(entries)
    entries.clear()
    partitions = partition_of(whole["element"], job.partitions)
    order = np.argsort(partitions, kind="stable")
    return save(
        done,
        tokens=np.concatenate(tokens),
        ends=np.concatenate(([0], *lengths)).cumsum(),
        entries=whole[order],
        starts=np.searchsorted(partitions[order], np.arange(job.partitions + 1)),
    )


def _encoded(job: Job, scale: Scale, block: str, at: int) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[Any]]:
    """The tokens of one block, the one number ``at``, with the lengths of its rows, and its entries."""
    counted = Arrays(job.path("counted", block))
    codes, frequencies = _answers(job, scale, counted, at)
    elements, lengths = counted["elements"], np.array(counted["lengths"])
    rows = np.arange(len(lengths)).repeat(lengths)
    places = bit_places(codes, are_common(frequencies, scale.rows), scale.words)
    signatures = signed(places[elements], rows, len(lengths), scale.words)
    entries = np.empty(0, scale.entry_type())
    depths = _depths(job.threshold, lengths)
    if depths.any():
        entries = _entries(scale, codes, frequencies, elements, lengths, depths)
        entries["signature"] = signatures[entries["row"]]
    return codes[counted["first_occurrences"][elements]].astype(scale.code_type), lengths, entries


def partition_of(elements: NDArray[Any], partitions: int) -> NDArray[np.int64]:
    """The partition that the entries of each element are sent to."""
    mixed = (elements.astype(np.uint64) * _MIXER) >> np.uint64(24)
    return ((mixed & np.uint64(0xFFFFFFFF)) % np.uint64(partitions)).astype(np.int64)


def _answers(job: Job, scale: Scale, counted: Arrays, at: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The code of each element of a block, and the number of rows that have it."""
    order, starts = counted["order"], counted["starts"].tolist()
    codes, frequencies = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    for partition in range(job.mergers):
        merged = Arrays(job.path("merged", partition))
        start, end = merged["starts"][at : at + 2].tolist()
        ours = order[starts[partition] : starts[partition + 1]]
        codes[ours] = merged["codes"][start:end].astype(np.int64) + scale.bases[partition]
        frequencies[ours] = merged["frequencies"][start:end]
    return codes, frequencies


def _entries(
    scale: Scale,
    codes: NDArray[np.int64],
    frequencies: NDArray[np.int64],
    elements: NDArray[np.uint32],
    lengths: NDArray[np.int64],
    depths: NDArray[np.int64],
) -> NDArray[Any]:
    """The entries of the rows of a block, without signatures."""
    by_rank = np.lexsort((codes, frequencies))
    ranks = np.empty(len(codes), np.int64)
    ranks[by_rank] = np.arange(len(codes))
    ordered = (np.arange(len(lengths)).repeat(lengths) << 32) + ranks[elements]
    ordered.sort()
    rows = np.arange(len(lengths)).repeat(depths)
    places = np.arange(len(rows)) - (np.cumsum(depths) - depths).repeat(depths)
    starts = lengths.cumsum() - lengths
    entries = np.empty(len(rows), scale.entry_type())
    entries["element"] = codes[by_rank[ordered[starts[rows] + places] & 0xFFFFFFFF]]
    entries["row"], entries["length"], entries["place"] = rows, lengths[rows], places
    return entries


def _depths(threshold: float, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of entries of each row."""
    distinct, which = np.unique(lengths, return_inverse=True)
    depths = [most_missed(threshold, length) + 1 if length else 0 for length in distinct.tolist()]
    return np.array(depths, np.int64)[which]
