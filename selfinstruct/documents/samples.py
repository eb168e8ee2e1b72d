"""Divides a text into samples separated by blank lines."""

from __future__ import annotations

import re
from typing import TypeAlias

#: A part of a text, as [start, end) code points.
Span: TypeAlias = tuple[int, int]

#: One or several blank lines, with surrounding white space.
BLANK_LINES = re.compile(r"\n[^\S\n]*+\n\s*+")


def samples(text: str) -> list[Span]:
    """Return the samples of a text, in order, without surrounding white space; none is empty.

    Several blank lines count as one. A line with only white space (including ideographic spaces) is blank.
    """
    spans: list[Span] = []
    end = len(text.rstrip())
    start = len(text) - len(text.lstrip())
    for gap in BLANK_LINES.finditer(text, start, end):
        spans.append((start, start + len(text[start : gap.start()].rstrip())))
        start = gap.end()
    if start < end:
        spans.append((start, end))
    return spans
