"""Offsets: whole numbers that are places in a text, such as ``answer_start``, or the ``start`` and ``end`` of a span.

A number is an offset if another leaf's text is found there, or if it and a number beside it bound whole words of one
text in nearly all rows, where chance does not explain it.

Does not handle: offsets in bytes or tokens.

>>> rows = [{"c": "in 1901", "t": "1901", "at": 3}, {"c": "since 1961", "t": "1961", "at": 6}]
>>> Offsets(rows).paths
frozenset({('at',)})
>>> spans = [{"c": "in Rome today", "from": 3, "to": 7}, {"c": "since Paris fell", "from": 6, "to": 11}]
>>> [(pointer.path, pointer.at) for pointer in Offsets(spans).of(spans[0])]
[(('from',), 3), (('to',), 7)]
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

from selfinstruct.mining.leaf_texts import any_position
from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import Path, leaves
from selfinstruct.text import is_bound

_SHARE = 0.8
_LEAST_ROWS = 2
_MOST_ROWS = 200
# More numbers beside each other are a table.
_MOST_BESIDE = 6
# Pairs of numbers that bound whole words by chance are this rare, or their names say what they are.
_CHANCE = 0.001
_START = re.compile(r"(?:.*[_ -])?(?:start|begin|from|offset|pos|position|s|b)(?:[_ -].*)?|起|开始", re.IGNORECASE)
_END = re.compile(r"(?:.*[_ -])?(?:end|stop|to|until|last|length|len|size|e)(?:[_ -].*)?|止|结束|长度", re.IGNORECASE)
# A text without spaces that may contain a span.
_LONG = 8
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Pointer(NamedTuple):
    """An offset in one row: the number at ``path`` is ``at - since - less`` for places in the text at ``context``."""

    path: Path
    context: Path
    at: int
    since: int = 0
    less: int = 0


class Pair(NamedTuple):
    """Two numbers of one object or list that bound a span: their keys, and what the second one is.

    ``form`` is ``end`` (after the last character), ``length`` or ``last`` (the last character).
    """

    parent: Path
    start: str | int
    end: str | int
    form: str
    context: Path

    def bounds(self, found: Mapping[Path, JSON], parent: Path) -> tuple[int, int] | None:
        """The [start, end) of the span in the object or list at ``parent`` of a row; None if it has none."""
        start, end = whole(found.get((*parent, self.start))), whole(found.get((*parent, self.end)))
        if start is None or end is None:
            return None
        return start, {"end": end, "length": start + end, "last": end + 1}[self.form]


class Offsets:
    """The offsets that a set of rows shows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        found = [leaves(row) for row in rows[:: max(len(rows) // _MOST_ROWS, 1)]]
        self.texts = _text_offsets(found)
        self.pairs = tuple(_pairs(found))
        spans = {any_position((*pair.parent, key)) for pair in self.pairs for key in (pair.start, pair.end)}
        #: The paths of the numbers, with any position of a list.
        self.paths = frozenset((*self.texts, *spans))

    def of(self, row: Row) -> Iterator[Pointer]:
        """The offsets of a row that are right."""
        found = leaves(row) if self.paths else {}
        pointed = set()
        for pair in self.pairs:
            for parent in _parents(found, pair):
                bounds, context = pair.bounds(found, parent), _like(parent, pair.context)
                if bounds is None or not is_span(found.get(context), *bounds):
                    continue
                start, end = bounds
                since, less = start if pair.form == "length" else 0, int(pair.form == "last")
                pointed |= {(*parent, pair.start), (*parent, pair.end)}
                yield Pointer((*parent, pair.start), context, start)
                yield Pointer((*parent, pair.end), context, end, since, less)
        for path, value in found.items():
            at, number = self.texts.get(any_position(path)), whole(value)
            if at is not None and number is not None and path not in pointed:
                text, context = _like(path, at[0]), _like(path, at[1])
                if _is_at(found.get(context), found.get(text), number):
                    yield Pointer(path, context, number)


def whole(value: JSON) -> int | None:
    """The whole number from 0 that a value is, also as text in a table."""
    if type(value) is int:
        return value if value >= 0 else None
    plain = isinstance(value, str) and value.isdecimal() and len(value) < 10 and (value[0] != "0" or value == "0")
    return int(value) if plain else None


def is_span(context: JSON, start: int, end: int) -> bool:
    """Whether [start, end) are whole words of a text, without white space around them."""
    if not isinstance(context, str) or not 0 <= start < end <= len(context):
        return False
    clean = not context[start].isspace() and not context[end - 1].isspace()
    return clean and is_bound(context, start) and is_bound(context, end)


def _text_offsets(rows: Sequence[Mapping[Path, JSON]]) -> dict[Path, tuple[Path, Path]]:
    """Map the path of each offset of a text (any position of a list) to the paths of the text and of its context."""
    numbers: dict[Path, list[list[_Number]]] = {}
    texts: set[Path] = set()
    for found in rows:
        own: dict[Path, list[_Number]] = {}
        for path, value in found.items():
            kind = any_position(path)
            if (at := whole(value)) is not None:
                own.setdefault(kind, []).append(_Number(path, at, found))
            if isinstance(value, str):
                texts.add(kind)
        for kind, those in own.items():
            numbers.setdefault(kind, []).append(those)
    ordered = sorted(texts, key=str)
    offsets = {}
    for number in sorted(numbers, key=str):
        # A number is a place in few of the texts: the others are too short for it.
        contexts = [each for each in ordered if each != number and _is_mostly(_is_inside, numbers[number], each)]
        for text in ordered if contexts else ():
            for context in contexts:
                if text not in (number, context) and _is_mostly(_is_place, numbers[number], context, text):
                    offsets[number] = text, context
    return offsets


class _Number(NamedTuple):
    """A whole number ``at`` a path of a row."""

    path: Path
    at: int
    found: Mapping[Path, JSON]


def _is_mostly(test: Callable[..., bool], rows: Sequence[Sequence[_Number]], *paths: Path) -> bool:
    """Whether a test of a number and others of its row holds for most numbers, in two rows or more that differ."""
    count = right = 0
    values = set()
    for numbers in rows:
        for each in numbers:
            count += 1
            right += test(each, *paths)
            values.add(each.at)
        if count > _LEAST_ROWS and right == 0:
            return False
    return count >= _LEAST_ROWS and len(values) > 1 and right >= _SHARE * count


def _is_inside(number: _Number, context: Path) -> bool:
    text = number.found.get(_like(number.path, context))
    return isinstance(text, str) and number.at < len(text)


def _is_place(number: _Number, context: Path, text: Path) -> bool:
    found, path = number.found, number.path
    return _is_at(found.get(_like(path, context)), found.get(_like(path, text)), number.at)


def _is_at(context: JSON, text: JSON, at: int) -> bool:
    if not isinstance(context, str) or not isinstance(text, str) or not text or at < 0:
        return False
    return context.startswith(text, at) and len(text) < len(context)


def _pairs(rows: Sequence[Mapping[Path, JSON]]) -> Iterator[Pair]:
    """The pairs of numbers that bound spans, by the object or list that contains them."""
    beside: Counter[tuple[Path, str | int]] = Counter()
    contexts = {any_position(path) for found in rows for path, value in found.items() if _is_context(value)}
    for found in rows:
        named = {(any_position(path[:-1]), path[-1]) for path, value in found.items() if whole(value) is not None}
        beside.update(named)
    parents: dict[Path, list[str | int]] = {}
    for (parent, key), count in beside.items():
        if count >= _LEAST_ROWS:
            parents.setdefault(parent, []).append(key)
    for parent, keys in parents.items():
        taken: set[str | int] = set()
        for start, end in permutations(keys, 2) if len(keys) <= _MOST_BESIDE else ():
            if taken & {start, end}:
                continue
            tried = (
                Pair(parent, start, end, form, context)
                for context in sorted(contexts, key=str)
                for form in ("end", "length", "last")
            )
            found_pair = next((pair for pair in tried if _bounds_spans(rows, pair)), None)
            if found_pair is not None:
                taken |= {start, end}
                yield found_pair


def _is_context(value: JSON) -> bool:
    return isinstance(value, str) and (len(value) > _LONG or any(map(str.isspace, value.strip())))


def _bounds_spans(rows: Sequence[Mapping[Path, JSON]], pair: Pair) -> bool:
    """Whether a pair bounds whole words in nearly all rows, and not by chance."""
    named = all(isinstance(key, str) for key in (pair.start, pair.end)) and (
        _START.fullmatch(_CAMEL.sub("_", str(pair.start))) is not None
        and _END.fullmatch(_CAMEL.sub("_", str(pair.end))) is not None
    )
    count = right = 0
    chance = 0.0
    seen = set()
    for found in rows:
        for parent in _parents(found, pair):
            bounds, context = pair.bounds(found, parent), found.get(_like(parent, pair.context))
            if bounds is None or not isinstance(context, str):
                continue
            count += 1
            seen.add(bounds)
            if is_span(context, *bounds):
                right += 1
                chance += math.log(_chance(context))
        if count > _LEAST_ROWS and right < _SHARE * count / 2:
            return False
    enough = count >= _LEAST_ROWS and len(seen) > 1 and right >= _SHARE * count
    return enough and (named or chance < math.log(_CHANCE))


def _chance(context: str) -> float:
    """How likely two different places of a text bound whole words."""
    starts = sum(not context[at].isspace() and is_bound(context, at) for at in range(len(context)))
    return min(max(starts, 1) / len(context), 1.0) ** 2


def _parents(found: Iterable[Path], pair: Pair) -> Iterator[Path]:
    """The objects or lists of a row that contain a pair."""
    for path in found:
        if path[-1] == pair.start and any_position(path[:-1]) == pair.parent:
            yield path[:-1]


def _like(path: Path, other: Path) -> Path:
    """``other`` with the positions in lists of ``path``."""
    if -1 not in other:
        return other
    positions = [step for step in path if isinstance(step, int)]
    return tuple(positions.pop(0) if step == -1 and positions else 0 if step == -1 else step for step in other)
