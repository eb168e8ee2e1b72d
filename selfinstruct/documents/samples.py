"""A text as samples that blank lines separate, as in a file of passages written one after the other."""

from __future__ import annotations

import re
from typing import TypeAlias

#: A piece of a text, as [start, end) code points.
Span: TypeAlias = tuple[int, int]

#: A blank line, with what white space stands about it: one or several, they separate once.
BLANK_LINES = re.compile(r"\n[^\S\n]*+\n\s*+")


def samples(text: str) -> list[Span]:
    """The samples of a text, in order, without the white space around them; none of them is empty.

    Several blank lines count as one, and a line of white space alone (an ideographic space too) is blank.
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
