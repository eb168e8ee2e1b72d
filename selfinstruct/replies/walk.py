"""Finds the JSON values in a text in one pass."""

from __future__ import annotations

import json
import re
from collections import Counter

from selfinstruct.records import JSON, Candidate, Row
from selfinstruct.replies.names import FieldNames
from selfinstruct.replies.reader import BLANK_OR_COMMENT, MAX_DEPTH, Reader, UnreadableError, finite_float

#: The maximum length of the text kept of a candidate without a row, in characters.
MAX_EXCERPT = 4_096
# The maximum number of failures of the standard decoder per reply: each one scans all the text before it
# (JSONDecodeError counts lines), which would make bad replies quadratic.
_MAX_DECODER_ERRORS = 16

_SEPARATORS = re.compile(r"[\s,;\]}\ufeff]*+")
_KEYS = r'"([^"\\\n]{1,80}+)"|\'([^\'\\\n]{1,80}+)\'|[“”„‘’]([^“”„‘’\\\n]{1,80}+)[“”’]|([^\W\d]\w{0,63}+)'
_CUT_KEY = r"""["'“”„‘’][^"“”\n]{0,80}\Z"""
# The brace of an object (not one in prose), its first key, and the bracket at the beginning of its value.
_OBJECT_START_PATTERN = (
    rf"\{{{BLANK_OR_COMMENT}(?:(?:{_KEYS}){BLANK_OR_COMMENT}(?::{BLANK_OR_COMMENT}([\[{{])?|\Z)|{_CUT_KEY}|\Z)"
)
_OBJECT_START = re.compile(_OBJECT_START_PATTERN)
_VALUE_START = re.compile(rf"{_OBJECT_START_PATTERN}|\[(?=\s*[\[{{])")
_WRAPPER = re.compile(r'\{\s*+"([^"\\\n]{1,80}+)"\s*+:\s*+(?=\[)')
_LIST_START = re.compile(r"\[(?=\s*+[\[{])")
_AFTER_REPAIRED = re.compile(r"[ \t,;\]}]*+(?:\r?\n|\Z|\{|```|//|\#|/\*)")
# Text allowed directly after a row: brackets, then a blank, a full stop or markup; after a comma, a value.
_AFTER_ROW = re.compile(r"[\]}]*+(?:[\s;)<`*|]|\.\s|//|\Z|,++(?:[\s{\[\]}\"'/]|\Z)|[{\[])")
# Separates a row from an invalid value after it; without it both may be parts of one string.
_SEPARATED = re.compile(r"[,\n]")
_CUT_STRING = re.compile(r'"[^"}\]]*+')
_BEFORE_MEMBER = re.compile(r"[\[,]")
_AFTER_MEMBER = re.compile(r"\s*+[,\]]")
_ESCAPES = re.compile(r"\\.", re.DOTALL)
# Quotes other than straight double ones, by the quote that ends a string; excludes apostrophes within a word.
_OTHER_QUOTES = {
    **dict.fromkeys("“”", re.compile("[“”„]")),
    **dict.fromkeys("'’", re.compile(r"(?<!\w)['‘’]|['‘’](?!\w)")),
}
_CONTAINERS = (dict, list)
# The cost of skipping a value, in the reader's steps.
_SKIP_COST = 4
# How many candidates back to search for the last row.
_LOOK_BACK = 16


