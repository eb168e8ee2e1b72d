"""ROUGE-L, the readable reference that the fast index (``exact_index``) is tested against.

Does not handle: stemming, several references, sentence-split ROUGE-Lsum. It is quadratic in the lengths, so
it is for tests, reports and reading; a pool is compared by ``exact_index.NoveltyIndex``.

ROUGE-L (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries") compares two token sequences by
their longest common subsequence, the largest number of tokens that both contain in the same order, gaps allowed::

    candidate  finished task 28 0 in stage 29 0       m = 8
    reference  finished task 31 0 in stage 31 0       n = 8
    in common  finished task    0 in stage    0       LCS = 6

    precision = LCS / m = 0.75    recall = LCS / n = 0.75    F1 = 2 LCS / (m + n) = 0.75

F1 is the harmonic mean of precision and recall. It is computed here as ``2 * LCS / (m + n)`` in one division,
which yields the double nearest to the true fraction, so that "strictly greater than 0.7" is exact; rouge-score computes
it from precision and recall, which may differ in the last few bits.

>>> rouge_l("Finished task 28.0 in stage 29.0", "Finished task 31.0 in stage 31.0").f1
0.75
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from selfinstruct.text import tokens


@dataclass(frozen=True, slots=True)
class RougeL:
    """ROUGE-L of a candidate against a reference; every number is in [0, 1]."""

    precision: float
    recall: float
    f1: float


def lcs_length(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Return the length of the longest common subsequence, by dynamic programming over one row of the table.

    After reading a part of ``first``, ``best[j]`` is the length of its longest common subsequence with
    ``second[:j]``. A match extends the diagonal; otherwise the better of left and above carries over.
    """
    best = [0] * (len(second) + 1)
    for one in first:
        diagonal = 0
        for j, other in enumerate(second, start=1):
            above = best[j]
            best[j] = diagonal + 1 if one == other else max(above, best[j - 1])
            diagonal = above
    return best[-1]


def f1_score(common: int, first: int, second: int) -> float:
    """Return the F1 for an LCS of ``common`` tokens in texts of ``first`` and ``second`` tokens; 0 if it is 0."""
    return 2 * common / (first + second) if common else 0.0


def rouge_l(candidate: str, reference: str) -> RougeL:
    """Return the ROUGE-L of two texts on the tokens of ``selfinstruct.text``; a text without tokens scores 0."""
    ours, theirs = tokens(candidate), tokens(reference)
    common = lcs_length(ours, theirs)
    if not common:
        return RougeL(0.0, 0.0, 0.0)
    return RougeL(common / len(ours), common / len(theirs), f1_score(common, len(ours), len(theirs)))
