"""Shares of a round: nothing is lost, nothing is handed to a part that finds no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.growth.shares import FIRST_ROUND, equal_shares, hand_out, round_of

counts = st.integers(0, 10**6)


@given(counts, st.integers(1, 50))
def test_equal_shares_add_up_and_differ_by_at_most_one(total: int, among: int) -> None:
    """Whatever the number of shares."""
    shares = equal_shares(total, among)
    assert sum(shares) == total and len(shares) == among and max(shares) - min(shares) <= 1


@given(st.data(), st.integers(1, 8), counts, st.integers(1, 50))
def test_all_rows_are_handed_to_parts_that_find_some(data: st.DataObject, parts: int, turn: int, least: int) -> None:
    """In every category; a category without such a part gets nothing."""
    asked = data.draw(st.dictionaries(st.sampled_from("abcde"), counts))
    able = {name: data.draw(st.lists(st.integers(0, parts - 1), unique=True)) for name in asked}
    handed = hand_out(asked, able, parts, turn, least)
    for name, rows in asked.items():
        assert sum(share[name] for share in handed) == (rows if able[name] else 0)
        assert all(not share[name] or part in able[name] for part, share in enumerate(handed))


@given(st.dictionaries(st.sampled_from("abcde"), st.tuples(counts, counts, counts)), st.integers(1, 8))
def test_a_round_is_no_larger_than_all_before_and_asks_for_something_missing(
    figures: dict[str, tuple[int, int, int]], parts: int
) -> None:
    """So that few rows are grown alike; what is not missing is not asked for."""
    missing = {name: rows for name, (rows, _, _) in figures.items()}
    kept = {name: min(rows, grown) for name, (_, rows, grown) in figures.items()}
    asked = round_of(missing, kept, {name: grown for name, (_, _, grown) in figures.items()}, parts)
    assert sum(asked.values()) <= max(FIRST_ROUND * parts, sum(kept.values())) + len(asked)
    assert all(bool(asked[name]) == bool(rows) for name, rows in missing.items())
    assert all(asked[name] <= 4 * rows for name, rows in missing.items())