class Walk:
    """One pass over a text, from value to value, which collects ``candidates``.

    ``clean`` is true if all values are valid JSON with only separators between them. ``max_candidates``, the reader's
    steps and ``decoder_errors_left`` limit the work.
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
        """Find all candidates."""
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
        """Read the object at ``at``; return the position where to continue."""
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
        """Add the object read from [at, stop), or descend into it if it wraps rows; return where to continue."""
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
            renamed = names.rename_keys(row)
            self.notes["renamed"] += renamed.keys() != row.keys()
            row = renamed
        self._add(at, stop, row, _row_problem(row, self.may_have_surrogates))
        return stop

    def _repair_object(self, at: int) -> int:
        """Read an object that the standard decoder rejects; return the position where to continue."""
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
        """Return the position of the next object or list (if ``known``, of the next object with a field first)."""
        if not known:
            found = _VALUE_START.search(self.text, at, end)
            return found.start() if found else end
        for start in _OBJECT_START.finditer(self.text, at, end):
            self.reader.steps -= 1
            if self.names.field_of(_first_key(start)) is not None:
                return start.start()
        return end

    def _add_list_member(self, at: int) -> int:
        """Add the list member at ``at``, which is not an object; return the position after it, or 0 if invalid."""
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
        """Skip text that is not JSON; return the position of the next object or list."""
        self.clean = self.in_list = False
        self.has_gap = True
        self.reader.steps -= _SKIP_COST
        return self._find_value(at + 1, len(self.text), known=False)

    def _check_gap(self, stop: int) -> None:
        """Check the text skipped between the last candidate and ``stop``.

        An unbalanced quote, a field's key on the same line, or text directly after the row show that the row ended
        inside one of its own strings: it is rejected. A field's key is also a row without its brace.
        """
        self.has_gap = False
        text, at = self.text, self.last_end
        start = _SEPARATORS.match(text, at, stop)
        at = start.end() if start else at
        gap = text[at:stop]
        key = self.names.quoted_key.search(gap)
        is_cut = _CUT_STRING.fullmatch(gap) and stop == len(text) and "," in text[self.last_end : at]
        unbalanced = (_ESCAPES.sub("", gap).count('"') % 2 == 1 and not is_cut) or self._has_stray_quote(gap)
        ended_inside = (
            unbalanced
            or (key and "\n" not in text[self.last_end : at])
            or _AFTER_ROW.match(text, self.last_end) is None
        )
        if ended_inside:
            self._reject_last_row()
        if key:
            self._add(at, stop, None, "broken")

    def _has_stray_quote(self, gap: str) -> bool:
        """Whether the last row ended with a quote other than the straight double one, and ``gap`` contains another."""
        at = self.last_end
        while at and self.text[at - 1] in "}] \t\n":
            at -= 1
        quote = _OTHER_QUOTES.get(self.text[at - 1]) if at else None
        return quote is not None and quote.search(gap) is not None

    def _reject_last_row(self) -> None:
        """Reject the last row, if only list members that are not objects follow it."""
        for at in range(len(self.candidates) - 1, max(-1, len(self.candidates) - _LOOK_BACK), -1):
            candidate = self.candidates[at]
            if candidate.row is not None:
                self.candidates[at] = Candidate(at, candidate.text, None, "guessed")
            if candidate.problem != "not-an-object":
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
    """Return the first key of the matched object; "" if the text ends inside it."""
    return next(filter(None, start.groups()[:4]), "")


def _row_problem(row: Row, may_have_surrogates: bool) -> str:
    """Return the problem of a row that was read but cannot be used, or ""."""
    if any(type(value) in _CONTAINERS for value in row.values()) and _depth(row) > MAX_DEPTH:
        return "nested"
    if may_have_surrogates and not _encodable(json.dumps(row, ensure_ascii=False)):
        return "surrogate"
    return ""


def _encodable(text: str) -> bool:
    """Whether UTF-8 can encode ``text``; it cannot encode lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(value: JSON) -> int:
    """Return the levels of nesting, including the outermost."""
    depth, level = 0, [value]
    while level:
        depth += 1
        members = (v for outer in level for v in (outer.values() if type(outer) is dict else outer))
        level = [member for member in members if type(member) in _CONTAINERS]
    return depth


def _refuse_constant(word: str) -> JSON:
    raise UnreadableError("number", 0)


# strict=False accepts raw line breaks in strings.
_DECODE = json.JSONDecoder(strict=False, parse_float=finite_float, parse_constant=_refuse_constant).raw_decode
