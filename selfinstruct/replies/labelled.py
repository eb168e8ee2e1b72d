"""Rows written as lines that are labelled with the fields' names, for a reply that holds no JSON at all."""

from __future__ import annotations

import re
from itertools import islice

from selfinstruct.records import Candidate, Row
from selfinstruct.replies.names import FieldNames
from selfinstruct.replies.walk import KEPT

# One labelled line, such as "2. **Answer:** 28.0".
_NUMBER = r"(?:(?:\d{1,4}[.):]|[-*•+])[ \t]++)?"
_LINE = re.compile(
    rf"^[ \t]*+{_NUMBER}[*_]{{0,2}}([^\W\d][\w -]{{0,40}}?)[*_]{{0,2}}[ \t]*+[:：][*_]{{0,2}}[ \t]*+(.*)$", re.MULTILINE
)
# What may stand between two labelled lines, such as "### Row 3" and "---".
_RULE = r"[\s\-=_*#`]*+"
_BETWEEN = re.compile(rf"{_RULE}(?:row|example|record|item|sample)?\s?#?(?:\d{{1,4}}[.):]?)?{_RULE}", re.IGNORECASE)
# A value that begins so may be dressed up: whether the quotes or the markup belong to it cannot be known.
_DRESSED = re.compile(r"""["'`“”‘’*_<>|\[{]""")
_PARAGRAPH = re.compile(r"(?:[ \t]*\r?\n){2}")


def labelled(text: str, names: FieldNames, *, torn: bool) -> list[Candidate]:
    """Rows written as one labelled line per field, each row beginning with the same label.

    A value is the rest of its line. One that goes on over more lines, stands in quotes, or comes twice in a row cannot
    be read without a guess; with ``torn`` neither can the last row.
    """
    rows: list[_Lines] = []
    for line in islice(_LINE.finditer(text), 1_000 + len(text) // 20):
        field = names.field(line.group(1))
        if field is None:
            continue
        if not rows or field == rows[0].first:
            rows.append(_Lines(field, line.start()))
        rows[-1].add(field, line)
    candidates: list[Candidate] = []
    for number, row in enumerate(rows):
        last = number + 1 == len(rows)
        stop = len(text) if last else rows[number + 1].start
        problem = row.problem(text[row.end : stop], last=last, torn=torn)
        if len(row.row) >= min(2, len(names.fields)):
            kept = None if problem else names.fit(row.row)
            candidates.append(Candidate(len(candidates), text[row.start : stop][:KEPT], kept, problem))
    return candidates


class _Lines:
    """The labelled lines of one row, which begins with the label ``first``."""

    def __init__(self, first: str, start: int) -> None:
        self.first = first
        self.start = start
        self.end = start
        self.row: Row = {}
        self.doubtful = False

    def add(self, field: str, line: re.Match[str]) -> None:
        between = line.string[self.end : line.start()] if self.row else ""
        value = line.group(2).strip()
        self.doubtful |= field in self.row or bool(_DRESSED.match(value) or between.strip())
        self.row[field] = value
        self.end = line.end()

    def problem(self, rest: str, *, last: bool, torn: bool) -> str:
        """What keeps the row from being read, or ""; ``rest`` is the text up to the next row."""
        if last and torn and not rest.strip():
            return "torn"
        goes_on = _BETWEEN.fullmatch(rest) is None and not (last and _PARAGRAPH.match(rest))
        return "guessed" if self.doubtful or goes_on else ""
