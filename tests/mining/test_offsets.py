"""Offsets are recognised by what they point at, and follow their text."""

from __future__ import annotations

from random import Random

import pytest

from selfinstruct.mining import ValueStatistics, row_template
from selfinstruct.mining.offsets import Offsets
from selfinstruct.records import Row

SPANS: list[Row] = [
    {"text": "Maria Stone moved to Vienna in 2011.", "entities": [[0, 11, "PERSON"], [21, 27, "PLACE"]]},
    {"text": "In 2004 Tom Becker left Dublin.", "entities": [[8, 18, "PERSON"], [24, 30, "PLACE"]]},
    {"text": "Jonas Weber loves Zurich.", "entities": [[0, 11, "PERSON"], [18, 24, "PLACE"]]},
]


def grown(rows: list[Row], count: int = 20) -> list[tuple[Row, Row]]:
    """Return pairs of a seed and a row grown from it."""
    statistics = ValueStatistics(rows, {})
    templates = [row_template(row, statistics, 1) for row in rows]
    drawn = [(each.row, each.render(at, Random(at))) for at in range(count) for each in templates]
    return [(seed, row) for seed, row in drawn if row is not None]


def span(row: Row, start: int, end: int) -> str:
    """Return a span of a row's text."""
    text = row["text"]
    assert isinstance(text, str)
    return text[start:end]


def test_bounds_in_lists_follow_the_text() -> None:
    """[start, end, label] bounds the whole name and place of every new row."""
    changed = 0
    for seed, row in grown(SPANS):
        for old, new in zip(seed["entities"], row["entities"], strict=True):
            words, seeds_words = span(row, *new[:2]), span(seed, *old[:2])
            assert len(words.split()) >= len(seeds_words.split())
            assert all(word[0].isupper() for word in words.split())
            changed += words != seeds_words
    assert changed > 20


@pytest.mark.parametrize(
    ("form", "write"),
    [
        ("end", lambda start, end: {"start": start, "end": end}),
        ("length", lambda start, end: {"offset": start, "length": end - start}),
        ("last", lambda start, end: {"begin": start, "last": end - 1}),
    ],
)
def test_forms_of_spans(form: str, write: object) -> None:
    """A span is given by its end, its length or its last character, also in the strings of a table."""
    for convert in (int, str):
        rows: list[Row] = []
        for seed in SPANS:
            start, end, _ = seed["entities"][1]
            bounds = {key: convert(value) for key, value in write(start, end).items()}  # type: ignore[operator]
            rows.append({"text": seed["text"], **bounds})
        offsets = Offsets(rows)
        assert [pair.form for pair in offsets.pairs] == [form]
        for _, row in grown(rows, 5):
            start, second = [int(row[key]) for key in list(row)[1:]]
            end = {"end": second, "length": start + second, "last": second + 1}[form]
            assert span(row, start, end)[0].isupper()
            assert row["text"][end : end + 1] in (" ", ".")
            assert type(row[list(row)[1]]) is convert


def test_a_value_that_a_span_cuts_is_kept() -> None:
    """A date of which a span covers the year alone does not vary, nor does the other date of its row."""
    rows: list[Row] = [
        {"text": f"{before} 2021-03-0{day} or 2021-04-11.", "span": {"start": len(before) + 1, "end": len(before) + 5}}
        for day, before in enumerate(("From", "Sent on", "Due until the"), 1)
    ]
    assert Offsets(rows).pairs
    assert all(row["text"] == seed["text"] for seed, row in grown(rows, 5))


def test_numbers_of_a_table_are_no_offsets() -> None:
    """Counts beside a text are not its offsets, though some of them are places in it by chance."""
    rows: list[Row] = [
        {"text": f"Parcel from dock {n} to hall {n + 3}", "width": n % 7, "height": n % 11 + 3} for n in range(12)
    ]
    assert Offsets(rows).paths == frozenset()
