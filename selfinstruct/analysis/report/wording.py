"""The wording of text fields: lengths, vocabulary, distinct n-grams and first words, of seeds and of grown rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from selfinstruct.analysis.report.histogram import Histogram, Spread, spread, whole_histogram
from selfinstruct.records import Row
from selfinstruct.text import tokens, value_text

#: Words that make an opening, and how many openings are listed.
_OPENING, _OPENINGS = 2, 5
#: The least share of an opening that is listed.
_COMMON = 0.01


@dataclass(frozen=True, slots=True)
class Words:
    """Figures of the values of one field in some rows; words are the tokens that ROUGE-L compares.

    ``values`` and ``words`` are counted, and how many of the values are ``different``. ``vocabulary`` counts different
    words. ``distinct`` has, for n = 1, 2, 3, the share of n-grams that are different
    (distinct-n of Li et al. 2016, arXiv:1510.03055), which falls as words are added. ``lengths`` are in code points.
    """

    values: int
    different: int
    words: int
    vocabulary: int
    distinct: tuple[float, float, float]
    lengths: Spread | None


@dataclass(frozen=True, slots=True)
class Opening:
    """The first two words of values, and the share of values that begin so.

    ``words`` are these words, ``seeds`` and ``grown`` the shares in the seeds and in the grown rows.
    """

    words: str
    seeds: float
    grown: float


@dataclass(frozen=True, slots=True)
class Wording:
    """The wording of one field, in the ``seeds`` and in the ``grown`` rows.

    ``openings`` are the commonest of the grown rows. ``lengths`` has the distribution of lengths, in code points.
    """

    seeds: Words
    grown: Words
    openings: tuple[Opening, ...]
    lengths: Histogram


def wording(name: str, seeds: Sequence[Row], grown: Sequence[Row]) -> Wording:
    """Return the figures of one text field."""
    own, theirs = ([value_text(row[name]) for row in rows if name in row] for rows in (seeds, grown))
    own_words, their_words = [tokens(text) for text in own], [tokens(text) for text in theirs]
    before, after = _openings(own_words), _openings(their_words)
    return Wording(
        seeds=_words(own, own_words),
        grown=_words(theirs, their_words),
        openings=tuple(
            Opening(words, before[words] / max(before.total(), 1), count / after.total())
            for words, count in after.most_common(_OPENINGS)
            if count > 1 and count >= _COMMON * after.total()
        ),
        lengths=whole_histogram([len(text) for text in own], [len(text) for text in theirs]),
    )


def _words(texts: Sequence[str], words: Sequence[Sequence[str]]) -> Words:
    return Words(
        values=len(texts),
        different=len(set(texts)),
        words=sum(map(len, words)),
        vocabulary=len({word for each in words for word in each}),
        distinct=(_distinct(words, 1), _distinct(words, 2), _distinct(words, 3)),
        lengths=spread([len(text) for text in texts]),
    )


def _distinct(texts: Sequence[Sequence[str]], size: int) -> float:
    """The share of n-grams that are different; 0 without any."""
    grams = [tuple(words[at : at + size]) for words in texts for at in range(len(words) - size + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def _openings(texts: Sequence[Sequence[str]]) -> Counter[str]:
    return Counter(_joined(words[:_OPENING]) for words in texts if words)


def _joined(words: Sequence[str]) -> str:
    """Words with spaces between them, except where both are written without."""
    text = words[0]
    for left, right in pairwise(words):
        text += right if not left.isascii() and not right.isascii() and len(left) == len(right) == 1 else f" {right}"
    return text
