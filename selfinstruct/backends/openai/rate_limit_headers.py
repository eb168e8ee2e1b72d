"""How long an endpoint asks to wait, read from a reply's headers in all the forms that are in use; pure.

In this order: ``retry-after-ms``; ``Retry-After`` in seconds or as an HTTP date (RFC 9110, 10.2.3; a date is compared
with the reply's own ``Date``, so that clocks may differ); ``x-ratelimit-reset-requests`` and ``-tokens`` (``6m0s``,
``12ms``, seconds, or a Unix time) of what has run out. Zero, negative and unreadable hints are none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

#: A longer wait than this is not believed at once: asking again costs little, a wrong clock costs the run.
LONGEST_WAIT = 120.0
_PARTS = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|us|[dhms]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|[dhms])")
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
# Larger numbers are points in time: seconds, or milliseconds, since 1970.
_A_TIME, _A_TIME_MS = 1e9, 1e12


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a reply's headers say may be sent: requests and tokens a minute, None where they say nothing."""

    requests: float | None = None
    tokens: float | None = None


def wait_hint(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds to wait that a refused call's headers ask for, at most LONGEST_WAIT, or None.

    ``headers`` are by lower-case name; ``now`` is Unix time, used where the reply has no ``Date``.

    >>> wait_hint({"retry-after-ms": "250"}, 0)
    0.25
    >>> wait_hint({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 0)
    120.0
    """
    now = _date(headers.get("date", "")) or now
    hints = [_scaled(headers.get("retry-after-ms", ""), 1e-3), _retry_after(headers.get("retry-after", ""), now)]
    resets = {kind: seconds(headers.get(f"x-ratelimit-reset-{kind}", ""), now) for kind in ("requests", "tokens")}
    spent = [kind for kind in resets if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() in ("0", "0.0")]
    # What has run out is waited for; where that is not said, the shorter wait is tried.
    known = [wait for wait in (resets[kind] for kind in spent or resets) if wait is not None and wait > 0]
    hints.append((max(known) if spent else min(known)) if known else None)
    hints.append(seconds(headers.get("x-ratelimit-reset", ""), now))
    return next((min(hint, LONGEST_WAIT) for hint in hints if hint is not None and hint > 0), None)


def allowance(headers: Mapping[str, str], now: float) -> Allowance:
    """What the limits in a reply's headers allow a minute.

    A limit is taken for a minute's, which is OpenAI's meaning, unless its reset shows that it fills faster: too slow
    a pace would cost time that the endpoint does not ask for, and too fast a one is put right by its 429s.
    """
    now = _date(headers.get("date", "")) or now
    return Allowance(*(_per_minute(headers, kind, now) for kind in ("requests", "tokens")))


def seconds(text: str, now: float) -> float | None:
    """A duration (``6m0s``, ``12ms``, ``1.5``) or a point in Unix time as seconds from ``now``; None if neither."""
    text = text.strip()
    if _PARTS.fullmatch(text):
        return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    value = _scaled(text, 1)
    if value is not None and value >= _A_TIME:
        value = (value / 1e3 if value >= _A_TIME_MS else value) - now
    return value


def _per_minute(headers: Mapping[str, str], kind: str, now: float) -> float | None:
    limit = _scaled(headers.get(f"x-ratelimit-limit-{kind}", ""), 1)
    if limit is None or limit <= 0:
        return None
    left = _scaled(headers.get(f"x-ratelimit-remaining-{kind}", ""), 1)
    reset = seconds(headers.get(f"x-ratelimit-reset-{kind}", ""), now)
    if left is None or reset is None or reset <= 0 or left >= limit:
        return limit
    return max(limit, (limit - max(left, 0.0)) / reset * 60)


def _retry_after(text: str, now: float) -> float | None:
    value = seconds(text, now)
    if value is None and (at := _date(text)) is not None:
        value = at - now
    return value


def _scaled(text: str, unit: float) -> float | None:
    return float(text) * unit if _NUMBER.fullmatch(text.strip()) else None


def _date(text: str) -> float | None:
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
