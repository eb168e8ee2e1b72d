"""Rows filed by their rarest elements, in one order of elements, so that near rows are found by these.

Does not handle: another order. When the pool has outgrown it, the index makes a new filing beside this one.

A row is filed under its first few elements, rare to common, and their positions (see ``bounds``). A text looks up its
own first few, and the entries found are filtered by their signatures: a bit that only one of two texts has is at least
one element that the other lacks. Rows that are not filed yet are compared by signature. Rows of large pools in which a
text would read thousands of entries are filed under pairs of elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.bounds import (
    TEMPLATES,
    ProbePlan,
    cell_of,
    filed_elements,
    length_classes,
    most_missed,
    probe_plan,
)
from selfinstruct.similarity.colours import Colours
from selfinstruct.similarity.encoded_texts import EncodedTexts
from selfinstruct.similarity.pair_bounds import filed_under, pair_layout
from selfinstruct.similarity.pair_postings import MOST_ROWS, Filed, PairPostings, Rows
from selfinstruct.similarity.postings import Column, Entries, Found, Integers, Postings, Words
from selfinstruct.similarity.signatures import Signatures, SignedText, own_bits, shared_bits
from selfinstruct.similarity.together import Pairs, Texts, find, promising, sign_all
from selfinstruct.similarity.token_order import TokenOrder

_BLOCK = 1 << 12  # rows signed or filed at a time, to bound memory and pauses
_CHUNK = 1 << 20
_MANY_ENTRIES = 1 << 22  # beyond the caches, half as many buckets cost as much time, and 100 bytes a row less
_WAITING, _WAITING_SHARE = 256, 128  # unfiled rows, compared by signature alone: this number, or one in this number
_PAIR_ROWS = 100_000  # fewer are found sooner by single elements
_PAIR_SHARE = 0.05  # of all rows that have an early element of a row: Chinese 0.19, natural text 0.015
_PAIR_BLOCK = 1 << 11  # rows filed under pairs at a time, to bound memory and pauses
_SAMPLES = 8  # parts of a pool that are looked at to tell
_USUAL_LENGTHS = 0.005, 0.995  # quantiles; the lengths of few rows need no cells of their own
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
        self._pairs: PairPostings | None = None
        self.filed = self.ordered_at = self.entries_read = self.asked = 0

    @property
    def share_read(self) -> float:
        """The mean share of the filed rows that a text reads, counting a row once for each entry."""
        return self.entries_read / max(self.asked * self.filed, 1)

    @property
    def signed(self) -> int:
        """The number of rows that have a signature: the filed ones, and those that wait to be filed."""
        return len(self._signatures)

    @property
    def most_waiting(self) -> int:
        """The number of rows that may wait to be filed: more where filing some moves the entries of all."""
        return _WAITING if self._pairs is None else max(_WAITING, self.filed // _WAITING_SHARE)

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
        yield from self._choose_postings(len(frequencies), count)
        if (pairs := self._pairs) is None:
            yield from self._file_all(count)
        else:
            yield from pairs.fill(lambda: self._pair_entries(pairs, 0, count))
        self.filed = count

    def _file_all(self, count: int) -> Iterator[None]:
        """File the first ``count`` rows under single elements: a step for each item of the iterator."""
        depths = Column(np.int64)
        for start in range(0, count, _CHUNK >> 4):
            depths.extend(self._depths(start, min(start + (_CHUNK >> 4), count)))
            yield
        entries = int(depths.values.sum())
        bits = entries.bit_length() - (entries >= _MANY_ENTRIES)
        self._postings = Postings(bits=max(10, bits), words=self._signatures.words)
        buckets = Column(np.uint32)
        for start in range(0, count, _BLOCK):
            buckets.extend(self._buckets(start, depths.values[start : start + _BLOCK]))
            yield
        blocks = ((start, depths.values[start : start + _BLOCK]) for start in range(0, count, _BLOCK))
        yield from self._postings.fill(buckets.values, (self._entries(*block) for block in blocks))

    def _choose_postings(self, elements: int, count: int) -> Iterator[None]:
        """Choose pairs for many rows that share an early element with many others, by a sample of them."""
        if not _PAIR_ROWS <= count <= MOST_ROWS // 4 or self._min_threshold >= TEMPLATES:
            return
        size = min(max(_BLOCK // _SAMPLES, 1), count)
        samples = np.linspace(0, count - size, _SAMPLES, dtype=np.int64).tolist()
        first = []
        for start in samples:
            first.append(self._first_elements(start, self._depths(start, start + size))[0])
            yield
        filed = np.unique(np.concatenate(first), return_counts=True)[1].astype(np.float64)
        if float(filed @ filed) / (size * _SAMPLES) ** 2 <= _PAIR_SHARE:
            return
        lengths = np.diff(self._texts.ends[: count + 1])
        shortest, longest = np.quantile(lengths[lengths > 0], _USUAL_LENGTHS).astype(np.int64).tolist()
        layout = pair_layout(self._min_threshold, shortest, longest)
        yield
        sampled, colours = list[Rows](), Colours(elements)
        for start in samples:
            sampled.append(self._first_pairs(start, start + size))
            yield
        overlaps = np.unique(layout.overlaps_of(np.concatenate([rows.lengths for rows in sampled])))
        yield from colours.choose([(rows.ranks, rows.rows) for rows in sampled], overlaps.tolist())
        pairs = sum(len(rows.pairs(layout, colours)[0]) for rows in sampled)
        self._pairs = PairPostings(layout, colours, pairs * count // (size * _SAMPLES))
        yield

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

    def file(self, until: int) -> Iterator[None]:
        """File the signed rows that are not filed yet, up to the row ``until``: None between two steps."""
        self._cover()
        if self._pairs is not None:
            yield from self._merge(self._pairs, min(until, MOST_ROWS))
            return
        for start in range(first := self.filed, until, _BLOCK):
            if start > first:
                yield
            depths = self._depths(start, min(start + _BLOCK, until))
            self._postings.extend(self._buckets(start, depths), *self._entries(start, depths))
            self.filed = start + len(depths)

    def _merge(self, pairs: PairPostings, until: int) -> Iterator[None]:
        """File rows under pairs. Until the last step, they still count as waiting."""
        cells, entries = Column(np.uint32), Column(np.uint32)
        for block in self._pair_entries(pairs, self.filed, until):
            cells.extend(block[0])
            entries.extend(block[1])
            yield
        yield from pairs.merge(cells.values, entries.values)
        self.filed = until

    def candidates(self, seen: SignedText, threshold: float) -> Integers:
        """Every signed row that may be near, in any order, with repetitions."""
        missed = most_missed(threshold, len(seen.elements))
        if missed < 0:
            return np.empty(0, np.int64)
        self.asked += 1
        waiting = self._signatures.since(self.filed)
        unfiled = shared_bits(seen.signature, waiting) >= seen.bits - missed
        rows: list[NDArray[Any]] = [unfiled.nonzero()[0] + self.filed]
        if self._pairs is not None:
            paired, read = self._pairs.find(self._order.ranks(seen.ordered), threshold)
            self.entries_read += read
            enough = shared_bits(seen.signature, self._signatures.at(paired)) >= seen.bits - missed
            either = np.concatenate((*rows, paired[enough]))
            return either[self.upper_bounds(seen, either) > threshold]
        plan = probe_plan(threshold, len(seen.elements), self._classes)
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
        if self._pairs is not None:
            rows = [self.candidates(texts.at(place), threshold) for place, threshold in enumerate(thresholds.tolist())]
            return Pairs(np.arange(len(rows)).repeat([*map(len, rows)]), np.concatenate(rows).astype(np.int64))
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
        ranks, rows, places = self._first_elements(start, depths)
        lengths = self._lengths(start, len(depths))[rows]
        cells = cell_of(lengths, places, self._classes).astype(np.uint32)
        return self._postings.buckets(self._order.at_ranks(ranks), cells)

    def _first_elements(self, start: int, depths: Integers) -> tuple[Integers, Integers, Integers]:
        """The ranks of the first ``depths[i]`` elements of the i-th row from ``start`` on, and of these rows.

        With each, its row, counting from ``start``, and its place there, rare to common.
        """
        ends = self._texts.ends[start : start + len(depths) + 1]
        lengths = np.diff(ends)
        packed = self._order.ranks(self._texts.elements[ends[0] : ends[-1]]) + (1 << 32)
        packed += np.arange(len(depths)).repeat(lengths) << 33
        packed.sort()
        rows = np.arange(len(depths)).repeat(depths)
        places = np.arange(len(rows)) - (np.cumsum(depths) - depths).repeat(depths)
        ranks = packed[places + (ends[:-1] - ends[0])[rows]] & ((1 << 33) - 1)
        return ranks - (1 << 32), rows, places

    def _pair_entries(self, pairs: PairPostings, start: int, until: int) -> Iterator[Filed]:
        """The entries of the rows from ``start`` to ``until``, filed under pairs, some thousand rows at a time."""
        for first in range(start, until, _PAIR_BLOCK):
            yield pairs.entries(self._first_pairs(first, min(first + _PAIR_BLOCK, until)))

    def _first_pairs(self, start: int, until: int) -> Rows:
        """The elements under whose pairs the rows from ``start`` to ``until`` are filed."""
        depths = self._depths(start, until, filed_under)
        return Rows(start, self._lengths(start, until - start), *self._first_elements(start, depths))

    def _lengths(self, start: int, count: int) -> Integers:
        """The lengths of ``count`` rows from ``start`` on."""
        return np.diff(self._texts.ends[start : start + count + 1])

    def _entries(self, start: int, depths: Integers) -> Entries:
        """The entries that go with ``_buckets``."""
        rows = _rows(start, depths)
        return rows, self._signatures.at(rows)

    def _depths(self, start: int, until: int, depth_of: Callable[[float, int], int] = filed_elements) -> Integers:
        """The number of first elements that each row from ``start`` to ``until`` is filed by, given its length."""
        lengths, which = np.unique(self._lengths(start, until - start), return_inverse=True)
        depths = [depth_of(self._min_threshold, length) for length in lengths.tolist()]
        return np.array(depths, np.int64)[which]


def _rows(start: int, depths: Integers) -> NDArray[np.uint32]:
    """The rows from ``start`` on, each as often as it has entries."""
    return np.arange(start, start + len(depths), dtype=np.uint32).repeat(depths)


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
