"""Token boundaries: where a value may begin and end in a text."""

from __future__ import annotations

from selfinstruct.text import find_span, find_spans


def test_parts_of_a_number_are_not_tokens() -> None:
    """There is no boundary at a decimal point or a thousands separator."""
    assert find_span("5", "1.5") is None and find_span("1", "1.5") is None
    assert find_span("000", "1,000") is None
    assert find_span("5", "a.5") == (2, 3) and find_span("1", "1.") == (0, 1)


def test_overlapping_spans_are_all_found() -> None:
    """All occurrences are returned."""
    assert find_spans("a b a", "a b a b a") == [(0, 5), (4, 9)]
