"""Limits and borders of reading replies: how much is kept, how deep, how far a refusal is looked for."""

from __future__ import annotations

from selfinstruct.replies import parse_reply
from selfinstruct.replies.reader import MAX_DEPTH
from selfinstruct.replies.walk import MAX_EXCERPT


def test_a_clean_reply_keeps_the_tags_of_reasoning_in_its_strings() -> None:
    """Reasoning is cut off only where the reply is not wholly JSON."""
    parsed = parse_reply('{"A": "end with </think> here"}', ["A"])
    assert parsed.candidates[0].row == {"A": "end with </think> here"}
    assert parsed.notes == ()


def test_an_apology_far_into_a_reply_is_no_refusal() -> None:
    """Only the first 300 characters are searched for a refusal."""
    assert parse_reply("I'm sorry, I cannot help.", ["A"]).failure == "refusal"
    assert parse_reply("x " * 200 + "sorry", ["A"]).failure == "malformed"


def test_of_a_long_piece_without_a_row_only_the_beginning_is_kept() -> None:
    """JSON or labelled lines: at most KEPT characters of the reply."""
    torn = parse_reply('{"A": "' + "x" * 2 * MAX_EXCERPT, ["A"]).candidates[0]
    assert torn.row is None and len(torn.text) == MAX_EXCERPT
    labelled = parse_reply("A: " + "x" * 2 * MAX_EXCERPT + "\nB: y", ["A", "B"]).candidates[0]
    assert len(labelled.text) == MAX_EXCERPT


def test_nesting_is_limited_in_repaired_objects_as_in_valid_ones() -> None:
    """An object with a trailing comma may have DEEPEST levels, and no more."""
    for levels, problem in ((MAX_DEPTH, ""), (MAX_DEPTH + 1, "nested")):
        value = "[" * (levels - 1) + "]" * (levels - 1)
        assert parse_reply(f'{{"A": {value},}}', ["A"]).candidates[0].problem == problem
