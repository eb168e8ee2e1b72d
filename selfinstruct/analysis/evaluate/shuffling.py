"""Rows with wrong answers, as a control: training on them must make a reader worse, or the measurement is faulty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from selfinstruct.readers import Example
from selfinstruct.readers.candidates import Candidates
from selfinstruct.text import caseless


def shuffle_spans(rows: Sequence[Example], random: Random) -> list[Example]:
    """Return the rows with another span of the same context as the answer; one without another span keeps its own."""
    return [_with_other_span(row, random) for row in rows]


def shuffle_labels(rows: Sequence[Example], random: Random) -> list[Example]:
    """Return the rows with their answers in random order."""
    answers = [row.answer for row in rows]
    random.shuffle(answers)
    return [replace(row, answer=answer) for row, answer in zip(rows, answers, strict=True)]


def _with_other_span(row: Example, random: Random) -> Example:
    candidates = Candidates.of(row.context)
    right = caseless(row.answer)
    spans = [(span, pair) for span, pair in zip(candidates.spans, candidates.ranges, strict=True)]
    others = [(row.context[start:end], last - first) for (start, end), (first, last) in spans]
    others = [(text, size) for text, size in others if caseless(text) != right]
    if not others:
        return row
    own = len(row.answer.split()) - 1
    same_size = [text for text, size in others if size == own]
    return replace(row, answer=random.choice(same_size or [text for text, _ in others]))
