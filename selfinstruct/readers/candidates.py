"""The spans of a context that may be an answer.

A context is cut into pieces: words, numbers with their points, single characters of scripts without spaces, and
punctuation marks. A candidate begins and ends at a word, or at a mark that may belong to a value (``/tmp``, ``50%``).
Inside one run of non-space characters it may begin and end between any two pieces (the port of ``10.0.0.7:22``);
a candidate of several runs has to begin and end where a phrase may (``13 KB``, not ``7:22 13``).

Does not handle: choosing among them, which is ``span_reader``.

>>> text = "free 13 KB"
>>> [text[start:end] for start, end in Candidates.of(text).spans]
['free', 'free 13', 'free 13 KB', '13', '13 KB', 'KB']
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from selfinstruct.text import MARK, UNSPACED, is_unspaced

#: Spans have at most this many words, where a character of an unspaced script counts as one.
_MOST_WORDS = 12
#: In longer contexts, spans of fewer words are considered.
_MOST_SPANS = 2000
_PIECE = re.compile(rf"\d+(?:[.,]\d+)+(?!\w)|[{UNSPACED}]{MARK}*|(?:[^\W{UNSPACED}]{MARK}*)+|\S")
_WORD = re.compile(r"\w")
# Marks that an answer may begin or end with.
_OPENING = frozenset("/<[({\"'“‘《「『【-+#*$€£¥￥@~\\")
_CLOSING = frozenset("/>])}\"'”’》」』】%*°℃")
# Between two pieces without a space, these join parts of one value.
_JOINTS = frozenset("._-/\\@:#+~&$%")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text, as [start, end): its text, whether it is a word, and whether a space precedes it."""

    text: str
    start: int
    end: int
    is_word: bool
    is_spaced: bool


def cut(text: str) -> list[Piece]:
    """Cut a text into pieces; white space is left out."""
    pieces = []
    at = 0
    for match in _PIECE.finditer(text):
        start, end = match.span()
        pieces.append(Piece(match[0], start, end, _WORD.search(match[0]) is not None, start > at or start == 0))
        at = end
    return pieces


@dataclass(frozen=True)
class Candidates:
    """The candidates of a text: its pieces, and each candidate as [first, last] of them."""

    text: str
    pieces: tuple[Piece, ...]
    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> Candidates:
        """Find the candidates of a text, in the order of their places."""
        pieces = tuple(cut(text))
        most_words = _MOST_WORDS
        while len(ranges := _ranges(pieces, most_words)) > _MOST_SPANS and most_words > 1:
            most_words -= 1
        return cls(text, pieces, tuple(ranges))

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """The candidates as [start, end) of the text."""
        return [(self.pieces[first].start, self.pieces[last].end) for first, last in self.ranges]


def _ranges(pieces: tuple[Piece, ...], most_words: int) -> list[tuple[int, int]]:
    starts = [piece.is_word or piece.text in _OPENING for piece in pieces]
    ends = [piece.is_word or piece.text in _CLOSING for piece in pieces]
    rough_start = [_is_inner(pieces, at) for at in range(len(pieces))]
    rough_end = [_is_inner(pieces, at + 1) for at in range(len(pieces))]
    ranges = []
    for first in range(len(pieces)):
        if not starts[first]:
            continue
        words = 0
        crosses = False
        for last in range(first, len(pieces)):
            words += pieces[last].is_word
            crosses = crosses or (last > first and pieces[last].is_spaced)
            if words > most_words or (crosses and rough_start[first]):
                break
            if ends[last] and words and not (crosses and rough_end[last]):
                ranges.append((first, last))
    return ranges


def _is_inner(pieces: tuple[Piece, ...], at: int) -> bool:
    """Whether the border before piece ``at`` is inside a value such as ``a.b.c`` or ``10.0.0.7:22``."""
    if at <= 0 or at >= len(pieces) or pieces[at].is_spaced:
        return False
    before, after = pieces[at - 1], pieces[at]
    if before.is_word and after.is_word:
        return not (is_unspaced(before.text[-1]) or is_unspaced(after.text[0]))
    if after.is_word:
        return before.text in _JOINTS and at >= 2 and pieces[at - 2].is_word and not before.is_spaced
    return after.text in _JOINTS and at + 1 < len(pieces) and pieces[at + 1].is_word and not pieces[at + 1].is_spaced
