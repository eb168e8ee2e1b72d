"""Two distributions over the same steps, and the spread of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

#: At most this many bars.
BINS = 20


@dataclass(frozen=True, slots=True)
class Histogram:
    """Two distributions over the same equal steps of ``step`` from ``low`` on: shares in [0, 1], each adding to 1.

    ``seeds`` is the distribution of the seed rows, ``grown`` that of the sampled rows; zeros without values.
    """

    low: float
    step: float
    seeds: tuple[float, ...]
    grown: tuple[float, ...]


class Spread(NamedTuple):
    """The least and the greatest of some values, with the median and the value that 90 % of them do not exceed.

    These are ``least``, ``median``, ``ninth_decile`` and ``greatest``, in the order of size.
    """

    least: float
    median: float
    ninth_decile: float
    greatest: float


def spread(values: Sequence[float]) -> Spread | None:
    """Return the spread of values, by nearest rank; None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    last = len(ordered) - 1
    return Spread(ordered[0], ordered[last // 2], ordered[last * 9 // 10], ordered[-1])


def histogram(seeds: Sequence[float], grown: Sequence[float], low: float, step: float, bins: int) -> Histogram:
    """Return the shares of both in ``bins`` steps from ``low`` on, of which the last includes its upper end."""
    return Histogram(low, step, _shares(seeds, low, step, bins), _shares(grown, low, step, bins))


def whole_histogram(seeds: Sequence[int], grown: Sequence[int]) -> Histogram:
    """Return the shares of whole numbers in steps of as many numbers each, from the least to the greatest."""
    values = [*seeds, *grown]
    low, high = min(values, default=0), max(values, default=0)
    step = max(-(-(high - low + 1) // BINS), 1)
    return histogram(seeds, grown, low, step, (high - low) // step + 1)


def _shares(values: Sequence[float], low: float, step: float, bins: int) -> tuple[float, ...]:
    counts = [0] * bins
    for value in values:
        # A value that rounding moved below a border (0.7 / 0.05) belongs above it; the maximum belongs to the last bin.
        counts[min(int((value - low) / step + 1e-9), bins - 1)] += 1
    return tuple(count / len(values) if values else 0.0 for count in counts)
