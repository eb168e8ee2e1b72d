"""What the span reader has worked out about a row, kept for the next pass and the next reader while there is room."""

from __future__ import annotations

from dataclasses import dataclass

from selfinstruct.readers.candidates import Candidates
from selfinstruct.readers.features import SpanFeatures, span_features
from selfinstruct.text import canonical

_ROOM = 128 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """The texts of the candidates of a context, and their features for a question; no features without candidates."""

    texts: tuple[str, ...]
    features: SpanFeatures | None

    @classmethod
    def of(cls, question: str, context: str) -> Reading:
        """Read a context with a question in mind."""
        candidates = Candidates.of(context)
        texts = tuple(context[start:end] for start, end in candidates.spans)
        return cls(texts, span_features(question, candidates) if texts else None)

    def places_of(self, answer: str) -> list[int]:
        """Return the candidates whose text is the answer."""
        sought = canonical(answer).strip()
        return [at for at, text in enumerate(self.texts) if text == sought or canonical(text) == sought]


class Readings:
    """Reads each row once, as long as all readings fit into ``room`` bytes; later ones are read anew each time.

    Rows are read in passes, over all of them: to keep the last ones instead of the first would keep none in time.
    """

    def __init__(self, room: int = _ROOM) -> None:
        self._room = room
        self._kept: dict[tuple[str, str], Reading] = {}

    def read(self, question: str, context: str) -> Reading:
        """Return the reading of a row."""
        found = self._kept.get((question, context))
        if found is None:
            found = Reading.of(question, context)
            size = found.features.nbytes if found.features is not None else 0
            if size <= self._room:
                self._room -= size
                self._kept[question, context] = found
        return found
