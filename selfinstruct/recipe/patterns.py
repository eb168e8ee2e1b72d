"""Validation of a recipe's regular expressions: their syntax, and that they cannot backtrack exponentially.

``(a+)+b`` splits a run of n letters in 2**n ways before it fails. An expression is rejected if a repeated group
contains a repeat and nothing marks where one repetition ends; see Davis et al., The Impact of Regular Expression Denial
of Service (2018), doi 10.1145/3236024.3236027, for how common these are.

Does not handle: time that grows with the square or the cube of a text's length (the checks limit that length). The test
is a heuristic: it rejects a few harmless expressions, and does not analyse back-references and look-arounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from selfinstruct.messages import Phrase

_TOKEN = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[0-7]{1,3}|.)"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]|.",
    re.DOTALL,
)
_OPENS = re.compile(r"\((?:\?(?:P<\w+>|[aiLmsux-]*:|>|<?[=!]|#[^)]*|P=\w+|\(\w+\)|[aiLmsux]+(?=\))))?")
_QUANTIFIER = re.compile(r"(?:([*+?])|\{(\d*)(,?)(\d*)\})[?+]?")
#: A repeat of at most this many repetitions is harmless inside another one.
_FEW = 8
# A sample of all characters, beside those of the expression: ASCII, and one of each kind that classes distinguish.
_SAMPLE = "".join(map(chr, range(128))) + "\u00a0\u00e9\u0416\u0663\u3000\u4e2d\u3002\U0001f600"


@dataclass(slots=True)
class _Item:
    """A character class that is repeated ``least`` to ``most`` times, or a group of alternatives."""

    characters: frozenset[str] = frozenset()
    group: list[list[_Item]] | None = None
    least: int = 1
    most: float = 1

    @property
    def varies(self) -> bool:
        return self.most > _FEW and self.most > self.least


@dataclass(slots=True)
class _Parser:
    """A parser of an expression that compiles."""

    pattern: str
    flags: int
    at: int = 0
    known: dict[str, frozenset[str]] = field(default_factory=dict)

    def alternatives(self) -> list[list[_Item]]:
        """Parse up to the end of the group into its alternatives."""
        found: list[list[_Item]] = [[]]
        while self.at < len(self.pattern) and self.pattern[self.at] != ")":
            if self.pattern[self.at] == "|":
                self.at += 1
                found.append([])
            else:
                found[-1].append(self._item())
        return found

    def _item(self) -> _Item:
        if (opening := _OPENS.match(self.pattern, self.at)) is not None:
            self.at = opening.end()
            item = _Item(group=self.alternatives())
            self.at += 1
        else:
            token = _TOKEN.match(self.pattern, self.at)
            text = token[0] if token else self.pattern[self.at]
            self.at += len(text)
            item = _Item(self._characters(text))
        if (quantifier := _QUANTIFIER.match(self.pattern, self.at)) is not None and quantifier[0] != "{}":
            self.at = quantifier.end()
            item.least, item.most = _times(quantifier)
        return item

    def _characters(self, token: str) -> frozenset[str]:
        if token in ("^", "$", r"\b", r"\B", r"\A", r"\Z", r"\z"):
            return frozenset()
        if token not in self.known:
            try:
                one = re.compile(token, self.flags & ~re.VERBOSE)
                self.known[token] = frozenset(filter(one.fullmatch, {*_SAMPLE, *self.pattern}))
            except re.error:  # A back-reference: it may match anything.
                self.known[token] = frozenset({*_SAMPLE, *self.pattern})
        return self.known[token]


def pattern_problem(pattern: str) -> str:
    """Return why ``pattern`` cannot be used as a regular expression, "" if it can."""
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as exc:
        return Phrase("is not a valid regular expression: {problem}", problem=exc)
    try:
        terse = _terse(pattern) if compiled.flags & re.VERBOSE else pattern
        explodes = any(map(_explodes, _items(_Parser(terse, compiled.flags).alternatives())))
    except RecursionError:
        explodes = True
    return Phrase("has nested repeats and may never finish") if explodes else ""


def _terse(pattern: str) -> str:
    """Return a verbose expression without its white space and comments."""
    tokens = _TOKEN.findall(re.sub(r"(?m)(?<!\\)#.*$", "", pattern))
    return "".join(token for token in tokens if not token.isspace())


def _explodes(item: _Item) -> bool:
    """Whether a repeated group can split the same text among its repetitions in many ways."""
    if item.group is None or item.most <= _FEW:
        return False
    singles = [each[0].characters for each in item.group if len(each) == 1 and each[0].group is None]
    if any(one & other for at, one in enumerate(singles) for other in singles[:at]):
        return True  # (.|\s)*
    varying = [each for each in _items(item.group) if each.varies]
    if any(each.group is not None for each in varying):
        return True
    repeated = frozenset[str]().union(*(each.characters for each in varying))
    return any(
        any(each.varies for each in _items([sequence]))
        and (_adjacent(sequence) or not any(_is_mark(each, repeated) for each in sequence))
        for sequence in item.group
    )


def _is_mark(item: _Item, repeated: frozenset[str]) -> bool:
    """Whether an item is required and matches no character that a repeat matches, so that it marks where one ends."""
    fixed = item.group is None and item.least > 0 and not item.varies
    return fixed and bool(item.characters) and not item.characters & repeated


def _adjacent(sequence: list[_Item]) -> bool:
    """Whether two repeats of a sequence can match the same characters with no mark between them."""
    repeated: frozenset[str] = frozenset()
    for item in sequence:
        if _is_mark(item, repeated):
            repeated = frozenset()
        for each in _items([[item]]):
            if each.varies and each.characters & repeated:
                return True
            repeated |= each.characters if each.varies else frozenset()
    return False


def _items(alternatives: list[list[_Item]]) -> Iterator[_Item]:
    for sequence in alternatives:
        for item in sequence:
            yield item
            if item.group is not None:
                yield from _items(item.group)


def _times(quantifier: re.Match[str]) -> tuple[int, float]:
    if quantifier[1]:
        return {"*": (0, float("inf")), "+": (1, float("inf")), "?": (0, 1.0)}[quantifier[1]]
    least = int(quantifier[2] or 0)
    most = float(quantifier[4]) if quantifier[4] else (float("inf") if quantifier[3] else float(least))
    return least, most
