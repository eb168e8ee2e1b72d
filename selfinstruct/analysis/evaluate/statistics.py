"""Intervals of mean scores and of their differences, by the bootstrap.

Both the test rows and the trainings are drawn again with replacement (Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, chapter 13: percentile intervals), since another test file and another training would both have given
another score. Two conditions are compared on the same draws, so that what is hard for both does not count as a
difference.

Does not handle: few test rows; with less than some twenty, percentile intervals are too narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfinstruct.analysis.evaluate.evaluation import Interval

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    #: Scores in [0, 1], a line for each training and a column for each test row.
    Scores = NDArray[numpy.float64]

_DRAWS = 2000
_LEVEL = 0.95
_DECIMALS = 9


class Bootstrap:
    """Draws of trainings and test rows that are the same for all conditions."""

    def __init__(self, trainings: int, rows: int, *, seed: int = 0) -> None:
        import numpy as np

        generator = np.random.default_rng(seed)
        self._trainings = generator.multinomial(trainings, [1 / trainings] * trainings, _DRAWS) / trainings
        self._rows = generator.multinomial(rows, [1 / rows] * rows, _DRAWS) / rows

    def mean(self, scores: Scores) -> Interval:
        """Return the mean of scores with its interval."""
        import numpy as np

        means = ((self._trainings @ scores) * self._rows).sum(axis=1)
        low, high = np.quantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
        # Sums that are 0 come out as 1e-17, which would be taken for a difference.
        value, low, high = (round(float(each), _DECIMALS) for each in (scores.mean(), low, high))
        return Interval(value, low, high)

    def difference(self, scores: Scores, others: Scores) -> Interval:
        """Return the mean of ``scores`` less that of ``others`` with its interval, paired by training and test row."""
        return self.mean(scores - others)
