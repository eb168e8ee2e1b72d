"""Token forecast: what the rows that are missing will take, learned from the batches judged so far.

Tokens per row are a ratio of two sums over batches; its variance is that of the residuals (the ratio estimator of
Cochran 1977, *Sampling Techniques*, 6.3). The forecast is a range of two standard deviations, and none before a few
batches.

Does not handle: money, whose prices differ by model; a change of the model or of the prompts during the run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from selfinstruct.growth.planner import CategoryProgress

_LEAST_BATCHES, _LEAST_ROWS = 5, 5
#: About 95 % of forecasts are right, if batches are alike.
_DEVIATIONS = 2


@dataclass(slots=True)
class TokenForecast:
    """The batches of one session: their number, and the sums that the estimate is made of."""

    batches: int = 0
    _tokens: float = 0.0
    _rows: float = 0.0
    _tokens_squared: float = 0.0
    _rows_squared: float = 0.0
    _products: float = 0.0

    def add_batch(self, tokens: int, rows: int) -> None:
        """Count a judged batch: the tokens of all its calls, and the rows that it brought."""
        self.batches += 1
        self._tokens += tokens
        self._rows += rows
        self._tokens_squared += tokens * tokens
        self._rows_squared += rows * rows
        self._products += tokens * rows

    def expected(self, missing: int) -> tuple[int, int] | None:
        """Return the least and the most tokens that ``missing`` rows will take; None while too little is known.

        >>> forecast = TokenForecast()
        >>> for tokens in (1300, 1250, 1340, 1310, 1385):
        ...     forecast.add_batch(tokens, 1)
        >>> forecast.expected(10)
        (12623, 13717)
        """
        if self.batches < _LEAST_BATCHES or self._rows < _LEAST_ROWS or not self._tokens or missing <= 0:
            return None
        ratio = self._tokens / self._rows
        residuals = self._tokens_squared - 2 * ratio * self._products + ratio * ratio * self._rows_squared
        variance = max(residuals, 0.0) / (self.batches - 1)  # of a batch
        rows_of_a_batch = self._rows / self.batches
        # The uncertainty of the ratio, and the chance in what is left.
        of_ratio = math.sqrt(variance / self.batches) / rows_of_a_batch * missing
        of_rest = math.sqrt(variance * missing / rows_of_a_batch)
        deviation = _DEVIATIONS * math.hypot(of_ratio, of_rest)
        return max(round(ratio * missing - deviation), 0), round(ratio * missing + deviation)


def rows_left(progress: Mapping[str, CategoryProgress], refused: int = 0) -> int:
    """Return how many rows are missing, without those of exhausted categories, and ``refused`` ones not replaced."""
    missing = sum(max(state.quota - state.accepted, 0) for state in progress.values() if not state.exhausted)
    return max(missing - refused, 0)
