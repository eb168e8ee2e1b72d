"""Text templates: the constant and the varying parts of the texts of one field.

The idea is Drain's (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017):
texts that share most of their tokens have one template, and the places where they differ are its slots.
There are two differences from Drain. Texts are aligned by their longest common subsequence and not position
by position, so that scripts without spaces work and a slot may contain several words. And a *word* becomes
a slot only on evidence, because the seeds are few: see ``_differ_in_values``.

Does not handle: optional parts (a text with one more word has another template), or slots
that may be empty.

>>> [t.name for t in mine_templates(["Invalid user admin from 10.0.0.7", "Invalid user guest from 10.0.3.9"]).templates]
['Invalid user <*> from <*>']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeAlias

from rapidfuzz.distance import LCSseq

from selfinstruct.text import MARK, UNSPACED, find_span

SLOT = "<*>"
#: Drain's similarity threshold; its authors use 0.4 to 0.6 on fifteen systems' logs, with whole lines as input.
SIMILARITY = 0.6
# Aligning two texts takes the product of their lengths. Longer ones than two of 5,000 pieces have two templates.
_MOST_ALIGNED = 5_000**2

_LETTERS = rf"(?:[\w/%$*~#&](?<![{UNSPACED}]){MARK}*)+"
_QUOTED = "(?<=《)[^《》]+(?=》)|(?<=“)[^“”]+(?=”)|(?<=「)[^「」]+(?=」)|(?<=『)[^『』]+(?=』)"
_PIECE = re.compile(rf"{_QUOTED}|[-+]?{_LETTERS}(?:[.@+-]+{_LETTERS})*|\s+|.{MARK}*", re.DOTALL)
_WORD = re.compile(r"\w")
_DIGIT = re.compile(r"\d")


def split_words(text: str) -> list[str]:
    """Cut a text into words, single punctuation marks and runs of white space; joined, they are the text again.

    A word includes the characters that join its parts (``rdd_42_18``, ``/10.0.0.7``, ``28.0``) but no final full stop;
    the text between paired quotation marks is one piece.
    """
    return _PIECE.findall(text)


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A text with slots: ``parts`` are the constant texts around them (one more than there are slots)."""

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The template in Drain's notation, with ``<*>`` for each slot."""
        return SLOT.join(self.parts)

    @property
    def has_words(self) -> bool:
        """Whether the constant parts contain a word."""
        return any(_WORD.search(part) for part in self.parts)

    def match(self, text: str) -> tuple[str, ...] | None:
        """The slots' values in ``text``, or None if it does not match.

        Each slot takes the shortest non-empty value that lets the rest match from the left; the time is linear
        in the text for each part.
        """
        first, last = self.parts[0], self.parts[-1]
        if len(self.parts) == 1:
            return () if text == first else None
        if not text.startswith(first) or not text.endswith(last):
            return None
        at, end = len(first), len(text) - len(last)
        values = []
        for part in self.parts[1:-1]:
            found = text.find(part, at + 1, end)
            if found < 0:
                return None
            values.append(text[at:found])
            at = found + len(part)
        return (*values, text[at:end]) if at < end else None


@dataclass(frozen=True, slots=True)
class MinedTemplates:
    """Templates in the order of their first text, and for each text the index of its template."""

    templates: tuple[TextTemplate, ...]
    of: tuple[int, ...]


def mine_templates(
    texts: Sequence[str],
    contexts: Sequence[Sequence[str]] | None = None,
    values: Sequence[Sequence[tuple[int, int]]] | None = None,
) -> MinedTemplates:
    """Group texts into templates.

    Digit-bearing words are always slots. Without ``contexts`` words may vary too, where the texts agree in at
    least ``SIMILARITY`` of their words and in the first of them, as in Drain. With ``contexts`` (for each text
    the other fields of its row) a word may vary only where the row's other fields show that it is a value:
    "What is the *size* of ..." and "What is the *source* of ..." are two questions, while "Where did *admin*
    log in from?" and "Where did *guest* log in from?" are one. ``values`` are places, as [start, end) of each
    text, that are known to hold values, and are slots too.
    """
    groups: list[_Group] = []
    of = []
    align = cache(_align)  # texts of few templates: the same alignments again and again
    for position, text in enumerate(texts):
        context = tuple(contexts[position]) if contexts is not None else None
        masked = _masked(text, values[position] if values is not None else ())
        newcomer = _Group(masked, masked, context)
        for index, group in enumerate(groups):
            merged = group.merged(newcomer, align)
            if merged is not None:
                groups[index] = merged
                of.append(index)
                break
        else:
            of.append(len(groups))
            groups.append(newcomer)
    return MinedTemplates(tuple(_template(group.tokens) for group in groups), tuple(of))


