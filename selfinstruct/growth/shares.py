"""How much of a run each of its parts grows next; pure.

A round is at most as large as everything before it. So what the parts grow alike is found after few rows, while the
number of rounds is only the logarithm of the run's size.

Does not handle: which rows of the parts are kept (the join of their replies decides).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

#: Rows of the first round for each part: enough batches to fill the calls in flight of an endpoint.
FIRST_ROUND = 256
#: The lowest share of rows surviving the join that the size of a round allows for.
_LEAST_SURVIVAL = 1 / 4


def equal_shares(total: int, among: int) -> list[int]:
    """``total`` divided so that no two shares differ by more than one; the first ones are the larger.

    >>> equal_shares(10, 4)
    [3, 3, 2, 2]
    """
    share, rest = divmod(total, among)
    return [share + (at < rest) for at in range(among)]


def round_of(
    missing: Mapping[str, int], kept: Mapping[str, int], grown: Mapping[str, int], parts: int
) -> dict[str, int]:
    """The rows of each category that the parts grow in the next round.

    ``missing`` rows are wanted; so far the parts have ``grown`` rows, of which the join has ``kept`` some. Where few
    are kept, more are requested than are missing.
    """
    asked = {}
    for name, rows in missing.items():
        survival = max(_LEAST_SURVIVAL, kept[name] / grown[name]) if grown[name] > kept[name] else 1.0
        asked[name] = math.ceil(rows / survival)
    total, most = sum(asked.values()), max(FIRST_ROUND * parts, sum(kept.values()))
    return asked if total <= most else {name: math.ceil(rows * most / total) for name, rows in asked.items()}


def hand_out(
    asked: Mapping[str, int], able: Mapping[str, Sequence[int]], parts: int, turn: int, least: int
) -> list[dict[str, int]]:
    """The share of each of ``parts`` parts of the rows ``asked`` for, by category.

    ``able`` are the parts that still find rows of a category. Each gets an equal share, of at least ``least`` rows if
    there are so many; who is the first changes with the category and with ``turn``, the number of the round.

    >>> hand_out({"a": 10, "b": 3}, {"a": [0, 1], "b": [0, 1]}, parts=2, turn=0, least=4)
    [{'a': 5, 'b': 0}, {'a': 5, 'b': 3}]
    """
    handed = [dict.fromkeys(asked, 0) for _ in range(parts)]
    for at, (name, rows) in enumerate(asked.items()):
        chosen = able[name]
        if not rows or not chosen:
            continue
        for place, share in enumerate(equal_shares(rows, min(len(chosen), math.ceil(rows / least))), turn + at):
            handed[chosen[place % len(chosen)]][name] += share
    return handed
