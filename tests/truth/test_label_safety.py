"""Labels that values, sentences and words decide stay true without a model, in English and Chinese."""

from __future__ import annotations

import re
from pathlib import Path

from selfinstruct import api

NLI = {
    "entailment": [("王明在北京买了3个苹果。", "王明买了3个苹果。"), ("张伟五月读了12本书。", "张伟读了12本书。")],
    "contradiction": [("王明在北京买了3个苹果。", "王明买了5个苹果。"), ("张伟五月读了12本书。", "张伟读了15本书。")],
}
QUEUE = [
    ("Oh great, another 45 minutes in the queue. Just what I wanted.", "negative"),
    ("Great, only 5 minutes in the queue. Just what I wanted.", "positive"),
    ("Nice lobby, but the bed was terrible. I slept badly.", "negative"),
    ("The soup was hardly good. Nobody helped us.", "negative"),
    ("The room was not clean. We would not stay here again.", "negative"),
    ("The room was clean. We would stay here again.", "positive"),
    ("I could not be happier with the chairs. No complaints.", "positive"),
    ("It was never boring. Everybody smiled.", "positive"),
]


def test_equal_numbers_of_two_chinese_texts_stay_equal(tmp_path: Path) -> None:
    """Where both stand between the same characters; so an entailment does not become a contradiction."""
    rows = [
        {"premise": one, "hypothesis": other, "label": label} for label, pairs in NLI.items() for one, other in pairs
    ]
    grown = list(api.run(rows, out=tmp_path / "run", rows=20).rows())
    assert grown
    for row in grown:
        numbers = [re.search(r"\d+", row[name]) for name in ("premise", "hypothesis")]
        assert all(numbers)
        assert (numbers[0][0] == numbers[1][0]) == (row["label"] == "entailment"), row  # type: ignore[index]


def test_a_last_sentence_of_both_labels_stays_with_its_own_text(tmp_path: Path) -> None:
    """What is praise after five minutes is blame after forty-five; and the adjective Nice is no city."""
    rows = [{"text": text, "label": label} for text, label in QUEUE]
    grown = list(api.run(rows, out=tmp_path / "run", rows=20).rows())
    assert len(grown) >= 8
    assert all("minutes in the queue" in row["text"] for row in grown if "Just what I wanted" in row["text"])
    assert all(row["text"].startswith("Nice") for row in grown if "lobby" in row["text"])
