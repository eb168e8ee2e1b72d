"""Parses rows written as lines labelled with field names, for replies without any JSON."""

from __future__ import annotations

import re
from itertools import islice

from selfinstruct.records import Candidate, Row
from selfinstruct.replies.names import FieldNames
from selfinstruct.replies.walk import MAX_EXCERPT

# One labelled line, such as "2. **Answer:** 28.0".
_NUMBER = r"(?:(?:\d{1,4}[.):]|[-*•+])[ \t]++)?"
_LINE = re.compile(
    rf"^[ \t]*+{_NUMBER}[*_]{{0,2}}([^\W\d][\w -]{{0,40}}?)[*_]{{0,2}}[ \t]*+[:：][*_]{{0,2}}[ \t]*+(.*)$", re.MULTILINE
)
# Text allowed between two rows, such as "### Row 3" and "---".
_DECORATION = r"[\s\-=_*#`]*+"
_ROW_SEPARATOR = re.compile(
    rf"{_DECORATION}(?:row|example|record|item|sample)?\s?#?(?:\d{{1,4}}[.):]?)?{_DECORATION}", re.IGNORECASE
)
# The beginning of a value in quotes or markup, which may or may not belong to the value.
_AMBIGUOUS_START = re.compile(r"""["'`“”‘’*_<>|\[{]""")
_PARAGRAPH_BREAK = re.compile(r"(?:[ \t]*\r?\n){2}")


def labelled_rows(text: str, names: FieldNames, *, truncated: bool) -> list[Candidate]:
    """Return rows written as one labelled line per field; every row must begin with the same label.

    A value is the rest of its line. A row is ``guessed`` if a value continues on further lines, is in quotes, or occurs
    twice. In a ``truncated`` reply the last row is ``torn``.
    """
    rows: list[_LabelledRow] = []
    for line in islice(_LINE.finditer(text), 1_000 + len(text) // 20):
        field = names.field_of(line.group(1))
        if field is None:
            continue
        if not rows or field == rows[0].first:
            rows.append(_LabelledRow(field, line.start()))
        rows[-1].add(field, line)
    candidates: list[Candidate] = []
    for number, row in enumerate(rows):
        last = number + 1 == len(rows)
        stop = len(text) if last else rows[number + 1].start
        problem = row.problem(text[row.end : stop], last=last, truncated=truncated)
        if len(row.row) >= min(2, len(names.fields)):
            fitted = None if problem else names.rename_keys(row.row)
            candidates.append(Candidate(len(candidates), text[row.start : stop][:MAX_EXCERPT], fitted, problem))
    return candidates


class _LabelledRow:
    """The labelled lines of one row; ``first`` is the field of the first line."""

    def __init__(self, first: str, start: int) -> None:
        self.first = first
        self.start = start
        self.end = start
        self.row: Row = {}
        self.ambiguous = False

    def add(self, field: str, line: re.Match[str]) -> None:
        between = line.string[self.end : line.start()] if self.row else ""
        value = line.group(2).strip()
        self.ambiguous |= field in self.row or bool(_AMBIGUOUS_START.match(value) or between.strip())
        self.row[field] = value
        self.end = line.end()

    def problem(self, rest: str, *, last: bool, truncated: bool) -> str:
        """Return the problem of the row, or ""; ``rest`` is the text up to the next row."""
        if last and truncated and not rest.strip():
            return "torn"
        continues = _ROW_SEPARATOR.fullmatch(rest) is None and not (last and _PARAGRAPH_BREAK.match(rest))
        return "guessed" if self.ambiguous or continues else ""
