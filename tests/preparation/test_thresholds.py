"""Thresholds: the closest two seeds, by either of two ways."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.preparation.thresholds import CAP, FLOOR, closest_pair
from selfinstruct.similarity.rouge import rouge_l

TEXTS = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=8).map(" ".join), min_size=2, max_size=12)


@given(TEXTS)
@pytest.mark.parametrize("all_pairs", [0, 10**9], ids=["index", "all pairs"])
def test_the_closest_two_texts_are_found(all_pairs: int, texts: list[str]) -> None:
    """By the index and by all pairs: the largest F1 of two texts within the floor and the cap."""
    found = closest_pair(texts, all_pairs)
    expected = max(rouge_l(one, other).f1 for one, other in combinations(texts, 2))
    assert found is not None
    assert min(found, CAP) == pytest.approx(min(max(expected, FLOOR), CAP))


def test_one_text_has_no_closest_pair() -> None:
    """None for fewer than two texts."""
    assert closest_pair([]) is None and closest_pair(["a b"]) is None
