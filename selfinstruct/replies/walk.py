"""One pass over a text, from value to value."""

from __future__ import annotations

import json
import re
from collections import Counter

from selfinstruct.records import JSON, Candidate, Row
from selfinstruct.replies.names import FieldNames
from selfinstruct.replies.reader import DEEPEST, SPACE, Reader, UnreadableError, finite

#: How much of a piece that is not a row is kept, in characters.
KEPT = 4_096
# How often the standard decoder may fail on one reply: each failure costs it a look at all the text before
# (JSONDecodeError counts the lines), which would make a bad reply quadratic.
_CHANCES = 16

_SEPARATORS = re.compile(r"[\s,;\]}\ufeff]*+")
_KEYS = r'"([^"\\\n]{1,80}+)"|\'([^\'\\\n]{1,80}+)\'|[“”„‘’]([^“”„‘’\\\n]{1,80}+)[“”’]|([^\W\d]\w{0,63}+)'
_TORN_KEY = r"""["'“”„‘’][^"“”\n]{0,80}\Z"""
# A brace that begins an object (and not one in prose): its first key, and the bracket that its value begins with.
_BEGINNING = rf"\{{{SPACE}(?:(?:{_KEYS}){SPACE}(?::{SPACE}([\[{{])?|\Z)|{_TORN_KEY}|\Z)"
_OBJECT = re.compile(_BEGINNING)
_START = re.compile(rf"{_BEGINNING}|\[(?=\s*[\[{{])")
_WRAPPER = re.compile(r'\{\s*+"([^"\\\n]{1,80}+)"\s*+:\s*+(?=\[)')
_LIST = re.compile(r"\[(?=\s*+[\[{])")
_LINE_ENDS = re.compile(r"[ \t,;\]}]*+(?:\r?\n|\Z|\{|```|//|\#|/\*)")
# What may follow on a row at once: brackets, then a blank, a stop or markup; after a comma, a value.
_AFTER_ROW = re.compile(r"[\]}]*+(?:[\s;)<`*|]|\.\s|//|\Z|,++(?:[\s{\[\]}\"'/]|\Z)|[{\[])")
# What stands between a row and a piece that is none, unless the row ended within a string that both are parts of.
_APART = re.compile(r"[,\n]")
_TORN_STRING = re.compile(r'"[^"}\]]*+')
_LISTED = re.compile(r"[\[,]")
_STRAY_ENDS = re.compile(r"\s*+[,\]]")
_ESCAPES = re.compile(r"\\.", re.DOTALL)
# Quotes, other than straight double ones, that end a string; an apostrophe within a word is none.
_QUOTES = {
    **dict.fromkeys("“”", re.compile("[“”„]")),
    **dict.fromkeys("'’", re.compile(r"(?<!\w)['‘’]|['‘’](?!\w)")),
}
_NESTED = (dict, list)
# What passing over something costs in the reader's steps: about as much time.
_PASSED = 4
# How many pieces back a row is looked for whose end is in doubt.
_LOOKED_BACK = 16


