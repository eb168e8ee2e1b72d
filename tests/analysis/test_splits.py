"""Splits: groups stay whole, shares are met, and rows that are added later move few others."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.analysis.split_groups import join_near
from selfinstruct.analysis.splits import Group, assign
from selfinstruct.recipe import Recipe
from selfinstruct.similarity import Groups
from selfinstruct.similarity.rouge import rouge_l

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def groups_of(sizes: list[int], strata: int = 1) -> list[Group]:
    """Groups of these sizes with keys by chance, in some strata."""
    return [Group(size, str(at % strata), blake2b(b"%d" % at).digest()) for at, size in enumerate(sizes)]


def rows_of(groups: list[Group]) -> Counter[str]:
    """The rows of each split."""
    found: Counter[str] = Counter()
    for group, split in zip(groups, assign(groups, SHARES), strict=True):
        found[split] += group.rows
    return found


@given(st.lists(st.integers(1, 5), min_size=40, max_size=200), st.integers(1, 40))
def test_the_shares_hold_however_many_strata_there_are(sizes: list[int], strata: int) -> None:
    """No split is off by more than the rows of the largest group."""
    rows = rows_of(groups_of(sizes, strata))
    for split, share in SHARES.items():
        assert abs(rows[split] - share * sum(sizes)) <= max(sizes) + 1


def test_every_stratum_has_its_share_of_every_split() -> None:
    """Categories of a hundred rows are split 80, 10, 10 each."""
    groups = groups_of([1] * 500, strata=5)
    found = Counter((group.stratum, split) for group, split in zip(groups, assign(groups, SHARES), strict=True))
    assert {found[stratum, "train"] for stratum in "01234"} == {80}
    assert {found[stratum, "test"] for stratum in "01234"} == {10}


def test_few_large_groups_leave_no_split_empty() -> None:
    """Of as many groups as splits, or some more, each split gets one; the most go to the largest split."""
    assert rows_of(groups_of([250] * 4)) == {"train": 500, "validation": 250, "test": 250}
    assert rows_of(groups_of([900, 50, 50])) == {"train": 900, "validation": 50, "test": 50}
    assert rows_of(groups_of([400, *[1] * 100])) == {"train": 400, "validation": 50, "test": 50}
    assert len(rows_of(groups_of([10, 10]))) == 2


def test_added_rows_move_few_of_the_others() -> None:
    """With a tenth more rows, at most one of forty changes its side; the order of the rows does not matter."""
    sizes = [1] * 1000
    before = assign(groups_of(sizes, 7), SHARES)
    grown = groups_of([1] * 1100, 7)
    assert sum(one != two for one, two in zip(before, assign(grown, SHARES), strict=False)) <= 25
    assert assign(grown[::-1], SHARES) == assign(grown, SHARES)[::-1]


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_groups_are_the_connected_ones(joins: list[tuple[int, int]]) -> None:
    """As a search over all links finds them."""
    groups = Groups(20)
    for one, other in joins:
        groups.join(one, other)
    reached = {at: {at} for at in range(20)}
    for _ in range(20):
        for one, other in joins:
            both = reached[one] | reached[other]
            reached |= dict.fromkeys(both, both)
    assert groups.members() == sorted({tuple(sorted(each)): sorted(each) for each in reached.values()}.values())
    assert all(len({*groups.labels[members].tolist()}) == 1 for members in groups.members())


WORDS = st.lists(st.sampled_from(["task", "28", "found", "元", "亨", "in", "?!"]), max_size=7).map(" ".join)
RECIPE = Recipe.model_validate({"name": "r", "fields": {"text": {}}, "novelty": {"fields": ("text",)}})


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, st.sampled_from([0.5, 0.8, 1.0])), max_size=25))
def test_near_duplicates_are_in_one_group_and_no_others(rows: list[tuple[str, float]]) -> None:
    """Two rows are linked if they are the same, or nearer than the limit of either; as a scan of all pairs finds it."""
    groups, expected = Groups(len(rows)), Groups(len(rows))
    join_near(groups, [{"text": text} for text, _ in rows], RECIPE, [limit for _, limit in rows])
    for one, (ours, limit) in enumerate(rows):
        for two, (theirs, other) in enumerate(rows):
            if ours == theirs or rouge_l(ours, theirs).f1 > min(limit, other):
                expected.join(one, two)
    assert groups.members() == expected.members()
