"""Check digits: right ones are recognised, wrong ones refused, and new numbers get right ones."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.mining.code_generators import CheckedGenerator, HexGenerator
from selfinstruct.values.check_digits import completed, free_places, is_valid, scheme_of

VALID = {
    "DE89370400440532013000": "iban",
    "GB82 WEST 1234 5698 7654 32": "iban",
    "FR14 2004 1010 0505 0001 3M02 606": "iban",
    "9780306406157": "isbn",
    "978-0-306-40615-7": "isbn",
    "0-306-40615-2": "isbn10",
    "080442957X": "isbn10",
    "4006381333931": "ean",
    "73513537": "ean",
    "4539 1488 0343 6467": "luhn",
    "378282246310005": "luhn",
    "11010519491231002X": "resident_id",
}


@pytest.mark.parametrize(("text", "name"), VALID.items())
def test_published_numbers(text: str, name: str) -> None:
    """Numbers of the standards' own examples are right, and every other last or check digit is wrong."""
    assert is_valid(text, name)
    assert completed(text, name) == text
    at = 3 if name == "iban" else len(text) - 1
    others = [text[:at] + digit + text[at + 1 :] for digit in "0123456789" if digit != text[at]]
    assert not any(is_valid(other, name) for other in others)


@settings(deadline=None)
@given(st.sampled_from(sorted(VALID)), st.integers(0, 10_000))
def test_new_numbers_have_right_check_digits(text: str, seed: int) -> None:
    """They keep the first digits, the marks and the length, and are told from the seed's in most draws."""
    name = VALID[text]
    drawn = CheckedGenerator(text, name).draw(0, Random(seed))
    assert is_valid(drawn, name)
    assert len(drawn) == len(text)
    free = free_places(text, name)
    fixed = 4 if name == "iban" else 0
    assert drawn[fixed : min(free)] == text[fixed : min(free)]
    assert [c for c in drawn if not c.isalnum()] == [c for c in text if not c.isalnum()]


def test_a_scheme_needs_evidence() -> None:
    """All numbers must be right, and enough of them that chance does not explain it."""
    assert scheme_of(["DE89370400440532013000"]) == "iban"
    assert scheme_of(["9780306406157", "9780140449136"]) == "isbn"
    assert scheme_of(["9780306406157", "9780140449137"]) == ""
    assert scheme_of(["378282246310005"]) == ""
    assert scheme_of(["378282246310005", "371449635398431", "5555555555554444"]) == "luhn"
    assert scheme_of([]) == ""


def test_a_resident_number_of_no_day_is_wrong() -> None:
    """The date of birth inside is one of the calendar."""
    assert completed("110105194902310020", "resident_id") is None


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_codes_keep_what_their_digits_mean(seed: int) -> None:
    """The version and variant of a UUID, the maker of a network card, the prefix of an address."""
    rng = Random(seed)
    drawn = HexGenerator("uuid", ("16fd2706-8baf-433b-82eb-8c7fada847da",)).draw(0, rng)
    assert (drawn[14], drawn[19]) == ("4", "8")
    assert HexGenerator("mac", ("3C-52-82-0A-11-F4",)).draw(0, rng).startswith("3C-52-82-")
    assert HexGenerator("ipv6", ("2001:db8::8a2e:370",)).draw(0, rng).startswith("2001:db8::8a2e:")
