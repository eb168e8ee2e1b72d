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
from collections.abc import Mapping, Sequence
from random import Random

from rapidfuzz.distance import LCSseq

from selfinstruct.mining.row_template import RowTemplate, ValueStatistics, row_template
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


def thresholds(
    recipe: Recipe, rows: Sequence[Row], categories: Categorizer, refer: Mapping[str, str]
) -> dict[str, float]:
    """The largest ROUGE-L F1 that an accepted row of each category may have with its nearest neighbour.

    ``refer`` maps fields to the fields that they refer to. Measured thresholds have four decimals.

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
    for row in rows:
        members.setdefault(categories.of(row), []).append(row)
    knowledge = ValueStatistics(rows, refer)
    found = {}
    for name in categories.names:
        closest = _closest([compared_text(row, fields) for row in members[name]])
        allowed = [_allowed(row_template(row, knowledge, 0), fields, closest) for row in _spread(members[name])]
        found[name] = min(max([FLOOR, *(_rounded(score) for score in allowed if score > FLOOR)]), CAP)
    return found | own


def _closest(texts: Sequence[str]) -> float | None:
    """The ROUGE-L F1 of the closest two of several texts, or the floor where none are closer; None for one text."""
    if len(texts) < 2:
        return None
    closest, index = FLOOR, NoveltyIndex(min_threshold=FLOOR)
    for text in texts:
        closer = index.nearest(text, closest)
        closest = closer[1] if closer is not None else closest
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
    scores = sorted(
        2 * LCSseq.similarity(one, other) / (len(one) + len(other) or 1)
        for at, one in enumerate(drawn)
        for other in drawn[:at]
    )
    crowd = scores[-1 - int(_CROWDED * len(scores))]
    if closest is not None and crowd <= closest:
        return closest
    constant = scores[0]
    return max(constant + (1 - constant) / 2, crowd)


def _rounded(score: float) -> float:
    """The next value of four decimals above a measured score.

    The value that is printed is the value in force, and a score that is computed in another order of operations
    (rouge-score's F1 of 0.8 is 0.8000000000000002) is not above it.
    """
    return (math.floor(score * 10_000 + 1e-6) + 1) / 10_000
