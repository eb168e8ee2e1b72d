"""One pass over a text, from value to value."""

from __future__ import annotations

import json
import re
from collections import Counter

from selfinstruct.records import JSON, Candidate, Row
from selfinstruct.replies.names import FieldNames
from selfinstruct.replies.reader import BLANK_OR_COMMENT, MAX_DEPTH, Reader, UnreadableError, finite_float

#: How much of a piece that is not a row is kept, in characters.
MAX_EXCERPT = 4_096
# How often the standard decoder may fail on one reply: each failure costs it a look at all the text before
# (JSONDecodeError counts the lines), which would make a bad reply quadratic.
_MAX_DECODER_ERRORS = 16

_SEPARATORS = re.compile(r"[\s,;\]}\ufeff]*+")
_KEYS = r'"([^"\\\n]{1,80}+)"|\'([^\'\\\n]{1,80}+)\'|[“”„‘’]([^“”„‘’\\\n]{1,80}+)[“”’]|([^\W\d]\w{0,63}+)'
_CUT_KEY = r"""["'“”„‘’][^"“”\n]{0,80}\Z"""
# A brace that begins an object (and not one in prose): its first key, and the bracket that its value begins with.
_OBJECT_START_PATTERN = (
    rf"\{{{BLANK_OR_COMMENT}(?:(?:{_KEYS}){BLANK_OR_COMMENT}(?::{BLANK_OR_COMMENT}([\[{{])?|\Z)|{_CUT_KEY}|\Z)"
)
_OBJECT_START = re.compile(_OBJECT_START_PATTERN)
_VALUE_START = re.compile(rf"{_OBJECT_START_PATTERN}|\[(?=\s*[\[{{])")
_WRAPPER = re.compile(r'\{\s*+"([^"\\\n]{1,80}+)"\s*+:\s*+(?=\[)')
_LIST_START = re.compile(r"\[(?=\s*+[\[{])")
_AFTER_REPAIRED = re.compile(r"[ \t,;\]}]*+(?:\r?\n|\Z|\{|```|//|\#|/\*)")
# What may follow on a row at once: brackets, then a blank, a stop or markup; after a comma, a value.
_AFTER_ROW = re.compile(r"[\]}]*+(?:[\s;)<`*|]|\.\s|//|\Z|,++(?:[\s{\[\]}\"'/]|\Z)|[{\[])")
# What stands between a row and a piece that is none, unless the row ended within a string that both are parts of.
_SEPARATED = re.compile(r"[,\n]")
_CUT_STRING = re.compile(r'"[^"}\]]*+')
_BEFORE_MEMBER = re.compile(r"[\[,]")
_AFTER_MEMBER = re.compile(r"\s*+[,\]]")
_ESCAPES = re.compile(r"\\.", re.DOTALL)
# Quotes, other than straight double ones, that end a string; an apostrophe within a word is none.
_OTHER_QUOTES = {
    **dict.fromkeys("“”", re.compile("[“”„]")),
    **dict.fromkeys("'’", re.compile(r"(?<!\w)['‘’]|['‘’](?!\w)")),
}
_CONTAINERS = (dict, list)
# What passing over something costs in the reader's steps: about as much time.
_SKIP_COST = 4
# How many pieces back a row is looked for whose end is in doubt.
_LOOK_BACK = 16


