"""Finds the boundaries where a text may be cut: after sentences and paragraphs, before headings.

Languages like English end a sentence with . ! or ? before white space; Chinese and Japanese with 。！？ or ； anywhere.
A full stop does not end a sentence after an abbreviation, an initial or the number of a list item, nor before a
lower-case letter. Fenced code blocks have no boundaries inside, and a heading stays with the sentence after it.

Does not handle: scripts that do not mark the end of a sentence (Thai), abbreviations in languages other than English,
headings marked only by underlining.

>>> text = "Dr. Low paid 3.5 p. a. in the U.S. until May. Then? Nothing."
>>> [text[:place] for place, _ in boundaries(text)]  # doctest: +ELLIPSIS
['Dr. Low paid 3.5 p. a. in the U.S. until May. ', 'Dr. Low ... May. Then? ', 'Dr. Low ... Nothing.']
"""

from __future__ import annotations

import re
from enum import IntEnum

from selfinstruct.documents.samples import BLANK_LINES, Span


class Rank(IntEnum):
    """The quality of a boundary; higher is better."""

    HEADING = 0  #: directly after a heading: only if there is no other
    SENTENCE = 1
    PARAGRAPH = 2
    SECTION = 3


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Possessive, and no match begins inside a run of stops, so that a megabyte of full stops takes linear time.
_SENTENCE_END = re.compile(r"(?<![.!?…])([.!?…]++)[\"'”’)\]»*_]*+\s++")
_UNSPACED_END = re.compile(r"[。！？；｡।॥؟۔][。！？；｡।॥؟۔…]*+[”’」』）》】〕\"')\]]*+\s*+")
_ITEM = re.compile(r"\n[^\S\n]*+(?=[-*+•|]\s|\|\S|\d{1,3}[.)]\s|（?[一二三四五六七八九十]{1,3}[、）])")
_HEADING = re.compile(r"^#{1,6}[^\S\n]++[^\n]++(?:\n\s*+|\Z)", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(`{3,}+|~{3,}+)([^\n]*+)\n?", re.MULTILINE)
_LAST_WORD = re.compile(r"[\w.]+\Z")
# Longer than any abbreviation.
_LOOK_BACK = 16

_ABBREVIATIONS = _words(
    "mr mrs ms dr prof st mt ft rev hon gen col lt sgt capt gov sen rep pres messrs mme "
    "vs cf e.g i.e viz approx ca resp al esp incl excl"
)
_NUMBER_ABBREVIATIONS = _words(
    "no nos nr fig figs eq eqs sec ch chap vol vols p pp art arts par tab ed app cl "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)


def boundaries(text: str) -> list[tuple[int, Rank]]:
    """Return the boundaries of a text, in order, each at the first character after it; the last is the end.

    Time is linear in the length of the text.
    """
    places: dict[int, Rank] = {match.end(): Rank.SENTENCE for match in _UNSPACED_END.finditer(text)}
    places.update((match.end(), Rank.SENTENCE) for match in _SENTENCE_END.finditer(text) if _ends_sentence(text, match))
    places.update((match.end(), Rank.SENTENCE) for match in _ITEM.finditer(text))
    places.update((match.end(), Rank.PARAGRAPH) for match in BLANK_LINES.finditer(text))
    headings = list(_HEADING.finditer(text))
    places.update((match.start(), Rank.SECTION) for match in headings)
    places.update((match.end(), Rank.HEADING) for match in headings)
    places = _merge_fences(_fences(text), places)
    places.pop(0, None)
    places[len(text)] = Rank.SECTION
    return sorted(places.items())


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    following = text[match.end() : match.end() + 1]
    if following.islower():
        return False
    if match[1] != ".":
        return True
    at = match.start()
    found = _LAST_WORD.search(text[max(0, at - _LOOK_BACK) : at])
    word = found[0].casefold() if found else ""
    if word.isdigit():
        return not _is_line_start(text, at - len(word))
    if word in _ABBREVIATIONS or (word in _NUMBER_ABBREVIATIONS and following.isdigit()):
        return False
    initials = found[0].split(".") if found else []
    return not all(len(part) == 1 and part.isupper() for part in initials) or not initials  # J. Smith, U.S. Army


def _is_line_start(text: str, at: int) -> bool:
    begin = max(0, at - _LOOK_BACK)
    line = text.rfind("\n", begin, at)
    return (line >= 0 or begin == 0) and not text[line + 1 : at].strip()


def _fences(text: str) -> list[Span]:
    """Return the fenced blocks, from the opening fence to the line after the closing one; unclosed ones are ignored."""
    spans: list[Span] = []
    opening: re.Match[str] | None = None
    for mark in _FENCE.finditer(text):
        if opening is None:
            opening = mark
        elif mark[1].startswith(opening[1]) and not mark[2].strip():
            spans.append((opening.start(), mark.end()))
            opening = None
    return spans


def _merge_fences(fences: list[Span], places: dict[int, Rank]) -> dict[int, Rank]:
    """Return the places without those inside a fence, plus both ends of each fence."""
    kept: dict[int, Rank] = {}
    number = 0
    for place, rank in sorted(places.items()):
        while number < len(fences) and fences[number][1] <= place:
            number += 1
        if number == len(fences) or place <= fences[number][0]:
            kept[place] = rank
    for fence in fences:
        for edge in fence:
            kept.setdefault(edge, Rank.SENTENCE)
    return kept
