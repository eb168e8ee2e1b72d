"""The delay and the rate limits in a reply's headers, in all common formats; pure.

Delays are read in this order: ``retry-after-ms``; ``Retry-After`` in seconds or as an HTTP date (RFC 9110, 10.2.3; a
date is compared with the reply's own ``Date``, so that clocks may differ); ``x-ratelimit-reset-requests`` and
``-tokens`` (``6m0s``, ``12ms``, seconds, or a Unix time) of the exhausted limit. Zero, negative and unreadable values
are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

#: Longer delays are cut to this: another request costs little, a delay computed from a wrong clock costs the run.
MAX_WAIT = 120.0
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|us|[dhms]))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|[dhms])")
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
_STATED = re.compile(
    r"(?:(?:try|retry)(?: again)? (?:in|after)|wait(?: for)?|retry[_ ]?delay\W+) *"
    r"((?:\d+(?:\.\d+)? ?(?:ms|us|[dhms])(?![a-z]))+|\d+(?:\.\d+)?(?= ?sec))",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
# Numbers from here on are points in time: seconds, or milliseconds, since 1970.
_UNIX_SECONDS, _UNIX_MILLISECONDS = 1e9, 1e12


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The limits in a reply's headers: requests and tokens per minute, each None if there is none."""

    requests: float | None = None
    tokens: float | None = None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The delay in seconds that the headers of a rejected call request, at most MAX_WAIT; None if there is none.

    ``headers`` have lower-case names; ``now`` is Unix time, used if the reply has no ``Date``.

    >>> retry_after({"retry-after-ms": "250"}, 0)
    0.25
    >>> retry_after({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 0)
    120.0
    """
    now = _date(headers.get("date", "")) or now
    delays = [_number(headers.get("retry-after-ms", ""), 1e-3), _retry_after(headers.get("retry-after", ""), now)]
    resets = {
        kind: parse_duration(headers.get(f"x-ratelimit-reset-{kind}", ""), now) for kind in ("requests", "tokens")
    }
    used_up = [kind for kind in resets if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() in ("0", "0.0")]
    # Wait for the exhausted limit; if it is unknown, try the shorter delay.
    known = [wait for wait in (resets[kind] for kind in used_up or resets) if wait is not None and wait > 0]
    delays.append((max(known) if used_up else min(known)) if known else None)
    delays.append(parse_duration(headers.get("x-ratelimit-reset", ""), now))
    return next((min(delay, MAX_WAIT) for delay in delays if delay is not None and delay > 0), None)


def stated_delay(message: str, now: float) -> float | None:
    """The delay in seconds that the words of an error request, at most MAX_WAIT; None if they request none.

    >>> stated_delay("Rate limit reached. Please try again in 7m12.5s.", 0)
    120.0
    """
    found = _STATED.search(message)
    delay = parse_duration(found[1].lower().replace(" ", ""), now) if found else None
    return min(delay, MAX_WAIT) if delay is not None and delay > 0 else None


def rate_limits(headers: Mapping[str, str], now: float) -> RateLimits:
    """The limits per minute in a reply's headers.

    A limit is read as one per minute, as OpenAI means it, unless its reset time shows that it refills faster: too slow
    a pace would waste time, and too fast a pace is corrected by the endpoint's 429s.
    """
    now = _date(headers.get("date", "")) or now
    return RateLimits(*(_per_minute(headers, kind, now) for kind in ("requests", "tokens")))


def parse_duration(text: str, now: float) -> float | None:
    """Parse a duration (``6m0s``, ``12ms``, ``1.5``) or a Unix time, as seconds from ``now``; None if it is neither."""
    text = text.strip()
    if _DURATION.fullmatch(text):
        return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))
    value = _number(text, 1)
    if value is not None and value >= _UNIX_SECONDS:
        value = (value / 1e3 if value >= _UNIX_MILLISECONDS else value) - now
    return value


def _per_minute(headers: Mapping[str, str], kind: str, now: float) -> float | None:
    limit = _number(headers.get(f"x-ratelimit-limit-{kind}", ""), 1)
    if limit is None or limit <= 0:
        return None
    left = _number(headers.get(f"x-ratelimit-remaining-{kind}", ""), 1)
    reset = parse_duration(headers.get(f"x-ratelimit-reset-{kind}", ""), now)
    if left is None or reset is None or reset <= 0:
        return limit
    return max(limit, (limit - max(left, 0.0)) / reset * 60)


def _retry_after(text: str, now: float) -> float | None:
    value = parse_duration(text, now)
    if value is None and (at := _date(text)) is not None:
        value = at - now
    return value


def _number(text: str, unit: float) -> float | None:
    return float(text) * unit if _NUMBER.fullmatch(text.strip()) else None


def _date(text: str) -> float | None:
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
