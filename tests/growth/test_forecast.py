"""The forecast of a category's rows from the fall of its acceptance."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest

from selfinstruct.growth.forecast import Forecast

BATCH = 20


def grow(rate: Callable[[int], float], quota: int, seed: int = 0) -> tuple[int, int | None, int]:
    """Grow at a rate that depends on the accepted rows; the final rows, the forecast, and the rows when it was made."""
    rng, forecast = Random(seed), Forecast(quota)
    accepted, failed, expected, at = 0, 0, None, 0
    while accepted < quota and failed < 200:
        count = min(BATCH, quota - accepted)
        passed = sum(rng.random() < rate(accepted) for _ in range(count))
        accepted += passed
        failed = 0 if passed else failed + count
        found = forecast.add_batch(count, passed)
        if found is not None:
            assert expected is None, "reported twice"
            expected, at = found, accepted
    return accepted, expected, at


@pytest.mark.parametrize("rate", [0.9, 0.5, 0.1])
@pytest.mark.parametrize("seed", range(5))
def test_a_constant_rate_is_never_reported(rate: float, seed: int) -> None:
    """A low rate is no sign of an end."""
    assert grow(lambda accepted: rate, 2000, seed)[:2] == (2000, None)


@pytest.mark.parametrize("distinct", [2200, 5000])
def test_a_falling_rate_that_suffices_is_not_reported(distinct: int) -> None:
    """The quota is met."""
    assert grow(lambda accepted: 1 - accepted / distinct, 2000)[:2] == (2000, None)


@pytest.mark.parametrize("seed", range(5))
def test_the_number_of_distinct_rows_is_forecast_early(seed: int) -> None:
    """Within a tenth of the final number, and before nine tenths of it are accepted."""
    final, expected, at = grow(lambda accepted: max(0, 1 - accepted / 1200), 2000, seed)
    assert expected is not None
    assert abs(expected - final) <= 0.1 * final and at <= 0.9 * final


def test_a_large_quota_that_is_narrowly_missed_is_forecast() -> None:
    """Early, and close to the final number."""
    final, expected, at = grow(lambda accepted: max(0, 1 - accepted / 14641), 15000)
    assert expected is not None and abs(expected - final) <= 0.05 * final and at <= final / 2


def test_an_exponential_fall_is_not_taken_for_a_straight_line() -> None:
    """A straight line would end at half the number."""
    final, expected, _ = grow(lambda accepted: math.exp(-accepted / 300), 4000)
    assert expected is not None and abs(expected - final) <= 0.15 * final


def test_rows_of_earlier_sessions_are_included() -> None:
    """The forecast is in all rows of the category."""
    forecast = Forecast(1000, before=500)
    found = [forecast.add_batch(20, 20 if batch < 20 else 0) for batch in range(60)]
    assert [each for each in found if each is not None] == [900]
