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


def passage_quotas(
    quota: Quota, names: Sequence[str], capacity: Mapping[str, int], least: Mapping[str, int] | None = None
) -> dict[str, int]:
    """The quota of each category by the quota of a recipe; a category without a known capacity has none.

    No quota is below its ``least``, which an earlier session of the run had.
    """
    floors = {name: (least or {}).get(name, 0) for name in names}
    most = {name: capacity.get(name, 0) for name in names}
    if quota.per_category is not None:
        return {name: max(min(quota.per_category, most[name]), floors[name]) for name in names}
    return balanced_quotas(quota.rows or 0, most, floors)


def balanced_quotas(rows: int, capacity: Mapping[str, int], least: Mapping[str, int] | None = None) -> dict[str, int]:
    """Divide ``rows`` equally, but no category gets more than its capacity unless all of them are full.

    The quota of each category grows with ``rows``, so that a run can grow further. No quota is below its ``least``,
    which add up to at most ``rows``.
    """
    floors = {name: (least or {}).get(name, 0) for name in capacity}
    most = {name: max(count, floors[name]) for name, count in capacity.items()}
    total = sum(most.values())
    if rows >= total:
        each, left = divmod(rows - total, len(most))
        return {name: count + each + (at < left) for at, (name, count) in enumerate(most.items())}

    def filled(level: int) -> dict[str, int]:
        return {name: max(min(count, level), floors[name]) for name, count in most.items()}

    # The highest level up to which all categories can be filled with these rows.
    level = bisect_right(range(rows + 1), rows, key=lambda level: sum(filled(level).values())) - 1
    quotas, next_level = filled(level), filled(level + 1)
    rising = [name for name in most if next_level[name] > quotas[name]]
    for name in rising[: rows - sum(quotas.values())]:
        quotas[name] += 1
    return quotas
