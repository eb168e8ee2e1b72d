"""What came of a batch, in numbers: of the judgements that were just made, or of those that a journal has.

Does not handle: what follows from them (``prompt_size``, ``rows_per_call``, ``echoes``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

from selfinstruct.journal import History, demos_by_batch, rejections_by_call, seconds_by_reply
from selfinstruct.records import Batch, Judgement

#: The reasons of candidates that are no rows of the recipe's form, and of those that are copies.
_MALFORMED, _COPIES = ("schema",), ("echo", "duplicate")


class BatchResult(NamedTuple):
    """A batch of ``asked`` rows that was shown some ``demos``: its ``candidates``, ``malformed`` ones, and so on.

    ``seconds`` is how long the last reply took; ``failure`` is the slug of a batch that ended without candidates, and
    not ``replied`` is one whose call had no reply.
    """

    number: int
    category: str
    asked: int
    demos: int = 0
    candidates: int = 0
    malformed: int = 0
    copies: int = 0
    accepted: int = 0
    seconds: float = 0.0
    failure: str = ""
    replied: bool = True

    @property
    def whole(self) -> int:
        """The candidates that are rows of the recipe's form."""
        return self.candidates - self.malformed

    @classmethod
    def of(cls, batch: Batch, judgements: Sequence[Judgement], seconds: float = 0.0, failure: str = "") -> Self:
        """The result of a batch with these judgements."""
        reasons = Counter(each.rejection.reason for each in judgements if each.rejection is not None)
        return cls(
            batch.number,
            batch.category,
            batch.count,
            len(batch.demos),
            len(judgements),
            *_counts(len(judgements), reasons),
            seconds,
            failure,
        )

    @classmethod
    def recorded(cls, history: History) -> Iterator[Self]:
        """The results in a journal, in the order in which they were judged."""
        reasons, seconds, demos = rejections_by_call(history), seconds_by_reply(history), demos_by_batch(history)
        for call, (number, category, asked, candidates, _, _, failure) in history.outcomes_by_call():
            counts = _counts(candidates, reasons.get(call, Counter()))
            yield cls(
                number,
                category,
                asked,
                demos[number],
                candidates,
                *counts,
                seconds.get(call, 0.0),
                failure,
                call in seconds,
            )


def _counts(candidates: int, reasons: Counter[str]) -> tuple[int, int, int]:
    """How many candidates were malformed, were copies, and were accepted, by the reasons of those that were not."""
    malformed, copies = (sum(reasons[name] for name in names) for names in (_MALFORMED, _COPIES))
    return malformed, copies, candidates - reasons.total()
