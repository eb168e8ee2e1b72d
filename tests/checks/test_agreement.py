"""Whether a reader's answer is that of a row: texts, numbers, and what the seeds leave out or have around answers."""

from __future__ import annotations

import pytest

from selfinstruct.checks.agreement import Convention

BARE = Convention.of(
    [
        ("384.0", 'stored in memory (estimated size 384.0 KB, name "a")'),
        ("a", 'stored in memory (estimated size 384.0 KB, name "a")'),
        ("driver", "sent to the driver"),
        ("259", "金额259元"),
    ]
)
FULL = Convention.of(
    [("384.0 KB", "estimated size 384.0 KB"), ("the driver", "sent to the driver"), ('"a"', 'name "a"')]
)
NONE = Convention()


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("29.0", "29"),
        ("1,234", "1234"),
        ("not found", "not found "),
        ("e\u0301t\u00e9", "\u00e9te\u0301"),
        ("未找到", "未找到"),
    ],
)
def test_equal_texts_and_numbers_agree(answer: str, read: str) -> None:
    """Canonical text and the value of numbers count, in every convention."""
    assert all(each.agrees(answer, read) and each.agrees(read, answer) for each in (BARE, FULL, NONE))


@pytest.mark.parametrize(
    ("answer", "read"),
    [("512", "512 KB"), ("512", "512KB"), ("512", "512元"), ("master", "the master"), ("b", '"b"'), ("b", "b,")],
)
def test_what_is_around_an_answer_is_tolerated_as_the_seeds_show(answer: str, read: str) -> None:
    """A reader may add what the seeds leave out, and leave out what they have; without evidence neither."""
    assert BARE.agrees(answer, read)
    assert not BARE.agrees(read, answer)
    assert FULL.agrees(read, answer)
    assert not NONE.agrees(answer, read)


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("5", "-5"),
        ("5", "15"),
        ("5", "5.5"),
        ("found", "not found"),
        ("512", "512 blocks today"),
        ("a", ""),
        ("10.0.0.1", "10.0.0.1:22"),
    ],
)
def test_other_answers_never_agree(answer: str, read: str) -> None:
    """Signs, digits, words and ports are no decoration."""
    for each in (BARE, FULL, NONE):
        assert not each.agrees(answer, read)
        assert not each.agrees(read, answer)
