"""Plain templates: names in braces, filled with data that is never looked at again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.recipe.placeholders import fill, lookup, names_in

VALUES = {"topic": "rain", "features": ["a twist", "a moral"], "model": {"brand": "Orv", "year": 3}, "n": 2, "none": []}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("About {topic}.", "About rain."),
        ("{model.brand} of {model.year}: {n}", "Orv of 3: 2"),
        ("with {features}", "with a twist, a moral"),
        ("with:\n{features}\nend", "with:\n- a twist\n- a moral\nend"),
        ("{features}", "- a twist\n- a moral"),
        ("[{none}]", "[]"),
        ("{{topic}} is {topic}", "{topic} is rain"),
        ('{"rows": [{"a": "{topic}"}]}', '{"rows": [{"a": "rain"}]}'),
        ("{ topic } {} {1} {a b}", "{ topic } {} {1} {a b}"),
        ("{model}", '{"brand": "Orv", "year": 3}'),
    ],
)
def test_names_are_replaced_and_nothing_else(template: str, text: str) -> None:
    """A name in braces is filled, doubled braces stand for themselves, JSON may be written as it is."""
    assert fill(template, VALUES) == text


def test_chinese_names_are_names() -> None:
    """A field of any language can be named."""
    assert names_in("关于{内容}的{概要}。") == ["内容", "概要"]
    assert fill("什么是{内容}？", {"内容": "《老子》"}) == "什么是《老子》？"


@given(st.text(), st.text())
def test_what_fills_a_place_is_never_a_template(one: str, other: str) -> None:
    """Values are inserted unchanged, including braces and names."""
    assert fill("<{one}|{other}>", {"one": one, "other": other}) == f"<{one}|{other}>"
    assert fill("<{one}>", {"one": "{other}", "other": other}) == "<{other}>"


@given(st.text())
def test_a_text_without_names_is_itself(text: str) -> None:
    """Where no place is found nothing changes, but doubled braces."""
    if not names_in(text):
        assert fill(text, {}).replace("{", "").replace("}", "") == text.replace("{", "").replace("}", "")


def test_a_name_without_a_value_is_an_error_or_what_is_said_instead() -> None:
    """No value is invented."""
    with pytest.raises(KeyError):
        fill("{topic} {other}", VALUES)
    with pytest.raises(KeyError):
        lookup(VALUES, "topic.deeper")
    assert fill("{topic} {other}", VALUES, lambda name: f"<{name}>") == "rain <other>"
