"""Divides a text into chunks with limits of characters and tokens, at the best boundaries.

    "First one. Second one. Third." -> at most 22 characters: "First one. Second one." | "Third."

A chunk has as many complete sentences as fit, or ends earlier, at a paragraph or before a heading, if it is then at
least half full. Only a sentence longer than a chunk is cut: after a line, else a clause, else a word, else between
two characters (never inside a base with its marks or an emoji sequence). Chunks overlap by as many complete sentences
as fit in the overlap (by complete words inside a cut sentence), or by none if the sentence is longer than the overlap.

Does not handle: words of scripts that need a dictionary (Thai is cut between any two letters), pairs of regional
indicators (flags).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from selfinstruct.documents.samples import Span
from selfinstruct.documents.sentences import Rank, boundaries
from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase
from selfinstruct.text import UNSPACED, is_unspaced

_CLAUSE = re.compile(r"[,;:)–—][\"'”’)\]]*+(?=\s)|[，、：；）》」』]+")
_WORD_BREAK = re.compile(rf"[\s{UNSPACED}]")  # a word may end before and after
_VISIBLE = re.compile(r"\S")
#: Characters that may not begin a line in Chinese and Japanese typesetting (the most common ones of JIS X 4051).
_NOT_AT_LINE_START = frozenset("，。、；：？！）》」』】〕”’…—ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ")
_JOINER = "\u200d"


@dataclass(frozen=True)
class Chunking:
    """The maximum length of chunks, and the maximum overlap of consecutive chunks.

    ``max_characters`` and ``overlap`` are in code points. ``max_tokens`` is in the unit of ``count_tokens``, which must
    not return fewer tokens for a longer text; it is called with at most ``max_characters`` characters.

    Raises:
        InputError: a limit is not positive, or the overlap is not smaller than a chunk.
    """

    max_characters: int = 2000
    max_tokens: int | None = None
    overlap: int = 0
    count_tokens: Callable[[str], int] | None = None

    def __post_init__(self) -> None:
        """Reject invalid limits."""
        if self.max_characters < 1:
            raise InputError(
                "max_characters = {max_characters} must be positive",
                hint="Try 2000.",
                max_characters=self.max_characters,
            )
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InputError("max_tokens = {max_tokens} must be positive", hint="Try 500.", max_tokens=self.max_tokens)
        if not 0 <= self.overlap < self.max_characters:
            message = Phrase(
                "overlap = {overlap} must be at least 0 and less than max_characters = {max_characters}",
                overlap=self.overlap,
                max_characters=self.max_characters,
            )
            raise InputError(message, hint="Try one tenth of max_characters.")
        if self.max_tokens is not None and self.count_tokens is None:
            raise TypeError("max_tokens needs count_tokens")

    def spans(self, text: str) -> list[Span]:
        """Return the chunks of a text, in order, as [start, end) code points without surrounding white space.

        Every visible character is in at least one chunk. Time is linear in the length of the text, apart from
        ``count_tokens``, which receives each part about ten times if ``max_tokens`` is the limit that matters.

        Raises:
            InputError: a single character has more than ``max_tokens`` tokens.
        """
        return list(_Cutter(self, text).spans())


class _Cutter:
    """Divides one text into chunks."""

    def __init__(self, chunking: Chunking, text: str) -> None:
        self.text = text
        self.limit = chunking.max_characters
        self.overlap = chunking.overlap
        self.max_tokens = chunking.max_tokens
        self.count_tokens = chunking.count_tokens
        found = boundaries(text)
        self.places = [place for place, _ in found]
        self.ranks = [rank for _, rank in found]

    def spans(self) -> list[Span]:
        spans: list[Span] = []
        start = self.next_visible(0)
        done = 0
        while start < len(self.text):
            cut = self.chunk_end(start, done)
            spans.append((start, self.trim_end(start, cut)))
            begin, done = start, self.next_visible(cut)
            start = done if done == len(self.text) else self.next_start(begin, cut, done)
        return spans

    def next_visible(self, at: int) -> int:
        """Return the position of the first visible character from ``at`` on, or the end of the text."""
        found = _VISIBLE.search(self.text, at)
        return found.start() if found else len(self.text)

    def trim_end(self, start: int, end: int) -> int:
        return start + len(self.text[start:end].rstrip())

    def fits(self, start: int, cut: int) -> bool:
        """Whether [start, cut) without trailing white space is within the limits."""
        if cut - start > self.limit and _VISIBLE.search(self.text, start + self.limit, cut):
            return False
        if self.max_tokens is None or self.count_tokens is None:
            return True
        return self.count_tokens(self.text[start : self.trim_end(start, cut)]) <= self.max_tokens

    def chunk_end(self, start: int, done: int) -> int:
        """Return the end of the chunk that begins at ``start``; text before ``done`` is already in a chunk."""
        first = bisect_right(self.places, max(start, done))
        last = self.last_fitting(start, first)
        if last is None:
            return self.cut_long_sentence(start, max(start, done), self.places[first])
        if last == len(self.places) - 1:
            return self.places[last]
        half = bisect_left(self.places, start + (self.places[last] - start) // 2, first, last + 1)
        for rank, lowest in ((Rank.SECTION, half), (Rank.PARAGRAPH, half), (Rank.SENTENCE, first)):
            for index in range(last, lowest - 1, -1):
                if self.ranks[index] >= rank and self.fits(start, self.places[index]):
                    return self.places[index]
        return self.places[last]

    def last_fitting(self, start: int, first: int) -> int | None:
        """Return the index of the last boundary from ``first`` on within the limits, or None."""
        # White space before a boundary does not count: the first boundary beyond the limit may fit.
        last = min(bisect_right(self.places, start + self.limit, first), len(self.places) - 1)
        while last >= first and self.places[last] - start > self.limit and not self.fits(start, self.places[last]):
            last -= 1
        return _last_true(first, last, lambda index: self.fits(start, self.places[index]))

    def cut_long_sentence(self, start: int, after: int, end: int) -> int:
        """Return where to cut a sentence that is longer than a chunk: after ``after``, before ``end``."""
        most = min(start + self.limit, end)
        step = max(1, (self.limit if self.max_tokens is None else self.max_tokens) // 2)
        furthest = _last_true(after + 1, most, lambda place: self.fits(start, place), step)
        if furthest is None:
            message = Phrase(
                "max_tokens = {max_tokens} is less than the tokens of the single character {text!r}",
                max_tokens=self.max_tokens,
                text=self.text[after],
            )
            raise InputError(message, hint="Raise max_tokens.")
        middle = max(after, start + (furthest - start) // 2)
        line = self.text.rfind("\n", middle, furthest) + 1
        clauses = (match.end() for match in _CLAUSE.finditer(self.text, middle, furthest + 1))
        clause = max((place for place in clauses if after < place <= furthest), default=0)
        for place in (line, clause, self.last_word_break(after, furthest)):
            if place and self.fits(start, place):
                return place
        return furthest

    def last_word_break(self, after: int, furthest: int) -> int:
        """Return the last word break in (after, furthest], else the last character break, else ``furthest``."""
        if furthest == len(self.text) or _WORD_BREAK.search(self.text, after, furthest + 1):
            for place in range(furthest, after, -1):
                if self.is_word_break(place):
                    return place
        return next(filter(self.is_character_break, range(furthest, after, -1)), furthest)

    def is_word_break(self, place: int) -> bool:
        if place >= len(self.text):
            return True
        before, here = self.text[place - 1], self.text[place]
        if before.isspace() or here.isspace():
            return True
        loose = is_unspaced(before) or is_unspaced(here)
        return loose and here not in _NOT_AT_LINE_START and self.is_character_break(place)

    def is_character_break(self, place: int) -> bool:
        """Whether ``place`` is not inside a user-perceived character (a base with its marks, an emoji sequence)."""
        if place >= len(self.text):
            return True
        before, here = self.text[place - 1], self.text[place]
        if here.isascii():
            return before != _JOINER
        is_mark = unicodedata.category(here)[0] == "M" or "\U0001f3fb" <= here <= "\U0001f3ff"
        return not is_mark and _JOINER not in (before, here)

    def next_start(self, begin: int, cut: int, done: int) -> int:
        """Return the start of the next chunk: as far before ``cut`` as the overlap allows, or ``done``.

        The sentence after ``cut`` fits in a chunk from there, so that every chunk ends after the previous one.
        """
        # At most half of a chunk, so that the chunks together do not become much longer than the text.
        earliest = max(cut - self.overlap, begin + (cut - begin + 1) // 2)
        if earliest >= cut:
            return done
        index = bisect_left(self.places, cut)
        if self.places[index] == cut:
            starts: Sequence[int] = self.places[bisect_left(self.places, earliest) : index]
            target = self.places[index + 1]
        else:
            word = next((place for place in range(earliest, cut) if self.is_word_break(place)), None)
            starts = [earliest if word is None else word]
            target = done + 1
        fitting = _first_true(starts, lambda start: self.fits(self.next_visible(start), target))
        return done if fitting is None else self.next_visible(fitting)


def _last_true(first: int, last: int, predicate: Callable[[int], bool], step: int = 1) -> int | None:
    """Return the last number of a range for which ``predicate`` is true; after its first False it must stay False.

    Doubles its steps (exponential search), so that the text checked is not much longer than the text found.
    """
    if first > last or not predicate(first):
        return None
    beyond = min(first + step, last)
    while first < last and predicate(beyond):
        first, step = beyond, step * 2
        beyond = min(first + step, last)
    while beyond - first > 1:
        middle = (first + beyond) // 2
        first, beyond = (middle, beyond) if predicate(middle) else (first, middle)
    return first


def _first_true(places: Sequence[int], predicate: Callable[[int], bool]) -> int | None:
    """Return the first place for which ``predicate`` is true; after its first True it must stay True."""
    low, high = 0, len(places)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if predicate(places[middle]) else (middle + 1, high)
    return places[low] if low < len(places) else None
