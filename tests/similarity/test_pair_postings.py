"""Rows filed under pairs of elements are found under one of these by every near text."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.similarity.bounds import least_common, most_missed
from selfinstruct.similarity.colours import Colours
from selfinstruct.similarity.pair_bounds import filed_under, overlap, pair_layout
from selfinstruct.similarity.pair_postings import PairPostings, Rows


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([3, 12, 40, 90]),
    st.floats(0.2, 0.97),
    st.floats(0, 1),
    st.sampled_from([20, 100, 1000]),
)
def test_near_rows_are_found_by_their_pairs(
    seed: int, longest: int, least: float, higher: float, elements: int
) -> None:
    """Sets of elements that share just enough to be near, short and long, filed at once or merged, at any threshold."""
    rng, threshold = random.Random(seed), least + (0.99 - least) * higher
    asked = sorted(rng.sample(range(-9, 2 * longest + elements), rng.randrange(1, longest + 1)))
    rows, near = list[list[int]](), set[int]()
    for length in range(1, 2 * longest):
        common = least_common(threshold, len(asked) + length)
        if common <= min(len(asked), length):
            near.add(len(rows))
        others = rng.sample(range(3 * longest + elements), length)
        shared = rng.sample(asked, min(common, len(asked), length))
        rows.append(sorted([*shared, *(each for each in others if each not in asked)][:length]))
        if len(rows[-1]) < length:
            near.discard(len(rows) - 1)
    layout = pair_layout(least, rng.randrange(1, longest + 1), longest)
    colours = Colours(3 * longest + elements)
    known = [[each for each in row if each >= 0] for row in rows]
    sample = np.concatenate([*map(np.array, known)]).astype(np.int64), np.arange(len(rows)).repeat([*map(len, known)])
    for _ in colours.choose([sample], [3, 7]):
        pass
    postings = PairPostings(layout, colours, 10 * len(rows))
    half = rng.randrange(len(rows) + 1)

    for _ in postings.fill(lambda: iter([postings.entries(_first(rows[:half], 0, least))])):
        pass
    for _ in postings.merge(*postings.entries(_first(rows[half:], half, least))):
        pass

    found, read = postings.find(np.array(asked), threshold)
    assert near <= set(found.tolist())
    assert read >= len(found)


def test_the_overlap_is_at_most_what_near_texts_share() -> None:
    """For all lengths and thresholds; rows of some 40 tokens share seven elements at 0.7, and longer ones more."""
    for threshold in (0.05, 0.3, 0.5, 0.7, 0.79, 0.95, 1.0):
        for length in range(1, 300):
            missed = most_missed(threshold, length)
            assert overlap(threshold, length) <= max(length - missed if missed >= 0 else 0, 1)
    assert [overlap(0.7, length) for length in (3, 6, 13, 63, 64, 128)] == [1, 3, 7, 7, 15, 31]


def _first(rows: list[list[int]], start: int, threshold: float) -> Rows:
    firsts = [row[: filed_under(threshold, len(row))] for row in rows]
    return Rows(
        start,
        np.array([*map(len, rows)], np.int64),
        np.array([rank for first in firsts for rank in first], np.int64),
        np.arange(len(rows)).repeat([*map(len, firsts)]),
        np.array([place for first in firsts for place in range(len(first))], np.int64),
    )


def test_elements_that_come_together_have_different_colours() -> None:
    """Two words of three elements each that no other row separates, and two colours more than these need."""
    colours, rows = Colours(20), np.arange(40).repeat(3)
    for _ in colours.choose([(np.array([3, 7, 11, 4, 5, 18] * 20), rows)], [7]):
        pass
    for word in ([3, 7, 11], [4, 5, 18]):
        assert len(set(colours.at(np.array(word), np.full(3, 7)).tolist())) == 3
    assert set(colours.at(np.arange(-50, 20), np.full(70, 7)).tolist()) == set(range(6))
