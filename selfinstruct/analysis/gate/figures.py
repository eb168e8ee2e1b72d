"""The figures of a data set that a baseline compares: lengths and diversity, whatever the order of its rows."""

from __future__ import annotations

import heapq
import zlib
from array import array
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.similarity import compared_text
from selfinstruct.text import tokens

#: Distinct-2 falls as texts are added, so it is taken over at most this many rows: those with the smallest checksums.
_SAMPLE = 500


class Figures:
    """Lengths by field, and a sample of the compared texts that depends on the rows alone."""

    def __init__(self, recipe: Recipe) -> None:
        self._compared = recipe.novelty.fields
        texts = [name for name, each in recipe.fields.items() if each.type in ("string", "any")]
        self._lengths = {name: array("L") for name in texts}
        self._sample: list[tuple[int, str]] = []

    def add(self, row: Row, texts: dict[str, str]) -> None:
        """Take one row into account."""
        for name, lengths in self._lengths.items():
            if (text := texts.get(name)) is not None:
                lengths.append(len(text))
        text = compared_text(row, self._compared)
        # Negative, since the heap's first is its smallest, and the largest checksum has to go.
        self._choose((-zlib.crc32(text.encode("utf-8", "surrogatepass")), text))

    def absorb(self, later: Figures) -> None:
        """Take other rows into account too."""
        for name, lengths in self._lengths.items():
            lengths.extend(later._lengths[name])
        for item in later._sample:
            self._choose(item)

    def _choose(self, item: tuple[int, str]) -> None:
        if len(self._sample) < _SAMPLE:
            heapq.heappush(self._sample, item)
        elif item > self._sample[0]:
            heapq.heapreplace(self._sample, item)

    def lengths(self) -> dict[str, float]:
        """The median number of characters of each text field."""
        return {name: float(np.median(lengths)) for name, lengths in self._lengths.items() if lengths}

    def diversity(self) -> float:
        """Distinct-2 of the sample: its distinct pairs of neighbouring tokens, as a share of all such pairs."""
        return _distinct_2(text for _, text in self._sample)


def _distinct_2(texts: Iterable[str]) -> float:
    count, distinct = 0, set[tuple[str, str]]()
    for text in texts:
        pairs = list(pairwise(tokens(text)))
        count += len(pairs)
        distinct.update(pairs)
    return round(len(distinct) / count, 4) if count else 0.0
