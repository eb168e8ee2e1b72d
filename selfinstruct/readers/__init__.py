"""Readers: small models that learn from answered questions and answer new ones, with a confidence.

    reader        what a reader is: Example, Prediction, Reader
    span_reader   the embedded one, for answers that are a span of their context
    candidates    the spans that it chooses from        features, answer_types    what it sees of them
    reading       both for one row, kept for later passes
    crosswise     which rows do readers contradict that were trained on the others

They measure rows: what can be learnt from them, and what contradicts them. ``span_reader`` needs no extra, only NumPy,
which is imported when a reader is made; ``label_reader`` needs scikit-learn, of the extra ``evaluate``.

Does not handle: rows and their fields; models that write text (``backends``).
"""

from selfinstruct.readers.crosswise import CrosswiseReaders, row_digest
from selfinstruct.readers.reader import Example, Prediction, Reader
from selfinstruct.readers.reading import Readings
from selfinstruct.readers.span_reader import SpanReader

__all__ = ["CrosswiseReaders", "Example", "Prediction", "Reader", "Readings", "SpanReader", "row_digest"]
