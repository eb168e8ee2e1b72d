"""Joins the lines of PDF pages into paragraphs and sentences.

A PDF contains glyphs at positions; paragraphs are inferred from the positions of lines. A new paragraph begins where
the distance between lines is larger than usual, where the font size changes after a sentence, at a new column, at a
bullet, and where the first word would have fitted on the previous line, since a paragraph fills its lines. A hyphen at
the end of a line between lower-case letters is removed ("harbour-/master" -> "harbourmaster"; "well-/known" loses its
own). Lines at the top or bottom of many pages that differ only in numbers are not part of the text. A sentence that
continues on the next page belongs to the page where it begins.

Does not handle: tables (a row is a line), vertical writing, footnotes, columns whose lines are interleaved.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from selfinstruct.documents.sentences import boundaries
from selfinstruct.text import is_unspaced


class Line(NamedTuple):
    """A line of a page with its box, in points from the lower left; the height is that of the font."""

    text: str
    left: float
    bottom: float
    right: float
    top: float


# The factor of the usual distance that makes a gap; smaller differences are rounding errors.
_PARAGRAPH_GAP = 1.25
_SIZE_CHANGE = 1.15
# The maximum vertical distance, in points, between parts of one line.
_SAME_LINE = 2.0
# About a third of the pages, since left and right pages differ; at least three, since two chapters may begin alike.
_RUNNING_SHARE, _RUNNING_LEAST = 0.3, 3
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")
_BULLET = re.compile(r"[•‣▪●○◦·–—*-]\s|\(?\d{1,3}[.)]\s|\([a-z]\)\s")
_WIDE = re.compile("[\u3000-\u303f\uff00-\uff60]")
_NUMBER = re.compile(r"\d+")
_SENTENCE_END = re.compile(r"[.!?…:。！？；：।॥؟۔][\"'”’)\]»」』）》]*$")


def page_texts(pages: Sequence[Sequence[Line]]) -> list[str]:
    """Return the text of each page, with an empty line between paragraphs; "" for a page without text."""
    running = _running_lines(pages)
    texts = []
    for page in pages:
        dropped = {line for line in _edge_lines(page) if _without_numbers(line) in running}
        texts.append(_paragraphs([line for line in page if line not in dropped]))
    return ["\n\n".join(paragraphs) for paragraphs in _join_pages(texts)]


def _running_lines(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    """Return the running headers and footers: edge lines of many pages that differ only in numbers."""
    counts = Counter(key for page in pages for key in {_without_numbers(line) for line in _edge_lines(page)})
    least = max(_RUNNING_LEAST, _RUNNING_SHARE * sum(1 for page in pages if page))
    return frozenset(key for key, count in counts.items() if count >= least)


def _edge_lines(page: Sequence[Line]) -> list[Line]:
    """Return the lines at the height of the topmost and the lowest line of a page."""
    if len(page) < _RUNNING_LEAST:
        return []
    heights = [line.bottom for line in page]
    return [line for line in page if min(abs(line.bottom - max(heights)), abs(line.bottom - min(heights))) < _SAME_LINE]


def _without_numbers(line: Line) -> str:
    return _NUMBER.sub("#", line.text)


def _paragraphs(lines: Sequence[Line]) -> list[str]:
    if not lines:
        return []
    steps = [above.bottom - below.bottom for above, below in pairwise(lines)]
    down = sorted(step for step in steps if step > _SAME_LINE)
    # Not the median, which on a page of short paragraphs is the distance between paragraphs.
    usual = down[len(down) // 4] if down else 0.0
    paragraphs = [[lines[0]]]
    for above, below in pairwise(lines):
        if _is_break(above, below, usual, _right_edge(above, lines)):
            paragraphs.append([])
        paragraphs[-1].append(below)
    return [join_lines([line.text for line in paragraph]) for paragraph in paragraphs]


def _right_edge(line: Line, lines: Sequence[Line]) -> float:
    """Return the right edge of the column of ``line``."""
    slack = line.top - line.bottom
    return max(other.right for other in lines if abs(other.left - line.left) <= 2 * slack)


def _is_break(above: Line, below: Line, usual: float, edge: float) -> bool:
    step = above.bottom - below.bottom
    height, next_height = above.top - above.bottom, below.top - below.bottom
    if abs(step) < _SAME_LINE:
        return False
    if step < 0:  # the next column, where a sentence may continue
        return _SENTENCE_END.search(above.text) is not None
    if step > _PARAGRAPH_GAP * usual:
        return True
    # Only after a sentence: a line is measured in its middle, where a word may have another font.
    if max(height, next_height) > _SIZE_CHANGE * min(height, next_height) and _SENTENCE_END.search(above.text):
        return True
    if _BULLET.match(below.text):
        return True
    if above.text.endswith("-") or _RIGHT_TO_LEFT.search(below.text):
        return False  # right-to-left lines begin at the right edge
    word = 1 if is_unspaced(below.text[0]) else len(below.text.split(maxsplit=1)[0])
    room = edge - above.right
    # Half a line height of tolerance: letters differ in width, and margins may be ragged.
    return room > (word + 1) * (below.right - below.left) / len(below.text) + height / 2


def join_lines(lines: Sequence[str]) -> str:
    """Join the lines of one paragraph."""
    text = lines[0]
    for line in lines[1:]:
        if text.endswith("-") and text[-2:-1].islower() and line[:1].islower():
            text = text[:-1] + line
        elif is_unspaced(text[-1]) and is_unspaced(line[0]):
            text += line
        else:
            # Full-width punctuation includes its space.
            text += line if _WIDE.match(text[-1]) or _WIDE.match(line[0]) else f" {line}"
    return text


def _join_pages(pages: list[list[str]]) -> list[list[str]]:
    """Move the end of each sentence from the top of the next page to the page where it begins."""
    joined = [list(paragraphs) for paragraphs in pages]
    for page, following in pairwise(joined):
        if not page or not following or _SENTENCE_END.search(page[-1]) or not _continues(page[-1], following[0]):
            continue
        end = boundaries(following[0])[0][0]
        page[-1] = join_lines([page[-1], following[0][:end].rstrip()])
        following[:1] = [following[0][end:]] if end < len(following[0]) else []
    return joined


def _continues(text: str, following: str) -> bool:
    return following[0].islower() or (is_unspaced(text[-1]) and is_unspaced(following[0]))
