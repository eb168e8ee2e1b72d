"""Crosswise reading: which rows are contradicted, with confidence, by readers that were not trained on them.

It follows confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset
Labels", JAIR 2021). Rows are divided into folds; a row is read by the reader that was trained on the other folds. How
sure a reader must be is measured on these rows themselves, for each type of answer that it may give (numbers, words,
addresses ...): as sure as it is, on average, of the right answers of this type. Readers that often disagree with the
rows in a type are taken to be wrong themselves, and say nothing about it.

Does not handle: what is the same answer (the caller's ``agrees``); answers that are no span of their context, which
count as answers that the readers do not find.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from selfinstruct.readers.answer_types import span_type
from selfinstruct.readers.reader import Example, Prediction
from selfinstruct.readers.reading import Readings
from selfinstruct.readers.span_reader import SpanReader
from selfinstruct.text import canonical

# Measured on rows with planted errors (benchmarks/verification.py): of the averages, only those in this range are used,
# since the readers of easy rows are surer than they need be.
_LEAST_SURE, _MOST_SURE = 0.5, 0.6
#: The reader's own answer must be this many times as probable as the row's.
_TIMES = 20
#: Types in which the readers agree with a smaller share of the rows, when they are sure, are left alone.
_LEAST_AGREEMENT = 0.7


def row_digest(row: Example) -> int:
    """A number that is the same for the same question and context in every process, evenly spread over 64 bits."""
    text = f"{row.question}\0{row.context}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the reader of the other folds answers, whether it agrees with the row, and its probability of the row's."""

    prediction: Prediction
    agrees: bool
    given: float


class CrosswiseReaders:
    """Readers of rows, each trained on all folds but one; the same rows give the same readers, in any order.

    ``agrees`` is called with the answer of a row and that of a reader. Readers that are trained again later save time
    by sharing ``readings``.
    """

    def __init__(
        self,
        rows: Sequence[Example],
        agrees: Callable[[str, str], bool] = str.__eq__,
        *,
        folds: int = 3,
        epochs: int = 3,
        readings: Readings | None = None,
    ) -> None:
        self._agrees = agrees
        known = sorted(rows, key=lambda row: (row_digest(row), row.answer))
        readings = Readings() if readings is None else readings
        self._readers = [
            SpanReader(epochs=epochs, readings=readings).fit([row for row in known if row_digest(row) % folds != fold])
            for fold in range(folds)
        ]
        given: defaultdict[str, list[float]] = defaultdict(list)
        sure: defaultdict[str, list[bool]] = defaultdict(list)
        agreed = 0
        for row in known:
            reading = self._read(row)
            agreed += reading.agrees
            given[span_type(row.answer)].append(reading.given)
            if reading.prediction.confidence >= _LEAST_SURE:
                sure[span_type(reading.prediction.answer)].append(reading.agrees)
        #: The share of the rows whose answer the readers of the other folds find, sure or not.
        self.agreement = agreed / len(known) if known else 0.0
        #: For each type that the readers can judge, how sure they must be.
        self.thresholds = {
            name: min(max(sum(given[name]) / len(given[name]), _LEAST_SURE), _MOST_SURE) if given[name] else _MOST_SURE
            for name, of_type in sure.items()
            if (sum(of_type) + 1) / (len(of_type) + 2) >= _LEAST_AGREEMENT  # the rule of succession, for small numbers
        }

    def contradiction(self, row: Example) -> Prediction | None:
        """Return the answer of the reader that was not trained on this row's fold, if it contradicts the row."""
        reading = self._read(row)
        read = reading.prediction
        threshold = self.thresholds.get(span_type(read.answer))
        if reading.agrees or threshold is None or read.confidence < threshold:
            return None
        return read if reading.given * _TIMES <= read.confidence else None

    def _read(self, row: Example) -> _Reading:
        reader = self._readers[row_digest(row) % len(self._readers)]
        chances = reader.probabilities(row.question, row.context)
        best = max(chances, key=lambda text: chances[text], default="")
        found = chances.get(best, 0.0)
        if self._agrees(row.answer, best):
            return _Reading(Prediction(best, found), True, found)
        # A comparison takes longer than a look at whether one text is in the other.
        parts = canonical(row.answer).strip()
        near = ((text, chance) for text, chance in chances.items() if text in parts or parts in text)
        given = sum(chance for text, chance in near if self._agrees(row.answer, text))
        return _Reading(Prediction(best, found), False, given)
