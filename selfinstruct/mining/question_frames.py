"""The questions of seed rows, asked about other lines that differ from the seeds' own in words with digits alone.

    "Is partition rdd_42_18 found?" - "not" about "Partition rdd_42_18 not found, computing it"
        -> "Is partition rdd_7_1 found?" - "not" about "Partition rdd_7_1 not found, computing it"

Does not handle: lines of another template (asking a seed's question there did harm when it was measured), answers that
are a part of a word, questions about words without digits that vary.

>>> frames = QuestionFrames([("Is p7 found?", "not", "Part p7 not found")])
>>> frames.ask("Part p31 not found")
[('Is p31 found?', 'not')]
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfinstruct.mining.text_template import SLOT, split_words
from selfinstruct.text import find_span

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class _Frame:
    """A question and its answer: constant texts, and the positions of words in the line.

    The answer is the words [start, end) of the line.
    """

    question: tuple[str | int, ...]
    start: int
    end: int

    def fill(self, words: Sequence[str]) -> tuple[str, str]:
        """The question and the answer about a line with these words."""
        question = "".join(part if isinstance(part, str) else words[part] for part in self.question)
        return question, "".join(words[self.start : self.end])


class QuestionFrames:
    """The frames of seed questions by the constant words of the lines that they are about."""

    def __init__(self, seeds: Iterable[tuple[str, str, str]]) -> None:
        """Take the frames of these questions, each with its answer and the line that it is about."""
        self._frames: dict[tuple[str, ...], dict[_Frame, None]] = defaultdict(dict)
        for question, answer, line in seeds:
            words = split_words(line)
            frame = _frame(question, answer, line, words)
            if frame is not None:
                self._frames[_constants(words)][frame] = None

    def ask(self, line: str) -> list[tuple[str, str]]:
        """The questions about a line, each with its answer, where they are right for it."""
        if not self._frames:
            return []
        words = split_words(line)
        asked = []
        for frame in self._frames.get(_constants(words), ()):
            question, answer = frame.fill(words)
            start = sum(map(len, words[: frame.start]))
            # Another value of the line may be equal to the answer, or be a name in the question.
            if find_span(answer, line) == (start, start + len(answer)) and find_span(answer, question) is None:
                asked.append((question, answer))
        return asked


def _constants(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(SLOT if _DIGIT.search(word) else word for word in words)


def _frame(question: str, answer: str, line: str, words: Sequence[str]) -> _Frame | None:
    """The frame of a seed's question; None where a word with digits has no place, or two, in the line."""
    parts: list[str | int] = []
    for word in split_words(question):
        if not _DIGIT.search(word):
            parts.append(word)
        elif words.count(word) == 1:
            parts.append(words.index(word))
        else:
            return None
    span = find_span(answer, line)
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    if span is None or span[0] not in starts or span[1] not in starts:
        return None
    return _Frame(tuple(parts), starts.index(span[0]), starts.index(span[1]))
