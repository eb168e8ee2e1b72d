"""What a linear reader sees of a question and the spans of a context: features, as numbers of weights.

A feature says what precedes a span, what follows it, or what it is itself: the words around it, its key in
``key=value``, its shape, type and length, and how near the words are that the question mentions. Some are joined with
each word and pair of words of the question, so that a reader can learn that "which port" asks for the number after
"port" or ":". A word with a digit is replaced by its shape, since values seldom come again.

Features are hashed into ``2 ** BITS`` weights (Weinberger et al., "Feature Hashing for Large Scale Multitask
Learning", ICML 2009), by a hash that is the same in every process.

Does not handle: synonyms, inflection beyond a common beginning of words, the structure of sentences.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from selfinstruct.readers.answer_types import asked_types, span_type
from selfinstruct.readers.candidates import Candidates, Piece, cut
from selfinstruct.text import is_unspaced

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

#: There are ``2 ** BITS`` weights.
BITS = 20
#: How many features of a line, the first ones, are joined with those of the question.
_JOINED_BEFORE, _JOINED_AFTER, _JOINED_SPAN = 3, 2, 3
#: Distances in pieces are cut to this one.
_FAR = 8
_SHAPE = 16
_TEXT_WORDS = 4
#: Words with this beginning in common are taken for forms of one word.
_BEGINNING = 4
_MIXERS = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93  # odd numbers with about as many bits set as not

_DIGIT = re.compile(r"\d")
_ASKING = frozenset(
    (
        "what",
        "which",
        "who",
        "whom",
        "whose",
        "where",
        "when",
        "why",
        "how",
        "什",
        "哪",
        "谁",
        "多",
        "几",
        "为",
        "何",
        "怎",
    )
)
_EMPTY_WORDS = (
    *("a", "an", "the", "of", "for", "to", "in", "on", "at", "by", "from", "with", "and", "or", "it", "its", "this"),
    *("that", "is", "are", "was", "were", "be", "been", "do", "does", "did", "has", "have", "had"),
    *("的", "了", "在", "是", "被", "和", "与", "从", "到", "由", "有", "么", "个", "少", "时", "里", "些"),
)
_STOP_WORDS = _ASKING.union(_EMPTY_WORDS)


@dataclass(frozen=True, slots=True)
class Lines:
    """Features of some places or spans, a line each: their own, and those that are joined with the question's."""

    own: NDArray[numpy.int32]
    joined: NDArray[numpy.int32]


@dataclass(frozen=True, slots=True)
class SpanFeatures:
    """The features of the candidates of one context for one question.

    ``before`` has a line for each place where a candidate begins, ``after`` for each where one ends, ``inside`` for
    each candidate. ``begins`` and ``ends`` are, for each candidate, its lines of the first two.
    """

    before: Lines
    after: Lines
    inside: Lines
    begins: NDArray[numpy.int32]
    ends: NDArray[numpy.int32]

    @property
    def nbytes(self) -> int:
        """The size in memory, in bytes."""
        lines = (self.before, self.after, self.inside)
        return sum(each.own.nbytes + each.joined.nbytes for each in lines) + self.begins.nbytes + self.ends.nbytes


def span_features(question: str, candidates: Candidates) -> SpanFeatures:
    """Return the features of all candidates of a context, of which there must be at least one."""
    import numpy as np

    asked = _Question.of(question)
    context = _Context(candidates, asked)
    joined = np.array([_hash("question", text) for text in asked.features], np.uint64)
    firsts = {first: line for line, first in enumerate(dict.fromkeys(first for first, _ in candidates.ranges))}
    lasts = {last: line for line, last in enumerate(dict.fromkeys(last for _, last in candidates.ranges))}
    return SpanFeatures(
        before=_lines([context.before(first) for first in firsts], joined, _JOINED_BEFORE),
        after=_lines([context.after(last) for last in lasts], joined, _JOINED_AFTER),
        inside=_lines(list(context.insides(candidates.ranges)), joined, _JOINED_SPAN),
        begins=np.array([firsts[first] for first, _ in candidates.ranges], np.int32),
        ends=np.array([lasts[last] for _, last in candidates.ranges], np.int32),
    )


def _lines(lines: Sequence[Sequence[int]], asked: NDArray[numpy.uint64], joined: int) -> Lines:
    """The features of each line, and the first ``joined`` of them joined with each of the question."""
    import numpy as np

    first, last = map(np.uint64, _MIXERS)
    own = np.array(lines, np.uint64)
    pairs = (own[:, :joined, None] * first ^ asked[None, None, :]).reshape(len(lines), -1)
    shift = np.uint64(64 - BITS)
    return Lines((own * last >> shift).astype(np.int32), (pairs * last >> shift).astype(np.int32))


@lru_cache(maxsize=1 << 17)
def _hash(kind: str, text: str) -> int:
    # A lone surrogate is as good a character as any other.
    return zlib.crc32(text.encode("utf-8", "surrogatepass"), zlib.crc32(kind.encode()))


