"""Fenced code in values: which values the check looks at."""

from __future__ import annotations

import pytest

from selfinstruct.checks import snippets
from selfinstruct.recipe import Field, Snippets


@pytest.mark.parametrize("value", [7, None, ["```\ncode\n```"], {"text": "no code"}])
def test_values_that_are_not_text_pass(value: object) -> None:
    """A number, null, list or object has no fenced code to count, so no rule refuses it."""
    held = Field(type="any", snippets=Snippets(least=1))
    assert snippets.check({"a": value}, "a", held) is None


def test_a_text_without_code_is_refused_where_code_is_required() -> None:
    """The same rule refuses a text."""
    rejection = snippets.check({"a": "no code"}, "a", Field(snippets=Snippets(least=1)))
    assert rejection is not None and rejection.reason == "schema"
