"""Rows filed by their rarest elements, in one order of elements, so that near rows are found by these.

Does not handle: another order. When the pool has outgrown it, the index makes a new filing beside this one.

A row is filed under its first few elements, rare to common, and their positions (see ``bounds``). A text looks up its
own first few, and the entries found are filtered by their signatures: a bit that only one of two texts has is at least
one element that the other lacks. Rows that are not filed yet are compared by signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.bounds import ProbePlan, cell_of, length_classes, most_missed, probe_plan
from selfinstruct.similarity.encoded_texts import EncodedTexts
from selfinstruct.similarity.postings import Column, Entries, Found, Integers, Postings, Words
from selfinstruct.similarity.signatures import Signatures, SignedText, own_bits, shared_bits
from selfinstruct.similarity.together import Pairs, Texts, find, promising, sign_all
from selfinstruct.similarity.token_order import TokenOrder

_BLOCK = 1 << 12  # rows signed or filed at a time, to bound memory and pauses
_CHUNK = 1 << 20
_MANY_ENTRIES = 1 << 22  # beyond the caches, half as many buckets cost as much time, and 100 bytes a row less
_FEW = 2000  # entries for which to compare each with its own limit takes less time than first with the highest one

_FIRST: Integers = np.zeros(1, np.int64)


class Filing:
    """The first rows of ``texts``, filed; and the signatures of these and further rows.

    ``filed`` is the number of filed rows, ``signed`` that of those with a signature. ``ordered_at`` is the number of
    rows by which the elements were ordered, ``entries_read`` that of the entries read since, by ``asked`` texts.
    """

    def __init__(self, texts: EncodedTexts, *, min_threshold: float) -> None:
        """An empty filing, which orders elements as they come."""
        self._texts, self._min_threshold = texts, min_threshold
        self._classes = length_classes(min_threshold, 0)
        self._order = TokenOrder(np.empty(0, np.int64))
        self._signatures = Signatures(np.empty(0, np.int64), rows=0, mean_length=0)
        self._postings = Postings(bits=10, words=1)
        self.filed = self.ordered_at = self.entries_read = self.asked = 0

    @property
    def share_read(self) -> float:
        """The mean share of the filed rows that a text reads, counting a row once for each entry."""
        return self.entries_read / max(self.asked * self.filed, 1)

    @property
    def signed(self) -> int:
        """The number of rows that have a signature: the filed ones, and those that wait to be filed."""
        return len(self._signatures)

    def sort(self) -> Iterator[None]:
        """Order the elements by the rows that there are now, and file these: a step for each item of the iterator.

        Only for an empty filing. Each step takes some milliseconds, whatever the number of rows.
        """
        texts, count = self._texts, len(self._texts)
        frequencies = np.zeros(len(texts.vocabulary), np.int64)
        for start in range(0, end := int(texts.ends[count]), _CHUNK):  # bincount converts its input to 64-bit integers
            frequencies += np.bincount(texts.elements[start : min(start + _CHUNK, end)], minlength=len(frequencies))
            yield
        self._classes = length_classes(self._min_threshold, count)
        self._order = TokenOrder(frequencies)
        yield
        self._signatures = Signatures(frequencies, count, end / max(count, 1))
        self.ordered_at = count
        yield
        for start in range(0, count, _BLOCK):
            self.sign(min(start + _BLOCK, count))
            yield
        depths = Column(np.int64)
        for start in range(0, count, _CHUNK >> 4):
            depths.extend(self._depths(start, min(start + (_CHUNK >> 4), count)))
            yield
        entries, buckets = int(depths.values.sum()), Column(np.uint32)
        bits = entries.bit_length() - (entries >= _MANY_ENTRIES)
        self._postings = Postings(bits=max(10, bits), words=self._signatures.words)
        for start in range(0, count, _BLOCK):
            buckets.extend(self._buckets(start, depths.values[start : start + _BLOCK]))
            yield
        blocks = (self._entries(start, depths.values[start : start + _BLOCK]) for start in range(0, count, _BLOCK))
        yield from self._postings.fill(buckets.values, blocks)
        self.filed = count

    def read(self, elements: NDArray[np.uint32]) -> SignedText:
        """Sign a text and order its elements."""
        self._cover()
        signature = self._signatures.sign(elements, _FIRST, 1)[0]
        ordered = elements[self._order.ranks(elements).argsort()]
        return SignedText(elements, ordered, signature, sum(map(int.bit_count, signature.tolist())))

    def add_signature(self, signature: Words) -> None:
        """Add the signature of the next row."""
        self._signatures.extend(signature[None])

    def sign(self, until: int) -> None:
        """Sign the rows that have no signature yet, up to the row ``until``."""
        self._cover()
        ends = self._texts.ends[self.signed : until + 1]
        rows = np.arange(len(ends) - 1).repeat(np.diff(ends))
        elements = self._texts.elements[ends[0] : ends[-1]]
        self._signatures.extend(self._signatures.sign(elements, rows, len(ends) - 1))

    def file(self, until: int) -> None:
        """File the signed rows that are not filed yet, up to the row ``until``."""
        self._cover()
        depths = self._depths(self.filed, until)
        for start in range(0, len(depths), _BLOCK):
            some, row = depths[start : start + _BLOCK], self.filed + start
            self._postings.extend(self._buckets(row, some), *self._entries(row, some))
        self.filed = until

    def candidates(self, seen: SignedText, threshold: float) -> Integers:
        """Every signed row that may be near, in any order, with repetitions."""
        plan = probe_plan(threshold, len(seen.elements), self._classes)
        if not len(plan.positions):
            return np.empty(0, np.int64)
        self.asked += 1
        waiting = self._signatures.since(self.filed)
        unfiled = shared_bits(seen.signature, waiting) >= seen.bits - plan.most_missed
        rows: list[NDArray[Any]] = [unfiled.nonzero()[0] + self.filed]
        for found in self._postings.find(self._postings.buckets(seen.ordered, plan.cells, plan.positions)):
            self.entries_read += int(found.until[-1])
            rows.append(self._postings.rows(found, _near(seen, plan, found)))
        return np.concatenate(rows)

    def upper_bounds(self, seen: SignedText, rows: Integers) -> NDArray[np.float64]:
        """An upper bound of each row's F1, from its length and its signature."""
        signatures = self._signatures.at(rows)
        common = shared_bits(seen.signature, signatures).astype(np.int64)
        ours, theirs = len(seen.elements), self._texts.lengths(rows)
        shared = np.minimum(ours - seen.bits, theirs - own_bits(signatures)) + common
        bounds: NDArray[np.float64] = 2 * shared / np.maximum(ours + theirs, 1)
        return bounds

    def read_all(self, encoded: Sequence[Sequence[int]]) -> Texts:
        """Sign several texts and order their elements."""
        self._cover()
        return sign_all(encoded, self._order, self._signatures)

    def find_all(self, texts: Texts, thresholds: NDArray[np.float64]) -> Pairs | None:
        """The pairs of texts with signed rows that may be near; None if one by one is the better way."""
        found = find(texts, thresholds, self._classes, self._postings, self._signatures, self.filed)
        if found is None:
            return None
        self.asked += len(thresholds)
        self.entries_read += found[1]
        return found[0]

    def promising(
        self, pairs: Pairs, texts: Texts, thresholds: NDArray[np.float64]
    ) -> tuple[Pairs, NDArray[np.float64]]:
        """The pairs, each once, whose upper bound is above the threshold; by text, and descending by bound."""
        return promising(pairs, texts, thresholds, self._signatures, self._texts.lengths(pairs.rows))

    def _cover(self) -> None:
        """Give ranks and bits to the elements that have come since."""
        elements = len(self._texts.vocabulary)
        self._order.cover(elements)
        self._signatures.cover(elements)

    def _buckets(self, start: int, depths: Integers) -> NDArray[np.uint32]:
        """The buckets of the rows from ``start`` on, row by row: ``depths[i]`` buckets for the i-th."""
        ends = self._texts.ends[start : start + len(depths) + 1]
        lengths = np.diff(ends)
        packed = self._order.ranks(self._texts.elements[ends[0] : ends[-1]]) + (1 << 32)
        packed += np.arange(len(depths)).repeat(lengths) << 33
        packed.sort()
        rows = np.arange(len(depths)).repeat(depths)
        places = np.arange(len(rows)) - (np.cumsum(depths) - depths).repeat(depths)
        ranks = packed[places + (ends[:-1] - ends[0])[rows]] & ((1 << 33) - 1)
        return self._postings.buckets(
            self._order.at_ranks(ranks - (1 << 32)), cell_of(lengths[rows], places, self._classes).astype(np.uint32)
        )

    def _entries(self, start: int, depths: Integers) -> Entries:
        """The entries that go with ``_buckets``."""
        rows = np.arange(start, start + len(depths), dtype=np.uint32).repeat(depths)
        return rows, self._signatures.at(rows)

    def _depths(self, start: int, until: int) -> Integers:
        """The number of elements under which each row from ``start`` to ``until`` is filed."""
        lengths, which = np.unique(np.diff(self._texts.ends[start : until + 1]), return_inverse=True)
        depths = [most_missed(self._min_threshold, length) + 1 if length else 0 for length in lengths.tolist()]
        return np.array(depths, np.int64)[which]


def _near(seen: SignedText, plan: ProbePlan, found: Found) -> Integers:
    """The entries that do not differ from the text in more bits than ``plan`` allows."""
    shorter, longer = found.before(plan.shorter), found.before(plan.longer)
    kinds = slice(0, shorter), slice(shorter, longer), slice(longer, None)
    total: NDArray[np.uint8] = np.zeros(len(found.signatures), np.uint8)
    for word, ours in enumerate(seen.signature):
        different = found.signatures[:, word] ^ ours
        different[kinds[0]] &= ~ours
        different[kinds[2]] &= ours
        total += np.bitwise_count(different)
    if len(total) < _FEW:
        return (total <= plan.differences.take(found.held).repeat(found.counts)).nonzero()[0]
    near = np.empty(len(total), np.bool_)
    for kind, most in zip(kinds, plan.most_different, strict=True):
        np.less_equal(total[kind], most, out=near[kind])
    entries = near.nonzero()[0]
    which = found.held[found.until.searchsorted(entries, "right")]
    return entries[total[entries] <= plan.differences[which]]
