"""The limits of parsing replies: kept text, depth of nesting, and where refusals are searched for."""

from __future__ import annotations

from selfinstruct.replies import parse_reply
from selfinstruct.replies.reader import MAX_DEPTH
from selfinstruct.replies.walk import MAX_EXCERPT


def test_reasoning_tags_in_the_strings_of_valid_json_are_kept() -> None:
    """Reasoning is removed only from replies that are not entirely valid JSON."""
    parsed = parse_reply('{"A": "end with </think> here"}', ["A"])
    assert parsed.candidates[0].row == {"A": "end with </think> here"}
    assert parsed.notes == ()


def test_an_apology_late_in_a_reply_is_not_a_refusal() -> None:
    """Only the first 300 characters are searched for a refusal."""
    assert parse_reply("I'm sorry, I cannot help.", ["A"]).failure == "refusal"
    assert parse_reply("x " * 200 + "sorry", ["A"]).failure == "malformed"


def test_the_text_of_an_invalid_row_is_truncated() -> None:
    """At most MAX_EXCERPT characters are kept, of JSON and of labelled lines."""
    torn = parse_reply('{"A": "' + "x" * 2 * MAX_EXCERPT, ["A"]).candidates[0]
    assert torn.row is None and len(torn.text) == MAX_EXCERPT
    labelled = parse_reply("A: " + "x" * 2 * MAX_EXCERPT + "\nB: y", ["A", "B"]).candidates[0]
    assert len(labelled.text) == MAX_EXCERPT


def test_repaired_objects_have_the_same_limit_of_nesting_as_valid_ones() -> None:
    """An object with a trailing comma may have at most MAX_DEPTH levels."""
    for levels, problem in ((MAX_DEPTH, ""), (MAX_DEPTH + 1, "nested")):
        value = "[" * (levels - 1) + "]" * (levels - 1)
        assert parse_reply(f'{{"A": {value},}}', ["A"]).candidates[0].problem == problem
