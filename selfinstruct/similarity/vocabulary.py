"""The elements of an index and their codes.

Does not handle: removal. The new words of a query stay.

An *element* is a token with the number of its occurrence in the text, so that texts can be compared as sets:
``task 28 in stage 28`` has the elements ``task``, ``28``, ``in``, ``stage`` and ``28 1``.
"""

from __future__ import annotations

from array import array
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from selfinstruct.text import tokens


class Vocabulary:
    """Codes of elements from 0, in order of arrival."""

    def __init__(self) -> None:
        self._codes: defaultdict[str, int] = defaultdict(self._new_token)
        self._repeated: defaultdict[str, list[int]] = defaultdict(list)  # the elements of later occurrences
        self._token_of = array("I")  # element -> the element that is the first occurrence of its token

    def __len__(self) -> int:
        """The number of elements."""
        return len(self._token_of)

    def encode(self, text: str) -> list[int]:
        """Return the elements of a text, in text order."""
        return self.encode_tokens(tokens(text))

    def encode_tokens(self, words: list[str]) -> list[int]:
        """Return the elements of a text that has these tokens."""
        code = self._codes.__getitem__
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

    def names(self) -> list[str]:
        """A name for each element, the same in every vocabulary: ``28``, and ``28 1`` for its second occurrence."""
        names = [""] * len(self)
        for word, code in self._codes.items():
            names[code] = word
        for word, later in self._repeated.items():
            for time, code in enumerate(later, 1):
                names[code] = f"{word} {time}"
        return names

    def first_occurrences(self) -> NDArray[np.uint32]:
        """For each element, the element that is the first occurrence of its token."""
        return np.array(self._token_of, np.uint32)

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
