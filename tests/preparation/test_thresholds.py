"""Thresholds: the closest two seeds, by either of two ways."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.preparation import thresholds as module
from selfinstruct.preparation.thresholds import CAP, FLOOR, _closest
from selfinstruct.similarity.rouge import rouge_l

TEXTS = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=8).map(" ".join), min_size=2, max_size=12)


@given(TEXTS)
@pytest.mark.parametrize("all_pairs", [0, 10**9], ids=["index", "all pairs"])
def test_the_closest_two_texts_are_found(all_pairs: int, texts: list[str]) -> None:
    """By the index and by all pairs: the largest F1 of two texts within the floor and the cap."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_ALL_PAIRS", all_pairs)
        found = _closest(texts)
    expected = max(rouge_l(one, other).f1 for one, other in combinations(texts, 2))
    assert found is not None
    assert min(found, CAP) == pytest.approx(min(max(expected, FLOOR), CAP))


def test_one_text_has_no_closest_pair() -> None:
    """None for fewer than two texts."""
    assert _closest([]) is None and _closest(["a b"]) is None
