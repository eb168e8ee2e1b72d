"""Entities: the quick pattern for texts without addresses finds what the whole one does."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.mining import entities
from selfinstruct.values.time_forms import find_times, time_pattern

PIECES = st.sampled_from(
    (
        *"xaAdDpPmM09_-+(. :/元年é",
        *("AM", "3:20", "0x", "ff", "0xff", "deadbeef", "aa:bb:cc:dd:ee:ff", "12 May", "Mai", "May 3", "2023-05-01"),
        *(
            "下午",
            "3点20分",
            "令和5年",
            "第三",
            "UTC+3",
            "(030) 123-4567",
            "٣:٢٠",
            "10.0.0.7:5001",
            "-5",
            "28.0",
            "rdd_42",
        ),
        *("550e8400-e29b-41d4-a716-446655440000", "12h30", "Q3 2023"),
    )
)


@given((st.lists(PIECES, max_size=12) | st.lists(PIECES.filter(str.isascii), max_size=12)).map("".join))
def test_the_quick_patterns_find_the_same(text: str) -> None:
    """The same kinds and places as the pattern of all texts that is tried at every character; so with times alone."""
    whole = [(match.lastgroup, match.span()) for match in entities._pattern(True, False).finditer(text)]
    for ascii_only in {False, text.isascii()}:
        for mail in {True, "@" in text}:
            found = entities._pattern(mail, ascii_only).finditer(text)
            assert [(match.lastgroup, match.span()) for match in found] == whole
    if whole:
        assert entities._IN_EVERY.search(text) is not None
    times = [match.span() for match in re.finditer(time_pattern(ascii_only=False), text)]
    assert [(found.start, found.start + len(found.text)) for found in find_times(text)] == times


def test_the_key_of_the_next_value_is_no_unit() -> None:
    """A number before a key such as bytes= has neither that unit nor that count."""
    found = {each.text: each for each in entities.find_entities("status=503 bytes=1532 took=34ms sent=20 apples=3")}
    assert [(found[text].unit, found[text].is_counted) for text in ("503", "20")] == [("", False), ("", False)]
    assert found["503"].role == "code"
    assert found["34"].unit == "ms"
