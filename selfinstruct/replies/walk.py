"""Finds the JSON values in a text in one pass."""

from __future__ import annotations

import json
import re
from collections import Counter

from selfinstruct.records import JSON, Candidate, Row
from selfinstruct.replies import patterns
from selfinstruct.replies.names import FieldNames
from selfinstruct.replies.reader import MAX_DEPTH, Reader, UnreadableError, finite_float

#: The maximum length of the text kept of a candidate without a row, in characters.
MAX_EXCERPT = 4_096
# The maximum number of failures of the standard decoder per reply: each one scans all the text before it
# (JSONDecodeError counts lines), which would make bad replies quadratic.
_MAX_DECODER_ERRORS = 16

_CONTAINERS = (dict, list)
# The cost of skipping a value, in the reader's steps.
_SKIP_COST = 4
# How many candidates back to search for the last row.
_LOOK_BACK = 16


class Walk:
    """One pass over a text, from value to value, which collects ``candidates``.

    ``clean`` is true if all values are valid JSON with only separators between them. ``spans`` are the places of the
    rows that were read, in order. ``max_candidates``, the reader's steps and ``decoder_errors_left`` limit the work.
    ``is_inner`` is whether the text is a string of another text: strings inside it are not opened again.
    """

    def __init__(self, text: str, names: FieldNames, *, is_inner: bool = False) -> None:
        self.text = text
        self.names = names
        self.is_inner = is_inner
        self.spans: list[tuple[int, int]] = []
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
        skip = patterns.SEPARATORS.match
        while True:
            found = skip(text, at)
            at = found.end() if found else at
            if at == end:
                break
            if len(self.candidates) >= self.max_candidates or self.reader.steps <= 0:
                self._add(at, end, None, "unread")
                break
            character = text[at]
            if character == "{" or character == "｛":
                at = self._read_object(at)
            elif character in "[［" and (not self.candidates or patterns.LIST_START.match(text, at)):
                self.in_list = True
                self.reader.steps -= 1
                at += 1
            elif not (stop := self._add_list_member(at) if self.in_list else self._open_string(at)):
                at = self._skip(at)
            else:
                at = stop
        if self.has_gap:
            self._check_gap(end)

    def _read_object(self, at: int) -> int:
        """Read the object at ``at``; return the position where to continue."""
        if (
            not self.candidates
            and (wrapper := patterns.WRAPPER.match(self.text, at))
            and not self.names.field_of(wrapper.group(1))
        ):
            return wrapper.end()
        if self.decoder_errors_left > 0 and self.text[at] == "{":
            try:
                value, stop = _DECODE(self.text, at)
            except (ValueError, RecursionError):
                self.decoder_errors_left -= 1
            else:
                return self._add_object(at, stop, value)
        return self._repair_object(at)

    def _add_object(self, at: int, stop: int, row: Row, *, is_valid: bool = True) -> int:
        """Add the object read from [at, stop), or descend into it if it wraps rows; return where to continue."""
        names, keys = self.names, len(row)
        if list(row) != names.fields:
            wraps = not names.any_field_in(row) or self._is_wrapper(row)
            if wraps and (inner := self._enter(at, stop, row)) is not None:
                return inner
            renamed = names.rename_keys(row)
            self.notes["renamed"] += renamed.keys() != row.keys()
            row = renamed
        elif len(names.fields) == 1 and self._is_wrapper(row) and (inner := self._enter(at, stop, row)) is not None:
            return inner
        if not is_valid:
            self.notes["repeated"] += self.reader.has_repeated_key
        elif self.text.count('":', at, stop) != keys:
            self.notes["repeated"] += _has_repeated_key(self.text[at:stop])
        self._add(at, stop, row, _row_problem(row, self.may_have_surrogates))
        return stop

    def _is_wrapper(self, row: Row) -> bool:
        """Whether an object with the name of a field is a wrapper: all that it lists have the fields that it lacks."""
        known = self._fields_in(row)
        single = len(self.names.fields) == 1
        if known == len(self.names.fields) and not single:
            return False
        lists = [listed for value in row.values() if (listed := _listed(value))]
        return bool(lists) and all(
            type(each) is dict and self._fields_in(each) >= known + (not single) for value in lists for each in value
        )

    def _fields_in(self, row: Row) -> int:
        """Return how many fields the keys of an object refer to."""
        return len({self.names.field_of(key) for key in row} - {None})

    def _enter(self, at: int, stop: int, row: Row) -> int | None:
        """Return where to continue inside an object that wraps rows, or None if it wraps none."""
        nested = any(type(value) in _CONTAINERS for value in row.values())
        if nested and (inner := self._find_value(at + 1, stop, known=True)) < stop:
            self.decoder_errors_left -= 1
            if self.has_gap:
                self._check_gap(at)
            return inner
        strings = [value for value in row.values() if type(value) is str and patterns.JSON_IN_TEXT.match(value)]
        if any([self._open(at, stop, value) for value in strings]):
            return stop
        if not row:
            self.has_gap = True
            self.reader.steps -= _SKIP_COST
            return stop
        return None

    def _open(self, at: int, stop: int, value: str) -> bool:
        """Add the rows of a string that contains JSON, at [at, stop); whether there are any."""
        if self.is_inner:
            return False
        inner = Walk(value, self.names, is_inner=True)
        inner.run()
        if not any(candidate.row is not None for candidate in inner.candidates):
            return False
        if self.has_gap:
            self._check_gap(at)
        self.last_end = stop
        for each in inner.candidates:
            self.candidates.append(Candidate(len(self.candidates), each.text, each.row, each.problem))
            self.spans.append((at, stop))
        self.notes.update(inner.notes)
        self.notes["opened"] += 1
        return True

    def _open_string(self, at: int) -> int:
        """Add the rows of the string at ``at``, if it contains JSON; return the position after it, or 0.

        Of a string that the text ends in, the rows before its end are added.
        """
        if self.is_inner or patterns.STRING_OF_JSON.match(self.text, at) is None or self.decoder_errors_left <= 0:
            return 0
        try:
            value, stop = _DECODE(self.text, at)
        except (ValueError, RecursionError):
            self.decoder_errors_left -= 1
            cut, stop = patterns.CUT_ESCAPE.sub("", self.text[at:]), len(self.text)
            try:
                value = json.loads(f'{cut}"', strict=False)
            except (ValueError, RecursionError):
                return 0
        return stop if self._open(at, stop, value) else 0

    def _repair_object(self, at: int) -> int:
        """Read an object that the standard decoder rejects; return the position where to continue."""
        text = self.text
        self.clean = False
        start = patterns.OBJECT_START.match(text, at)
        if start is None:
            return self._skip(at)
        try:
            row, stop = self.reader.read_object(at)
        except (UnreadableError, RecursionError) as error:
            problem, failed = (error.problem, error.at) if isinstance(error, UnreadableError) else ("nested", at)
        else:
            if patterns.AFTER_REPAIRED.match(text, stop) is None:
                self._add(at, stop, None, "guessed")
                return stop
            self.notes["repaired"] += 1
            return self._add_object(at, stop, row, is_valid=False)
        known = self.names.field_of(_first_key(start)) is not None
        string = patterns.STRING_OF_JSON.search(text, start.end(), start.end() + 80)
        if problem == "torn" and string and not known and (stop := self._open_string(string.start())):
            return stop
        following = self._find_value(at + 1, len(text), known=known)
        if problem == "torn" and not text[start.end() : following].strip() and self._is_whole_row(following):
            if self.has_gap:
                self._check_gap(at)
            return following
        if not known and (start.group(5) or following < failed):
            return following
        if problem == "torn" and following < len(text):
            problem = "broken"
        self._add(at, following, None, problem)
        return following

    def _is_whole_row(self, at: int) -> bool:
        """Whether the object at ``at`` is valid and has all fields."""
        try:
            row, _ = _DECODE(self.text, at)
        except (ValueError, RecursionError):
            self.decoder_errors_left -= 1
            return False
        return type(row) is dict and self._fields_in(row) == len(self.names.fields)

    def _find_value(self, at: int, end: int, *, known: bool) -> int:
        """Return where the next object, list or string of JSON is; if ``known``, the next object with a field first."""
        if not known:
            found = patterns.VALUE_START.search(self.text, at, end)
            return found.start() if found else end
        for start in patterns.OBJECT_START.finditer(self.text, at, end):
            self.reader.steps -= 1
            if self.names.field_of(_first_key(start)) is not None:
                return start.start()
        return end

    def _add_list_member(self, at: int) -> int:
        """Add the list member at ``at``, which is not an object; return the position after it, or 0 if invalid."""
        if self.decoder_errors_left <= 0 or patterns.BEFORE_MEMBER.search(self.text, self.last_end, at) is None:
            return 0
        if stop := self._open_string(at):
            return stop
        try:
            _, stop = _DECODE(self.text, at)
        except (ValueError, RecursionError):
            self.decoder_errors_left -= 1
            return 0
        if patterns.AFTER_MEMBER.match(self.text, stop) is None:
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
        start = patterns.SEPARATORS.match(text, at, stop)
        at = start.end() if start else at
        gap = text[at:stop]
        key = self.names.quoted_key.search(gap)
        is_cut = patterns.CUT_STRING.fullmatch(gap) and stop == len(text) and "," in text[self.last_end : at]
        unbalanced = (patterns.ESCAPES.sub("", gap).count('"') % 2 == 1 and not is_cut) or self._has_stray_quote(gap)
        ended_inside = (
            unbalanced
            or (key and "\n" not in text[self.last_end : at])
            or patterns.AFTER_ROW.match(text, self.last_end) is None
        )
        if ended_inside:
            self._reject_last_row()
        if key:
            self._add(at, stop, None, "broken")

    def _has_stray_quote(self, gap: str) -> bool:
        """Whether the last row ended with a quote other than the straight double one, and ``gap`` contains another."""
        at = self.last_end
        while at and self.text[at - 1] in "}]｝］ \t\n":
            at -= 1
        quote = patterns.OTHER_QUOTES.get(self.text[at - 1]) if at else None
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
        if row is not None:
            self.spans.append((at, stop))
        if problem:
            row, text = None, text[:MAX_EXCERPT]
            if patterns.SEPARATED.search(self.text, self.last_end, at) is None:
                self._reject_last_row()
        self.last_end = stop
        self.candidates.append(Candidate(len(self.candidates), text, row, problem))


def _first_key(start: re.Match[str]) -> str:
    """Return the first key of the matched object; "" if the text ends inside it."""
    return next(filter(None, start.groups()[:4]), "")


def _listed(value: JSON) -> list[JSON]:
    """Return the list that a value is, or contains as a string; empty if it is none."""
    if type(value) is str and patterns.JSON_IN_TEXT.match(value):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return []
    return value if type(value) is list else []


def _row_problem(row: Row, may_have_surrogates: bool) -> str:
    """Return the problem of a row that was read but cannot be used, or ""."""
    if any(type(value) in _CONTAINERS for value in row.values()) and _depth(row) > MAX_DEPTH:
        return "nested"
    if may_have_surrogates and not _encodable(json.dumps(row, ensure_ascii=False)):
        return "surrogate"
    return ""


def _has_repeated_key(text: str) -> bool:
    """Whether an object has a key twice with two values."""
    found = False

    def look(pairs: list[tuple[str, JSON]]) -> Row:
        nonlocal found
        row: Row = {}
        for key, value in pairs:
            found |= key in row and row[key] != value
            row[key] = value
        return row

    json.loads(text, strict=False, object_pairs_hook=look)
    return found


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
