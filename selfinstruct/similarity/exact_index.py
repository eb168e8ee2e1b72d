"""The near-duplicate index: exact ROUGE-L against every row of a pool, without comparing every row.

Does not handle: removing rows, other similarities, persistence (a pool is reindexed from its journal).

A text becomes *elements*, each a token and which of its occurrences it is, and these are sorted from rare to
common. Two near texts share one of the first few of each (see ``bounds``), so a row is filed under its first few
elements and their positions (see ``postings``), and a query looks up its own first few. The rows found are filtered by
signatures (a bit for each element: a bit that only one of two texts has is at least one element that the other lacks),
and the rest are compared by their LCS.

The order of elements must not change while it is in use. It is rebuilt, and all rows are filed again, whenever the
pool has doubled, or has grown and more time was spent on reading postings than filing takes; elements added since then
rank as rarer than all others. New rows are kept unfiled and compared by signature until a batch is large enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from heapq import heappush, heappushpop
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from selfinstruct.similarity.bounds import LEAST_THRESHOLD, ProbePlan, cell_of, least_common, most_missed, probe_plan
from selfinstruct.similarity.postings import Column, Entries, Found, Integers, Postings, Words, ranges
from selfinstruct.similarity.rouge import f1_score
from selfinstruct.similarity.signatures import Signatures, own_bits, shared_bits
from selfinstruct.similarity.token_order import TokenOrder

_WAITING = 256  # unfiled rows, compared by signature alone
_BLOCK = 1 << 13  # rows read or filed at a time, to bound memory
_CHUNK = 1 << 20
_AT_ONCE, _MOST_AT_ONCE = 16, 1024  # candidates compared at a time: the first few are often enough
_FEW = 4  # candidates that are cheaper to compare than to filter
_READS_PER_ROW = 6000  # entries read per row before all rows are filed again: about 3 times the cost of filing

_FIRST: Integers = np.zeros(1, np.int64)

_least_common = lru_cache(maxsize=1 << 14)(least_common)


class _Text(NamedTuple):
    """An encoded text: its elements in text order and from rare to common; its signature and the number of its bits."""

    elements: NDArray[np.uint32]
    ordered: NDArray[np.uint32]
    signature: Words
    bits: int


class NoveltyIndex:
    """An incremental index of texts that finds the nearest one above a ROUGE-L threshold, exactly."""

    def __init__(self, *, min_threshold: float = 0.7) -> None:
        """Index texts for thresholds of at least ``min_threshold``; below it every row is compared."""
        self._min_threshold = max(min_threshold, LEAST_THRESHOLD)
        self._vocabulary = TokenOrder()
        self._elements, self._ends = Column(np.uint32), Column(np.int64)
        self._ends.append(0)
        self._signatures = Signatures(np.empty(0, np.int64), rows=0, mean_length=0)
        self._postings = Postings(bits=10, words=1)
        self._filed = self._rebuilt_at = self._entries_read = 0
        self._last: tuple[str, _Text] | None = None

    def __len__(self) -> int:
        """The number of texts."""
        return self._ends.size - 1

    def add(self, text: str) -> int:
        """Add one text and return its row number, counting from 0."""
        seen = self._read(text)
        self._elements.extend(seen.elements)
        self._ends.append(self._elements.size)
        self._signatures.extend(seen.signature[None])
        if len(self) - self._filed >= _WAITING:
            self._file()
        return len(self) - 1

    def add_all(self, texts: Iterable[str]) -> None:
        """Add many texts, in order; several times as fast as one by one."""
        stream = iter(texts)
        while block := list(map(self._vocabulary.encode, islice(stream, _BLOCK))):
            start = len(self)
            self._elements.extend(np.fromiter(chain.from_iterable(block), np.uint32))
            lengths = np.fromiter(map(len, block), np.int64, len(block))
            self._ends.extend(self._ends.values[-1] + lengths.cumsum())
            self._sign(start)
        if len(self) - self._filed >= _WAITING:
            self._file()

    def nearest(self, text: str, threshold: float) -> tuple[int, float] | None:
        """Return the nearest row whose F1 is strictly greater than ``threshold``, with its F1; None if there is none.

        Of equally near rows, the first. Result and score are those of brute force with
        ``selfinstruct.similarity.rouge`` for every threshold in [0, 1].
        """
        if self._entries_read > _READS_PER_ROW * self._filed and 8 * len(self) > 9 * self._rebuilt_at:
            self._rebuild()
        seen = self._read(text)
        if not len(seen.elements):
            return None
        rows = self._candidates(seen, threshold) if threshold >= self._min_threshold else np.arange(len(self))
        if len(rows) <= _FEW:
            return self._judge(seen, threshold, rows, np.ones(len(rows)))
        return self._judge(seen, threshold, *self._promising(seen, rows, threshold))

    def near(self, text: str, threshold: float, labels: Integers) -> list[int]:
        """Return rows whose F1 is strictly greater than ``threshold``: of those with one label, at least one.

        ``labels`` has one for each row. As soon as a row is found, those with its label are no longer compared.
        """
        seen, found = self._read(text), list[int]()
        if not len(seen.elements):
            return found
        rows = self._candidates(seen, threshold) if threshold >= self._min_threshold else np.arange(len(self))
        rows, _ = self._promising(seen, rows, threshold)
        ours = self._vocabulary.characters(seen.elements)
        size = _AT_ONCE
        while len(rows):
            some, rows = rows[:size], rows[size:]
            theirs = self._texts(some)
            common = _common(ours, theirs, _least_common(threshold, len(ours) + min(map(len, theirs))))
            near = [
                int(some[at])
                for at in common.nonzero()[0].tolist()
                if f1_score(int(common[at]), len(ours), len(theirs[at])) > threshold
            ]
            if near:
                found += near
                rows = rows[~np.isin(labels[rows], labels[near])]
            size = min(4 * size, _MOST_AT_ONCE)
        return found

    def raise_scores(self, text: str, scores: NDArray[np.float64]) -> None:
        """Raise the score of each row, in place, to its F1 with ``text`` where that is higher.

        Only rows whose signature allows a higher one are compared.
        """
        seen = self._read(text)
        rows = np.flatnonzero(self._upper_bounds(seen, np.arange(len(self))) > scores)
        if not len(rows):
            return
        ours = self._vocabulary.characters(seen.elements)
        lengths = self._ends.values[rows + 1] - self._ends.values[rows]
        common = _common(ours, self._texts(rows), 0)
        scores[rows] = np.maximum(scores[rows], 2 * common / np.maximum(len(ours) + lengths, 1))

    def k_nearest(self, text: str, k: int) -> list[tuple[int, float]]:
        """Return the ``k`` nearest rows with their F1, nearest first, ties in row order.

        Compares every row's signature, and the LCS of the rows that it does not rule out.
        """
        seen, best = self._read(text), list[tuple[float, int]]()
        bounds = self._upper_bounds(seen, np.arange(len(self)))
        ours = self._vocabulary.characters(seen.elements)
        for row in np.argsort(-bounds, kind="stable").tolist() if k > 0 else ():
            if len(best) == k and bounds[row] < best[0][0]:
                break
            theirs = self._vocabulary.characters(self._row(row))
            score = f1_score(LCSseq.similarity(ours, theirs), len(ours), len(theirs))
            put = heappush if len(best) < k else heappushpop
            put(best, (score, -row))
        return [(-row, score) for score, row in sorted(best, reverse=True)]

    def _read(self, text: str) -> _Text:
        """Encode a text; the last one is kept, since a text is often added after a query."""
        if self._last is not None and self._last[0] == text:
            return self._last[1]
        elements = np.array(self._vocabulary.encode(text), np.uint32)
        self._signatures.cover(len(self._vocabulary))
        signature = self._signatures.sign(elements, _FIRST, 1)[0]
        ordered = elements[self._vocabulary.ranks(elements).argsort()]
        self._last = (text, _Text(elements, ordered, signature, sum(map(int.bit_count, signature.tolist()))))
        return self._last[1]

    def _candidates(self, seen: _Text, threshold: float) -> Integers:
        """Every row that may be near, in any order, with repetitions."""
        plan = probe_plan(threshold, len(seen.elements))
        if not len(plan.positions):
            return np.empty(0, np.int64)
        waiting = self._signatures.since(self._filed)
        unfiled = shared_bits(seen.signature, waiting) >= seen.bits - plan.most_missed
        found = self._postings.find(self._postings.buckets(seen.ordered, plan.cells, plan.positions))
        near = found.held
        if len(near):
            self._entries_read += int(found.until[-1])
            differences = self._differences(seen, plan, found)
            near = (differences <= plan.differences.take(found.held).repeat(found.counts)).nonzero()[0]
        return np.concatenate((unfiled.nonzero()[0] + self._filed, self._postings.rows(found, near)))

    def _differences(self, seen: _Text, plan: ProbePlan, found: Found) -> NDArray[np.uint8]:
        """The number of bits in which each entry differs from the text, counted as in ``plan``."""
        shorter, longer = found.before(plan.shorter), found.before(plan.longer)
        total = np.zeros(len(found.signatures), np.uint8)
        for word, ours in enumerate(seen.signature):
            theirs = found.signatures[:, word]
            theirs[:shorter] &= ~ours
            theirs[shorter:longer] ^= ours
            np.bitwise_and(~theirs[longer:], ours, out=theirs[longer:])
            total += np.bitwise_count(theirs)
        return total

    def _promising(self, seen: _Text, rows: Integers, threshold: float) -> tuple[Integers, NDArray[np.float64]]:
        """The rows, each once, whose upper bound is above the threshold, and these bounds, descending."""
        # A row is found by many probes: thousands for long texts.
        rows.sort()
        new = np.ones(len(rows), np.bool_)
        np.not_equal(rows[1:], rows[:-1], out=new[1:])
        rows = rows[new]
        bounds = self._upper_bounds(seen, rows)
        above = np.flatnonzero(bounds > threshold)
        order = above[np.argsort(-bounds[above])]
        return rows[order], bounds[order]

    def _upper_bounds(self, seen: _Text, rows: Integers) -> NDArray[np.float64]:
        """An upper bound of each row's F1, from its length and its signature."""
        signatures, ends = self._signatures.at(rows), self._ends.values
        common = shared_bits(seen.signature, signatures).astype(np.int64)
        ours, theirs = len(seen.elements), ends[rows + 1] - ends[rows]
        shared = np.minimum(ours - seen.bits, theirs - own_bits(signatures)) + common
        bounds: NDArray[np.float64] = 2 * shared / np.maximum(ours + theirs, 1)
        return bounds

    def _judge(
        self, seen: _Text, threshold: float, rows: Integers, bounds: NDArray[np.float64]
    ) -> tuple[int, float] | None:
        """The nearest of these rows by LCS; their upper bounds descend, so that the first few may be enough."""
        best_row, best = -1, threshold
        ours = self._vocabulary.characters(seen.elements)
        start, size = 0, _AT_ONCE
        while start < len(rows) and bounds[start] >= best:
            some = rows[start : start + size]
            theirs = self._texts(some)
            needed = _least_common(threshold, len(ours) + min(map(len, theirs)))
            common = _common(ours, theirs, needed)
            for at in common.nonzero()[0].tolist():  # few: the LCS of the others is too short
                row, score = int(some[at]), f1_score(int(common[at]), len(ours), len(theirs[at]))
                if score > best or (score == best and row < best_row):
                    best_row, best = row, score
            start, size = start + size, min(4 * size, _MOST_AT_ONCE)
        return (best_row, best) if best_row >= 0 else None

    def _texts(self, rows: Integers) -> list[str | list[int]]:
        """Rows in the form that rapidfuzz compares.

        Decoded together: decoding each row by itself takes longer than its LCS.
        """
        starts = self._ends.values[rows]
        lengths = self._ends.values[rows + 1] - starts
        whole = self._vocabulary.characters(self._elements.values[ranges(starts, lengths)])
        ends = lengths.cumsum().tolist()
        return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def _row(self, row: int) -> NDArray[np.uint32]:
        start, end = self._ends.values[row : row + 2].tolist()
        return self._elements.values[start:end]

    def _sign(self, start: int) -> None:
        """Sign the rows from ``start`` on."""
        self._signatures.cover(len(self._vocabulary))
        for block in range(start, len(self), _BLOCK):
            ends = self._ends.values[block : block + _BLOCK + 1]
            rows = np.arange(len(ends) - 1).repeat(np.diff(ends))
            elements = self._elements.values[ends[0] : ends[-1]]
            self._signatures.extend(self._signatures.sign(elements, rows, len(ends) - 1))

    def _file(self) -> None:
        """File the waiting rows; if the pool has doubled, file all rows again."""
        if len(self) >= 2 * self._rebuilt_at:
            self._rebuild()
        else:
            self._file_waiting()

    def _rebuild(self) -> None:
        """Sort the elements by the number of rows that contain them, and file every row in the new order."""
        frequencies = np.zeros(len(self._vocabulary), np.int64)
        for start in range(0, self._elements.size, _CHUNK):  # bincount converts its input to 64-bit integers
            frequencies += np.bincount(self._elements.values[start : start + _CHUNK], minlength=len(frequencies))
        self._vocabulary.renew(frequencies)
        self._signatures = Signatures(frequencies, len(self), self._elements.size / len(self))
        self._sign(0)
        self._last, self._entries_read, self._rebuilt_at = None, 0, len(self)
        depths, buckets = self._depths(0), Column(np.uint32)
        self._postings = Postings(bits=max(10, int(depths.sum()).bit_length()), words=self._signatures.words)
        for start in range(0, len(self), _BLOCK):
            buckets.extend(self._buckets(start, depths[start : start + _BLOCK]))
        blocks = (self._entries(start, depths[start : start + _BLOCK]) for start in range(0, len(self), _BLOCK))
        self._postings.fill(buckets.values, blocks)
        self._filed = len(self)

    def _file_waiting(self) -> None:
        """File the waiting rows, each under the first of its elements, rare to common."""
        depths = self._depths(self._filed)
        for start in range(0, len(depths), _BLOCK):
            some, row = depths[start : start + _BLOCK], self._filed + start
            self._postings.extend(self._buckets(row, some), *self._entries(row, some))
        self._filed = len(self)

    def _buckets(self, start: int, depths: Integers) -> NDArray[np.uint32]:
        """The buckets of the rows from ``start`` on, row by row: ``depths[i]`` buckets for the i-th."""
        ends = self._ends.values[start : start + len(depths) + 1]
        lengths = np.diff(ends)
        packed = self._vocabulary.ranks(self._elements.values[ends[0] : ends[-1]]) + (1 << 32)
        packed += np.arange(len(depths)).repeat(lengths) << 33
        packed.sort()
        rows = np.arange(len(depths)).repeat(depths)
        places = np.arange(len(rows)) - (np.cumsum(depths) - depths).repeat(depths)
        ranks = packed[places + (ends[:-1] - ends[0])[rows]] & ((1 << 33) - 1)
        return self._postings.buckets(
            self._vocabulary.at_ranks(ranks - (1 << 32)), cell_of(lengths[rows], places).astype(np.uint32)
        )

    def _entries(self, start: int, depths: Integers) -> Entries:
        """The entries that go with ``_buckets``."""
        rows = np.arange(start, start + len(depths), dtype=np.uint32).repeat(depths)
        return rows, self._signatures.at(rows)

    def _depths(self, start: int) -> Integers:
        """The number of elements under which each row from ``start`` on is filed."""
        lengths, which = np.unique(np.diff(self._ends.values[start:]), return_inverse=True)
        depths = [most_missed(self._min_threshold, length) + 1 if length else 0 for length in lengths.tolist()]
        return np.array(depths, np.int64)[which]


def _common(ours: str | list[int], theirs: Sequence[str | list[int]], needed: int) -> Integers:
    """The LCS of a text with each of ``theirs``, or 0 if it is below ``needed``."""
    common: Integers = cdist([ours], theirs, scorer=LCSseq.similarity, score_cutoff=needed, dtype=np.int64)[0]
    return common
