"""A reader of labels: TF-IDF of words and pairs of words, and logistic regression, by scikit-learn.

It is the usual baseline of text classification (scikit-learn's own tutorial on text data). Words are those of
``selfinstruct.text``, so that Chinese is read by characters. The question is read as a part of the text.

Does not handle: being asked for several labels of one text.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from selfinstruct.errors import InputError
from selfinstruct.readers.reader import Example, Prediction
from selfinstruct.text import tokens

_ITERATIONS = 1000


class LabelReader:
    """Predicts the label of a text; the same rows give the same reader, in any order.

    Raises InputError if scikit-learn, of the extra ``evaluate``, is not installed.
    """

    def __init__(self) -> None:
        try:
            from sklearn.feature_extraction.text import TfidfVectorizer
            from sklearn.linear_model import LogisticRegression
        except ModuleNotFoundError as error:
            raise InputError(
                "labels are read by scikit-learn: {error}",
                hint="Install it: pip install 'selfinstruct[evaluate]'",
                error=error,
            ) from error
        self._vectorizer: Any = TfidfVectorizer(analyzer=_features, sublinear_tf=True)
        self._model: Any = LogisticRegression(max_iter=_ITERATIONS)
        self._only = ""

    def fit(self, rows: Sequence[Example]) -> LabelReader:
        """Train on rows and return the reader; a row that is repeated counts as often."""
        counts = Counter(rows)
        # In the order of their texts, so that sums are rounded alike.
        known = sorted(counts, key=lambda row: (row.question, row.context, row.answer))
        labels = sorted({row.answer for row in known})
        self._only = labels[0] if len(labels) == 1 else ""
        if len(labels) > 1:
            lines = self._vectorizer.fit_transform([_text(row.question, row.context) for row in known])
            self._model.fit(lines, [row.answer for row in known], sample_weight=[counts[row] for row in known])
        return self

    def predict(self, question: str, context: str) -> Prediction:
        """Return the most probable label and its probability."""
        if not hasattr(self._model, "classes_"):
            return Prediction(self._only, 1.0 if self._only else 0.0)
        chances = self._model.predict_proba(self._vectorizer.transform([_text(question, context)]))[0]
        best = int(chances.argmax())
        return Prediction(str(self._model.classes_[best]), float(chances[best]))


def _text(question: str, context: str) -> str:
    return f"{question}\n{context}"


def _features(text: str) -> list[str]:
    words = tokens(text)
    return [*words, *(f"{one} {other}" for one, other in itertools.pairwise(words))]