def _masked(text: str, values: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    cut: list[str] = []
    at = 0
    for start, end in values:
        cut += [*split_words(text[at:start]), SLOT]
        at = end
    masked: list[str] = []
    for piece in (*cut, *split_words(text[at:])):
        token = SLOT if piece == SLOT or _DIGIT.search(piece) else piece
        if token != SLOT or not masked or masked[-1] != SLOT:
            masked.append(token)
    return tuple(masked)


def _template(tokens: Sequence[str]) -> TextTemplate:
    parts = [""]
    for token in tokens:
        if token == SLOT:
            parts.append("")
        else:
            parts[-1] += token
    return TextTemplate(tuple(parts))


@dataclass(frozen=True, slots=True)
class _Group:
    """A template in the making: its tokens, and the tokens and context of its first text."""

    tokens: tuple[str, ...]
    first_tokens: tuple[str, ...]
    first_context: tuple[str, ...] | None

    def merged(self, other: _Group, align: _Align) -> _Group | None:
        """The common template of both, or None if they have two."""
        if self.first_tokens == other.first_tokens:
            return self
        if not self._is_same_template(other, align):
            return None
        aligned = align(self.tokens, other.tokens)
        return None if aligned is None else _Group(aligned.tokens, self.first_tokens, self.first_context)

    def _is_same_template(self, other: _Group, align: _Align) -> bool:
        """Whether the first texts of both agree in enough words and differ in values alone."""
        aligned = align(self.first_tokens, other.first_tokens)
        if aligned is None or not aligned.is_similar:
            return False
        if self.first_context is None or other.first_context is None:
            return _first_word(self.first_tokens) == _first_word(other.first_tokens)
        return all(
            _differ_in_values(ours, theirs, self.first_context, other.first_context) for ours, theirs in aligned.gaps
        )


class _Alignment(NamedTuple):
    """The common tokens of two texts with a slot for every gap, the pairs of gaps, and whether most words agree."""

    tokens: tuple[str, ...]
    gaps: tuple[tuple[Sequence[str], Sequence[str]], ...]
    is_similar: bool


_Align: TypeAlias = Callable[[tuple[str, ...], tuple[str, ...]], _Alignment | None]


def _words(tokens: Sequence[str]) -> int:
    return sum(1 for token in tokens if token != SLOT and _WORD.search(token))


def _first_word(tokens: Sequence[str]) -> str:
    return next((token for token in tokens if _WORD.search(token) or token == SLOT), "")


def _align(ours: tuple[str, ...], theirs: tuple[str, ...]) -> _Alignment | None:
    """The alignment of two texts by their longest common subsequence.

    None where a gap contains no words, and for texts that are too long.
    """
    if len(ours) * len(theirs) > _MOST_ALIGNED:
        return None
    tokens: list[str] = []
    gaps = []
    at_ours = at_theirs = 0
    blocks = [op for op in LCSseq.opcodes(ours, theirs) if op.tag == "equal"]
    ends = [(op.src_start, op.src_end, op.dest_start) for op in blocks] + [(len(ours), len(ours), len(theirs))]
    for start, end, start_theirs in ends:
        gap, gap_theirs = ours[at_ours:start], theirs[at_theirs:start_theirs]
        if gap or gap_theirs:
            if not _has_word(gap) or not _has_word(gap_theirs):
                return None
            if not tokens or tokens[-1] != SLOT:
                tokens.append(SLOT)
            gaps.append((gap, gap_theirs))
        for token in ours[start:end]:
            if token != SLOT or not tokens or tokens[-1] != SLOT:
                tokens.append(token)
        at_ours, at_theirs = end, start_theirs + end - start
    enough = max(1, SIMILARITY * max(_words(ours), _words(theirs)))
    return _Alignment(tuple(tokens), tuple(gaps), _words(tokens) >= enough)


def _has_word(tokens: Sequence[str]) -> bool:
    return any(token == SLOT or _WORD.search(token) for token in tokens)


def _differ_in_values(
    ours: Sequence[str], theirs: Sequence[str], context: Sequence[str], context_theirs: Sequence[str]
) -> bool:
    """Whether the gap between two rows' texts is a value that also differs between the rows' other fields.

    Each side's words must occur in its own row's other fields and not in the other row's, with the same neighbouring
    word on at least one side: ``found`` and ``cached`` also occur in their logs, but with other neighbours.
    """
    if SLOT in ours or SLOT in theirs:
        return SLOT in ours and SLOT in theirs
    value, value_theirs = "".join(ours).strip(), "".join(theirs).strip()
    for own, foreign in zip(context, context_theirs, strict=True):
        around, around_theirs = _neighbours(value, own), _neighbours(value_theirs, foreign)
        if around is None or around_theirs is None:
            continue
        if _neighbours(value, foreign) is None and _neighbours(value_theirs, own) is None:
            return around[0] == around_theirs[0] or around[1] == around_theirs[1]
    return False


def _neighbours(value: str, text: str) -> tuple[str, str] | None:
    """The pieces before and after the first token-bounded ``value`` in ``text`` (digits masked)."""
    span = find_span(value, text)
    if span is None:
        return None
    before = [piece for piece in split_words(text[: span[0]]) if not piece.isspace()]
    after = [piece for piece in split_words(text[span[1] :]) if not piece.isspace()]
    return _mask(before[-1] if before else ""), _mask(after[0] if after else "")


def _mask(piece: str) -> str:
    return SLOT if _DIGIT.search(piece) else piece
