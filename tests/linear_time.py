"""Whether the time of a function grows in proportion to its input."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

_TIMES = 4
_NOISE = 0.002  # seconds: what is shorter is measured too roughly for a ratio


def assert_linear(function: Callable[[Any], object], short: Sequence[Any], long: Sequence[Any]) -> None:
    """Assert that ``function`` takes at most twice as long for each item of ``long`` as for each of ``short``.

    ``long`` has four times as many items. Only the processor time of this thread counts, and of several turns the
    fastest, as the cores are shared.
    """
    assert len(long) >= 0.9 * _TIMES * len(short)
    least_short = least_long = float("inf")
    for _ in range(8):
        least_short, least_long = min(least_short, _seconds(function, short)), min(least_long, _seconds(function, long))
        if least_long <= 2 * _TIMES * max(least_short, _NOISE):
            return
    raise AssertionError(
        f"{_TIMES} times the input takes {least_long / least_short:.1f} times as long ({least_long:.3f} s)"
    )


def _seconds(function: Callable[[Any], object], value: Sequence[Any]) -> float:
    begun = time.thread_time()
    function(value)
    return time.thread_time() - begun
