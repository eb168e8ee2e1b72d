"""The test of chance: would values agree like this if the columns were independent?

The chance that one row agrees by accident is measured on pairs of values from different rows (the columns of the seeds
are shifted against each other), with the spread of the values as prior where few such pairs exist. The chance that
as many rows agree as do is the tail of the binomial distribution, times the number of hypotheses tried (Bonferroni).
Rows that repeat the same values count little. This is the justification test of Daikon (Ernst et al. 2007, "The Daikon
system for dynamic detection of likely invariants", section 3.3), with measured probabilities.

>>> chance(10, 10, 10, crossed_hits=0, crossed=30, prior=0.01, hypotheses=6) < 1e-9
True
>>> chance(3, 3, 3, crossed_hits=3, crossed=6, prior=0.5, hypotheses=1) > 0.1
True
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from selfinstruct.records import JSON
from selfinstruct.text import value_text

#: A relation is believed below this chance.
MAX_CHANCE = 1e-3
#: A relation holds in at least this share of the rows that have its values.
SHARE = 0.9
#: Of this number of rows or more, one may disagree if the chance is below ``CERTAIN``.
LEAST_FOR_EXCEPTION = 5
CERTAIN = 1e-5
#: The same for relations that names suggest, for formats and for order.
LEAST_FOR_STRICT_EXCEPTION = 8
#: Rows in which a relation must be seen, but for strong kinds.
MIN_SUPPORT = 3
#: The prior counts as much as this number of crossed pairs.
_PRIOR_PAIRS = 2
#: Rows that count at most, for each distinct combination of values.
_ROWS_PER_DISTINCT = 3
#: Crossed pairs are taken from this number of shifts.
_SHIFTS = 3
_MOST_CROSSED = 80


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows or positions that agree (``hits``) of those that have the values (``total``), and the chance of it."""

    hits: int
    total: int
    distinct: int
    chance: float

    @property
    def is_strict(self) -> bool:
        """Whether all agree, or all but one in fifty, or but one of some with a chance far below the limit."""
        failed = self.total - self.hits
        few = int(self.total >= LEAST_FOR_STRICT_EXCEPTION and self.chance < CERTAIN)
        return failed <= max(self.total // 50, few)

    @property
    def is_believed(self) -> bool:
        """Whether the agreement is too unlikely to be an accident."""
        return self.chance < (MAX_CHANCE if self.hits >= SHARE * self.total else CERTAIN)


def chance(
    hits: int, total: int, distinct: int, *, crossed_hits: int, crossed: int, prior: float, hypotheses: int
) -> float:
    """Return the probability that independent columns agree in at least ``hits`` of ``total`` rows, corrected."""
    once = (crossed_hits + _PRIOR_PAIRS * min(prior, 1.0)) / (crossed + _PRIOR_PAIRS)
    counted = min(total, _ROWS_PER_DISTINCT * distinct)
    least = math.floor(counted * hits / total) if total else 0
    # Far beyond the limit of belief, the exact tail does not matter.
    counted, least = (counted, least) if counted <= 300 else (300, math.floor(300 * hits / total))
    tail = sum(math.comb(counted, k) * once**k * (1 - once) ** (counted - k) for k in range(least, counted + 1))
    return min(1.0, tail * hypotheses)


def exceptions_allowed(total: int) -> int:
    """Return how many of the rows may disagree for a relation to be weighed at all."""
    return max(math.floor((1 - SHARE) * total + 1e-9), int(total >= LEAST_FOR_EXCEPTION))


def weigh(
    values: Sequence[tuple[JSON, ...]],
    owners: Sequence[int],
    holds: Callable[..., bool | None],
    *,
    prior: float,
    hypotheses: int,
) -> Evidence | None:
    """Weigh the tuples of values that belong together; ``owners`` are the rows that they are of.

    ``holds`` returns None where it cannot be decided. Returns None as soon as too many tuples disagree.
    """
    hits = total = 0
    seen: set[tuple[str, ...]] = set()
    allowed = exceptions_allowed(len(values))
    for each in values:
        verdict = holds(*each)
        if verdict is None:
            continue
        total += 1
        if verdict:
            hits += 1
            seen.add(tuple(map(value_text, each)))
        elif total - hits > allowed:
            return None
    if not total or total - hits > allowed:
        return None
    crossed, crossed_hits = _crossed(values, owners, holds)
    likely = chance(
        hits, total, len(seen), crossed_hits=crossed_hits, crossed=crossed, prior=prior, hypotheses=hypotheses
    )
    return Evidence(hits, total, len(seen), likely)


def _crossed(
    values: Sequence[tuple[JSON, ...]], owners: Sequence[int], holds: Callable[..., bool | None]
) -> tuple[int, int]:
    """Count the tuples with a last value from another row, and those of them that agree."""
    count = len(values)
    stride = max(1, count // _MOST_CROSSED)
    crossed = hits = 0
    for shift in sorted({1, 1 + count // 3, 1 + count // 2})[:_SHIFTS]:
        for at in range(0, count, stride):
            other = (at + shift) % count
            if owners[other] == owners[at]:
                continue
            verdict = holds(*values[at][:-1], values[other][-1])
            if verdict is not None:
                crossed += 1
                hits += verdict
    return crossed, hits
