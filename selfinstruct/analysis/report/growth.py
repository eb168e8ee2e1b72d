"""The growth curve: how many rows were accepted while candidates were judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from selfinstruct.journal import History

_POINTS = 60


@dataclass(frozen=True, slots=True)
class Growth:
    """The curve of accepted rows, in all and by category, over candidates and calls, from (0, 0) on.

    ``candidates``, ``calls`` and ``accepted`` have a number for each point, and so has each of ``categories``, of its
    accepted rows. The calls are those whose candidates were judged: one for each batch.
    """

    candidates: tuple[int, ...]
    calls: tuple[int, ...]
    accepted: tuple[int, ...]
    categories: Mapping[str, tuple[int, ...]]


def growth(history: History) -> Growth:
    """Return the growth curve of a run, in the order in which its calls were recorded."""
    judged = history.candidates_by_call()
    accepted = history.accepted_by_call()
    every = max(-(-len(judged) // _POINTS), 1)
    ends = {at for at in range(len(judged)) if (at + 1) % every == 0 or at == len(judged) - 1}
    so_far: Counter[str] = Counter()
    candidates, place = 0, 0
    points: list[tuple[int, int, Counter[str]]] = [(0, 0, Counter())]
    for at, (call, count) in enumerate(judged):
        candidates += count
        while place < len(accepted) and accepted[place][0] <= call:
            so_far[accepted[place][1]] += accepted[place][2]
            place += 1
        if at in ends:
            points.append((candidates, at + 1, so_far.copy()))
    return Growth(
        candidates=tuple(point[0] for point in points),
        calls=tuple(point[1] for point in points),
        accepted=tuple(point[2].total() for point in points),
        categories={name: tuple(point[2][name] for point in points) for name in so_far},
    )
