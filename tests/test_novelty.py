"""The near-duplicate index gives brute force's verdicts and scores."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.novelty import NoveltyIndex
from selfinstruct.rouge import rouge_l

THRESHOLDS = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 0.7, 0.75, 0.8, 6 / 7, 0.95, 1.0]), st.floats(0.0, 1.0))
WORDS = ["task", "stage", "in", "found", "28", "29", "0", "元", "亨", "é", "?!"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)


def brute_nearest(pool: list[str], text: str, threshold: float) -> tuple[int, float] | None:
    """The oracle: every row by the readable reference, the first of the nearest."""
    best: tuple[int, float] | None = None
    for row, other in enumerate(pool):
        score = rouge_l(text, other).f1
        if score > (threshold if best is None else best[1]):
            best = (row, score)
    return best


@settings(max_examples=300, deadline=None)
@given(
    st.lists(TEXTS, max_size=25),
    st.lists(st.tuples(TEXTS, THRESHOLDS), max_size=6),
    st.sampled_from([0.0, 0.7, 0.9, 1.0]),
)
def test_nearest_is_brute_force(pool: list[str], queries: list[tuple[str, float]], minimum: float) -> None:
    """Whatever the pool, the text, the threshold and the hint: the same row and the same score."""
    index = NoveltyIndex(min_threshold=minimum)
    index.add_all(pool)
    for text, threshold in queries:
        assert index.nearest(text, threshold) == brute_nearest(pool, text, threshold)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXTS, THRESHOLDS), max_size=40))
def test_stream_is_brute_force(stream: list[tuple[str, float]]) -> None:
    """Asking and adding by turns, as the loop does, with another threshold each time."""
    index, pool = NoveltyIndex(), list[str]()
    for text, threshold in stream:
        found = index.nearest(text, threshold)
        assert found == brute_nearest(pool, text, threshold)
        if found is None:
            assert index.add(text) == len(pool)
            pool.append(text)
    assert len(index) == len(pool)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=25), TEXTS, st.integers(0, 30))
def test_k_nearest_is_a_sorted_scan(pool: list[str], text: str, k: int) -> None:
    """The k best of the whole pool, nearest first, equals in row order."""
    index = NoveltyIndex()
    index.add_all(pool)
    scores = [(row, rouge_l(text, other).f1) for row, other in enumerate(pool)]
    assert index.k_nearest(text, k) == sorted(scores, key=lambda one: (-one[1], one[0]))[:k]


def test_bulk_and_single_adding_give_the_same_index() -> None:
    """A pool indexed again on resume answers as the one that grew."""
    rng = random.Random(7)
    pool = [" ".join(rng.choices(WORDS, k=rng.randrange(15))) for _ in range(300)]
    grown, rebuilt = NoveltyIndex(), NoveltyIndex()
    for text in pool:
        grown.add(text)
    rebuilt.add_all(pool)
    for text in pool[::7]:
        changed = text + " stage"
        assert grown.nearest(changed, 0.7) == rebuilt.nearest(changed, 0.7) == brute_nearest(pool, changed, 0.7)


@pytest.mark.parametrize("text", ["", "?!", "___"])
def test_text_without_tokens_is_near_to_nothing(text: str) -> None:
    """Not even to itself: its ROUGE-L is 0 and 0 is not strictly above any threshold."""
    index = NoveltyIndex()
    index.add(text)
    index.add("task")
    assert index.nearest(text, 0.0) is None
    assert index.nearest("task", 0.0) == (1, 1.0)


def test_equal_to_the_threshold_is_not_above_it() -> None:
    """A near-duplicate is strictly nearer than the threshold: 7 of 10 tokens pass at 0.7."""
    index = NoveltyIndex()
    index.add("a b c d e f g 1 2 3")
    assert index.nearest("a b c d e f g 4 5 6", 0.7) is None
    assert index.nearest("a b c d e f g 4 5 6", 0.6999) == (0, 0.7)
