"""The second stage: the texts of each block become elements, which are counted over all blocks.

Blocks know elements by their own codes. Each sends the names of its elements, by partition, to the tasks that merge
them, and these answer with a code that holds everywhere and the number of rows that have the element. Names are
compared as strings, so that no two elements are taken for one.

Does not handle: the order of elements (``encoding``).
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import chain
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from selfinstruct.engines.dedup.work import Arrays, Blocks, Job, load, save, size_of, unpacked
from selfinstruct.similarity.vocabulary import Vocabulary
from selfinstruct.text import canonical, tokens

#: The digest of a text, in two halves, and its place in the block. 16 bytes: among 10^9 texts, two different ones have
#: the same with a probability of 10^-21.
DIGEST = np.dtype([("first", np.uint64), ("second", np.uint64), ("row", np.uint32)])


def count(job: Job, block: str) -> int:
    """Take the texts of a block apart: elements in text order, their number of rows, their names by partition."""
    done = job.path("counted", block)
    if done.exists():
        return size_of(done)
    vocabulary, rows, digests = Vocabulary(), list[list[int]](), list[bytes]()
    for raw in unpacked(job.path("rows", block), "text"):
        text = raw.decode("utf-8", "surrogatepass")
        words = tokens(text)
        rows.append(vocabulary.encode_tokens(words))
        digests.append(_digest(words, text))
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    elements = np.fromiter(chain.from_iterable(rows), np.uint32, int(lengths.sum()))
    names = [name.encode("utf-8", "surrogatepass") for name in vocabulary.names()]
    partitions = np.fromiter((crc32(name) % job.mergers for name in names), np.int64, len(names))
    order = np.argsort(partitions, kind="stable")
    sent = [names[code] for code in order.tolist()]
    ends = np.cumsum(np.fromiter((len(name) + 1 for name in sent), np.int64, len(sent)))
    return save(
        done,
        elements=elements,
        lengths=lengths,
        first_occurrences=vocabulary.first_occurrences(),
        order=order.astype(np.uint32),
        frequencies=np.bincount(elements, minlength=len(names))[order].astype(np.uint32),
        names=np.frombuffer(b"".join(name + b"\n" for name in sent), np.uint8),
        name_ends=np.concatenate(([0], ends)).astype(np.int64),
        starts=np.searchsorted(partitions[order], np.arange(job.mergers + 1)),
        digests=_sorted_digests(digests),
    )


def merge(job: Job, partition: int) -> int:
    """Give codes to the elements of one partition, from 0, and count their rows; an answer for each block."""
    done = job.path("merged", partition)
    if done.exists():
        return size_of(done)
    known: dict[bytes, int] = {}
    codes, frequencies = list[NDArray[Any]](), list[NDArray[Any]]()
    for block in Blocks.of(job).names:
        names, own = _names(job, block, partition)
        codes.append(np.fromiter((known.setdefault(name, len(known)) for name in names), np.int64, len(names)))
        frequencies.append(own)
    ours = np.concatenate(codes)
    total = np.zeros(len(known), np.int64)
    np.add.at(total, ours, np.concatenate(frequencies))
    return save(
        done,
        codes=ours.astype(np.uint32),
        frequencies=total[ours],
        starts=np.cumsum([0, *map(len, codes)]),
        size=np.array([len(known)]),
    )


def find_copies(job: Job, part: int, parts: int) -> int:
    """Find the rows whose text, as tokens, is that of an earlier row: pairs of the row and the first such row.

    Each of the ``parts`` has the digests of one range.
    """
    done = job.path("copies", part)
    if done.exists():
        return size_of(done)
    found, blocks = list[NDArray[Any]](), Blocks.of(job)
    low, high = (part << 64) // parts, ((part + 1) << 64) // parts
    for block, start in zip(blocks.names, blocks.starts, strict=False):
        digests = load(job.path("counted", block), "digests")
        first = digests["first"]
        until = len(first) if part + 1 == parts else int(first.searchsorted(np.uint64(high)))
        own = digests[int(first.searchsorted(np.uint64(low))) : until]
        found.append(np.rec.fromarrays([own["first"], own["second"], own["row"].astype(np.int64) + start]))
    whole = np.concatenate(found)
    first, second, rows = whole["f0"], whole["f1"], whole["f2"]
    order = np.lexsort((rows, second, first))
    first, second, rows = first[order], second[order], rows[order]
    new = np.ones(len(rows), np.bool_)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    firsts = rows[new][np.cumsum(new) - 1] if len(rows) else rows
    return save(done, rows=rows[~new], firsts=firsts[~new])


def _digest(words: list[str], text: str) -> bytes:
    """The digest of the tokens, which decide on similarity; of a text without any, that of its canonical form."""
    whole = "\0".join(words) if words else "\0" + canonical(text)
    return blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _sorted_digests(digests: list[bytes]) -> NDArray[Any]:
    halves = np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)
    found = np.empty(len(digests), DIGEST)
    found["first"], found["second"], found["row"] = halves[:, 0], halves[:, 1], np.arange(len(digests))
    return found[np.lexsort((found["second"], found["first"]))]


def _names(job: Job, block: str, partition: int) -> tuple[list[bytes], NDArray[Any]]:
    """The names that a block sent to a partition, and the number of its rows that have each."""
    counted = Arrays(job.path("counted", block))
    start, end = counted["starts"][partition : partition + 2].tolist()
    ends = counted["name_ends"]
    names = counted["names"][ends[start] : ends[end]].tobytes()
    return names.split(b"\n")[:-1], np.array(counted["frequencies"][start:end])
