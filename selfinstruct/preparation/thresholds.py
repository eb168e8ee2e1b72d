"""Thresholds: the maximum similarity of a new row to its nearest neighbour, measured on the seeds.

Self-Instruct's ROUGE-L of 0.7 suits free-text instructions; rows of one log template reach that by their constant
words alone. So each category has its own threshold:

- the similarity of its two closest seeds;
- for a single seed, or one whose template leaves too little room for that, the similarity of two rows that share every
  constant token and half of the varying ones. Room is measured on rows drawn from the seed's own template: if more than
  ``_CROWDED`` of the pairs are closer than the seeds, the seeds differ in words that do not vary, and their distance
  is no measure for rows that differ in values. If values are so few that more pairs are closer even then (a saying out
  of sixty), it is the similarity that all but ``_CROWDED`` of the pairs stay below;
- at least 0.7, at most 0.95.

Does not handle: categories without seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from selfinstruct.mining import RowTemplate, ValueStatistics, row_template
from selfinstruct.preparation.categories import Categorizer
from selfinstruct.recipe import Recipe
from selfinstruct.recipe.errors import no_category
from selfinstruct.records import Row
from selfinstruct.similarity import NoveltyIndex, compared_text
from selfinstruct.text import tokens

# Every pair is compared if the number of texts times that of their tokens is at most this: some 5,000 log lines. The
# tokens of a text are compared 64 at once, so that a longer text counts as several.
_ALL_PAIRS = 500_000_000
_AT_ONCE = 64
_BLOCK = 256
# A character stands for a token; there are 1,114,112 code points.
_MOST_CODES = 1_000_000
FLOOR = 0.7
CAP = 0.95
#: A category with 500 rows rejects most new ones if one pair in 500 is too close.
_CROWDED = 1 / 500
_SAMPLE = 64
# The number of places that the sample is drawn from: large enough for short lists of values to repeat.
_PLACES = 10_000
_MOST_SEEDS = 32
# Comparing two texts takes the square of their length. The longer they are, the less the samples differ, so that fewer
# rows with these tokens in all, and fewer seeds, tell as much.
_SAMPLED_TOKENS = _SAMPLE * 512
_LEAST_SAMPLE = 8
_LEAST_SEEDS = 4


def thresholds(recipe: Recipe, categories: Categorizer, statistics: ValueStatistics) -> dict[str, float]:
    """Return the maximum ROUGE-L F1 of an accepted row of each category with its nearest neighbour.

    Measured thresholds have four decimals; ``statistics`` are those of the seeds.

    Raises RecipeError if the recipe sets the threshold of an unknown category.
    """
    own = recipe.novelty.categories
    for name in own:
        if name not in categories.names:
            raise no_category("novelty.categories", name, categories.names)
    fixed = recipe.novelty.max_rouge_l
    if fixed != "seeds":
        return dict.fromkeys(categories.names, fixed) | own
    fields = recipe.novelty.fields
    if recipe.categories.by == "passage":
        # The seeds are about other texts. Questions of one wording about two lines differ in the values of these, and
        # how much is not up to the author; rewordings about one line have a check of their own.
        return dict.fromkeys(categories.names, CAP) | own
    members: dict[str, list[Row]] = {name: [] for name in categories.names}
    for row in statistics.rows:
        members.setdefault(categories.of(row), []).append(row)
    found = {name: _threshold(members[name], fields, statistics) for name in categories.names}
    return found | own


def _threshold(rows: Sequence[Row], fields: Sequence[str], statistics: ValueStatistics) -> float:
    """The threshold that one category's seeds allow."""
    texts = [compared_text(row, fields) for row in rows]
    closest = closest_pair(texts)
    if closest is not None and closest >= CAP:
        return CAP
    highest = FLOOR
    longest = max((len(tokens(text)) for text in texts), default=1)
    sampled = min(max(_SAMPLED_TOKENS // max(longest, 1), _LEAST_SAMPLE), _SAMPLE)
    for row in _spread(rows, max(_MOST_SEEDS * sampled // _SAMPLE, _LEAST_SEEDS)):
        score = _allowed(row_template(row, statistics, 0), fields, closest, sampled)
        highest = max(highest, _rounded(score) if score > FLOOR else FLOOR)
        if highest >= CAP:
            return CAP
    return highest


def closest_pair(texts: Sequence[str], all_pairs: int = _ALL_PAIRS) -> float | None:
    """Return the ROUGE-L F1 of the closest two of several texts, at least ``FLOOR``; None for fewer than two texts.

    The search may stop at ``CAP``. ``all_pairs`` limits the work of comparing every pair; above it, an index is used.
    """
    if len(texts) < 2:
        return None
    split = [tokens(text) for text in texts]
    total = sum(map(len, split))
    if sum(-(-len(text) // _AT_ONCE) for text in split) * total <= all_pairs and total <= _MOST_CODES:
        return _closest_of_all_pairs(split)
    closest, index = FLOOR, NoveltyIndex(min_threshold=FLOOR)
    for text in texts:
        closer = index.nearest(text, closest)
        closest = closer[1] if closer is not None else closest
        if closest >= CAP:
            break
        index.add(text)
    return closest


def _closest_of_all_pairs(texts: Sequence[Sequence[str]]) -> float:
    """The same over token sequences by every pair: several times as fast as the index for a few thousand log lines."""
    codes: dict[str, str] = {}
    coded = ["".join(codes.setdefault(token, chr(len(codes) + 1)) for token in text) for text in texts]
    lengths = np.array([len(text) for text in coded])
    closest = FLOOR
    for start in range(0, len(coded), _BLOCK):
        block = coded[start : start + _BLOCK]
        common = cdist(block, coded[: start + len(block)], scorer=LCSseq.similarity, dtype=np.int64)
        scores = 2 * common / np.maximum(lengths[start : start + len(block), None] + lengths[: start + len(block)], 1)
        earlier = np.arange(scores.shape[1]) < np.arange(start, start + len(block))[:, None]
        closest = max(closest, float(scores[earlier].max(initial=0.0)))
        if closest >= CAP:
            break
    return closest


def _spread(rows: Sequence[Row], most: int) -> Sequence[Row]:
    """At most ``most`` rows, evenly spread: more seeds of one category add no information."""
    step = max(len(rows) // most, 1)
    return rows[::step][:most]


def _allowed(seed: RowTemplate, fields: Sequence[str], closest: float | None, sampled: int) -> float:
    """The similarity that ``sampled`` rows of a seed's template allow."""
    rng = Random(0)
    places = rng.sample(range(_PLACES), sampled)
    drawn = [tokens(compared_text(seed.render(place, rng) or seed.row, fields)) for place in places]
    scores = _pair_scores(drawn)
    crowd = scores[-1 - int(_CROWDED * len(scores))]
    if closest is not None and crowd <= closest:
        return closest
    constant = scores[0]
    return max(constant + (1 - constant) / 2, crowd)


def _pair_scores(texts: Sequence[Sequence[str]]) -> list[float]:
    """The ROUGE-L F1 of every two of several token sequences, ascending."""
    codes: dict[str, int] = {}
    coded = [[codes.setdefault(token, len(codes)) for token in text] for text in texts]
    common = cdist(coded, coded, scorer=LCSseq.similarity, dtype=np.int64)
    lengths = np.array([len(text) for text in coded])
    scores = 2 * common / np.maximum(lengths[:, None] + lengths, 1)
    pairs: list[float] = np.sort(scores[np.tril_indices(len(coded), -1)]).tolist()
    return pairs


def _rounded(score: float) -> float:
    """Round a measured score up to the next value with four decimals.

    The printed value is then the exact one, and a score with a rounding error (rouge-score's F1 of 0.8 is
    0.8000000000000002) is not above it.
    """
    return (math.floor(score * 10_000 + 1e-6) + 1) / 10_000
