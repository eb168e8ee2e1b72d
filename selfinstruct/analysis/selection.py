"""Which rows to keep of more than are wanted: those that together cover the most.

In each category, farthest first (Gonzalez 1985, "Clustering to minimize the maximum intercluster distance"; k-center
greedy): the next row is the one whose distance to the nearest chosen row, times its quality, is the largest. The
distance of two rows is 1 - F1 of ROUGE-L over the compared fields. Of equally far rows, as those of one template often
are, the one with the largest share of tokens that no chosen row has. No choice of as many rows has less than half the
largest distance of a row to its nearest chosen one.

For k rows of n, k * n upper bounds from signatures are computed, a few nanoseconds each, and LCSs for those pairs alone
whose bound says that they may be nearer than what a row has already.

Does not handle: where quality comes from (``quality``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from selfinstruct.recipe import Novelty
from selfinstruct.records import Row
from selfinstruct.similarity import RowIndex, compared_text
from selfinstruct.text import tokens

#: The weight of unseen tokens: less than two F1s of texts of up to 500 tokens differ by.
_TIE = 1e-6


def apportion(total: int, weights: Mapping[str, float], available: Mapping[str, int]) -> dict[str, int]:
    """Divide ``total`` by the weights, by largest remainders; no part exceeds what is available.

    What a part cannot take goes to the others. The sum is ``total``, or all that is available.

    >>> apportion(10, {"a": 1, "b": 1, "c": 1}, {"a": 9, "b": 2, "c": 9})
    {'a': 4, 'b': 2, 'c': 4}
    """
    parts = dict.fromkeys(available, 0)
    left = min(total, sum(available.values()))
    while left:
        open_parts = [name for name in parts if parts[name] < available[name]]
        whole = sum(weights.get(name, 0.0) for name in open_parts)
        # Parts without a weight take what the others leave.
        shares = {
            name: left * (weights.get(name, 0.0) / whole if whole else 1 / len(open_parts)) for name in open_parts
        }
        given = {name: min(int(share), available[name] - parts[name]) for name, share in shares.items()}
        if not any(given.values()):
            most = sorted(open_parts, key=lambda name: -shares[name])[:left]
            given = dict.fromkeys(most, 1)
        for name, rows in given.items():
            parts[name] += rows
            left -= rows
    return parts


def select(
    rows: Sequence[Row],
    categories: Sequence[str],
    quotas: Mapping[str, int],
    novelty: Novelty,
    *,
    quality: Sequence[float] | None = None,
    given: Sequence[tuple[Row, str]] = (),
) -> list[int]:
    """Return the positions of the chosen rows, ascending: of each category as many as its quota, or all there are.

    ``given`` are rows, with their categories, that are kept in any case and are not to be covered again. Ties are
    decided by the order of the rows.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for at, category in enumerate(categories):
        members[category].append(at)
    chosen: list[int] = []
    seen = {token for row, _ in given for token in tokens(compared_text(row, novelty.fields))}
    for category, places in members.items():
        own = [rows[at] for at in places]
        start = [row for row, other in given if other == category]
        weights = [1.0 if quality is None else quality[at] for at in places]
        chosen += [places[at] for at in _farthest_first(own, quotas.get(category, 0), novelty, weights, start, seen)]
    return sorted(chosen)


def _farthest_first(
    rows: Sequence[Row],
    count: int,
    novelty: Novelty,
    quality: Sequence[float],
    given: Sequence[Row],
    seen: set[str],
) -> list[int]:
    """The chosen rows of one category; adds their tokens to ``seen``, those of rows that were chosen before."""
    index = RowIndex(novelty, min_threshold=1.0)  # no thresholds are asked for, so that nothing needs to be filed
    index.add_all(rows)
    nearest = np.zeros(len(rows))
    texts = [frozenset(tokens(compared_text(row, novelty.fields))) for row in rows]
    unseen = _Unseen(texts)
    unseen.see(seen)
    for row in given:
        index.raise_scores(row, nearest)
    weights = np.asarray(quality)
    free = np.ones(len(rows), np.bool_)
    chosen: list[int] = []
    while len(chosen) < min(count, len(rows)):
        value = (1.0 - nearest) * weights + _TIE * unseen.shares
        at = int(np.where(free, value, -1.0).argmax())
        free[at] = False
        chosen.append(at)
        index.raise_scores(rows[at], nearest)
        unseen.see(texts[at])
        seen |= texts[at]
    return chosen


class _Unseen:
    """The share of the different tokens of each text that were not seen yet."""

    def __init__(self, texts: Sequence[Collection[str]]) -> None:
        self._with: dict[str, list[int]] = defaultdict(list)
        for at, text in enumerate(texts):
            for token in text:
                self._with[token].append(at)
        self._sizes = np.array([len(text) for text in texts], np.int64)
        self._counts = self._sizes.copy()

    @property
    def shares(self) -> NDArray[np.float64]:
        """The shares; of a text without tokens, 1."""
        return np.where(self._sizes, self._counts / np.maximum(self._sizes, 1), 1.0)

    def see(self, seen: Iterable[str]) -> None:
        """Take these tokens as seen."""
        for token in seen:
            self._counts[self._with.pop(token, [])] -= 1
