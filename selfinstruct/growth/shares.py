"""How much of a run each of its parts grows next; pure.

The first round is the whole run. The next ones replace what was alike in the parts, and as many rows more as they are
likely to lose again; but none is larger than all that is missing, or than everything before it, since how much will be
alike is a guess. So there are few rounds, each of which waits for its slowest part.

Does not handle: which rows of the parts are kept (the join of their replies decides).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

#: Rows for each part that no round needs to be smaller than: enough batches to fill the calls in flight of an endpoint.
SMALL_ROUND = 256
#: The lowest share of rows surviving the join that the size of a round allows for.
_LEAST_SURVIVAL = 1 / 4
#: Rows of the last round that weigh as much as all before it.
_WEIGHT_OF_OTHERS = 8
#: Standard deviations of the number of survivors that a round allows for.
_MARGIN = 2.0


def equal_shares(total: int, among: int) -> list[int]:
    """``total`` divided so that no two shares differ by more than one; the first ones are the larger.

    >>> equal_shares(10, 4)
    [3, 3, 2, 2]
    """
    share, rest = divmod(total, among)
    return [share + (at < rest) for at in range(among)]


def survival_of(kept: int, grown: int, kept_before: int = 0, grown_before: int = 0) -> float:
    """The share of the next rows of a category that the join is likely to keep, of all rows ``grown`` so far.

    It falls with every round, since there is more to be like; so what counts is the last round, which began with
    ``kept_before`` of ``grown_before``, and the rounds before it as far as the last one was small.
    """
    overall = kept / grown if grown > kept else 1.0
    last = grown - grown_before
    # A round may even keep rows that a killed session had grown.
    share = (max(0, kept - kept_before) + _WEIGHT_OF_OTHERS * overall) / (last + _WEIGHT_OF_OTHERS)
    return max(_LEAST_SURVIVAL, min(1.0, overall, share))


def round_of(missing: Mapping[str, int], survival: Mapping[str, float], kept: int, parts: int) -> dict[str, int]:
    """The rows of each category that the parts grow in the next round, of which ``survival`` is the share to be kept.

    ``missing`` rows are wanted beside the ``kept`` ones of all categories. What may be lost is requested in addition,
    so that only one round in forty is followed by another for a few rows.
    """
    asked = {}
    for name, rows in missing.items():
        share = survival[name]
        asked[name] = math.ceil((rows + _MARGIN * math.sqrt(rows * (1 - share))) / share)
    total, most = sum(asked.values()), max(SMALL_ROUND * parts, sum(missing.values()), kept)
    return asked if total <= most else {name: math.ceil(rows * most / total) for name, rows in asked.items()}


def hand_out(
    asked: Mapping[str, int], able: Mapping[str, Sequence[int]], parts: int, turn: int, least: int
) -> list[dict[str, int]]:
    """The share of each of ``parts`` parts of the rows ``asked`` for, by category.

    ``able`` are the parts that still find rows of a category. Each gets an equal share, of at least ``least`` rows if
    there are enough; who is the first changes with the category and with ``turn``, the number of the round.

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
