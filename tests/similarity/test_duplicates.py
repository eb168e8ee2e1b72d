"""The exact index: the same question, and the same row."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.recipe import Categories, Field, Recipe, Seeds
from selfinstruct.records import Row
from selfinstruct.similarity.duplicates import DuplicateIndex, answer_fields, is_open, question_fields


def recipe(fields: dict[str, Field], categories: Categories | None = None) -> Recipe:
    """A recipe of these fields."""
    return Recipe(name="r", seeds=Seeds(file="r.jsonl"), fields=fields, categories=categories or Categories())


def test_grounded_fields_and_the_label_are_answers() -> None:
    """What the other fields determine is an answer; where nothing else is left, all fields are the question."""
    logqa = recipe({"Question": Field(), "Answer": Field(appears_in="RawLog"), "RawLog": Field()})
    assert answer_fields(logqa) == ("Answer",)
    assert question_fields(logqa) == ("Question", "RawLog")
    tickets = recipe({"text": Field(), "label": Field()}, Categories(by="field", field="label"))
    assert (answer_fields(tickets), question_fields(tickets)) == (("label",), ("text",))
    alone = recipe({"label": Field()}, Categories(by="field", field="label"))
    assert question_fields(alone) == ("label",)


def test_values_are_compared_as_json() -> None:
    """1, 1.0, true and "1" are four values; the order of an object's keys and of a row's fields is none."""
    twins = DuplicateIndex(["q"])
    for value in (1, 1.0, True, "1", [1], {"a": 1, "b": 2}, "\ud800"):
        assert twins.find({"q": value, "a": ""}) is None
        number = twins.add({"q": value, "a": ""})
        assert twins.find({"a": "", "q": value}) == (number, True)
    assert twins.find({"q": {"b": 2, "a": 1}, "a": ""}) == (5, True)


scalars: st.SearchStrategy[Any] = st.sampled_from(["", "a", "b", 0, 0.0, False, None])


@given(st.lists(st.fixed_dictionaries({"q": scalars, "c": scalars, "a": scalars}), max_size=30))
def test_finds_what_a_scan_finds(rows: list[Row]) -> None:
    """The first row that is the same whole, else the first with the same question, else none."""
    twins = DuplicateIndex(["q", "c"])
    for at, row in enumerate(rows):
        same = [n for n, other in enumerate(rows[:at]) if repr(sorted(other.items())) == repr(sorted(row.items()))]
        asks = [n for n, other in enumerate(rows[:at]) if repr([other["q"], other["c"]]) == repr([row["q"], row["c"]])]
        expected = (same[0], True) if same else (asks[0], False) if asks else None
        assert twins.find(row) == expected
        assert twins.add(row) == at
    assert len(twins) == len(rows)


def test_a_question_with_an_empty_field_is_open() -> None:
    """An empty string counts, null or a missing field does not."""
    assert is_open({"instruction": "Write a poem.", "input": ""}, ["instruction", "input"])
    assert not is_open({"instruction": "Add them.", "input": "1 2", "output": ""}, ["instruction", "input"])
    assert not is_open({"instruction": "Add them.", "input": None}, ["instruction", "input", "context"])


def test_texts_are_compared_by_their_canonical_forms() -> None:
    """Composed and decomposed rows are one, at any depth; letter case and marks make another one."""
    index = DuplicateIndex(["q"])
    index.add({"q": ["Zoë", {"a": "１２"}], "a": "café"})
    assert index.find({"q": ["Zoe\u0308", {"a": "12"}], "a": "cafe\u0301\u200b"}) == (0, True)
    assert index.find({"q": ["Zoë", {"a": "12"}], "a": "Café"}) == (0, False)
    assert index.find({"q": ["Zoe", {"a": "12"}], "a": "café"}) is None
