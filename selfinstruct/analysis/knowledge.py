"""What a model knows: its answers to questions beside the expected ones.

An answer counts as known if it means the same as the expected one (exact), contains a short one, or is close to it by
ROUGE-L (Lin 2004). ROUGE-L is the F1 of ``similarity.rouge``.

Does not handle: putting the questions; answers that are right in quite other words.

>>> Answered("How many moons has Mars?", "2", "two. No: 2.").known
True
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from selfinstruct.similarity.rouge import rouge_l
from selfinstruct.text import caseless, find_span, tokens
from selfinstruct.values.readings import same_meaning

#: From this ROUGE-L F1 on, an answer says about what is expected: half of the words, in the same order.
KNOWN_ROUGE_L = 0.5
# A short answer counts also inside a sentence: at most this many tokens, in at most this many.
_SHORT, _SENTENCE = 6, 40
_END = " .。!！"


@dataclass(frozen=True)
class Answered:
    """A ``question``, the ``expected`` answer, and the model's ``answer``."""

    question: str
    expected: str
    answer: str

    @cached_property
    def exact(self) -> bool:
        """Whether both answers are the same text or value; letter case and a full stop do not count."""
        one, other = self.answer.strip().rstrip(_END), self.expected.strip().rstrip(_END)
        return caseless(one) == caseless(other) or same_meaning(one, other)

    @cached_property
    def rouge_l(self) -> float:
        """The ROUGE-L F1 of both answers, in [0, 1]."""
        return 1.0 if self.exact else rouge_l(self.answer, self.expected).f1

    @cached_property
    def known(self) -> bool:
        """Whether the model knows the answer; see the module."""
        if self.exact or self.rouge_l >= KNOWN_ROUGE_L:
            return True
        short = len(tokens(self.expected)) <= _SHORT and len(tokens(self.answer)) <= _SENTENCE
        return short and find_span(caseless(self.expected), caseless(self.answer)) is not None


@dataclass(frozen=True)
class Knowledge:
    """The result of a probe: what ``model`` answered, out of ``questions`` that could be asked.

    ``answers`` has each question that was answered. ``failed`` counts the calls without an answer by reason.
    ``stopped`` is ``done`` or ``budget``.
    """

    model: str
    questions: int
    answers: Sequence[Answered]
    failed: Mapping[str, int] = field(default_factory=Counter)
    stopped: str = "done"

    @property
    def answered(self) -> int:
        """The number of questions that were answered."""
        return len(self.answers)

    @property
    def known(self) -> float | None:
        """The share of the answers that are known; None without answers."""
        return self._mean([each.known for each in self.answers])

    @property
    def exact(self) -> float | None:
        """The share of the answers that are exact; None without answers."""
        return self._mean([each.exact for each in self.answers])

    @property
    def rouge_l(self) -> float | None:
        """The mean ROUGE-L F1 of the answers and the expected ones; None without answers."""
        return self._mean([each.rouge_l for each in self.answers])

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "model": self.model,
            "questions": self.questions,
            "answered": self.answered,
            "known": self.known,
            "exact": self.exact,
            "rouge_l": self.rouge_l,
            "failed": dict(self.failed),
            "stopped": self.stopped,
            "answers": [
                {
                    "question": each.question,
                    "expected": each.expected,
                    "answer": each.answer,
                    "known": each.known,
                    "exact": each.exact,
                    "rouge_l": each.rouge_l,
                }
                for each in self.answers
            ],
        }

    @staticmethod
    def _mean(values: Sequence[float]) -> float | None:
        return sum(values) / len(values) if values else None
