"""The lines of PDF pages -> running text: words, paragraphs, and pages that go on.

What a PDF holds is glyphs in places; that lines make a paragraph is read off the places. A new paragraph begins
where the lines are further apart than usual, where their size changes after a sentence, at a new column, at a
bullet, and where the first word would have fitted on the line before: an unbroken paragraph fills its lines. A hyphen
at a line's end between small letters goes with the break ("harbour-/master" -> "harbourmaster": "well-/known" loses
its own). Lines that stand at the top or the bottom of many pages, numbers aside, are no part of the text. A sentence
that goes on over the end of a page belongs to the page where it began.

Does not handle: tables (a row is a line), vertical writing, footnotes, columns whose lines were written in turn.
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
    """A line of a page with its box, in points from the lower left; the height is that of its font."""

    text: str
    left: float
    bottom: float
    right: float
    top: float


# More than the usual distance by this much is a gap; less is the rounding of some writers.
_PARAGRAPH_GAP = 1.25
_SIZE_CHANGE = 1.15
# Lines whose feet differ by less than this, in points, are pieces of one.
_SAME_LINE = 2.0
# A third of the pages or so, since left and right ones differ; and three, since two chapters may begin alike.
_RUNNING_SHARE, _RUNNING_LEAST = 0.3, 3
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")
_BULLET = re.compile(r"[•‣▪●○◦·–—*-]\s|\(?\d{1,3}[.)]\s|\([a-z]\)\s")
_WIDE = re.compile("[\u3000-\u303f\uff00-\uff60]")
_NUMBER = re.compile(r"\d+")
_SENTENCE_END = re.compile(r"[.!?…:。！？；：।॥؟۔][\"'”’)\]»」』）》]*$")


def page_texts(pages: Sequence[Sequence[Line]]) -> list[str]:
    """The text of each page, paragraphs separated by an empty line; "" for a page that has none of its own."""
    running = _running_lines(pages)
    texts = []
    for page in pages:
        dropped = {line for line in _edge_lines(page) if _without_numbers(line) in running}
        texts.append(_paragraphs([line for line in page if line not in dropped]))
    return ["\n\n".join(paragraphs) for paragraphs in _join_pages(texts)]


def _running_lines(pages: Sequence[Sequence[Line]]) -> frozenset[str]:
    """Heads and feet: what stands uppermost or lowest on so many pages, numbers aside."""
    counts = Counter(key for page in pages for key in {_without_numbers(line) for line in _edge_lines(page)})
    least = max(_RUNNING_LEAST, _RUNNING_SHARE * sum(1 for page in pages if page))
    return frozenset(key for key, count in counts.items() if count >= least)


def _edge_lines(page: Sequence[Line]) -> list[Line]:
    """What stands at the height of the uppermost and of the lowest line, in whatever order they were written."""
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
    # Not the median: on a page of short paragraphs that is the distance between two of them.
    usual = down[len(down) // 4] if down else 0.0
    paragraphs = [[lines[0]]]
    for above, below in pairwise(lines):
        if _is_break(above, below, usual, _right_edge(above, lines)):
            paragraphs.append([])
        paragraphs[-1].append(below)
    return [join_lines([line.text for line in paragraph]) for paragraph in paragraphs]


def _right_edge(line: Line, lines: Sequence[Line]) -> float:
    """How far right the lines of this line's column reach."""
    slack = line.top - line.bottom
    return max(other.right for other in lines if abs(other.left - line.left) <= 2 * slack)


def _is_break(above: Line, below: Line, usual: float, edge: float) -> bool:
    step = above.bottom - below.bottom
    height, next_height = above.top - above.bottom, below.top - below.bottom
    if abs(step) < _SAME_LINE:
        return False
    if step < 0:  # the next column: a sentence may go on there
        return _SENTENCE_END.search(above.text) is not None
    if step > _PARAGRAPH_GAP * usual:
        return True
    # Only after a sentence: a line may have a word of another font in its middle, where it is measured.
    if max(height, next_height) > _SIZE_CHANGE * min(height, next_height) and _SENTENCE_END.search(above.text):
        return True
    if _BULLET.match(below.text):
        return True
    if above.text.endswith("-") or _RIGHT_TO_LEFT.search(below.text):
        return False  # to the right of the latter's lines is where they begin
    word = 1 if is_unspaced(below.text[0]) else len(below.text.split(maxsplit=1)[0])
    room = edge - above.right
    # Half a line's height in hand: widths differ from letter to letter, and some writers keep a ragged edge.
    return room > (word + 1) * (below.right - below.left) / len(below.text) + height / 2


def join_lines(lines: Sequence[str]) -> str:
    """The lines of one paragraph as running text."""
    text = lines[0]
    for line in lines[1:]:
        if text.endswith("-") and text[-2:-1].islower() and line[:1].islower():
            text = text[:-1] + line
        elif is_unspaced(text[-1]) and is_unspaced(line[0]):
            text += line
        else:
            # Full-width punctuation brings its own space.
            text += line if _WIDE.match(text[-1]) or _WIDE.match(line[0]) else f" {line}"
    return text


def _join_pages(pages: list[list[str]]) -> list[list[str]]:
    """The pages with each sentence where it began: its end is taken from the top of the page after."""
    carried = [list(paragraphs) for paragraphs in pages]
    for page, following in pairwise(carried):
        if not page or not following or _SENTENCE_END.search(page[-1]) or not _continues(page[-1], following[0]):
            continue
        end = boundaries(following[0])[0][0]
        page[-1] = join_lines([page[-1], following[0][:end].rstrip()])
        following[:1] = [following[0][end:]] if end < len(following[0]) else []
    return carried


def _continues(text: str, following: str) -> bool:
    return following[0].islower() or (is_unspaced(text[-1]) and is_unspaced(following[0]))
