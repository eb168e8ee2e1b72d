"""Quotas of categories of passages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.preparation.passage_quotas import balanced_quotas, passage_quotas
from selfinstruct.recipe import Quota

CAPACITY = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 9), min_size=1)


@given(CAPACITY, st.integers(1, 60))
def test_the_total_is_exact_and_quotas_are_equal_as_far_as_categories_reach(
    capacity: dict[str, int], rows: int
) -> None:
    """No category exceeds what it can yield unless all of them are full."""
    quotas = balanced_quotas(rows, capacity)
    assert sum(quotas.values()) == rows
    if rows <= sum(capacity.values()):
        assert all(quotas[name] <= most for name, most in capacity.items())
        short = [quota for name, quota in quotas.items() if quota < capacity[name]]
        assert not short or max(quotas.values()) - min(short) <= 1


@given(CAPACITY, st.integers(1, 60))
def test_no_quota_falls_when_a_run_grows_further(capacity: dict[str, int], rows: int) -> None:
    """With one row more, one quota is larger by one."""
    before, after = balanced_quotas(rows, capacity), balanced_quotas(rows + 1, capacity)
    if rows != sum(capacity.values()):
        assert sorted(after[name] - before[name] for name in capacity) == [*[0] * (len(capacity) - 1), 1]


def test_rows_per_category_are_limited_by_its_lines() -> None:
    """A category with fewer lines gets fewer rows."""
    assert passage_quotas(Quota(per_category=4), ["a", "b"], {"a": 9, "b": 3}) == {"a": 4, "b": 3}
