"""Relations inferred from seed rows: what is found, what chance explains, and what others imply."""

from __future__ import annotations

import random
from typing import Any

import pytest

from selfinstruct.mining.columns import columns, pattern_text
from selfinstruct.mining.relations import infer_relations
from selfinstruct.mining.significance import chance
from selfinstruct.recipe.relation_paths import parse_pattern

Rows = list[dict[str, Any]]


def described(rows: Rows, grounded: dict[str, str] | None = None) -> list[str]:
    """The inferred relations in words."""
    return [inferred.relation.describe() for inferred in infer_relations(rows, grounded)]


BOOKINGS: Rows = [
    {"guest": "Ann Reed", "nights": "3", "rate": "120.00", "total": "360.00"},
    {"guest": "Bob Lang", "nights": "2", "rate": "95.50", "total": "191.00"},
]
AGES: Rows = [
    {"note": "Ann Reed, 54 y/o female, chest pain.", "age": 54},
    {"note": "Bob Lang, 33 y/o male, headache.", "age": 33},
]
SQUAD: Rows = [
    {
        "context": "The okapi was first described in 1901 by Philip Sclater.",
        "answers": {"text": ["1901"], "answer_start": [33]},
    },
    {"context": "The Vasa was salvaged in 1961 in Stockholm.", "answers": {"text": ["1961"], "answer_start": [25]}},
]
CHOICES: Rows = [
    {"question": "What is 12 times 8?", "A": "86", "B": "96", "answer": "B"},
    {"question": "What is 9 times 7?", "A": "63", "B": "56", "answer": "A"},
]
PREFERENCES: Rows = [
    {"prompt": "How many days has February?", "chosen": "It has 29 days.", "rejected": "It has 30 days."},
    {"prompt": "When does water boil?", "chosen": "At 100 degrees.", "rejected": "At 90 degrees."},
]
NESTED: Rows = [
    {"text": "Ann Reed lives in Rome.", "places": ["Rome"]},
    {"text": "Bob Lang works in Oslo.", "places": ["Oslo"]},
]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (BOOKINGS, ["total = nights x rate"]),
        (AGES, ["age occurs in note", "age from 0 to 120"]),
        (SQUAD, ["answers.answer_start[*] is the position of answers.text[*] in context"]),
        (CHOICES, ["A, B differ", "answer is the name of one of A, B"]),
        (PREFERENCES, ["chosen, rejected differ"]),
        (NESTED, ["places[*] occurs in text"]),
        (BOOKINGS[:1], []),
        ([], []),
        ([{"a": 1, "b": 1}, {"a": 2, "b": 2}], []),
    ],
)
def test_two_rows_show_only_what_is_far_beyond_chance(rows: Rows, expected: list[str]) -> None:
    """Products, positions and long or named values are believed at two rows; equal small numbers are not."""
    assert described(rows) == expected


def orders(count: int, r: random.Random) -> Rows:
    """Rows with most kinds of relations."""
    rows = []
    for at in range(count):
        number, price = r.randint(2, 30), r.randrange(100, 9000) / 100
        tags = r.sample("abcdefgh", r.randint(1, 6))
        vat = round(number * price * 0.19 + 1e-9, 2)
        rows.append(
            {
                "number": number,
                "price": price,
                "net": round(number * price, 2),
                "vat": vat,
                "gross": round(round(number * price, 2) + vat, 2),
                "tags": tags,
                "n_tags": len(tags),
                "ordered": f"2023-{1 + at % 12:02d}-{r.randint(1, 28):02d}",
                "celsius": at * 1.7 - 20,
            }
        )
    return rows


def test_computed_and_counted_values() -> None:
    """Products, sums, taxes and counts are found once each, and the columns without a relation are not claimed."""
    assert described(orders(30, random.Random(1))) == [
        "gross = net + vat",
        "net = number x price",
        "vat = net x 0.19",
        "n_tags is the number of items of tags",
        "tags[*] differ",
        "ordered is a valid date",
        "number is at least 0",
        "price is at least 0",
        "celsius is at least -273.15",
    ]


def test_an_exception_is_reported_and_the_relation_stays() -> None:
    """One row in ten may violate a relation; its number is reported."""
    rows = orders(30, random.Random(2))
    rows[7]["net"] += 1
    inferred = {each.relation.describe(): each for each in infer_relations(rows)}
    product = inferred["net = number x price"]
    assert (product.support, product.rows, product.exceptions) == (29, 30, (7,))
    assert product.reason == "net = number x price (29 of 30 seeds)"


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [2, 3, 4, 6, 10, 40])
def test_independent_columns_have_no_relations(count: int, seed: int) -> None:
    """Small numbers, flags, dates and words that agree by accident are not believed."""
    r = random.Random(seed)
    rows = [
        {
            **{f"n{at}": r.randint(0, 5) for at in range(6)},
            **{f"flag{at}": r.choice(["yes", "no"]) for at in range(3)},
            "figure": r.randrange(100, 900) / 100,
            "text": " ".join(r.choice(["red", "green", "7", "12", "blue", "low"]) for _ in range(6)),
            "word": r.choice(["red", "green", "blue"]),
        }
        for _ in range(count)
    ]
    assert described(rows) == []


