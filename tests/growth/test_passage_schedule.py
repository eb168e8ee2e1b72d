"""The order in which passages are used."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.documents import PackedPassages
from selfinstruct.growth.passage_schedule import MOST_CATEGORIES, OTHER, PassageSchedule, passage_groups


def passages(templates: list[str]) -> PackedPassages:
    """A passage of each template."""
    packed = PackedPassages()
    for at, template in enumerate(templates, 1):
        packed.add(f"line {at}", "app.log", at, template=template)
    return packed


def test_frequent_templates_are_categories_and_the_others_are_one() -> None:
    """Its templates stay apart, so that each gets its share."""
    many = [f"t{at}" for at in range(MOST_CATEGORIES) for _ in range(2)]
    groups = passage_groups(passages([*many, "rare", "rarer"]))
    assert list(groups) == [f"t{at}" for at in range(MOST_CATEGORIES)] + [OTHER]
    assert groups["t1"] == [[3, 4]]
    assert groups[OTHER] == [[len(many) + 1], [len(many) + 2]]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(0, 3), st.integers(0, 60))
def test_passages_are_used_evenly(sizes: list[int], seed: int, count: int) -> None:
    """Over the templates of a category, and over the lines of a template, whose uses are counted from 0."""
    templates = [f"t{at}" for at, size in enumerate(sizes) for _ in range(size)]
    schedule = PassageSchedule(passage_groups(passages(templates)), seed)
    for category in ("t0", "no category"):
        used = [schedule.at(category, place) for place in range(count)]
        numbers = Counter(number for number, _ in used)
        by_template = Counter(templates[number - 1] for number, _ in used)
        assert not used or max(by_template.values()) - min(by_template.get(t, 0) for t in by_template) <= 1
        for name in by_template:
            uses = [numbers[at + 1] for at, template in enumerate(templates) if template == name]
            assert max(uses) - min(uses) <= 1
        assert all(Counter(n for n, _ in used[:at])[number] == before for at, (number, before) in enumerate(used))


def test_the_random_seed_scatters_the_lines() -> None:
    """The same seed gives the same order."""
    groups = passage_groups(passages(["t"] * 50))

    def order(seed: int) -> list[int]:
        return [PassageSchedule(groups, seed).at("t", place)[0] for place in range(50)]

    assert order(1) == order(1) != order(2)
    assert sorted(order(2)) == list(range(1, 51))
