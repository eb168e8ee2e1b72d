"""Errors name parameters; the command line replaces them by its options."""

from __future__ import annotations

import pytest

from selfinstruct.errors import InputError, spell_options

OPTIONS = {"rows": "--rows", "base_url": "--base-url", "force": "--force"}


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("`rows` and `base_url`", "--rows and --base-url"),
        ("`rows=100`", "--rows 100"),
        ('`base_url="http://h:1/v1"`', "--base-url http://h:1/v1"),
        ("`force=True`", "--force"),
        ("`out`, `rows.x`, `run rows` and rows", "`out`, `rows.x`, `run rows` and rows"),
    ],
)
def test_parameters_in_backquotes_are_replaced_by_their_options(text: str, spelled: str) -> None:
    """With the value, if there is one; other words and unknown names stay as they are."""
    assert spell_options(text, OPTIONS) == spelled


def test_message_and_hint_are_both_translated() -> None:
    """The error itself keeps the names that a Python caller knows."""
    error = InputError("`rows`: expected at least 1", hint="Set `rows=100`.")
    assert error.spelled(OPTIONS) == ("--rows: expected at least 1", "Set --rows 100.")
    assert str(error) == "`rows`: expected at least 1\n  Set `rows=100`."
