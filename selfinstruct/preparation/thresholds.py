"""Thresholds: how close a new row may come to its nearest neighbour, read off the seeds.

Self-Instruct's ROUGE-L of 0.7 suits free-text instructions; rows of one log template are that alike by their
constant words alone. So each category has a threshold of its own:

- as close as its two closest seeds are to each other, and no closer;
- a seed that stands alone, or whose wording leaves too little room for that, allows what two rows reach that
  share every constant token and half of the varying ones. Room is measured: rows are drawn from the seed's
  own frame, and where more than ``_CROWDED`` of the pairs are closer than the seeds are, the seeds' distance
  lies in words that do not vary and says nothing about rows that differ in values. Where values are so few
  that even then more pairs are closer (a saying out of sixty), it is as close as all but those pairs come;
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

from selfinstruct.mining.row_template import RowTemplate, row_template
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.preparation.categories import Categorizer
from selfinstruct.recipe import Recipe
from selfinstruct.recipe.errors import no_category
from selfinstruct.records import Row
from selfinstruct.similarity.exact_index import NoveltyIndex
from selfinstruct.similarity.row_index import compared_text
from selfinstruct.text import tokens

FLOOR = 0.7
CAP = 0.95
#: A category that holds 500 rows refuses most newcomers when one pair in 500 is too close.
_CROWDED = 1 / 500
_SAMPLE = 64
# The rows of a category that the sample is drawn from: so many that short lists of values come round again.
_PLACES = 10_000
_LOOKED_AT = 32


def thresholds(recipe: Recipe, categories: Categorizer, statistics: ValueStatistics) -> dict[str, float]:
    """The largest ROUGE-L F1 that an accepted row of each category may have with its nearest neighbour.

    Measured thresholds have four decimals; ``statistics`` are those of the seeds.

    Raises RecipeError where the recipe gives a threshold to a category that there is not.
    """
    own = recipe.novelty.categories
    for name in own:
        if name not in categories.names:
            raise no_category("novelty.categories", name, categories.names)
    fixed = recipe.novelty.max_rouge_l
    if fixed != "seeds":
        return dict.fromkeys(categories.names, fixed) | own
    fields = recipe.novelty.fields
    members: dict[str, list[Row]] = {name: [] for name in categories.names}
    for row in statistics.rows:
        members.setdefault(categories.of(row), []).append(row)
    found = {name: _threshold(members[name], fields, statistics) for name in categories.names}
    return found | own


def _threshold(rows: Sequence[Row], fields: Sequence[str], statistics: ValueStatistics) -> float:
    """The threshold that one category's seeds allow."""
    closest = _closest([compared_text(row, fields) for row in rows])
    if closest is not None and closest >= CAP:
        return CAP
    highest = FLOOR
    for row in _spread(rows):
        score = _allowed(row_template(row, statistics, 0), fields, closest)
        highest = max(highest, _rounded(score) if score > FLOOR else FLOOR)
        if highest >= CAP:
            return CAP
    return highest


def _closest(texts: Sequence[str]) -> float | None:
    """The ROUGE-L F1 of the closest two of several texts, or the floor where none are closer; None for one text."""
    if len(texts) < 2:
        return None
    closest, index = FLOOR, NoveltyIndex(min_threshold=FLOOR)
    for text in texts:
        closer = index.nearest(text, closest)
        closest = closer[1] if closer is not None else closest
        if closest >= CAP:
            break
        index.add(text)
    return closest


def _spread(rows: Sequence[Row]) -> Sequence[Row]:
    """At most ``_LOOKED_AT`` rows, evenly spread: many seeds of one category say the same about its room."""
    step = max(len(rows) // _LOOKED_AT, 1)
    return rows[::step][:_LOOKED_AT]


def _allowed(seed: RowTemplate, fields: Sequence[str], closest: float | None) -> float:
    rng = Random(0)
    places = rng.sample(range(_PLACES), _SAMPLE)
    drawn = [tokens(compared_text(seed.render(place, rng), fields)) for place in places]
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
    """The next value of four decimals above a measured score.

    The value that is printed is the value in force, and a score that is computed in another order of operations
    (rouge-score's F1 of 0.8 is 0.8000000000000002) is not above it.
    """
    return (math.floor(score * 10_000 + 1e-6) + 1) / 10_000
