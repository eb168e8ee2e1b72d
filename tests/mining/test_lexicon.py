"""The word lists that ship with the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import selfinstruct.mining.lexicon
from selfinstruct.mining.lexicon import groups, names, words
from selfinstruct.text import is_unspaced

FOLDER = Path(selfinstruct.mining.lexicon.__file__).parent
#: Verbs, prepositions, plurals...: no article stands before them, so that it does not matter how they begin.
NEVER_AFTER_AN_ARTICLE = {
    "I", "a", "advantages", "am", "appear", "appears", "are", "as", "because", "despite", "determine", "due", "during",
    "ensure", "establish", "every", "except", "from", "in", "investigate", "is", "it", "look", "make", "on", "once",
    "over", "owing", "pros", "seem", "seems", "some", "to", "until", "up", "using", "was", "were", "with", "yet",
}  # fmt: skip
#: Lists whose entries are read after "a": a word that takes "an" among them would show.
AFTER_A = ("devices", "products")
SIZES = {
    "apps": 30, "browsers": 8, "cities": 150, "companies": 60, "countries": 60, "devices": 10,
    "disconnect-reasons": 20, "first-names": 200, "host-names": 120, "operating-systems": 8,
    "products": 80, "surnames": 200, "user-names": 250, "zh-dynasties": 20, "zh-given-characters": 120,
    "zh-hexagrams": 64, "zh-places": 80, "zh-surnames": 100, "zh-title-stems": 150, "zh-title-suffixes": 20,
}  # fmt: skip


def test_every_file_of_the_folder_has_a_name() -> None:
    """names() returns every text file of the folder."""
    assert set(names()) == {path.stem for path in FOLDER.glob("*.txt")}
    assert set(SIZES) < set(names())


@pytest.mark.parametrize("name", names())
def test_lists_have_a_header_and_clean_entries(name: str) -> None:
    """A list starts with its subject and origin; no entry is blank, padded or duplicated."""
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    header = " ".join(line for line in lines if line.startswith("#"))
    assert lines[0].startswith("# ") and "Written for this project." in header
    entries = words(name)
    assert entries and all(entry and entry == entry.strip() for entry in entries)
    assert not any(entry.startswith("#") for entry in entries)
    assert len({entry.casefold() for entry in entries}) == len(entries) == len(set(entries))
    assert len(entries) == len(lines) - sum(line.startswith("#") for line in lines)


@pytest.mark.parametrize(("name", "least"), SIZES.items())
def test_lists_are_long_enough_to_draw_from(name: str, least: int) -> None:
    """A list that shrinks makes the imitator repeat itself."""
    assert len(words(name)) >= least


@pytest.mark.parametrize("name", AFTER_A)
def test_nouns_can_replace_one_another_after_an_article(name: str) -> None:
    """Every entry takes "a", so that a redraw leaves the article right."""
    assert [entry for entry in words(name) if re.match(r"[aeiou]|hour|honest|heir", entry, re.IGNORECASE)] == []


def test_account_and_host_names_are_single_tokens() -> None:
    """A log line is split at its spaces: a name with one would shift every later field."""
    for name in ("user-names", "host-names", "authentication-methods"):
        assert all(re.fullmatch(r"[a-z][a-z0-9_./-]*", entry) for entry in words(name)), name
    assert "root" not in words("user-names")


def test_the_hexagrams_are_the_64_in_the_received_order() -> None:
    """The list is a fact, not a sample: 64 different names, from 乾 to 未济."""
    hexagrams = words("zh-hexagrams")
    assert len(set(hexagrams)) == 64
    assert (hexagrams[0], hexagrams[6], hexagrams[14], hexagrams[63]) == ("乾", "师", "谦", "未济")
    assert set(words("zh-trigrams")) < set(hexagrams)


def test_chinese_lists_hold_chinese_characters_only() -> None:
    """No Latin letter, digit or blank strays into a Chinese list (marks belong to sayings and chapters)."""
    for name in (name for name in names() if name.startswith("zh-")):
        for entry in words(name):
            assert all(is_unspaced(character) or character in "，。；·" for character in entry), (name, entry)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_groups_offer_a_choice_and_share_no_entry(language: str) -> None:
    """Each group has at least two phrases, and a phrase belongs to one group: what may replace it is one answer."""
    every = [phrase for group in groups(language) for phrase in group]
    assert len(groups(language)) >= {"en": 120, "zh": 60}[language]
    assert all(len(group) >= 2 for group in groups(language))
    assert len({phrase.casefold() for phrase in every}) == len(every)
    assert all(phrase == phrase.strip() and phrase and "|" not in phrase for phrase in every)


def test_english_groups_keep_the_article_before_them_right() -> None:
    """Either all the phrases of a group open with a vowel, or none, or no article can stand before them."""

    def opens_with_vowel(phrase: str) -> bool:
        return re.match(r"[aeio]|un|up", phrase, re.IGNORECASE) is not None

    for group in groups("en"):
        free = all(phrase.split()[0].split("'")[0] in NEVER_AFTER_AN_ARTICLE for phrase in group)
        assert free or len({opens_with_vowel(phrase) for phrase in group}) == 1, group


def test_english_groups_keep_negation_and_numbers() -> None:
    """A phrase and its substitute are both negative or both not, and no phrase holds a digit."""
    negative = re.compile(r"\b(not|cannot|never|nothing|nobody|unable|\w+n't|can't|won't)(?!\w)")
    for group in groups("en"):
        assert len({negative.search(phrase) is not None for phrase in group}) == 1, group
        assert not any(re.search(r"\d", phrase) for phrase in group), group


def test_english_entries_are_lower_case_but_for_the_pronoun() -> None:
    """Capitals at the start of a sentence are the reader's business, so the list holds none of its own."""
    for group in groups("en"):
        for phrase in group:
            assert re.sub(r"\bI\b", "i", phrase).islower(), phrase


def test_chinese_phrases_hold_none_of_their_own_group() -> None:
    """手机号 -> 手机号码 would turn 手机号码 into 手机号码码: no phrase is part of another of its group."""
    for group in groups("zh"):
        for phrase in group:
            assert not any(phrase != other and phrase in other for other in group), group


def test_an_unknown_list_is_refused_by_name() -> None:
    """The error lists the valid names; a path is not one."""
    with pytest.raises(LookupError, match=r"no such word list: 'citys'; expected one of: .*cities"):
        words("citys")
    with pytest.raises(LookupError):
        words("../text")
    with pytest.raises(LookupError):
        groups("fr")


def test_a_list_is_read_once() -> None:
    """The second call returns the same tuple."""
    assert words("cities") is words("cities")