class Walk:
    """One pass over a text, from value to value; ``pieces`` are what it finds.

    ``clean`` stays true while every value is whole and nothing but separators stands between them. The work is bounded
    by ``most`` pieces, the reader's steps, and the standard decoder's chances to fail.
    """

    def __init__(self, text: str, names: FieldNames) -> None:
        self.text = text
        self.names = names
        self.candidates: list[Candidate] = []
        self.notes: Counter[str] = Counter()
        self.clean = True
        self.in_list = False
        self.has_gap = False
        self.last_end = 0
        self.decoder_errors_left = _MAX_DECODER_ERRORS
        self.max_candidates = 1_000 + len(text) // 100
        self.reader = Reader(text, steps=2_000 + len(text) // 5)
        self.may_have_surrogates = "\\u" in text or not _encodable(text)

    def run(self) -> None:
        """Find the pieces."""
        text, end, at = self.text, len(self.text), 0
        skip = _SEPARATORS.match
        while True:
            found = skip(text, at)
            at = found.end() if found else at
            if at == end:
                break
            if len(self.candidates) >= self.max_candidates or self.reader.steps <= 0:
                self._add(at, end, None, "unread")
                break
            character = text[at]
            if character == "{":
                at = self._read_object(at)
            elif character == "[" and (not self.candidates or _LIST_START.match(text, at)):
                self.in_list = True
                self.reader.steps -= 1
                at += 1
            elif not self.in_list or not (stop := self._add_list_member(at)):
                at = self._skip(at)
            else:
                at = stop
        if self.has_gap:
            self._check_gap(end)

    def _read_object(self, at: int) -> int:
        """Take the object at ``at``; the place to go on from."""
        if (
            not self.candidates
            and (wrapper := _WRAPPER.match(self.text, at))
            and not self.names.field_of(wrapper.group(1))
        ):
            return wrapper.end()
        if self.decoder_errors_left > 0:
            try:
                value, stop = _DECODE(self.text, at)
            except (ValueError, RecursionError):
                self.decoder_errors_left -= 1
            else:
                return self._add_object(at, stop, value)
        return self._repair_object(at)

    def _add_object(self, at: int, stop: int, row: Row) -> int:
        """Keep the object that was read from [at, stop), or go into it for the rows that it wraps."""
        names = self.names
        if list(row) != names.fields:
            if not names.any_field_in(row):
                nested = any(type(value) in _CONTAINERS for value in row.values())
                if nested and (inner := self._find_value(at + 1, stop, known=True)) < stop:
                    self.decoder_errors_left -= 1
                    return inner
                if not row:
                    self.has_gap = True
                    self.reader.steps -= _SKIP_COST
                    return stop
            fitted = names.rename_keys(row)
            self.notes["renamed"] += fitted.keys() != row.keys()
            row = fitted
        self._add(at, stop, row, _row_problem(row, self.may_have_surrogates))
        return stop

    def _repair_object(self, at: int) -> int:
        """Take an object that the standard decoder refuses."""
        text = self.text
        self.clean = False
        start = _OBJECT_START.match(text, at)
        if start is None:
            return self._skip(at)
        try:
            row, stop = self.reader.read_object(at)
        except (UnreadableError, RecursionError) as error:
            problem, failed = (error.problem, error.at) if isinstance(error, UnreadableError) else ("nested", at)
        else:
            if _AFTER_REPAIRED.match(text, stop) is None:
                self._add(at, stop, None, "guessed")
                return stop
            self.notes["repaired"] += 1
            return self._add_object(at, stop, row)
        known = self.names.field_of(_first_key(start)) is not None
        following = self._find_value(at + 1, len(text), known=known)
        if not known and (start.group(5) or following < failed):
            return following
        if problem == "torn" and following < len(text):
            problem = "broken"
        self._add(at, following, None, problem)
        return following

    def _find_value(self, at: int, end: int, *, known: bool) -> int:
        """The place of the next object or list (of the next object that begins with a field, if ``known``)."""
        if not known:
            found = _VALUE_START.search(self.text, at, end)
            return found.start() if found else end
        for start in _OBJECT_START.finditer(self.text, at, end):
            self.reader.steps -= 1
            if self.names.field_of(_first_key(start)) is not None:
                return start.start()
        return end

    def _add_list_member(self, at: int) -> int:
        """Take the list's member at ``at``, which is no object; the place after it, or 0 where it is no value."""
        if self.decoder_errors_left <= 0 or _BEFORE_MEMBER.search(self.text, self.last_end, at) is None:
            return 0
        try:
            _, stop = _DECODE(self.text, at)
        except (ValueError, RecursionError):
            self.decoder_errors_left -= 1
            return 0
        if _AFTER_MEMBER.match(self.text, stop) is None:
            return 0
        self._add(at, stop, None, "not-an-object")
        return stop

    def _skip(self, at: int) -> int:
        """Pass over what is no value, up to the next object or list."""
        self.clean = self.in_list = False
        self.has_gap = True
        self.reader.steps -= _SKIP_COST
        return self._find_value(at + 1, len(self.text), known=False)

    def _check_gap(self, stop: int) -> None:
        """Look at what was passed over between the last piece and ``stop``.

        A quote too many, a field's key in the same line, or text without a blank before it says that the row before
        ended inside one of its own strings. A field's key is a row without its brace.
        """
        self.has_gap = False
        text, at = self.text, self.last_end
        start = _SEPARATORS.match(text, at, stop)
        at = start.end() if start else at
        gap = text[at:stop]
        key = self.names.quoted_key.search(gap)
        torn = _CUT_STRING.fullmatch(gap) and stop == len(text) and "," in text[self.last_end : at]
        odd = (_ESCAPES.sub("", gap).count('"') % 2 == 1 and not torn) or self._has_stray_quote(gap)
        inside = odd or (key and "\n" not in text[self.last_end : at]) or _AFTER_ROW.match(text, self.last_end) is None
        if inside:
            self._reject_last_row()
        if key:
            self._add(at, stop, None, "broken")

    def _has_stray_quote(self, gap: str) -> bool:
        """Whether the last row ended with another quote than the straight double one, and ``gap`` has one more."""
        at = self.last_end
        while at and self.text[at - 1] in "}] \t\n":
            at -= 1
        quote = _OTHER_QUOTES.get(self.text[at - 1]) if at else None
        return quote is not None and quote.search(gap) is not None

    def _reject_last_row(self) -> None:
        """Refuse the last row, if only members that are no objects came after it."""
        for at in range(len(self.candidates) - 1, max(-1, len(self.candidates) - _LOOK_BACK), -1):
            piece = self.candidates[at]
            if piece.row is not None:
                self.candidates[at] = Candidate(at, piece.text, None, "guessed")
            if piece.problem != "not-an-object":
                break

    def _add(self, at: int, stop: int, row: Row | None, problem: str = "") -> None:
        if self.has_gap:
            self._check_gap(at)
        text = self.text[at:stop]
        if problem:
            row, text = None, text[:MAX_EXCERPT]
            if _SEPARATED.search(self.text, self.last_end, at) is None:
                self._reject_last_row()
        self.last_end = stop
        self.candidates.append(Candidate(len(self.candidates), text, row, problem))


def _first_key(start: re.Match[str]) -> str:
    """The first key of the object that begins so; "" where the text ends before it is whole."""
    return next(filter(None, start.groups()[:4]), "")


def _row_problem(row: Row, may_have_surrogates: bool) -> str:
    """The problem of a row that was read but cannot be kept, or ""."""
    if any(type(value) in _CONTAINERS for value in row.values()) and _depth(row) > MAX_DEPTH:
        return "nested"
    if may_have_surrogates and not _encodable(json.dumps(row, ensure_ascii=False)):
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
        level = [member for member in members if type(member) in _CONTAINERS]
    return depth


def _refuse_constant(word: str) -> JSON:
    raise UnreadableError("number", 0)


# strict=False: a raw line break in a string is kept as it is, not refused.
_DECODE = json.JSONDecoder(strict=False, parse_float=finite_float, parse_constant=_refuse_constant).raw_decode
