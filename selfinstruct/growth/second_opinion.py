"""The second opinion of the embedded reader on the rows of a run: does a reader of the other rows find this answer?

    seeds, accepted rows -> at 64, 128, 256 ... rows: readers -> candidate -> a rejection, or None

Readers are trained on a sample of the rows, those with the smallest digests. So the result depends on the rows
accepted before and their order, and on nothing else: a resumed run and ``rejudge`` give the same opinions.

Does not handle: rows before the first training, about which there is no opinion; second opinions of models (``votes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappush, heappushpop

from selfinstruct.checks.agreement import Convention
from selfinstruct.messages import Phrase
from selfinstruct.prompts.quoting import quoted
from selfinstruct.readers import CrosswiseReaders, Example, Readings, row_digest
from selfinstruct.recipe import Recipe, Verify
from selfinstruct.records import Rejection, Row
from selfinstruct.text import find_span, value_text

#: The number of rows at which readers are trained first; they are trained again whenever it has doubled.
FIRST_TRAINING = 64
# Readers of 1,000 rows take four times as long and find hardly more.
_MOST_ROWS = 256
_ROOM = 64 << 20  # bytes
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class ReaderFields:
    """The fields of a row that the embedded reader gets: those that ask, the text with the answer, and the answer."""

    asking: tuple[str, ...]
    context: str
    answer: str

    @classmethod
    def of(cls, verify: Verify, recipe: Recipe, seeds: Sequence[Row]) -> ReaderFields:
        """Return the fields of a table; the context is the field that most answers of the seeds are taken from."""
        grounded = recipe.fields[verify.answers].appears_in

        def answers_in(name: str) -> tuple[bool, int]:
            found = sum(
                find_span(value_text(row[verify.answers]), value_text(row[name])) is not None
                for row in seeds
                if name in row and verify.answers in row
            )
            return name == grounded, found

        context = max(verify.reads, key=answers_in)
        return cls(tuple(name for name in verify.reads if name != context), context, verify.answers)

    def example(self, row: Row) -> Example | None:
        """Return a row as the reader sees it; None if a value is missing, empty, or a list or object."""
        values = [row.get(name) for name in (*self.asking, self.context, self.answer)]
        if any(value is None or isinstance(value, list | dict) for value in values):
            return None
        *asking, context, answer = (value_text(value).strip() for value in values)
        return Example("\n".join(asking), context, answer) if context and answer else None


class SecondOpinion:
    """What the embedded reader thinks of the rows of a run; ``add`` each row of the pool, in the order of its ids."""

    def __init__(self, verify: Verify, fields: ReaderFields, convention: Convention) -> None:
        self._name = verify.name
        self._fields = fields
        self._convention = convention
        self._readings = Readings(_ROOM)
        #: The rows with the smallest digests; the largest of these first, as a heap of negative digests.
        self._sample: list[tuple[int, int, Example]] = []
        self._untrained: list[Example] = []
        self._readers: CrosswiseReaders | None = None
        self._added = 0
        self._next = FIRST_TRAINING

    @property
    def has_begun(self) -> bool:
        """Whether there are enough rows for an opinion."""
        return self._next > FIRST_TRAINING

    def add(self, row: Row) -> None:
        """Add a seed or an accepted row, which later readers may learn from."""
        example = self._fields.example(row)
        if example is None:
            return
        self._added += 1
        entry = (-row_digest(example), self._added, example)
        if len(self._sample) < _MOST_ROWS:
            heappush(self._sample, entry)
        else:
            heappushpop(self._sample, entry)
        if self._added == self._next:
            self._next *= 2
            self._untrained = [each for *_, each in self._sample]

    def rejection(self, row: Row) -> Rejection | None:
        """Return the rejection of a row that the reader contradicts with confidence."""
        example = self._fields.example(row)
        if example is None or not self.has_begun:
            return None
        if self._readers is None or self._untrained:
            self._readers = CrosswiseReaders(self._untrained, self._convention.agrees, readings=self._readings)
            self._untrained = []
        read = self._readers.contradiction(example)
        if read is None:
            return None
        message = Phrase(
            "{name}: the embedded reader gives {answer}", name=self._name, answer=quoted(read.answer[:_SHOWN])
        )
        return Rejection(
            "unanswered",
            Phrase("{message}, with a confidence of {confidence:.2f}", message=message, confidence=read.confidence),
        )
