"""The near-duplicate index: exact ROUGE-L against every row of a pool, without comparing every row.

Does not handle: removing rows, other similarities, persistence (a pool is reindexed from its journal).

A text becomes *elements*, each a token and which of its occurrences it is, and these are sorted from rare to
common. Two near texts share one of the first few of each, so a query finds the rows that are filed under its own first
few (see ``filing``). Those that their signatures do not rule out are compared by their LCS.

The order of elements must not change while it is in use. So when the pool has doubled, or has grown and more time was
spent on reading entries than filing takes, a new filing in the present order is made beside the one in use, a step for
every few rows or queries, and then takes its place: no call takes the time of filing a whole pool. Where the last new
filing did not reduce what is read, as in Chinese text, whose characters keep their order, the next one waits longer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from heapq import heappush, heappushpop
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from selfinstruct.similarity.bounds import LEAST_THRESHOLD, least_common
from selfinstruct.similarity.encoded_texts import EncodedTexts
from selfinstruct.similarity.filing import Filing
from selfinstruct.similarity.postings import Integers
from selfinstruct.similarity.rouge import f1_score
from selfinstruct.similarity.signatures import SignedText
from selfinstruct.similarity.together import Group, Pairs, Texts, best_rows

_BLOCK = 1 << 12  # rows read or filed at a time
_ROUND = 1 << 14  # rows that were added in the meantime and are filed together
_AT_ONCE, _MOST_AT_ONCE = 16, 1024  # candidates compared at a time: the first few are often enough
_FEW = 4  # candidates that are cheaper to compare than to filter
_READS_PER_ROW = 6000  # entries read per row before all rows are filed again: about 3 times the cost of filing
_SAME = 0.8, 1.25  # ratios of what a text reads between which a new filing has changed little
_MOST_TOKENS = 1 << 13  # of texts that are looked up together: beyond it their LCS with each other costs too much
_CALLS_PER_STEP = 64  # a step of the next filing takes about as long as these

_least_common = lru_cache(maxsize=1 << 14)(least_common)


class NoveltyIndex:
    """An incremental index of texts that finds the nearest one above a ROUGE-L threshold, exactly."""

    def __init__(self, *, min_threshold: float = 0.7) -> None:
        """Index texts for thresholds of at least ``min_threshold``; below it every row is compared."""
        self._min_threshold = max(min_threshold, LEAST_THRESHOLD)
        self._texts = EncodedTexts()
        self._filing = self._empty_filing()
        self._next_filing: Iterator[Filing | None] | None = None
        self._waiting_filed: Iterator[None] | None = None
        self._calls = 0
        self._patience, self._share_before = 1, math.inf
        self._last: tuple[str, SignedText] | None = None
        self._group = Group()

    def __len__(self) -> int:
        """The number of texts."""
        return len(self._texts)

    def add(self, text: str) -> int:
        """Add one text and return its row number, counting from 0."""
        self._advance()
        seen = self._read(text)
        self._group.add(text, len(self))
        self._texts.append(seen.elements)
        self._filing.add_signature(seen.signature)
        if self._is_behind():
            if len(self) >= 2 * self._filing.ordered_at:
                self._start_filing()
            if self._waiting_filed is None and self._is_behind():
                self._waiting_filed = self._filing.file(len(self))
                self._take_step()
        return len(self) - 1

    def add_all(self, texts: Iterable[str]) -> None:
        """Add many texts, in order; several times as fast as one by one."""
        stream = iter(texts)
        while block := list(map(self._texts.vocabulary.encode, islice(stream, _BLOCK))):
            self._texts.extend(block)
        while self._waiting_filed is not None:
            self._take_step()
        if len(self) >= 2 * self._filing.ordered_at and self._is_behind():
            self._next_filing = self._sorted_filing()
            self._finish_filing()
            return
        for until in range(self._filing.signed, len(self), _BLOCK):
            self._filing.sign(min(until + _BLOCK, len(self)))
        if self._is_behind():
            for _ in self._filing.file(len(self)):
                pass

    def look_ahead(self, queries: Sequence[tuple[str, float]]) -> None:
        """Prepare the answers of ``nearest`` to these texts and thresholds, much faster together than one by one.

        The answers stay right while these texts are added; another text makes them void, and so does the next call.
        """
        self._group = Group()
        queries = [each for each in queries if each[1] >= self._min_threshold]
        if not queries or not len(self):
            return
        thresholds = np.array([threshold for _, threshold in queries])
        texts = self._filing.read_all([self._texts.vocabulary.encode(text) for text, _ in queries])
        pairs = self._filing.find_all(texts, thresholds) if texts.elements.size <= _MOST_TOKENS else None
        if pairs is None:
            return
        pairs, bounds = self._filing.promising(pairs, texts, thresholds)
        ours = texts.split(self._texts.vocabulary.characters(texts.elements))
        own = cdist(ours, ours, scorer=LCSseq.similarity, dtype=np.int64)
        own_scores = 2 * own / np.maximum(texts.lengths[:, None] + texts.lengths, 1)
        best = self._judge_all(texts, ours, thresholds, pairs, bounds)
        self._group = Group(queries, texts, own_scores.tolist(), best)

    def nearest(self, text: str, threshold: float) -> tuple[int, float] | None:
        """Return the nearest row whose F1 is strictly greater than ``threshold``, with its F1; None if there is none.

        Of equally near rows, the first. Result and score are those of brute force with
        ``selfinstruct.similarity.rouge`` for every threshold in [0, 1].
        """
        self._advance()
        if self._group.knows(text, threshold):
            return self._group.nearest(text)
        seen = self._read(text)
        if not len(seen.elements):
            return None
        rows, ours = self._candidates(seen, threshold), self._texts.vocabulary.characters(seen.elements)
        if len(rows) <= _FEW:
            return self._judge(ours, threshold, rows, np.ones(len(rows)))
        return self._judge(ours, threshold, *self._promising(seen, rows, threshold))

    def has_tokens(self, text: str) -> bool:
        """Whether a text has tokens; one without is near to nothing, whatever the threshold."""
        return len(self._read(text).elements) > 0

    def near(self, text: str, threshold: float, labels: Integers) -> list[int]:
        """Return rows whose F1 is strictly greater than ``threshold``: of those with one label, at least one.

        ``labels`` has one for each row. As soon as a row is found, those with its label are no longer compared.
        """
        seen, found = self._read(text), list[int]()
        if not len(seen.elements):
            return found
        rows = self._candidates(seen, threshold)
        rows, _ = self._promising(seen, rows, threshold)
        ours = self._texts.vocabulary.characters(seen.elements)
        size = _AT_ONCE
        while len(rows):
            some, rows = rows[:size], rows[size:]
            theirs = self._texts.characters(some)
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
        rows = np.flatnonzero(self._filing.upper_bounds(seen, np.arange(len(self))) > scores)
        if not len(rows):
            return
        ours = self._texts.vocabulary.characters(seen.elements)
        common = _common(ours, self._texts.characters(rows), 0)
        scores[rows] = np.maximum(scores[rows], 2 * common / np.maximum(len(ours) + self._texts.lengths(rows), 1))

    def k_nearest(self, text: str, k: int) -> list[tuple[int, float]]:
        """Return the ``k`` nearest rows with their F1, nearest first, ties in row order.

        Compares every row's signature, and the LCS of the rows that it does not rule out.
        """
        seen, best = self._read(text), list[tuple[float, int]]()
        bounds = self._filing.upper_bounds(seen, np.arange(len(self)))
        ours = self._texts.vocabulary.characters(seen.elements)
        order = np.argsort(-bounds, kind="stable")
        start, size = 0, _AT_ONCE
        while k > 0 and start < len(order) and (len(best) < k or bounds[order[start]] >= best[0][0]):
            some = order[start : start + size]
            theirs = self._texts.characters(some)
            for row, common, other in zip(some.tolist(), _common(ours, theirs, 0).tolist(), theirs, strict=True):
                put = heappush if len(best) < k else heappushpop
                put(best, (f1_score(common, len(ours), len(other)), -row))
            start, size = start + size, min(4 * size, _MOST_AT_ONCE)
        return [(-row, score) for score, row in sorted(best, reverse=True)]

    def _read(self, text: str) -> SignedText:
        """Encode a text; the last one is kept, since a text is often added after a query."""
        if self._last is not None and self._last[0] == text:
            return self._last[1]
        seen = self._group.signed(text)
        if seen is None:
            seen = self._filing.read(np.array(self._texts.vocabulary.encode(text), np.uint32))
        self._last = (text, seen)
        return seen

    def _candidates(self, seen: SignedText, threshold: float) -> Integers:
        """Every row that may be near, in any order, with repetitions."""
        if threshold < self._min_threshold:
            return np.arange(len(self))
        return self._filing.candidates(seen, threshold)

    def _promising(self, seen: SignedText, rows: Integers, threshold: float) -> tuple[Integers, NDArray[np.float64]]:
        """The rows, each once, whose upper bound is above the threshold, and these bounds, descending."""
        # A row is found by many probes: thousands for long texts.
        rows.sort()
        new = np.ones(len(rows), np.bool_)
        np.not_equal(rows[1:], rows[:-1], out=new[1:])
        rows = rows[new]
        bounds = self._filing.upper_bounds(seen, rows)
        above = np.flatnonzero(bounds > threshold)
        order = above[np.argsort(-bounds[above])]
        return rows[order], bounds[order]

    def _judge(
        self,
        ours: str | list[int],
        threshold: float,
        rows: Integers,
        bounds: NDArray[np.float64],
    ) -> tuple[int, float] | None:
        """The nearest of these rows by LCS; their upper bounds descend, so that the first few may be enough."""
        best_row, best = -1, threshold
        start, size = 0, _AT_ONCE
        while start < len(rows) and bounds[start] >= best:
            some = rows[start : start + size]
            theirs = self._texts.characters(some)
            needed = _least_common(threshold, len(ours) + min(map(len, theirs)))
            common = _common(ours, theirs, needed)
            for at in common.nonzero()[0].tolist():  # few: the LCS of the others is too short
                row, score = int(some[at]), f1_score(int(common[at]), len(ours), len(theirs[at]))
                if score > best or (score == best and row < best_row):
                    best_row, best = row, score
            start, size = start + size, min(4 * size, _MOST_AT_ONCE)
        return (best_row, best) if best_row >= 0 else None

    def _judge_all(
        self,
        texts: Texts,
        ours: Sequence[str | list[int]],
        thresholds: NDArray[np.float64],
        pairs: Pairs,
        bounds: NDArray[np.float64],
    ) -> dict[int, tuple[int, float]]:
        """The nearest row of each text that has one, as ``_judge`` finds it: the next few rows of all texts in turn.

        All texts of a turn are compared with all rows of it, although most of that is not asked for: for texts of up to
        64 tokens rapidfuzz compares a row with many at once, in a tenth of the time that two texts take.
        """
        places = np.arange(len(pairs.of)) - pairs.of.searchsorted(pairs.of)
        best, near = thresholds.copy(), list[tuple[Pairs, NDArray[np.float64]]]()
        start, size = 0, _AT_ONCE
        while True:
            turn = np.flatnonzero((places >= start) & (places < start + size) & (bounds >= best[pairs.of]))
            if not len(turn):
                break
            some = Pairs(pairs.of[turn], pairs.rows[turn])
            of, which = np.unique(some.of, return_inverse=True)
            rows, whose = np.unique(some.rows, return_inverse=True)
            theirs = self._texts.characters(rows)
            common = cdist([ours[at] for at in of.tolist()], theirs, scorer=LCSseq.similarity, dtype=np.int64)
            scores = 2 * common[which, whose] / (texts.lengths[some.of] + self._texts.lengths(some.rows))
            near.append((some, scores))
            np.maximum.at(best, some.of, scores)
            start, size = start + size, min(4 * size, _MOST_AT_ONCE)
        return best_rows(near, thresholds)

    def _is_behind(self) -> bool:
        """Whether enough rows wait to be filed."""
        return len(self) - self._filing.filed >= self._filing.most_waiting

    def _advance(self) -> None:
        """Count a call; every few calls, take a step of what is under way. Start the next filing, if one is due."""
        filing = self._filing
        if self._next_filing is None and self._waiting_filed is None:
            reads = self._patience * _READS_PER_ROW * filing.filed
            if filing.entries_read <= reads or 8 * len(self) <= 9 * filing.ordered_at:
                return
            if _SAME[0] < filing.share_read / self._share_before < _SAME[1]:
                self._patience *= 2
                return
            self._start_filing()
        self._calls += 1
        if self._calls % _CALLS_PER_STEP == 0:
            self._take_step()

    def _start_filing(self) -> None:
        """Start the next filing, unless it is under way; that of a small pool is finished at once."""
        if self._next_filing is None:
            self._next_filing = self._sorted_filing()
            if len(self) <= _BLOCK:
                self._finish_filing()

    def _finish_filing(self) -> None:
        while self._next_filing is not None:
            self._take_step()

    def _take_step(self) -> None:
        """Take a step of filing the rows that wait, and one of the next filing, where these are under way."""
        if self._waiting_filed is not None and next(self._waiting_filed, True):
            self._waiting_filed = None
        filing = next(self._next_filing) if self._next_filing is not None else None
        if filing is not None:
            self._patience, self._share_before = 1, self._filing.share_read or math.inf
            self._filing, self._next_filing, self._waiting_filed = filing, None, None
            self._last, self._group = None, Group()

    def _sorted_filing(self) -> Iterator[Filing | None]:
        """Make a filing of all rows in the present order of elements: None for each step, at last the filing."""
        filing = self._empty_filing()
        for _ in filing.sort():
            yield None
        behind = len(self) + 1
        while True:  # the rows that were added in the meantime
            filing.sign(min(filing.signed + _BLOCK, len(self)))
            if filing.signed < len(self):
                yield None
                continue
            before, behind = behind, len(self) - filing.filed
            if behind < filing.most_waiting or behind >= before:
                break
            for _ in filing.file(min(filing.filed + _ROUND, len(self))):
                yield None
        yield filing

    def _empty_filing(self) -> Filing:
        return Filing(self._texts, min_threshold=self._min_threshold)


def _common(ours: str | list[int], theirs: Sequence[str | list[int]], needed: int) -> Integers:
    """The LCS of a text with each of ``theirs``, or 0 if it is below ``needed``."""
    common: Integers = cdist([ours], theirs, scorer=LCSseq.similarity, score_cutoff=needed, dtype=np.int64)[0]
    return common
