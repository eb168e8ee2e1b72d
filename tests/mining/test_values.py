"""What holds for the values in a text: finding them, their sorts, and drawing new ones."""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import IPv4Address
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct.mining.entities import find_entities
from selfinstruct.mining.generators import (
    AddressGenerator,
    WordGenerator,
)
from selfinstruct.mining.number_generators import number_generator, permute
from selfinstruct.mining.numerals import read_chinese, write_chinese
from selfinstruct.mining.times import is_time
from selfinstruct.text import find_span, find_spans, is_bound, tokens
from selfinstruct.values.written_times import read_time, write_time


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_tokens_of_ascii_text_are_those_of_rouge_score(text: str) -> None:
    """Lower-cased runs of letters and digits, exactly as rouge-score cuts them."""
    from rouge_score import tokenize

    assert tokens(text) == tokenize.tokenize(text, None)


def test_tokens_of_a_script_without_spaces_are_its_characters() -> None:
    """Chinese gives a token for each character; other alphabets give words."""
    assert tokens("乾卦 is 元亨, Émile") == ["乾", "卦", "is", "元", "亨", "émile"]


@given(st.text("ab1.,_- 乾", max_size=8), st.text("ab1.,_- 乾", max_size=24))
def test_spans_are_the_bounded_places_and_no_others(needle: str, text: str) -> None:
    """find_spans is every place of the needle whose two ends are bounds; find_span is the first of them."""
    places = [at for at in range(len(text)) if needle and text.startswith(needle, at)]
    expected = [(at, at + len(needle)) for at in places if is_bound(text, at) and is_bound(text, at + len(needle))]
    assert find_spans(needle, text) == expected
    assert find_span(needle, text) == (expected[0] if expected else None)


@pytest.mark.parametrize(
    ("needle", "text", "found"),
    [
        ("29.0", "stage 29.0 (TID 4)", True),
        ("9.0", "stage 29.0", False),
        ("29", "stage 29.0", False),
        ("not", "not found", True),
        ("no", "not found", False),
        ("司马迁", "由西汉司马迁所撰", True),
        ("10.0", "from 10.0.0.7", False),
        ("42", "rdd_42_18", False),
        ("28", "task 28.", True),
    ],
)
def test_a_span_ends_at_token_bounds(needle: str, text: str, found: bool) -> None:
    """Neither the inside of a word nor a part of a number is a span; between Chinese characters every place is."""
    assert (find_span(needle, text) is not None) == found


@given(st.integers(1, 3000), st.integers(0, 2**32))
def test_permute_is_a_permutation(size: int, salt: int) -> None:
    """Every number below the size comes exactly once."""
    assert sorted(permute(index, size, salt) for index in range(size)) == list(range(size))


@given(st.integers(0, 9999))
def test_chinese_numerals_are_read_as_they_are_written(value: int) -> None:
    """Writing and reading give the number back."""
    assert read_chinese(write_chinese(value)) == value


@pytest.mark.parametrize(
    ("seen", "pattern"),
    [
        (["28.0", "42.0"], r"\d+\.0"),
        (["318.5", "393.0"], r"\d+\.\d"),
        (["000274", "001236"], r"\d{6}"),
        (["-160", "-15"], r"-\d+"),
        (["8255835495596186171"], r"\d{19}"),
        (["14.99"], r"\d+\.\d\d"),
    ],
)
def test_drawn_numbers_keep_the_shape_of_those_seen(seen: list[str], pattern: str) -> None:
    """Sign, padding, digits of an identifier, and a fraction that is always zero stay as they are."""
    generator = number_generator(seen, salt=3)
    drawn = [generator.draw(place, Random(place)) for place in range(400)]
    assert all(re.fullmatch(pattern, value) for value in drawn), drawn
    assert len(set(drawn)) > 100


def test_numbers_do_not_repeat_before_their_range_is_used_up_and_then_widen() -> None:
    """Two-digit seeds give each two-digit number once, and only then three digits."""
    generator = number_generator(["28", "42"], salt=5)
    drawn = [int(generator.draw(place, Random(0))) for place in range(990)]
    assert sorted(drawn[:90]) == list(range(10, 100))
    assert sorted(drawn[90:]) == list(range(100, 1000))


def test_limited_numbers_stay_within_their_limits() -> None:
    """Ports end at 65535, and a size in KB stays below 1024 however many are drawn."""
    ports = number_generator(["39814"], salt=1, port=True)
    sizes = number_generator(["318.5"], salt=1, unit="KB")
    for place in range(0, 200_000, 997):
        assert 1024 <= int(ports.draw(place, Random(0))) <= 65535
        assert 0 < float(sizes.draw(place, Random(0))) < 1024


@pytest.mark.parametrize("seen", ["10.44.1.2", "192.168.3.4", "172.16.0.9", "203.0.113.9", "8.8.8.8"])
def test_addresses_are_valid_and_private_ones_stay_private(seen: str) -> None:
    """Octets are octets, and an address of a private block stays in that block."""
    drawn = [IPv4Address(AddressGenerator((seen,)).draw(place, Random(place))) for place in range(200)]
    if IPv4Address(seen) in {IPv4Address("10.44.1.2"), IPv4Address("192.168.3.4"), IPv4Address("172.16.0.9")}:
        assert all(address.is_private for address in drawn)
        assert len({str(address).split(".")[0] for address in drawn}) == 1
    else:
        assert all(address.is_global for address in drawn)


def test_a_list_of_words_is_gone_through_before_one_comes_again() -> None:
    """Each word once a turn, in another order each turn."""
    generator = WordGenerator(("a", "b", "c", "d", "e"), salt=2)
    drawn = [generator.draw(place, Random(0)) for place in range(10)]
    assert sorted(drawn[:5]) == sorted(drawn[5:]) == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-09T10:11:12",
        "17/06/09 20:10:40",
        "Dec 31 23:59:59",
        "Mar  4 02:17:33",
        "090412 075318",
        "2023年11月9日",
        "3 March",
        "August 9, 2024",
        "23:59",
    ],
)
def test_a_moved_time_is_written_as_it_was_and_is_valid(text: str) -> None:
    """A time is found whole, and moved by any number of seconds it is still a time of the same form and width."""
    (entity,) = find_entities(text)
    assert entity.kind == "time"
    assert entity.text == text
    moment = read_time(entity.text, entity.format)
    assert isinstance(moment, datetime)
    assert write_time(text, entity.format, 0) == text
    for seconds in range(0, 60 * 86400, 86_399):
        moved = write_time(text, entity.format, seconds)
        assert is_time(moved, entity.format)
        assert re.sub(r"\d+", "#", moved).count("#") == re.sub(r"\d+", "#", text).count("#")


def test_what_only_looks_like_a_time_is_numbers() -> None:
    """A thirteenth month and a thirtieth of February are no dates."""
    assert {entity.kind for entity in find_entities("2023-13-40 and 991399 999999")} == {"number"}


def test_a_value_is_of_the_sort_that_the_word_before_it_names() -> None:
    """Keys tell the task's number from the stage's, and parts of one identifier from each other."""
    found = {
        (entity.kind, entity.text): entity.key
        for entity in find_entities("task 28.0 in stage 29.0, rdd_42_18 at 10.0.0.7:5001, ssh2")
    }
    assert found["number", "28.0"] != found["number", "29.0"]
    assert found["number", "42"] == "rdd_"
    assert found["number", "18"] == "rdd_#_"
    assert ("port", "5001") in found
    assert [entity.is_name for entity in find_entities("ssh2 TID 4")] == [True, False]
