"""Groups that things are joined into, two at a time: which are connected by any chain of joins.

The label of every thing is at hand as an array, so that many can be compared at once; joining relabels the smaller
group, so that a thing is relabelled at most log2(n) times.

>>> groups = Groups(4)
>>> groups.join(2, 0), groups.join(0, 3)
(None, None)
>>> groups.labels.tolist(), groups.members()
([2, 1, 2, 2], [[0, 2, 3], [1]])
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray


class Groups:
    """The groups of ``count`` things, numbered from 0; at first each is alone."""

    def __init__(self, count: int) -> None:
        self.labels: NDArray[np.int64] = np.arange(count, dtype=np.int64)
        self._members: dict[int, list[int]] = {at: [at] for at in range(count)}

    def join(self, one: int, other: int) -> None:
        """Join the groups of two things."""
        kept, moved = int(self.labels[one]), int(self.labels[other])
        if kept == moved:
            return
        if len(self._members[kept]) < len(self._members[moved]):
            kept, moved = moved, kept
        members = self._members.pop(moved)
        self.labels[members] = kept
        self._members[kept] += members

    def join_equal(self, keys: Iterable[Hashable]) -> None:
        """Join the things with equal keys; None is no key."""
        first: dict[Hashable, int] = {}
        for at, key in enumerate(keys):
            if key is not None:
                self.join(first.setdefault(key, at), at)

    def members(self) -> list[list[int]]:
        """Return the groups, each with its things in order, in the order of their first thing."""
        return sorted(sorted(members) for members in self._members.values())
