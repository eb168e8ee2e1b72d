"""The elements of an index: their codes, and their order from rare to common.

Does not handle: removal. The new words of a query stay.

An *element* is a token with the number of its occurrence in the text, so that texts can be compared as sets:
``task 28 in stage 28`` has the elements ``task``, ``28``, ``in``, ``stage`` and ``28 1``.
"""

from __future__ import annotations

from array import array
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.postings import Integers
from selfinstruct.text import tokens


class TokenOrder:
    """Codes of elements from 0, in order of arrival, and their ranks from rare to common."""

    def __init__(self) -> None:
        self._codes: defaultdict[str, int] = defaultdict(self._new_token)
        self._repeated: defaultdict[str, list[int]] = defaultdict(list)  # the elements of later occurrences
        self._token_of = array("I")  # element -> the element that is the first occurrence of its token
        self._ranks: Integers = np.empty(0, np.int64)
        self._by_rank: Integers = np.empty(0, np.int64)

    def __len__(self) -> int:
        """The number of elements."""
        return len(self._token_of)

    def encode(self, text: str) -> list[int]:
        """Return the elements of a text, in text order."""
        words, code = tokens(text), self._codes.__getitem__
        if len(set(words)) == len(words):
            return list(map(code, words))
        times: dict[str, int] = {}
        elements = []
        for word in words:
            time = times.get(word, 0)
            times[word] = time + 1
            elements.append(self._again(word, time) if time else code(word))
        return elements

    def characters(self, elements: NDArray[np.uint32]) -> str | list[int]:
        """Return tokens as one character each, which rapidfuzz compares fastest; as numbers if there are too many."""
        codes: NDArray[np.uint32] = np.frombuffer(self._token_of, np.uint32)[elements]
        try:
            return codes.tobytes().decode("utf-32-le", "surrogatepass")
        except UnicodeDecodeError:
            return [int(code) for code in codes]

    def renew(self, frequencies: Integers) -> None:
        """Sort all elements by the number of rows that contain each."""
        self._by_rank = np.argsort(frequencies, kind="stable")
        self._ranks = np.empty(len(frequencies), np.int64)
        self._ranks[self._by_rank] = np.arange(len(frequencies))

    def ranks(self, elements: NDArray[np.uint32]) -> Integers:
        """Return the rank of each element, rare to common; later ones are negative, the newest lowest."""
        if len(self) > len(self._ranks):
            more = np.arange(len(self._ranks), len(self) * 5 // 4 + 1024)
            self._ranks = np.concatenate((self._ranks, -1 - more))
        return self._ranks[elements]

    def at_ranks(self, ranks: Integers) -> Integers:
        """Return the elements with these ranks."""
        elements, known = -1 - ranks, ranks >= 0
        elements[known] = self._by_rank[ranks[known]]
        return elements

    def _new_token(self) -> int:
        self._token_of.append(len(self._token_of))
        return len(self._token_of) - 1

    def _again(self, word: str, time: int) -> int:
        """The element of a word that occurred ``time`` times before."""
        later = self._repeated[word]
        if time > len(later):
            later.append(len(self._token_of))
            self._token_of.append(self._codes[word])
        return later[time - 1]
