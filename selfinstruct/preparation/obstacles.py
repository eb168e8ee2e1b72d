"""Obstacles to imitation: the kinds of seeds that need a model, and the reason for each.

Does not handle: recognising them, see ``imitable``.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfinstruct.messages import Phrase, joined


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the imitator cannot imitate some seeds: their kind, the fields that show it, and the reason."""

    kind: str
    fields: tuple[str, ...]
    why: str

    @property
    def words(self) -> str:
        """The kind with the fields, for messages."""
        if not self.fields:
            return self.kind
        return Phrase("{kind} ({fields})", kind=self.kind, fields=joined(self.fields))


PREFERENCE = (
    Phrase("preference pairs"),
    Phrase("which of two answers is better is a judgement; new values do not keep it"),
)
CHOICE = Phrase("multiple choice"), Phrase("the right option depends on knowledge that the text does not contain")
ARITHMETIC = Phrase("arithmetic in prose"), Phrase("a result does not follow new numbers by itself")
WORD_PROBLEM = (
    Phrase("computed answers"),
    Phrase("the answer is not in the text and does not follow new numbers by itself"),
)
KNOWLEDGE = (
    Phrase("answers from knowledge"),
    Phrase("the answer is not in the text, and new values change the question"),
)
CODE_ROWS = Phrase("code"), Phrase("new values may break code, and nothing here runs it")
TRANSLATION = (
    Phrase("translations"),
    Phrase("the words and grammar of one language do not follow new values in the other"),
)
TASK = (
    Phrase("instructions with outputs"),
    Phrase("the output follows from the instruction by reasoning, not by copying values"),
)
FACT = Phrase("facts of the world"), Phrase("another name or number makes them false")
SUMMARY_ROWS = Phrase("summaries"), Phrase("a summary follows from the meaning of its text, not by copying values")
