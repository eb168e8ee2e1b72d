"""Checks of the user's own: what they may return, where they come in the order, and what happens when they fail."""

from __future__ import annotations

from typing import Any

import pytest

from selfinstruct.checks import REASONS, CustomCheck
from selfinstruct.errors import ExtensionError
from selfinstruct.recipe import Field, Recipe
from selfinstruct.records import Rejection, Row

ROW: Row = {"text": "3 kg", "tags": ["a"]}
RECIPE = Recipe(name="own", fields={"text": Field(), "tags": Field(type="array")})


def rejection(returned: Any) -> Rejection | None:
    """What a check that returns ``returned`` makes of a row."""

    def units_agree(row: Row, recipe: Recipe) -> Any:
        assert (row, recipe) == (ROW, RECIPE)
        return returned

    return CustomCheck("own:units_agree", units_agree).check(ROW, RECIPE, REASONS)


def test_none_passes_and_a_text_is_the_reason() -> None:
    """Counted under one slug, with the check's name before its words."""
    assert rejection(None) is None
    assert rejection("kg and lb") == Rejection("check", "units_agree: kg and lb")


def test_a_rejection_may_have_another_reason() -> None:
    """One of the published ones, so that reports have words for it."""
    assert rejection(Rejection("pii", "a name")) == Rejection("pii", "a name")
    with pytest.raises(ExtensionError, match="own:units_agree: returned a Rejection with the unknown reason 'odd'"):
        rejection(Rejection("odd", "a name"))


@pytest.mark.parametrize("returned", [True, False, 0, "", " ", ["reason"], b"reason"])
def test_anything_else_is_an_error_of_the_check(returned: Any) -> None:
    """A bool would be read one way or the other: neither is guessed."""
    with pytest.raises(ExtensionError, match="own:units_agree: expected None or the reason as text, got "):
        rejection(returned)


def test_a_check_cannot_change_the_row() -> None:
    """It is given a copy, lists included."""

    def spoil(row: Row, recipe: Recipe) -> None:
        row.pop("text")
        row["tags"].append("b")

    assert CustomCheck("own:spoil", spoil).check(ROW, RECIPE, REASONS) is None
    assert ROW == {"text": "3 kg", "tags": ["a"]}


def test_a_check_that_raises_is_reported_with_its_line() -> None:
    """The exception's last line, and file:line of the check."""

    def broken(row: Row, recipe: Recipe) -> None:
        raise KeyError("unit")

    with pytest.raises(ExtensionError) as failed:
        CustomCheck("own:broken", broken).check(ROW, RECIPE, REASONS)
    line = broken.__code__.co_firstlineno + 1
    assert failed.value.message == f"own:broken: KeyError: 'unit' ({__file__}:{line})"
    assert failed.value.exit_code == 2
