"""How the numbers of a row depend on each other: found in seeds, kept in new rows."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.entities import find_entities
from selfinstruct.mining.formulas import FORMULAS, rounded
from selfinstruct.mining.list_summaries import SUMMARIES, summary_of
from selfinstruct.mining.number_generators import RangeGenerator
from selfinstruct.mining.number_ties import text_ties
from selfinstruct.mining.tied_values import TiedValues


def grown(rows: list[dict[str, Any]], count: int = 90) -> list[dict[str, Any]]:
    """New rows of the templates of ``rows``, at least a third of those asked for."""
    statistics = ValueStatistics(rows, {})
    templates = [row_template(row, statistics, 3) for row in rows]
    found = [templates[at % len(rows)].render(at, Random(at)) for at in range(count)]
    new = [row for row in found if row is not None]
    assert len(new) > count / 3
    return new


def test_fields_in_order_stay_in_order() -> None:
    """Numbers and decimals that never decrease from field to field, though their ranges overlap."""
    spans = ((3, 9, 30), (0, 12, 14), (11, 12, 19), (5, 22, 23))
    rows = [{"least": low, "typical": mid + 0.5, "most": f"{high}.0", "note": "x"} for low, mid, high in spans]
    new = grown(rows)
    assert all(row["least"] <= row["typical"] <= float(row["most"]) for row in new)
    assert len({str(row) for row in new}) > 30


def test_numbers_of_one_text_stay_in_order() -> None:
    """In several texts of the same words, or in one where the words say so."""
    rows = [{"t": f"pump used {used} W of {limit} W"} for used, limit in ((120, 500), (310, 340), (90, 620))]
    for row in [*grown(rows), *grown([{"t": "read 31 KB of 64 KB"}])]:
        words = row["t"].split()
        assert int(words[-5]) <= int(words[-2])


@pytest.mark.parametrize(
    "text", ["工龄满 1 年不满 10 年的员工，年假 5 天", "温度 3 度至 26 度", "内存 31 GB 低于阈值 64 GB"]
)
def test_numbers_of_a_chinese_text_stay_in_order(text: str) -> None:
    """One text whose words say which number is the smaller one."""
    for row in grown([{"t": text}], 40):
        low, high, *_ = (int(word) for word in row["t"].replace("，", " ").split() if word.isdigit())
        assert low <= high


def test_the_sum_and_the_product_in_a_text_follow_their_operands() -> None:
    """The total is computed, also in another field that contains it."""
    rows = [
        {"t": f"{passed} passed, {failed} failed, {passed + failed} in all", "all": passed + failed}
        for passed, failed in ((17, 3), (41, 12), (5, 26))
    ]
    for row in grown(rows):
        numbers = [int(word) for word in row["t"].replace(",", "").split() if word.isdigit()]
        assert numbers[0] + numbers[1] == numbers[2] == row["all"]
    boxes = [{"t": f"{n} boxes of {k} pens hold {n * k} pens"} for n, k in ((3, 12), (7, 20), (9, 15))]
    for row in grown(boxes):
        numbers = [int(word) for word in row["t"].split() if word.isdigit()]
        assert numbers[0] * numbers[1] == numbers[2]


def test_a_proportion_in_a_text_does_not_vary() -> None:
    """The share of a buffer follows its size by a factor that no other number shows: both stay."""
    rows = [
        {"t": f"job {n} wrote {size} buffers ({share}%)"}
        for n, size, share in ((7, 1120, 6.8), (8, 388, 2.4), (9, 2764, 16.9))
    ]
    pairs = {tuple(row["t"].split()[3:6:2]) for row in grown(rows)}
    assert pairs == {("1120", "(6.8%)"), ("388", "(2.4%)"), ("2764", "(16.9%)")}


def test_sorted_lists_stay_sorted() -> None:
    """Ascending and descending ones, of any length, and numbers in the objects of a list."""
    rows = [
        {"up": up, "down": up[::-1], "steps": [{"at": at} for at in up]}
        for up in ([4, 19, 40], [8, 9], [70, 71, 102, 103], [1, 60, 61])
    ]
    for row in grown(rows):
        ups = [row["up"], row["down"][::-1], [step["at"] for step in row["steps"]]]
        assert all(before <= after for up in ups for before, after in pairwise(up))


def test_a_list_that_is_the_same_in_all_rows_or_counts_in_steps_is_kept() -> None:
    """Quantiles and grids are no measurements."""
    rows = [
        {"name": f"run {n}", "levels": [0.1, 0.5, 0.9], "grid": [0, step, 2 * step], "y": [n, n * 7 % 23, 5 + n]}
        for n, step in ((3, 10), (8, 20), (14, 25))
    ]
    for row in grown(rows):
        assert row["levels"] == [0.1, 0.5, 0.9] and row["grid"] in [[0, 10, 20], [0, 20, 40], [0, 25, 50]]


@pytest.mark.parametrize("kind", ["max", "min", "sum", "mean", "range", "median"])
def test_a_field_that_summarises_a_list_follows_it(kind: str) -> None:
    """Whatever is drawn for the list."""
    lists = ([14, 22, 9], [31, 17, 28], [8, 12, 40], [25, 26, 11])
    rows = [
        {"scores": each, "total": float(round(summary_of(kind, list(map(Decimal, each)), like=Decimal("0.1")), 1))}
        for each in lists
    ]
    for row in grown(rows):
        assert row["total"] == float(summary_of(kind, list(map(Decimal, row["scores"])), like=Decimal("0.1")))


def test_a_summary_that_a_text_mentions_keeps_the_row_as_it_is() -> None:
    """The text would have to follow too, so the list does not vary."""
    rows = [
        {"name": f"item {n}", "scores": each, "best": max(each), "text": f"Item {n} has at best {max(each)} points."}
        for n, each in ((301, [14, 22, 9]), (405, [31, 17, 28]), (612, [8, 12, 40]))
    ]
    for row in grown(rows):
        assert row["best"] == max(row["scores"]) and f" {row['best']} points" in row["text"]


def test_names_and_codes_are_in_no_order() -> None:
    """A task's number may be above its stage's."""
    ties = text_ties(text := "task 3 of stage 7 ended with code 9", find_entities(text), None)
    assert ties.orders == ()


@given(
    st.lists(st.integers(0, 99), min_size=4, max_size=4),
    st.lists(st.sampled_from([(0, 1), (1, 2), (0, 2), (1, 3)]), min_size=1),
)
def test_values_that_are_settled_are_in_order_and_the_same_numbers(
    drawn: list[int], orders: list[tuple[int, int]]
) -> None:
    """Numbers of one form are exchanged until all orders hold."""
    values = list(map(str, drawn))
    tied = TiedValues(tuple(dict.fromkeys(orders)))
    generators = [RangeGenerator(0, 99, 0, at) for at in range(4)]
    assert tied.settle(values, ["1", "2", "3", "4"], generators)
    assert sorted(map(int, values)) == sorted(drawn)
    assert all(int(values[one]) <= int(values[other]) for one, other in orders)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=6))
def test_summaries_agree_with_the_standard_library(numbers: list[int]) -> None:
    """Of the same numbers."""
    from statistics import fmean

    given = list(map(Decimal, numbers))
    assert summary_of("max", given, like=Decimal(0)) == max(numbers)
    assert abs(float(summary_of("mean", given, like=Decimal("0.001"))) - fmean(numbers)) <= 0.0005001
    assert set(SUMMARIES) >= {"sum", "median", "range", "first", "last", "length"}


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("share", [(21, 28), (19, 24), (26, 30), (17, 27)]),
        ("discounted", [(80, 25), (19.9, 10), (150, 40), (49.99, 15)]),
        ("increased", [(80, 25), (19.9, 10), (150, 40), (49.99, 15)]),
        ("part", [(80, 25), (19.9, 10), (150, 40), (49.99, 15)]),
        ("ratio", [(7, 3), (22, 9), (31, 8), (5, 6)]),
    ],
)
def test_a_field_that_follows_from_two_others_is_computed(kind: str, rows: list[tuple[float, float]]) -> None:
    """By any of the formulas, rounded as in the seeds, and in texts too."""

    def result(one: float, other: float) -> str:
        return rounded(FORMULAS[kind](Decimal(str(one)), Decimal(str(other))), 2, "0.00")

    tables = [{"a": one, "b": other, "c": result(one, other)} for one, other in rows]
    for row in grown(tables):
        assert row["c"] == result(row["a"], row["b"])
    texts = [{"t": f"of {one} with {other} comes {result(one, other)} now"} for one, other in rows]
    for row in grown(texts):
        words = row["t"].split()
        assert words[5] == result(float(words[1]), float(words[3]))


def test_ages_follow_the_years() -> None:
    """The age is the difference of two years, which stay in the span of the seeds."""
    lives = (("a", 1956, 2020), ("b", 1971, 2015), ("c", 1963, 2019), ("d", 1980, 2022))
    rows = [{"t": f"{n} was born in 19{b % 100}, and was {y - b} years old in {y}."} for n, b, y in lives]
    for row in grown(rows):
        words = row["t"].rstrip(".").split()
        assert int(words[-1]) - int(words[4].rstrip(",")) == int(words[7]) >= 0
        assert int(words[-1]) <= 2022
