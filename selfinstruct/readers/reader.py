"""What a reader is: it learns from answered questions, and answers questions about a context.

Does not handle: rows, and which of their fields is the question, the context or the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Example:
    """A question about a context, with its answer. Where a label is asked for, ``question`` is ""."""

    question: str
    context: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """A reader's answer and its confidence, in [0, 1]."""

    answer: str
    confidence: float


class Reader(Protocol):
    """A model that is trained once, by ``fit``, and then asked, by ``predict``."""

    def fit(self, rows: Sequence[Example]) -> object:
        """Train on examples; what is returned is ignored."""
        ...

    def predict(self, question: str, context: str) -> Prediction:
        """Answer a question about a context."""
        ...