def test_constant_columns_are_evidence_for_nothing() -> None:
    """A value that is the same in nearly all rows equals others by accident."""
    rows: Rows = [{"a": 1, "b": 1, "c": "x", "d": "x y", "k": at} for at in range(30)]
    assert described(rows) == []


def test_grounded_fields_are_not_inferred_again() -> None:
    """What the recipe requires of a field already is not repeated as a relation."""
    rows: Rows = [{"answer": f"x{at}7", "text": f"the code x{at}7 of box {at}"} for at in range(10, 20)]
    assert described(rows) == ["answer occurs in text"]
    assert described(rows, {"answer": "text"}) == []


def test_what_holds_for_a_column_is_not_repeated_for_its_equal() -> None:
    """Equal columns are related once, and their other relations are inferred for the first."""
    rows: Rows = [
        {"seen": f"2023-03-{day:02d}", "written": f"March {day}, 2023", "note": f"Came on {day}.03.2023, alone."}
        for day in range(3, 20)
    ]
    assert described(rows)[:2] == ["seen equals written", "seen occurs in note"]


def test_rounded_numbers_do_not_determine_others() -> None:
    """A percentage is computed from its whole, never the whole from a rounded percentage."""
    r = random.Random(3)
    rows: Rows = []
    for _ in range(12):
        whole = r.randint(50, 900)
        part = r.randint(1, whole)
        rows.append({"whole": whole, "part": part, "share": round(100 * part / whole, 1)})
    assert described(rows) == ["share = part / whole x 100"]


def test_dates_times_and_lists() -> None:
    """Elapsed time, weekdays, items of lists and their sums are found."""
    r = random.Random(4)
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    rows: Rows = []
    for at in range(20):
        start, minutes = r.randrange(0, 1200), r.randrange(5, 230)
        amounts = [r.randrange(1, 900) for _ in range(r.randint(1, 4))]
        rows.append(
            {
                "weekday": days[at % 7],
                "date": f"2024-01-{1 + at:02d}",
                "from": f"{start // 60:02d}:{start % 60:02d}",
                "to": f"{(start + minutes) // 60:02d}:{(start + minutes) % 60:02d}",
                "minutes": minutes,
                "items": [{"amount": amount} for amount in amounts],
                "sum": sum(amounts),
            }
        )
    found = described(rows)
    assert "minutes = to - from in minutes" in found
    assert "weekday is the weekday of date" in found
    assert "sum = items[*].amount" in found


@pytest.mark.parametrize("name", ["a", "a b", "a.b", "a[0]", 'a"b', "数量", "-", "[*]", "a[*]"])
def test_any_field_name_works(name: str) -> None:
    """Paths are written and read back; a name with [*] is left out."""
    rows: Rows = [{name: f"x{at}7", "text": f"the code x{at}7 of box {at}"} for at in range(10, 20)]
    found = infer_relations(rows)
    assert len(found) == (0 if "[*]" in name else 1)
    for column in columns(rows):
        assert parse_pattern(pattern_text(column.pattern)) == column.pattern


@pytest.mark.parametrize(
    "rows",
    [
        [{}, {}],
        [{"a": None}, {"a": None}, {"a": None}],
        [{"a": [[1], [2, 3]]}, {"a": []}, {"a": {"b": [1]}}],
        [{"a": float("1e308"), "b": 10**400}, {"a": 0, "b": -1}, {"a": 1.5, "b": 2}],
        [{"a": "\ud800", "b": "\x00"}, {"a": "x" * 10_000, "b": ""}],
        [{"a": True, "b": "true"}, {"a": False, "b": "false"}, {"a": True, "b": "true"}],
    ],
)
def test_rows_of_any_shape(rows: Rows) -> None:
    """No row raises."""
    infer_relations(rows)


def test_chance_falls_with_support_and_rises_with_hypotheses() -> None:
    """The chance is corrected for the number of hypotheses, and repeated values count little."""
    few = chance(3, 3, 3, crossed_hits=0, crossed=6, prior=0.1, hypotheses=1)
    assert few > chance(6, 6, 6, crossed_hits=0, crossed=6, prior=0.1, hypotheses=1)
    assert few < chance(3, 3, 3, crossed_hits=0, crossed=6, prior=0.1, hypotheses=10)
    assert chance(90, 90, 1, crossed_hits=45, crossed=90, prior=0.5, hypotheses=1) > 0.1
