"""The reader of labels."""

from __future__ import annotations

import random

import pytest

from selfinstruct.readers import Example, Prediction
from selfinstruct.readers.label_reader import LabelReader

ENGLISH = [
    Example("", f"{opening} {text}", label)
    for opening in ("today", "so", "well then", "in short")
    for text, label in (("the app crashes", "bug"), ("refund my card", "billing"), ("where is the parcel", "delivery"))
]
CHINESE = [
    Example("", f"{opening}{text}", label)
    for opening in ("今天", "你好，", "请问", "总之")
    for text, label in (("应用崩溃了", "故障"), ("银行卡要退款", "账单"), ("包裹在哪里", "物流"))
]


@pytest.mark.parametrize(
    ("rows", "text", "label"),
    [(ENGLISH, "my parcel is late", "delivery"), (CHINESE, "我的包裹还没到", "物流"), (CHINESE, "又崩溃", "故障")],
)
def test_labels_follow_from_the_words_of_the_text(rows: list[Example], text: str, label: str) -> None:
    """A text with other words around the telling ones gets the label, in English and Chinese."""
    found = LabelReader().fit(rows).predict("", text)
    assert found.answer == label
    assert 1 / 3 < found.confidence <= 1


def test_the_order_of_rows_does_not_matter_and_repeated_ones_count_as_often() -> None:
    """Shuffled rows give the same figures; a row that is repeated is trusted more."""
    mixed = list(ENGLISH)
    random.Random(4).shuffle(mixed)
    one, other = LabelReader().fit(ENGLISH), LabelReader().fit(mixed)
    assert one.predict("", "the card crashes") == other.predict("", "the card crashes")
    surer = LabelReader().fit(ENGLISH * 20)
    assert surer.predict("", "refund my card").confidence > one.predict("", "refund my card").confidence


def test_one_label_or_none_needs_no_model() -> None:
    """With one label in training it is the answer to everything; without training there is no answer."""
    assert LabelReader().fit(ENGLISH[:1]).predict("", "anything") == Prediction("bug", 1.0)
    assert LabelReader().predict("", "anything") == Prediction("", 0.0)


def test_the_question_is_a_part_of_the_text() -> None:
    """A question that tells the label is used."""
    rows = [Example(f"is it {word}?", f"row {n}", word) for n in range(8) for word in ("red", "blue")]
    assert LabelReader().fit(rows).predict("is it blue?", "row 99").answer == "blue"
