"""The embedded span reader: a log-linear model over the spans of a context, without any pretrained model.

The probability of a span is proportional to exp(score), and its score is the sum of the weights of its features.
Training maximises the probability of the spans whose text is the answer, by stochastic gradient with a step of its
own for each weight (Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
JMLR 2011).

It is small on purpose: it learns from a thousand rows in seconds, and what it knows it has learnt from these rows.

Does not handle: answers that are no span of their context; contexts of pages (see ``candidates``).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfinstruct.readers.features import BITS, Lines, SpanFeatures
from selfinstruct.readers.reader import Example, Prediction
from selfinstruct.readers.reading import Readings

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Floats = NDArray[numpy.float32]

# Constants chosen on private test sets of four systems' logs, with 12 to 300 rows of training.
_STEP = 0.1
_FIRST_SQUARE = 1.0
#: The value of all joined features of a line together, as the length of a vector; that of each own feature is 1.
_JOINED_VALUE = 0.5
#: Smaller gradients change no answer.
_NEGLIGIBLE = 1e-3


class SpanReader:
    """Answers questions with a span of their context; the same rows and ``seed`` give the same reader.

    ``epochs`` is the number of passes over the rows, each in another order. Readers that are trained on the same rows
    save time by sharing ``readings``.
    """

    def __init__(self, *, seed: int = 0, epochs: int = 8, readings: Readings | None = None) -> None:
        import numpy as np

        self._random = random.Random(seed)
        self._epochs = epochs
        self._readings = Readings() if readings is None else readings
        self._weights = np.zeros(1 << BITS, np.float32)
        self._squares = np.full(1 << BITS, _FIRST_SQUARE, np.float32)

    def fit(self, rows: Sequence[Example]) -> SpanReader:
        """Train on rows and return the reader; rows whose answer is no span of their context are skipped."""
        places: dict[Example, list[int]] = {}
        order = list(range(len(rows)))
        for _ in range(self._epochs):
            self._random.shuffle(order)
            for at in order:
                row = rows[at]
                reading = self._readings.read(row.question, row.context)
                if row not in places:
                    places[row] = reading.places_of(row.answer)
                right = places[row]
                if reading.features is not None and 0 < len(right) < len(reading.texts):
                    self._update(reading.features, right)
        return self

    def predict(self, question: str, context: str) -> Prediction:
        """Return the most probable answer and its probability; "" with 0 for a context without words."""
        found = self.probabilities(question, context)
        answer = max(found, key=lambda text: found[text], default="")
        return Prediction(answer, found.get(answer, 0.0))

    def probabilities(self, question: str, context: str) -> dict[str, float]:
        """Return the probability of each text that is a candidate span of a context; they add to 1.

        The probability of a text that occurs several times is the sum over its places.
        """
        reading = self._readings.read(question, context)
        if reading.features is None:
            return {}
        found: dict[str, float] = {}
        for text, probability in zip(reading.texts, self._spread(reading.features).tolist(), strict=True):
            found[text] = found.get(text, 0.0) + probability
        return found

    def _spread(self, features: SpanFeatures) -> Floats:
        """The probability of each candidate."""
        import numpy as np

        before, after = self._scores(features.before), self._scores(features.after)
        scores = self._scores(features.inside) + before[features.begins] + after[features.ends]
        powers = np.exp(scores - scores.max())
        spread: Floats = powers / powers.sum()
        return spread

    def _scores(self, lines: Lines) -> Floats:
        joined = self._weights[lines.joined].sum(axis=1)
        scores: Floats = self._weights[lines.own].sum(axis=1) + _joined_value(lines) * joined
        return scores

    def _update(self, features: SpanFeatures, right: list[int]) -> None:
        """One step of the gradient of the probability of the right candidates."""
        import numpy as np

        spread = self._spread(features)
        gradient = -spread
        gradient[right] += spread[right] / max(spread[right].sum(), np.finfo(np.float32).tiny)
        if np.abs(gradient).max() < _NEGLIGIBLE:
            return
        self._step(features.inside, gradient)
        for lines, line_of in ((features.before, features.begins), (features.after, features.ends)):
            slopes = np.zeros(len(lines.own), np.float32)
            np.add.at(slopes, line_of, gradient)
            self._step(lines, slopes)

    def _step(self, lines: Lines, gradient: Floats) -> None:
        import numpy as np

        kept = np.flatnonzero(np.abs(gradient) >= _NEGLIGIBLE)
        slopes = gradient[kept]
        for numbers, value in ((lines.own, 1.0), (lines.joined, _joined_value(lines))):
            flat = numbers[kept].ravel()
            each = np.repeat(np.float32(value) * slopes, numbers.shape[1])
            np.add.at(self._squares, flat, each * each)
            np.add.at(self._weights, flat, _STEP * each / np.sqrt(self._squares[flat]))


def _joined_value(lines: Lines) -> float:
    return float(_JOINED_VALUE / lines.joined.shape[1] ** 0.5)