@lru_cache(maxsize=1 << 16)
def _span_hashes(
    shape: str,
    size: str,
    edges: str,
    mentioned: str,
    mentions: str,
    kind: str,
    types: tuple[str, str, str],
    near: tuple[int, str, int],
    is_whole: bool,
) -> tuple[int, ...]:
    """The features of a span that it shares with others: of all but its own words."""
    type_name, asked, fits = types
    left, before, right = near
    return (
        _hash("shape", shape),
        _hash("size, edges", f"{size} {edges}"),
        _hash("edges", edges),
        _hash("size", size),
        _hash("edges, shape", f"{edges} {shape}"),
        _hash("mentioned", f"{mentioned} {mentions}"),
        _hash("mentioned, kind", f"{mentioned.endswith('True')} {kind}"),
        _hash("type fits", fits),
        _hash("type, asked", f"{type_name} {asked}"),
        _hash("fits, mentioned", f"{fits} {mentioned} {size}"),
        _hash("fits, near", f"{fits} {left} {before}"),
        _hash("fits, edges", f"{fits} {edges}"),
        _hash("whole", str(is_whole)),
        _hash("around", f"{left} {right}"),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """A question: what it is joined by, its words, how it begins to ask and for what, and types that may answer it."""

    features: tuple[str, ...]
    words: tuple[str, ...]
    kind: str
    head: str
    types: frozenset[str]

    @classmethod
    @lru_cache(maxsize=1 << 12)
    def of(cls, question: str) -> _Question:
        words = tuple(piece.text.lower() for piece in cut(question) if piece.is_word)
        shown = [_mask(word) for word in words]
        asking = next((at for at, word in enumerate(shown) if word in _ASKING), 0)
        kind = " ".join(shown[asking : asking + 2])
        pairs = [f"{one} {other}" for one, other in zip(["", *shown], [*shown, ""], strict=True)]
        features = tuple(dict.fromkeys(("", f"kind {kind}", *shown, *pairs)))
        head = words[asking + 1] if len(words) > asking + 1 else ""
        return cls(features, words, kind, head, asked_types(question))


class _Context:
    """The pieces of a context, and which of them a question mentions."""

    def __init__(self, candidates: Candidates, asked: _Question) -> None:
        pieces = candidates.pieces
        self._text = candidates.text
        self._asked = asked
        self._pieces = pieces
        self._words = [_mask(piece.text.lower()) for piece in pieces]
        self._shapes = [_shape(piece.text) for piece in pieces]
        self._mentions = _mentions(pieces, asked)
        self._left = _distances([bool(mention) for mention in self._mentions])
        self._right = [*reversed(_distances([bool(mention) for mention in reversed(self._mentions)]))]
        is_word = [piece.is_word for piece in pieces]
        self._previous = _previous(is_word)
        self._next = [len(pieces) - 1 - at if at >= 0 else -1 for at in reversed(_previous(is_word[::-1]))]

    def before(self, first: int) -> list[int]:
        """What precedes a span that begins at a piece."""
        near, further = self._two(self._previous, first)
        left = self._words[first - 1] if first else "^"
        word, mention = self._word(near), self._mention(near)
        key = word if left in "=:：" and near == first - 2 else ""
        mark = "" if left.isalpha() else left
        return [
            _hash("left", f"{left}{' ' if self._pieces[first].is_spaced else ''}"),
            _hash("word before", word),
            _hash("words before", f"{self._word(further)} {word}"),
            _hash("key", key),
            _hash("key is mentioned", mention if key else "no key"),
            _hash("mentioned before", f"{mention} {self._mention(further)} {mark}"),
            _hash("mentioned before, kind", f"{mention} {self._asked.kind}"),
            _hash("distance before", str(self._left[first])),
            _hash("place", str(min(first, 3))),
        ]

    def after(self, last: int) -> list[int]:
        """What follows a span that ends at a piece."""
        near, further = self._two(self._next, last)
        following = self._pieces[last + 1] if last + 1 < len(self._pieces) else None
        right = self._words[last + 1] if following else "$"
        mention = self._mention(near)
        mark = "" if right.isalpha() else right
        return [
            _hash("right", f"{' ' if following and following.is_spaced else ''}{right}"),
            _hash("word after", self._word(near)),
            _hash("mentioned after", f"{mention} {self._mention(further)} {mark}"),
            _hash("mentioned after, kind", f"{mention} {self._asked.kind}"),
            _hash("distance after", str(self._right[last])),
            _hash("place from end", str(min(len(self._pieces) - 1 - last, 3))),
        ]

    def insides(self, ranges: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
        """What each span is. There are hundreds in a line, so this counts on from one to the next, longer one."""
        pieces, asked = self._pieces, self._asked
        begins, ends = self._edges()
        types = " ".join(sorted(asked.types))
        start, at = -1, 0
        shape, texts, words, spaced, marks, mentions, mentioned = "", "", 0, 0, "", 0, ""
        for first, last in ranges:
            if first != start:
                start = at = first
                shape, texts, words, spaced, marks, mentions, mentioned = "", "", 0, 0, "", 0, ""
            while at <= last:
                piece = pieces[at]
                words += piece.is_word
                spaced += piece.is_spaced and at > first
                shape = shape if len(shape) >= _SHAPE else f"{shape}{self._shapes[at]}"[:_SHAPE]
                texts = f"{texts} {self._words[at]}" if at > first else self._words[at]
                if not piece.is_word and piece.text not in marks:
                    marks += piece.text
                if mention := self._mentions[at]:
                    mentions += 1
                    mentioned = mentioned if mention in mentioned else f"{mentioned} {mention}"
                at += 1
            type_name = span_type(self._text[pieces[first].start : pieces[last].end])
            shared = _span_hashes(
                shape,
                f"{min(words, 5)} {min(spaced, 3)}",
                f"{begins[first]} {ends[last]}",
                f"{mentions == words} {mentions > 0}",
                f"{'value' in mentioned} {'head' in mentioned}",
                asked.kind,
                (type_name, types, str(type_name in asked.types) if types else "unknown"),
                (self._left[first], self._mention(self._previous[first]), self._right[last]),
                last - first + 1 == len(pieces),
            )
            text = _hash("text", texts if words <= _TEXT_WORDS else "long")
            yield [shared[0], text, *shared[1:5], _hash("marks", marks), *shared[5:]]

    def _edges(self) -> tuple[list[str], list[str]]:
        """What is before each piece, and what is after it."""
        places = range(len(self._pieces))
        return [self._edge(at, at - 1) for at in places], [self._edge(at + 1, at + 1) for at in places]

    @staticmethod
    def _two(neighbours: Sequence[int], at: int) -> tuple[int, int]:
        """The nearest word on one side of a piece, and the next one; -1 for none."""
        near = neighbours[at]
        return near, neighbours[near] if near >= 0 else -1

    def _word(self, at: int) -> str:
        return self._words[at] if at >= 0 else "end"

    def _mention(self, at: int) -> str:
        return self._mentions[at] if at >= 0 else "end"

    def _edge(self, border: int, neighbour: int) -> str:
        """What is beside a span: the end of the text, or a word or mark, with or without a space."""
        if not 0 <= neighbour < len(self._pieces):
            return "end"
        piece = self._pieces[neighbour]
        return f"{' ' if self._pieces[border].is_spaced else ''}{'w' if piece.is_word else piece.text}"


def _mentions(pieces: Sequence[Piece], asked: _Question) -> list[str]:
    """How a question mentions each piece: as what it asks for, a value, a word or its beginning; "" if not at all."""
    words = [piece.text.lower() for piece in pieces]
    pairs = set(zip(asked.words, asked.words[1:], strict=False))
    in_pair = [False] * len(pieces)
    for at in range(1, len(pieces)):
        if (words[at - 1], words[at]) in pairs:
            in_pair[at - 1] = in_pair[at] = True
    known = frozenset(asked.words)
    beginnings = {word[:_BEGINNING] for word in known if len(word) >= _BEGINNING and word.isalpha()}
    return [_mention(word, paired, known, beginnings, asked.head) for word, paired in zip(words, in_pair, strict=True)]


def _mention(word: str, is_paired: bool, known: frozenset[str], beginnings: set[str], head: str) -> str:
    if is_paired and is_unspaced(word[0]):
        return "pair"
    if word in _STOP_WORDS:
        return ""
    if word in known:
        return "head" if word == head else "value" if _DIGIT.search(word) else "word"
    if word[:_BEGINNING] in beginnings:
        return "head" if word[:_BEGINNING] == head[:_BEGINNING] else "beginning"
    return ""


def _distances(mentioned: Sequence[bool]) -> list[int]:
    """For each place, how far the nearest mentioned one before it is, at most ``_FAR``."""
    found = []
    far = _FAR
    for is_mentioned in mentioned:
        found.append(far)
        far = 1 if is_mentioned else min(far + 1, _FAR)
    return found


def _previous(is_word: Sequence[bool]) -> list[int]:
    """For each place, that of the word before it, or -1."""
    found = []
    word = -1
    for at, flag in enumerate(is_word):
        found.append(word)
        if flag:
            word = at
    return found


def _mask(word: str) -> str:
    return _shape(word) if _DIGIT.search(word) else word


@lru_cache(maxsize=1 << 16)
def _shape(word: str) -> str:
    """The shape of a word: each run of capitals, letters, digits, ideographs as one or two X, x, 0, c.

    >>> _shape("blk_123"), _shape("GB")
    ('xx_00', 'XX')
    """
    kinds = [_character_kind(each) for each in word]
    return "".join(kind for at, kind in enumerate(kinds) if at < 2 or not kind == kinds[at - 1] == kinds[at - 2])


def _character_kind(character: str) -> str:
    if is_unspaced(character):
        return "c"
    if character.isdigit():
        return "0"
    return ("X" if character.isupper() else "x") if character.isalpha() else character
