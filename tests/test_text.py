"""The same text: canonical form, tokens, token bounds, spans and numbers."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.text import align, canonical, caseless, find_span, find_spans, is_bound, number_value, tokens

#: Letters with what may change, join or vanish beside them, in many scripts.
CHARACTERS = (
    "aB1 .-,kée\u0301\u0344\u212aßİΣक\u093cि्ऩ\u0958\u200d\u200cരന്ൻم\u064bی\u200b\ufeff\u00ad\ufe0f\u200f"
    "👨１Ａ，\u3000ｶﾞガか\u3099"
    "กำ่각가豈ﾡ\u3164𑄮#\u20e3元乾ש\u05b8ᠠ\u180e"
)
TEXTS = st.text(CHARACTERS, max_size=10)


def test_parts_of_a_number_are_not_tokens() -> None:
    """There is no boundary at a decimal point or a thousands separator."""
    assert find_span("5", "1.5") is None and find_span("1", "1.5") is None
    assert find_span("000", "1,000") is None
    assert find_span("5", "a.5") == (2, 3) and find_span("1", "1.") == (0, 1)


def test_overlapping_spans_are_all_found() -> None:
    """All occurrences are returned."""
    assert find_spans("a b a", "a b a b a") == [(0, 5), (4, 9)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoë", "Zoe\u0308"),
        ("Đà Nẵng", unicodedata.normalize("NFD", "Đà Nẵng")),
        ("TID 12", "\uff34\uff29\uff24\u3000\uff11\uff12"),
        ("ガギグ", "\uff76\uff9e\uff77\uff9e\uff78\uff9e"),
        ("task 12", "\ufefftask\u200b 1\u00ad2\u200f"),
        ("가", "\u1100\u1161"),
        ("豈", "\uf900"),
        ("👨👩", "👨\u200d👩"),
        ("❤", "❤\ufe0f"),
        ("foo", "f\u200coo"),
    ],
)
def test_texts_that_look_the_same_are_the_same_text(one: str, other: str) -> None:
    """Composed or not, of any width, with or without invisible characters."""
    assert canonical(one) == canonical(other)
    assert tokens(one) == tokens(other)
    assert find_span(one, f"x {other} y") == (2, 2 + len(other.removeprefix("\ufeff").removesuffix("\u200f"))) or (
        "\ufeff" in other
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x²", "x2"),
        ("ﬁ", "fi"),
        ("نامه\u200cای", "نامهای"),
        ("ന്\u200d", "ന്"),
        ("क्\u200dष", "क्ष"),
        ("मेरी", "मेरे"),
        ("किताब", "कताब"),
        ("ä", "a"),
        ("ש\u05b8", "ש"),
    ],
)
def test_texts_that_mean_something_else_are_distinct(one: str, other: str) -> None:
    """Superscripts, ligatures, joiners that distinguish words, and marks."""
    assert canonical(one) != canonical(other)
    assert tokens(one) != tokens(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("मेरी बेटी की किताब", ["मेरी", "बेटी", "की", "किताब"]),
        ("كِتَابٌ جديد", ["كِتَابٌ", "جديد"]),
        ("שָׁלוֹם", [unicodedata.normalize("NFC", "שָׁלוֹם")]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("می\u200cروم", ["می\u200cروم"]),
        ("Zoe\u0308 ate", ["zoë", "ate"]),
        ("İstanbul", ["i̇stanbul"]),
        ("😀 ok 👍🏽", ["ok"]),
    ],
)
def test_marks_belong_to_their_word(text: str, expected: list[str]) -> None:
    """Vowel signs, points and joiners are part of the token; emoji are none."""
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("needle", "text", "span"),
    [
        ("राम", "आज रामायण में", None),
        ("राम", "आज राम के", (3, 6)),
        ("ש", "ש\u05b8לום", None),
        ("e", "cafe\u0301 e", (6, 7)),
        ("café", "le cafe\u0301.", (3, 8)),
        ("29", "stage\u3000\uff12\uff19.", (6, 8)),
        ("9", "stage \uff12\uff19", None),
        ("0", "\uff12\uff19\uff0e\uff10", None),
        ("کتاب", "کتاب\u200cها", None),
        ("task", "\ufefftask\u200b done", (1, 5)),
        ("❤", "I ❤\ufe0f you", (2, 4)),
        ("乾", "元乾。", (1, 2)),
        ("\u200b", "a \u200b b", None),
        ("task", "ta\u00adsk", (0, 5)),
        ("ta", "ta\u00adsk", None),
        ("4", "第3，4卦", (3, 4)),
        ("rdd_4", "ｒｄｄ＿４２", None),
        ("rdd", "ｒｄｄ＿４２", None),
    ],
)
def test_spans_are_places_of_the_stored_text(needle: str, text: str, span: tuple[int, int] | None) -> None:
    """Compared canonically, between token bounds; a span includes the marks of its last character."""
    assert find_span(needle, text) == span


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_canonical_form_is_one_for_equivalent_texts(text: str) -> None:
    """It is its own canonical form, and that of every equivalent text; tokens follow it."""
    form = canonical(text)
    assert canonical(form) == form
    for name in ("NFC", "NFD"):
        equivalent = unicodedata.normalize(name, text)
        assert canonical(equivalent) == form
        assert tokens(equivalent) == tokens(form) == tokens(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.data())
def test_alignment_leads_back_to_the_same_text(text: str, data: st.DataObject) -> None:
    """Each part of the canonical form that has a place in the stored text is the canonical form of that place."""
    alignment = align(text)
    assert alignment.text == canonical(text)
    start = data.draw(st.integers(0, len(alignment.text)))
    end = data.draw(st.integers(start, len(alignment.text)))
    part = alignment.text[start:end]
    joiners = "\u180e\u200c\u200d"  # kept by what is on both sides
    if (
        part
        and part[0] not in joiners
        and part[-1] not in joiners
        and (place := alignment.stored(start, end)) is not None
    ):
        assert canonical(text[slice(*place)]) == part


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_a_span_of_the_stored_text_is_the_same_text(before: str, needle: str) -> None:
    """What is found, is the needle; a needle between blanks is found."""
    text = f"{before} {needle} {before}"
    for start, end in find_spans(needle, text):
        assert is_bound(text, start) and is_bound(text, end)
        assert canonical(text[start:end]).rstrip("\u200c\u200d") == canonical(needle).rstrip("\u200c\u200d")


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_ascii_tokens_are_those_of_rouge_score(text: str) -> None:
    """ASCII text has the tokens of rouge-score's own tokenizer."""
    from rouge_score.tokenize import tokenize

    assert tokens(text) == tokenize(text, None)
    assert canonical(text) is text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("29.0", "29"),
        ("1,234", "1234"),
        ("12,34,567.5", "1234567.5"),
        ("\uff11\uff0c\uff12\uff13\uff14", "1234"),
        ("٢٩", "29"),
        ("-1.234,5", "-1234.5"),
        ("\u22125", "-5"),
        ("1'234.50", "1234.5"),
        ("1\u202f234", "1234"),
        ("1.234.567", "1234567"),
        ("0,5", "0.5"),
        (" .5 ", "0.5"),
        ("5.", "5"),
        ("1e-05", "0.00001"),
        ("007", "7"),
    ],
)
def test_numbers_are_compared_by_value(text: str, value: str) -> None:
    """Digits of any script and width, grouped or not."""
    assert number_value(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "three", "29%", "28.0.1", "10.0.0.7", "1,23,4", "nan", "inf", "1_000", "1 234", "e5", "²"]
)
def test_other_texts_are_no_numbers(text: str) -> None:
    """Words, versions, addresses and lists have no value."""
    assert number_value(text) is None


def test_labels_are_compared_without_letter_case_and_outer_blanks() -> None:
    """Full case folding on the canonical form."""
    assert caseless(" Straße\u3000") == caseless("STRASSE")
    assert caseless("\uff2f\uff2b") == caseless("ok ")
    assert caseless("J\u030c") == caseless("ǰ")
    assert caseless(True) == "true"
