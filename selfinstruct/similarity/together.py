"""Several texts looked up in the index together: what numpy does for one text costs little more for twenty.

The steps are those of ``Filing.candidates`` for one text, which is the reference: the same probes, the same filters.
Every array here has one item per text, per probe or per pair of a text and a row, and ``of`` names the text.

Does not handle: the comparison itself, by LCS (``exact_index``), or the order of elements (``filing``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from selfinstruct.similarity.bounds import LengthClasses, probe_plan
from selfinstruct.similarity.postings import Integers, Postings, Words
from selfinstruct.similarity.signatures import Signatures, SignedText, own_bits
from selfinstruct.similarity.token_order import TokenOrder

# More entries than this per text are read one text after the other, in slices, which is cheaper then.
_MOST_ENTRIES = 4096


class Texts(NamedTuple):
    """Encoded texts: the elements of all in text order, and from rare to common; where each begins, and its length."""

    elements: NDArray[np.uint32]
    ordered: NDArray[np.uint32]
    starts: Integers
    lengths: Integers
    signatures: Words
    bits: Integers

    def at(self, place: int) -> SignedText:
        """One of them."""
        own = slice(start := int(self.starts[place]), start + int(self.lengths[place]))
        return SignedText(self.elements[own], self.ordered[own], self.signatures[place], int(self.bits[place]))

    def split(self, whole: str | list[int]) -> list[str | list[int]]:
        """The parts of ``whole``, which has one item per element, that belong to each text."""
        ends = (self.starts + self.lengths).tolist()
        return [whole[start:end] for start, end in zip(self.starts.tolist(), ends, strict=True)]


class Pairs(NamedTuple):
    """Texts, as positions in ``Texts``, each with a row that may be near to it."""

    of: Integers
    rows: Integers


class Group:
    """Texts that were looked up together, each with its threshold, and what is known of them.

    ``scores[i][j]`` is the F1 of the i-th with the j-th; ``best[i]`` the nearest row of the i-th at that time, if any
    is near. The answers stay right while texts of the group are added, and are void after another one.
    """

    def __init__(
        self,
        queries: Sequence[tuple[str, float]] = (),
        texts: Texts | None = None,
        scores: Sequence[list[float]] = (),
        best: Mapping[int, tuple[int, float]] = MappingProxyType({}),
    ) -> None:
        self._places = {text: place for place, (text, _) in enumerate(queries)}
        self._thresholds = [threshold for _, threshold in queries]
        self._texts, self._scores, self._best = texts, scores, best
        self._added: list[tuple[int, int]] = []

    def signed(self, text: str) -> SignedText | None:
        """A text, if it is one of the group."""
        place = self._places.get(text)
        return None if place is None or self._texts is None else self._texts.at(place)

    def add(self, text: str, row: int) -> None:
        """Note that a text has become a row of the index."""
        place = self._places.get(text)
        if place is None:
            self._places = {}
        else:
            self._added.append((place, row))

    def knows(self, text: str, threshold: float) -> bool:
        """Whether the answer to this query is known."""
        place = self._places.get(text)
        return place is not None and self._thresholds[place] == threshold

    def nearest(self, text: str) -> tuple[int, float] | None:
        """The nearest row of a text above its threshold, with its F1; of equally near ones the first."""
        place = self._places[text]
        nearest = self._best.get(place)
        best = self._thresholds[place] if nearest is None else nearest[1]
        for other, row in self._added:
            if self._scores[place][other] > best:
                best = self._scores[place][other]
                nearest = row, best
        return nearest


def sign_all(encoded: Sequence[Sequence[int]], order: TokenOrder, signatures: Signatures) -> Texts:
    """Sign texts, given as elements that ``order`` and ``signatures`` cover, and order these."""
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    elements = np.fromiter(chain.from_iterable(encoded), np.uint32, int(lengths.sum()))
    of = np.arange(len(encoded)).repeat(lengths)
    signed = signatures.sign(elements, of, len(encoded))
    # The ranks of new elements are negative.
    ordered = elements[((of << 33) + order.ranks(elements) + (1 << 32)).argsort()]
    bits = np.bitwise_count(signed).sum(axis=1, dtype=np.int64)
    return Texts(elements, ordered, lengths.cumsum() - lengths, lengths, signed, bits)


def find(
    texts: Texts,
    thresholds: NDArray[np.float64],
    classes: LengthClasses,
    postings: Postings,
    signatures: Signatures,
    filed: int,
) -> tuple[Pairs, int] | None:
    """The pairs, in any order and with repetitions, of texts with rows that may be near, and the entries read.

    ``filed`` rows are in the postings; the others are looked at by their signatures. None if the texts have so many
    entries that they are better looked up one by one.
    """
    plans = [probe_plan(*each, classes) for each in zip(thresholds.tolist(), texts.lengths.tolist(), strict=True)]
    counts = np.fromiter((len(plan.positions) for plan in plans), np.int64, len(plans))
    most_missed = np.fromiter((plan.most_missed for plan in plans), np.int64, len(plans))
    pairs = [_waiting(texts, np.where(counts > 0, texts.bits - most_missed, 1 << 30), signatures.since(filed), filed)]
    of = np.arange(len(plans)).repeat(counts)
    if not len(of):
        return pairs[0], 0
    probe = np.arange(len(of)) - (counts.cumsum() - counts).repeat(counts)
    shorter = np.fromiter((plan.shorter for plan in plans), np.int64, len(plans))
    longer = np.fromiter((plan.longer for plan in plans), np.int64, len(plans))
    # As in ProbePlan: of clearly shorter partners only what the text lacks counts, of clearly longer ones the reverse.
    is_shorter, is_longer = probe < shorter[of], probe >= longer[of]
    places = np.concatenate([plan.positions for plan in plans]) + texts.starts[of]
    cells = np.concatenate([plan.cells for plan in plans])
    most = np.concatenate([plan.differences for plan in plans])
    buckets = postings.buckets(texts.ordered, cells, places)
    if postings.count(buckets) > _MOST_ENTRIES * len(plans):
        return None
    read = 0
    for found in postings.find(buckets):
        read += int(found.until[-1])
        which = found.held.repeat(found.counts)
        ours, theirs = texts.signatures[of[which]], found.signatures
        lacking = np.bitwise_count(ours & ~theirs).sum(axis=1, dtype=np.uint16)
        beyond = np.bitwise_count(theirs & ~ours).sum(axis=1, dtype=np.uint16)
        lacking[is_shorter[which]] = 0
        beyond[is_longer[which]] = 0
        near = (lacking + beyond <= most[which]).nonzero()[0]
        pairs.append(Pairs(of[which[near]], postings.rows(found, near).astype(np.int64)))
    return Pairs(*map(np.concatenate, zip(*pairs, strict=True))), read


def promising(
    pairs: Pairs, texts: Texts, thresholds: NDArray[np.float64], signatures: Signatures, lengths: Integers
) -> tuple[Pairs, NDArray[np.float64]]:
    """The pairs, each once, whose upper bound of F1 is above the threshold; by text, and descending by bound.

    ``lengths`` are those of the rows of ``pairs``.
    """
    keys, first = np.unique((pairs.of << 32) | pairs.rows, return_index=True)
    of, rows, theirs = keys >> 32, keys & 0xFFFFFFFF, lengths[first]
    signed, ours = signatures.at(rows), texts.lengths[of]
    common = np.bitwise_count(signed & texts.signatures[of]).sum(axis=1, dtype=np.int64)
    shared = np.minimum(ours - texts.bits[of], theirs - own_bits(signed)) + common
    bounds: NDArray[np.float64] = 2 * shared / np.maximum(ours + theirs, 1)
    above = np.flatnonzero(bounds > thresholds[of])
    above = above[np.lexsort((-bounds[above], of[above]))]
    return Pairs(of[above], rows[above]), bounds[above]


def best_rows(
    judged: Sequence[tuple[Pairs, NDArray[np.float64]]], thresholds: NDArray[np.float64]
) -> dict[int, tuple[int, float]]:
    """The row with the highest score above its threshold for each text that has one; of equal rows the first.

    ``judged`` are pairs with their scores.
    """
    if not judged:
        return {}
    of = np.concatenate([pairs.of for pairs, _ in judged])
    rows = np.concatenate([pairs.rows for pairs, _ in judged])
    scores = np.concatenate([scores for _, scores in judged])
    above = np.flatnonzero(scores > thresholds[of])
    above = above[np.lexsort((-rows[above], scores[above]))]
    triples = zip(of[above].tolist(), rows[above].tolist(), scores[above].tolist(), strict=True)
    return {of: (row, score) for of, row, score in triples}  # the last one of each text stays


def _waiting(texts: Texts, least: Integers, waiting: Words, first: int) -> Pairs:
    """The pairs of texts with waiting rows, from row ``first`` on, that share at least ``least`` bits with them."""
    shared = np.zeros((len(least), len(waiting)), np.int16)
    for word in range(waiting.shape[1]):
        shared += np.bitwise_count(texts.signatures[:, word, None] & waiting[None, :, word])
    of, rows = (shared >= least[:, None]).nonzero()
    return Pairs(of, rows + first)
