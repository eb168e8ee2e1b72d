"""The quotas of categories of passages: equal, as far as the lines of each category reach.

    rows, the most that each category can yield -> quotas with the exact total

Three lines that are alone of their kind cannot have a hundred different questions; the rows that they miss go to the
categories that can have more.

>>> balanced_quotas(10, {"disk <*> failed": 100, "shutting down": 2, "disk <*> mounted": 100})
{'disk <*> failed': 4, 'shutting down': 2, 'disk <*> mounted': 4}
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from selfinstruct.recipe import Quota

#: The different questions that a model is expected to find about one line or paragraph, in several calls.
QUESTIONS_PER_PASSAGE = 8


def passage_quotas(quota: Quota, names: Sequence[str], capacity: Mapping[str, int]) -> dict[str, int]:
    """The quota of each category by the quota of a recipe; a category without a known capacity has none."""
    most = {name: capacity.get(name, 0) for name in names}
    if quota.per_category is not None:
        return {name: min(quota.per_category, most[name]) for name in names}
    return balanced_quotas(quota.rows or 0, most)


def balanced_quotas(rows: int, capacity: Mapping[str, int]) -> dict[str, int]:
    """Divide ``rows`` equally, but no category gets more than its capacity unless all of them are full.

    The quota of each category grows with ``rows``, so that a run can grow further.
    """
    total = sum(capacity.values())
    if rows >= total:
        each, left = divmod(rows - total, len(capacity))
        return {name: most + each + (at < left) for at, (name, most) in enumerate(capacity.items())}

    def filled(level: int) -> int:
        return sum(min(most, level) for most in capacity.values())

    # The highest level up to which all categories can be filled with these rows.
    level = bisect_right(range(rows + 1), rows, key=filled) - 1
    left = rows - filled(level)
    extra = set(list(name for name, most in capacity.items() if most > level)[:left])
    return {name: min(most, level) + (name in extra) for name, most in capacity.items()}
