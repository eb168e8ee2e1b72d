"""Keeping the first of near-duplicates in a stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.similarity.dedup import Verdict, deduplicate_texts
from selfinstruct.similarity.rouge import rouge_l

TEXTS = st.lists(st.sampled_from(["task", "stage", "in", "28", "0", "亨"]), max_size=9).map(" ".join)


def test_a_dropped_text_names_the_kept_one_by_its_number_in_the_stream() -> None:
    """Numbers count the texts of the stream, not the kept ones."""
    texts = ["stop now", "stop now", "start the task 1", "start the task 2"]
    assert list(deduplicate_texts(texts, threshold=0.7)) == [
        Verdict(0),
        Verdict(1, nearest=0, score=1.0),
        Verdict(2),
        Verdict(3, nearest=2, score=0.75),
    ]


def test_a_dropped_text_drops_no_other() -> None:
    """Only kept texts count: of a chain of small changes every second one stays."""
    texts = ["a b c d", "a b c e", "a b f e"]
    assert [verdict.kept for verdict in deduplicate_texts(texts, threshold=0.7)] == [True, False, True]


def test_a_verdict_comes_before_the_next_text_is_asked_for() -> None:
    """A stream without end can be filtered: nothing is read ahead."""
    asked: list[int] = []

    def endless() -> Iterator[str]:
        while True:
            asked.append(len(asked))
            yield f"row {len(asked)}"

    verdicts = deduplicate_texts(endless(), threshold=0.9)
    assert [next(verdicts).kept for _ in range(3)] == [True, True, True]
    assert len(asked) == 3


def test_texts_looked_up_together_are_read_in_blocks() -> None:
    """A stream without end can be filtered also then; no more than one block is read ahead."""
    asked: list[int] = []

    def endless() -> Iterator[str]:
        while True:
            asked.append(len(asked))
            yield f"row {len(asked)}"

    verdicts = deduplicate_texts(endless(), threshold=0.9, at_once=4)
    assert [next(verdicts).number for _ in range(5)] == [0, 1, 2, 3, 4]
    assert len(asked) == 8


def test_a_failure_of_the_stream_comes_after_the_verdicts_on_what_was_read() -> None:
    """As if texts were looked up one by one."""

    def broken() -> Iterator[str]:
        yield from ("stop now", "start 1", "stop now")
        raise ValueError("line 4")

    verdicts = deduplicate_texts(broken(), threshold=0.7, at_once=32)
    assert [next(verdicts).kept for _ in range(3)] == [True, True, False]
    with pytest.raises(ValueError, match="line 4"):
        next(verdicts)


def test_the_same_text_without_tokens_is_dropped() -> None:
    """ROUGE-L is blind to them, so the same text again is a duplicate and another one is not."""
    verdicts = list(deduplicate_texts(["", "?", "", "!"], threshold=0.7))
    assert verdicts == [Verdict(0), Verdict(1), Verdict(2, nearest=0, score=1.0), Verdict(3)]


def test_nothing_is_above_a_threshold_of_one() -> None:
    """Strictly greater than 1 is impossible, for texts without tokens too."""
    assert all(verdict.kept for verdict in deduplicate_texts(["a", "a", "", ""], threshold=1.0))


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=30), st.sampled_from([0.3, 0.5, 0.7, 0.9]), st.integers(1, 12))
def test_kept_and_dropped_are_those_of_brute_force(texts: list[str], threshold: float, at_once: int) -> None:
    """Every kept text is far from all kept before it; every dropped one names its nearest kept one."""
    kept: list[int] = []
    for verdict in deduplicate_texts(texts, threshold=threshold, at_once=at_once):
        text = texts[verdict.number]
        scores = [(rouge_l(text, texts[other]).f1, -other) for other in kept]
        best, other = max(scores, default=(0.0, 0))
        if verdict.kept:
            assert best <= threshold
            kept.append(verdict.number)
        elif text:
            assert (verdict.score, verdict.nearest) == (best, -other)


def test_texts_without_tokens_are_compared_exactly() -> None:
    """Only the very same punctuation is dropped: white space makes another text."""
    assert [verdict.kept for verdict in deduplicate_texts(["?", " ?", "?"], threshold=0.7)] == [True, True, False]


def test_other_forms_of_a_text_are_the_same_text() -> None:
    """The composed and the decomposed form, and wordless texts with invisible characters."""
    texts = ["Zoë", "Zoe\u0308", "?!", "\u200b？！"]
    assert [verdict.kept for verdict in deduplicate_texts(texts, threshold=0.7)] == [True, False, True, False]
