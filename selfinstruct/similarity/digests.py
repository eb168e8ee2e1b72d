"""A map from digests of 16 bytes to numbers, in a quarter of the memory of a dictionary.

New digests are kept in a dictionary; when it is full they are moved to sorted arrays, each at least twice as long as
the next (logarithmic method: Bentley and Saxe, 1980), which are searched by bisection.

Does not handle: removal, or numbers from 2**32 on.

>>> digests = Digests()
>>> digests.add(b"0123456789abcdef", 7), digests.add(b"0123456789abcdef", 9)
(7, 7)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_WAITING = 1 << 14  # maximum in the dictionary: about 2 MB


class _Run(NamedTuple):
    """Digests sorted by their first halves (in native byte order), with their second halves and numbers."""

    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    numbers: NDArray[np.uint32]


class Digests:
    """An incremental map from digests to numbers."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, int] = {}
        self._runs: list[_Run] = []

    def add(self, digest: bytes, number: int) -> int:
        """Store ``number`` for a digest of 16 bytes if it is new; return the digest's number."""
        found = self.find(digest)
        if found is not None:
            return found
        self._waiting[digest] = number
        if len(self._waiting) >= _WAITING:
            self._flush()
        return number

    def find(self, digest: bytes) -> int | None:
        """Return the number of a digest, or None."""
        found = self._waiting.get(digest)
        if found is not None or not self._runs:
            return found
        first, second = np.frombuffer(digest, np.uint64)
        for run in self._runs:
            at = int(run.first.searchsorted(first))
            while at < len(run.first) and run.first[at] == first:
                if run.second[at] == second:
                    return int(run.numbers[at])
                at += 1
        return None

    def _flush(self) -> None:
        """Sort the waiting digests, merged with the arrays that are not at least twice as long."""
        halves = np.frombuffer(b"".join(self._waiting), np.uint64).reshape(-1, 2)
        new = _Run(halves[:, 0], halves[:, 1], np.fromiter(self._waiting.values(), np.uint32, len(halves)))
        self._waiting = {}
        while self._runs and len(self._runs[-1].first) < 2 * len(new.first):
            old = self._runs.pop()
            new = _Run(
                np.concatenate((old.first, new.first)),
                np.concatenate((old.second, new.second)),
                np.concatenate((old.numbers, new.numbers)),
            )
        order = new.first.argsort(kind="stable")
        self._runs.append(_Run(new.first[order], new.second[order], new.numbers[order]))
