"""Checks compare canonical forms: composition, width, marks and invisible characters."""

from __future__ import annotations

import unicodedata

import pytest

from selfinstruct.checks import choices, difference, identifiers
from selfinstruct.checks.grounding import find
from selfinstruct.recipe.methods import Constraints

DECOMPOSED = unicodedata.normalize("NFD", "La caisse 12 est chez Zoë Élan, près du café.")


@pytest.mark.parametrize("match", ["exact", "casefold", "whitespace", "inflected"])
def test_a_composed_value_is_grounded_in_a_decomposed_text(match: str) -> None:
    """In every mode, and the span is a place of the text as stored."""
    span = find("Zoë", DECOMPOSED, match)
    assert span is not None
    assert unicodedata.normalize("NFC", DECOMPOSED[slice(*span)]) == "Zoë"


@pytest.mark.parametrize("match", ["exact", "casefold", "whitespace", "inflected"])
def test_a_part_of_a_word_with_marks_is_ungrounded(match: str) -> None:
    """A span may not end before a combining mark."""
    assert find("राम", "किताब आज रामायण में है।", match) is None
    assert find("राम", "किताब आज राम के पास है।", match) == (9, 12)


@pytest.mark.parametrize("match", ["exact", "casefold", "whitespace", "inflected"])
def test_width_and_invisible_characters_do_not_count(match: str) -> None:
    """Full-width letters and digits, ideographic spaces, zero-width spaces."""
    assert find("TID 12", "task \uff34\uff29\uff24\u3000\uff11\u200b\uff12.", match) == (5, 12)


def test_letter_case_is_folded_with_its_marks() -> None:
    """Folding may decompose a letter or change the order of its marks."""
    assert find("ZOË ÉLAN", DECOMPOSED, "casefold") is not None
    assert find("\u0390", "x \u03aa\u0301 y", "casefold") == (2, 4)
    assert find("MASSE 4", "Die Maße 4 und 5", "casefold") == (4, 10)


def test_numbers_are_found_in_any_width() -> None:
    """An identifier in full-width digits occurs in a context with ASCII digits, and the other way round."""
    constraints = Constraints(identifiers_in="Log")
    assert identifiers.check({"Q": "task １２?", "Log": "task 12 done"}, "Q", constraints) is None
    assert identifiers.check({"Q": "task 12?", "Log": "task １２ done"}, "Q", constraints) is None
    assert identifiers.check({"Q": "task １３?", "Log": "task 12 done"}, "Q", constraints) is not None


def test_a_full_width_comma_groups_full_width_digits_alone() -> None:
    """１２，３４５ is one number, by value too; between ASCII digits the comma is punctuation."""
    assert find(12345, "共１２，３４５元", "exact") == (1, 7)
    assert find(3, "长3，宽4", "exact") == (1, 2) and find(12345, "12，345", "exact") is None
    assert find(2.50, "价２．５０元", "exact") == (1, 5)


def test_labels_and_repetitions_are_compared_canonically() -> None:
    """A decomposed label is one of the allowed ones, and a value that differs in its form only is a repetition."""
    label = unicodedata.normalize("NFD", "négatif")
    assert choices.check({"L": label}, "L", Constraints(one_of=("positif", "Négatif"))) is None
    assert difference.check({"A": label, "B": "négatif"}, "A", Constraints(differs_from="B")) is not None
