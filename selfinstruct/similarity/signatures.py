"""Signatures of rows: a few bits for the elements of a row, to rule out most pairs without reading them.

Does not handle: proof of similarity. Every element of a row sets one bit. A bit that a text has and a row does not is
at least one element that the row lacks; two elements may share a bit, so it may lack more.

Common elements (the constants of a log's template, the commonest words) carry little
information and would use up the bits of the others, so they share the first quarter of each word.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.postings import Column, Integers, Words

_COMMON = 8  # an element is common if more than one in this many rows contains it
_COMMON_BITS = 16  # of each word
_TOKENS_PER_WORD = 20  # mean number of tokens per 64-bit word
_MOST_WORDS = 3  # so that the number of bits fits into a byte
_ALL_BITS: Words = np.full(_MOST_WORDS, ~np.uint64(0))


class SignedText(NamedTuple):
    """A text: its elements in text order and from rare to common; its signature and the number of its bits."""

    elements: NDArray[np.uint32]
    ordered: NDArray[np.uint32]
    signature: Words
    bits: int


class Signatures:
    """The signature of every row, of one to three 64-bit words: more for longer rows."""

    def __init__(self, frequencies: Integers, rows: int, mean_length: float) -> None:
        """Choose the bits for elements with these ``frequencies`` in a pool of ``rows`` rows."""
        self.words = words_for(mean_length)
        self._rows = Column(np.uint64, self.words)
        self._places = bit_places(np.arange(len(frequencies)), are_common(frequencies, rows), self.words)

    def __len__(self) -> int:
        """The number of rows."""
        return self._rows.size

    def sign(self, elements: NDArray[np.uint32], rows: Integers, count: int) -> Words:
        """The signatures of ``count`` texts; ``rows[i]``, from 0, is the text that ``elements[i]`` belongs to."""
        return signed(self._places[elements], rows, count, self.words)

    def cover(self, elements: int) -> None:
        """Choose the bits for new elements up to at least ``elements``; new ones count as rare."""
        if elements > len(self._places):
            more = np.arange(len(self._places), elements * 5 // 4 + 1024)
            self._places = np.concatenate((self._places, bit_places(more, np.zeros(len(more), np.bool_), self.words)))

    def extend(self, signatures: Words) -> None:
        """Append the signatures of further rows."""
        self._rows.extend(signatures)

    def at(self, rows: NDArray[Any]) -> Words:
        """The signatures of these rows."""
        return self._rows.values.take(rows, axis=0)

    def since(self, row: int) -> Words:
        """The signatures of this row and all later ones; a view."""
        return self._rows.values[row:]


def words_for(mean_length: float) -> int:
    """The number of words of the signatures of rows of this mean length, in tokens."""
    return min(max(round(mean_length / _TOKENS_PER_WORD), 1), _MOST_WORDS)


def bit_places(elements: NDArray[Any], common: NDArray[np.bool_], words: int) -> NDArray[np.uint8]:
    """The bit of each element, given by its code, in a signature; ``common`` says which elements are."""
    mixed = (elements.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    few, most = np.uint64(_COMMON_BITS), np.uint64(64 - _COMMON_BITS)
    word, mixed = mixed % np.uint64(words), mixed // np.uint64(words)
    return (word * np.uint64(64) + np.where(common, mixed % few, mixed % most + few)).astype(np.uint8)


def are_common(frequencies: Integers, rows: int) -> NDArray[np.bool_]:
    """Whether elements that occur in these numbers of ``rows`` rows are common."""
    common: NDArray[np.bool_] = frequencies * _COMMON > rows
    return common


def signed(places: NDArray[np.uint8], rows: Integers, count: int, words: int) -> Words:
    """The signatures of ``count`` texts from the bits of their elements; ``rows[i]`` is the text of ``places[i]``."""
    width = 64 * words
    bits = np.zeros(count * width, np.bool_)
    bits[rows * width + places] = True
    return np.packbits(bits).view(np.uint64).reshape(count, words)


def shared_bits(signature: Words, signatures: Words) -> NDArray[np.uint8]:
    """The number of bits that one text's signature has in common with each of the others."""
    shared: NDArray[np.uint8] = np.bitwise_count(signatures[:, 0] & signature[0])
    for word in range(1, len(signature)):
        shared += np.bitwise_count(signatures[:, word] & signature[word])
    return shared


def own_bits(signatures: Words) -> NDArray[np.uint8]:
    """The number of bits in each signature."""
    return shared_bits(_ALL_BITS[: signatures.shape[1]], signatures)
