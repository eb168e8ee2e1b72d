"""Ids inside lists stay unique, their references follow, and they never make a row new."""

from __future__ import annotations

from random import Random

import pytest

from selfinstruct.backends.imitator import Imitator
from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.nested_ids import NestedIds
from selfinstruct.records import Row

ORDERS: list[Row] = [
    {
        "items": [{"id": f"it-{100 * n + at}", "name": name} for at, name in enumerate(names)],
        "main_item": f"it-{100 * n + len(names) - 1}",
        "text": f"Order {40213 + 7919 * n} is paid.",
    }
    for n, names in enumerate((("lamp", "chair"), ("desk",), ("shelf", "rug", "vase")), 2)
]
GRAPHS: list[Row] = [
    {
        "text": f"{one} met {other} in {place}.",
        "nodes": [{"id": at, "name": name} for at, name in enumerate((one, other, place), 1)],
        "edges": [{"from": 1, "to": 2}, {"from": 2, "to": 3}],
    }
    for one, other, place in (("Maria", "Tom", "Oslo"), ("Anna", "Peter", "Rome"), ("Laura", "Daniel", "Prague"))
]


def grown(rows: list[Row], count: int = 20) -> list[Row]:
    """Return rows grown from each of ``rows``, with running serials."""
    statistics = ValueStatistics(rows, {})
    templates = [row_template(row, statistics, 1) for row in rows]
    places = range(count * len(rows))
    drawn = [templates[at % len(rows)].render(at, Random(at), at) for at in places]
    return [row for row in drawn if row is not None]


def test_ids_that_are_unique_over_rows_stay_so() -> None:
    """No two items of any rows have the same id, and the main item is one of the row's own."""
    new = grown(ORDERS)
    ids = [str(item["id"]) for row in [*ORDERS, *new] for item in row["items"]]
    assert len(set(ids)) == len(ids)
    assert all(row["main_item"] == row["items"][-1]["id"] for row in new)


def test_ids_that_count_the_items_of_a_row_stay() -> None:
    """1, 2, 3 in every row, and the edges between them."""
    new = grown(GRAPHS)
    assert all([node["id"] for node in row["nodes"]] == [1, 2, 3] for row in new)
    assert all(row["edges"] == GRAPHS[0]["edges"] for row in new)
    assert all(str(row["text"]) == "{} met {} in {}.".format(*(node["name"] for node in row["nodes"])) for row in new)
    assert len({str(row["text"]) for row in new}) > 40


def test_new_ids_alone_make_no_new_row() -> None:
    """The imitator answers with the seed, which is rejected as an echo."""
    rows: list[Row] = [
        {"items": [{"id": f"it-{n}1", "name": name}, {"id": f"it-{n}2", "name": "a thing"}], "text": "It is here."}
        for n, name in enumerate(("qualix", "brontel", "zimtar"), 1)
    ]
    statistics = ValueStatistics(rows, {})
    assert all(row in rows for row in Imitator(statistics, {}).imitate(rows, 10, 0, Random(1)))


def test_positions_in_a_list_stay_whatever_they_are_called() -> None:
    """Turn 1, turn 2 in every row."""
    rows: list[Row] = [
        {"turns": [{"رقم": 1, "text": f"Order {n} is late."}, {"رقم": 2, "text": f"Order {n} ships."}]}
        for n in (40213, 51877, 66120)
    ]
    assert all([turn["رقم"] for turn in row["turns"]] == [1, 2] for row in grown(rows))


def test_a_stated_number_of_items_stays() -> None:
    """An order of 3 items has three."""
    rows: list[Row] = [{**row, "text": f"{row['text']} It has {len(row['items'])} items."} for row in ORDERS]
    assert all(f"It has {len(row['items'])} items." in str(row["text"]) for row in grown(rows))


def test_numbers_of_items_are_no_ids() -> None:
    """Prices that happen to differ are values."""
    rows: list[Row] = [{"items": [{"price": 3 * n + at, "name": "a"} for at in range(3)]} for n in range(5)]
    ids = NestedIds(rows)
    assert not ids.unique | ids.local


@pytest.mark.parametrize(
    ("text", "place"),
    [("In Milan, {} sold a boat.", True), ("{} Silva met Milan Weber.", False)],
)
def test_a_word_that_may_be_a_place_or_a_person(text: str, place: bool) -> None:
    """The words beside it in the row decide; other fields with it follow."""
    rows: list[Row] = [{"text": text.format(name), "about": "Milan"} for name in ("Maria", "Tom", "Anna")]
    statistics = ValueStatistics(rows, {})
    kinds = {each.kind for each in statistics.entities(rows[0])["about",]}
    assert kinds == {"city" if place else "first-name"}
    assert all(str(row["about"]) in str(row["text"]) for row in grown(rows))
