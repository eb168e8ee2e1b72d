"""Rate-limit headers: the delay that an endpoint requests and the limits that it states, in every known form."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.backends.openai.rate_limit_headers import (
    MAX_WAIT,
    parse_duration,
    rate_limits,
    retry_after,
    stated_delay,
)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "6m0s"}, MAX_WAIT),
        ({"retry-after": "86400"}, MAX_WAIT),
        ({"x-ratelimit-reset-requests": "12ms"}, 0.012),
        ({"x-ratelimit-reset-requests": "1m2.5s"}, 62.5),
        ({"x-ratelimit-reset": "1700000030"}, 30),
        ({"x-ratelimit-reset": "1700000030000"}, 30),
        ({"retry-after": "0", "x-ratelimit-remaining-requests": "-1"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_every_form_of_delay_is_read(headers: dict[str, str], expected: float | None) -> None:
    """Seconds, milliseconds, durations and Unix times are read; zero, negative and unreadable values are ignored."""
    assert retry_after(headers, 1_700_000_000) == (None if expected is None else pytest.approx(expected))


def test_a_date_is_compared_with_the_date_of_the_reply() -> None:
    """If the server's clock is an hour ahead, the delay is the difference of its two dates, not an hour more."""
    skewed = {
        "date": formatdate(1_700_003_600, usegmt=True),
        "retry-after": formatdate(1_700_003_605, usegmt=True),
    }
    assert retry_after(skewed, 1_700_000_000) == 5
    assert retry_after({"retry-after": formatdate(1_700_000_009, usegmt=True)}, 1_700_000_000) == 9


def test_only_the_reset_of_a_used_up_limit_counts() -> None:
    """The late reset of tokens that are left is ignored; if it is unknown what is used up, the earlier reset counts."""
    headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "200ms",
        "x-ratelimit-remaining-tokens": "150000",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert retry_after(headers, 0) == pytest.approx(0.2)
    both = {**headers, "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "3s"}
    assert retry_after(both, 0) == 3
    unknown = {"x-ratelimit-reset-requests": "200ms", "x-ratelimit-reset-tokens": "6m0s"}
    assert retry_after(unknown, 0) == pytest.approx(0.2)


def test_a_limit_is_per_minute_unless_its_reset_is_sooner() -> None:
    """OpenAI's limits are per minute; a limit that resets within a second is higher per minute."""
    minute = {"x-ratelimit-limit-requests": "500", "x-ratelimit-remaining-requests": "499"}
    assert rate_limits({**minute, "x-ratelimit-reset-requests": "120ms"}, 0).requests == pytest.approx(500)
    second = {"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "0"}
    assert rate_limits({**second, "x-ratelimit-reset-requests": "1s"}, 0).requests == pytest.approx(600)
    beyond = {**second, "x-ratelimit-remaining-requests": "-5", "x-ratelimit-reset-requests": "1s"}
    assert rate_limits(beyond, 0).requests == pytest.approx(600)
    untouched = {**second, "x-ratelimit-remaining-requests": "12", "x-ratelimit-reset-requests": "1s"}
    assert rate_limits(untouched, 0).requests == 10
    for odd in ("many", "0", "-1"):
        assert rate_limits({"x-ratelimit-limit-tokens": odd}, 0).tokens is None


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date", "x-ratelimit-reset"]), st.text()))
def test_any_header_is_handled(headers: dict[str, str]) -> None:
    """For any values of the headers, the delay is None or within its bounds."""
    delay = retry_after(headers, 1_700_000_000)
    assert delay is None or 0 < delay <= MAX_WAIT


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_durations_add_up(h: int, m: int, s: int, ms: int) -> None:
    """A duration is the sum of its parts."""
    assert parse_duration(f"{h}h{m}m{s}s{ms}ms", 0) == pytest.approx(3600 * h + 60 * m + s + ms / 1000)


@pytest.mark.parametrize(
    ("message", "delay"),
    [
        ("Rate limit reached for gpt-4. Please try again in 6ms.", 0.006),
        ("Please try again in 1m2.5s. Need more tokens?", 62.5),
        ("Please retry after 30 seconds.", 30),
        ("RESOURCE_EXHAUSTED: retryDelay: 21s", 21),
        ("please wait 2 s before trying again", 2),
        ("Please try again in 3 hours", None),
        ("Please wait before trying again.", None),
        ("Limit 3, used 3.", None),
    ],
)
def test_the_words_of_an_error_state_a_delay(message: str, delay: float | None) -> None:
    """With a unit that is surely one of time; anything else is left to the client's own pace."""
    assert stated_delay(message, 0.0) == delay
