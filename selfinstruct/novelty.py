"""The near-duplicate index: exact ROUGE-L against every row of a pool, without looking at every row.

Does not handle: removing rows, other similarities, persistence (a pool is indexed again from its journal).

A pair is near when ``F1 = 2 LCS / (m + n)`` is strictly greater than a threshold, so its LCS, and with it the
number of tokens that both texts hold, is at least some ``a``. A text of m tokens that shares a of them misses
at most m - a, so among any m - a + 1 of its tokens there is a shared one: the rarest m - a + 1 are looked up.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from heapq import nlargest

from rapidfuzz.distance import LCSseq

from selfinstruct.rouge import f1_score
from selfinstruct.text import tokens

_LAST_CODE_POINT = 0x10FFFF


class NoveltyIndex:
    """An incremental index of texts that finds the nearest one above a ROUGE-L threshold, exactly."""

    def __init__(self, *, min_threshold: float = 0.7) -> None:
        """Index texts for thresholds of at least ``min_threshold``; lower ones are exact too, but slower."""
        self._min_threshold = min_threshold
        self._codes: dict[str, int] = {}
        self._rows: list[str | list[int]] = []
        self._postings: list[array[int]] = []
        self._last_text: str | None = None
        self._last_codes: list[int] = []

    def __len__(self) -> int:
        """How many texts the index holds."""
        return len(self._rows)

    def add(self, text: str) -> int:
        """Add one text and give its row number, counting from 0."""
        row = len(self._rows)
        codes = self._encode(text)
        self._rows.append(_sequence(codes))
        for code in set(codes):
            self._postings[code].append(row)
        return row

    def add_all(self, texts: Iterable[str]) -> None:
        """Add many texts, in order."""
        for text in texts:
            self.add(text)

    def nearest(self, text: str, threshold: float) -> tuple[int, float] | None:
        """The nearest row whose F1 is strictly greater than ``threshold``, with its F1; None if there is none.

        Of rows that are equally near, the first. Verdict and score are those of brute force with
        ``selfinstruct.rouge`` for every threshold in [0, 1].
        """
        codes = self._encode(text)
        ours, best = _sequence(codes), None
        limit = threshold
        for row in self._candidates(codes, threshold):
            theirs = self._rows[row]
            total = len(codes) + len(theirs)
            needed = least_common(limit, total)
            if needed > min(len(codes), len(theirs)):
                continue
            common = LCSseq.similarity(ours, theirs, score_cutoff=needed)
            if common >= needed:
                limit = f1_score(common, len(codes), len(theirs))
                best = (row, limit)
        return best

    def k_nearest(self, text: str, k: int) -> list[tuple[int, float]]:
        """The ``k`` nearest rows with their F1, nearest first, of equals the first; a scan of the whole pool."""
        codes = self._encode(text)
        ours = _sequence(codes)
        scores = (f1_score(LCSseq.similarity(ours, row), len(codes), len(row)) for row in self._rows)
        best = nlargest(k, ((score, -row) for row, score in enumerate(scores)))
        return [(-row, score) for score, row in best]

    def _encode(self, text: str) -> list[int]:
        if text == self._last_text:
            return self._last_codes
        codes = self._codes
        encoded = [codes.setdefault(token, len(codes)) for token in tokens(text)]
        self._postings.extend(array("I") for _ in range(len(codes) - len(self._postings)))
        self._last_text, self._last_codes = text, encoded
        return encoded

    def _candidates(self, codes: list[int], threshold: float) -> list[int]:
        """Every row that may be near, ascending: those that share one of the rarest tokens."""
        length = len(codes)
        shortest = next((n for n in range(1, length + 1) if least_common(threshold, length + n) <= n), None)
        if shortest is None:
            return []
        probes = length - least_common(threshold, length + shortest) + 1
        postings = self._postings
        rarest = sorted(codes, key=lambda code: len(postings[code]))[:probes]
        rows: set[int] = set()
        for code in set(rarest):
            rows.update(postings[code])
        return sorted(rows)


def least_common(threshold: float, total: int) -> int:
    """The least LCS with which two texts of ``total`` tokens together have an F1 strictly above ``threshold``."""
    common = max(int(threshold * total / 2), 1)
    while f1_score(common, total, 0) <= threshold:
        common += 1
    while common > 1 and f1_score(common - 1, total, 0) > threshold:
        common -= 1
    return common


def _sequence(codes: list[int]) -> str | list[int]:
    """What rapidfuzz compares fastest: a string of one character a token, while there are characters."""
    if not codes or max(codes) <= _LAST_CODE_POINT:
        return "".join(map(chr, codes))
    return codes