class Walk:
    """One pass over a text, from value to value; ``pieces`` are what it finds.

    ``clean`` stays true while every value is whole and nothing but separators stands between them. The work is bounded
    by ``most`` pieces, the reader's steps, and the standard decoder's chances to fail.
    """

    def __init__(self, text: str, names: FieldNames) -> None:
        self.text = text
        self.names = names
        self.pieces: list[Candidate] = []
        self.notes: Counter[str] = Counter()
        self.clean = True
        self.listed = False
        self.gapped = False
        self.ended = 0
        self.chances = _CHANCES
        self.most = 1_000 + len(text) // 100
        self.reader = Reader(text, steps=2_000 + len(text) // 5)
        self.halves = "\\u" in text or not _encodable(text)

    def run(self) -> None:
        """Find the pieces."""
        text, end, at = self.text, len(self.text), 0
        skip = _SEPARATORS.match
        while True:
            found = skip(text, at)
            at = found.end() if found else at
            if at == end:
                break
            if len(self.pieces) >= self.most or self.reader.steps <= 0:
                self._add(at, end, None, "unread")
                break
            character = text[at]
            if character == "{":
                at = self._object(at)
            elif character == "[" and (not self.pieces or _LIST.match(text, at)):
                self.listed = True
                self.reader.steps -= 1
                at += 1
            elif not self.listed or not (stop := self._stray(at)):
                at = self._gap(at)
            else:
                at = stop
        if self.gapped:
            self._judge_gap(end)

    def _object(self, at: int) -> int:
        """Take the object at ``at``; the place to go on from."""
        if not self.pieces and (wrapper := _WRAPPER.match(self.text, at)) and not self.names.field(wrapper.group(1)):
            return wrapper.end()
        if self.chances > 0:
            try:
                value, stop = _DECODE(self.text, at)
            except (ValueError, RecursionError):
                self.chances -= 1
            else:
                return self._take(at, stop, value)
        return self._mend(at)

    def _take(self, at: int, stop: int, row: Row) -> int:
        """Keep the object that was read from [at, stop), or go into it for the rows that it wraps."""
        names = self.names
        if list(row) != names.fields:
            if not names.any_in(row):
                nested = any(type(value) in _NESTED for value in row.values())
                if nested and (inner := self._next(at + 1, stop, known=True)) < stop:
                    self.chances -= 1
                    return inner
                if not row:
                    self.gapped = True
                    self.reader.steps -= _PASSED
                    return stop
            fitted = names.fit(row)
            self.notes["renamed"] += fitted.keys() != row.keys()
            row = fitted
        self._add(at, stop, row, _flaw(row, self.halves))
        return stop

    def _mend(self, at: int) -> int:
        """Take an object that the standard decoder refuses."""
        text = self.text
        self.clean = False
        start = _OBJECT.match(text, at)
        if start is None:
            return self._gap(at)
        try:
            row, stop = self.reader.object(at)
        except (UnreadableError, RecursionError) as error:
            problem, failed = (error.problem, error.at) if isinstance(error, UnreadableError) else ("nested", at)
        else:
            if _LINE_ENDS.match(text, stop) is None:
                self._add(at, stop, None, "guessed")
                return stop
            self.notes["repaired"] += 1
            return self._take(at, stop, row)
        known = self.names.field(_key(start)) is not None
        following = self._next(at + 1, len(text), known=known)
        if not known and (start.group(5) or following < failed):
            return following
        if problem == "torn" and following < len(text):
            problem = "broken"
        self._add(at, following, None, problem)
        return following

    def _next(self, at: int, end: int, *, known: bool) -> int:
        """The place of the next object or list (of the next object that begins with a field, if ``known``)."""
        if not known:
            found = _START.search(self.text, at, end)
            return found.start() if found else end
        for start in _OBJECT.finditer(self.text, at, end):
            self.reader.steps -= 1
            if self.names.field(_key(start)) is not None:
                return start.start()
        return end

    def _stray(self, at: int) -> int:
        """Take the list's member at ``at``, which is no object; the place after it, or 0 where it is no value."""
        if self.chances <= 0 or _LISTED.search(self.text, self.ended, at) is None:
            return 0
        try:
            _, stop = _DECODE(self.text, at)
        except (ValueError, RecursionError):
            self.chances -= 1
            return 0
        if _STRAY_ENDS.match(self.text, stop) is None:
            return 0
        self._add(at, stop, None, "not-an-object")
        return stop

    def _gap(self, at: int) -> int:
        """Pass over what is no value, up to the next object or list."""
        self.clean = self.listed = False
        self.gapped = True
        self.reader.steps -= _PASSED
        return self._next(at + 1, len(self.text), known=False)

    def _judge_gap(self, stop: int) -> None:
        """Look at what was passed over between the last piece and ``stop``.

        A quote too many, a field's key in the same line, or text without a blank before it says that the row before
        ended inside one of its own strings. A field's key is a row without its brace.
        """
        self.gapped = False
        text, at = self.text, self.ended
        start = _SEPARATORS.match(text, at, stop)
        at = start.end() if start else at
        gap = text[at:stop]
        key = self.names.quoted.search(gap)
        torn = _TORN_STRING.fullmatch(gap) and stop == len(text) and "," in text[self.ended : at]
        odd = (_ESCAPES.sub("", gap).count('"') % 2 == 1 and not torn) or self._goes_on(gap)
        inside = odd or (key and "\n" not in text[self.ended : at]) or _AFTER_ROW.match(text, self.ended) is None
        if inside:
            self._doubt_last()
        if key:
            self._add(at, stop, None, "broken")

    def _goes_on(self, gap: str) -> bool:
        """Whether the last row ended with another quote than the straight double one, and ``gap`` has one more."""
        at = self.ended
        while at and self.text[at - 1] in "}] \t\n":
            at -= 1
        quote = _QUOTES.get(self.text[at - 1]) if at else None
        return quote is not None and quote.search(gap) is not None

    def _doubt_last(self) -> None:
        """Refuse the last row, if only members that are no objects came after it."""
        for at in range(len(self.pieces) - 1, max(-1, len(self.pieces) - _LOOKED_BACK), -1):
            piece = self.pieces[at]
            if piece.row is not None:
                self.pieces[at] = Candidate(at, piece.text, None, "guessed")
            if piece.problem != "not-an-object":
                break

    def _add(self, at: int, stop: int, row: Row | None, problem: str = "") -> None:
        if self.gapped:
            self._judge_gap(at)
        text = self.text[at:stop]
        if problem:
            row, text = None, text[:KEPT]
            if _APART.search(self.text, self.ended, at) is None:
                self._doubt_last()
        self.ended = stop
        self.pieces.append(Candidate(len(self.pieces), text, row, problem))


def _key(start: re.Match[str]) -> str:
    """The first key of the object that begins so; "" where the text ends before it is whole."""
    return next(filter(None, start.groups()[:4]), "")


def _flaw(row: Row, halves: bool) -> str:
    """The problem of a row that was read but cannot be kept, or ""."""
    if any(type(value) in _NESTED for value in row.values()) and _depth(row) > DEEPEST:
        return "nested"
    if halves and not _encodable(json.dumps(row, ensure_ascii=False)):
        return "surrogate"
    return ""


def _encodable(text: str) -> bool:
    """Whether UTF-8 can hold ``text``: it cannot hold half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(value: JSON) -> int:
    """How many objects and lists are inside each other, the outermost counted."""
    depth, level = 0, [value]
    while level:
        depth += 1
        members = (v for outer in level for v in (outer.values() if type(outer) is dict else outer))
        level = [member for member in members if type(member) in _NESTED]
    return depth


def _refuse_constant(word: str) -> JSON:
    raise UnreadableError("number", 0)


# strict=False: a raw line break in a string is kept as it is, not refused.
_DECODE = json.JSONDecoder(strict=False, parse_float=finite, parse_constant=_refuse_constant).raw_decode
