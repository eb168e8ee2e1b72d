"""Shares of a round: nothing is lost, nothing is handed to a part that finds no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.growth.shares import SMALL_ROUND, equal_shares, hand_out, round_of, survival_of

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


@given(st.dictionaries(st.sampled_from("abcde"), st.tuples(counts, st.floats(0.25, 1))), counts, st.integers(1, 8))
def test_a_round_is_no_larger_than_all_before_or_all_that_is_missing_and_asks_for_something_missing(
    figures: dict[str, tuple[int, float]], kept: int, parts: int
) -> None:
    """So that few rows are grown alike; what is not missing is not asked for."""
    missing = {name: rows for name, (rows, _) in figures.items()}
    survival = {name: share for name, (_, share) in figures.items()}
    asked = round_of(missing, survival, kept, parts)
    assert sum(asked.values()) <= max(SMALL_ROUND * parts, kept, sum(missing.values())) + len(asked)
    assert all(bool(asked[name]) == bool(rows) for name, rows in missing.items())
    assert all(
        asked[name] == rows for name, rows in missing.items() if survival[name] == 1 and sum(asked.values()) < kept
    )
    assert round_of(missing, dict.fromkeys(missing, 1.0), 0, parts) == missing


@given(counts, counts, counts, counts)
def test_the_last_round_says_how_many_rows_are_kept_of_the_next(kept: int, lost: int, more: int, less: int) -> None:
    """Which is never taken for none, nor for more than before; of one large round it is the share of that."""
    share = survival_of(kept + more, kept + lost + more + less, kept, kept + lost)
    assert 0.25 <= share <= 1
    if more + less > 1000:
        assert abs(share - max(0.25, min(more / (more + less), (kept + more) / (kept + lost + more + less)))) < 0.01
    assert survival_of(0, 0) == survival_of(kept, kept) == 1
