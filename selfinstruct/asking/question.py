"""A question with its answer in a line, and the rules that every one obeys.

    the answer is in the line, between token boundaries, first at the place that is asked about;
    it is not in the question; the question is one sentence of moderate length

Does not handle: whether the question is about the answer; the wordings see to that.

>>> [is_right(question, "login of root", 9, 13) for question in ("Who logged in?", "When did root log in?")]
[True, False]
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from selfinstruct.text import canonical, find_span

#: Longer questions and answers are not asked, in code points.
LONGEST_QUESTION = 240
LONGEST_ANSWER = 160


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a passage, with its answer at ``start`` (code points of the passage).

    ``kind`` is a stable slug of what is asked for and how; ``weight`` is how often it is drawn, compared with others of
    the same passage.
    """

    text: str
    answer: str
    start: int
    kind: str
    weight: float


class Draft(NamedTuple):
    """A question in the making: without capital and question mark; the answer is [start, end) of the line.

    ``unit_end`` is where the unit after the answer ends, 0 if it has none, or if the question names it. ``is_part`` is
    whether the question asks for a part of a longer value, such as the port in a URL.
    """

    text: str
    start: int
    end: int
    kind: str
    weight: float = 1.0
    unit_end: int = 0
    is_part: bool = False


#: Marks that join parts of one value.
_JOINING = "-/\\_@#+~&"
_NEXT_KEY = re.compile(r",\s*[\w. ]+\s*[=:]")


def _is_part(line: str, start: int, end: int) -> bool:
    """Whether [start, end) is a part of a longer value: ``1`` of ``1-1``, ``159`` of ``159****0086``, ``yarn,curi``.

    So is the first word of what a full-width colon introduces, unless it is a number with its unit.
    """
    if "*" in (line[start - 1 : start], line[end : end + 1]):
        return True
    if line[start - 1 : start] == "：" and line[end : end + 1].isalnum() and not line[end - 1].isdigit():
        return True
    if start > 1 and line[start - 1] in _JOINING and line[start - 2].isalnum() and line[start - 2].isascii():
        return True
    if start > 1 and line[start - 1] == "," and line[start - 2].isalnum() and not line[start].isspace():
        return not _NEXT_KEY.match(line, start - 1) and "=" not in line[max(0, start - 20) : start]
    following = line[end : end + 2]
    if len(following) < 2 or not following[1].isalnum() or not following[1].isascii():
        return False
    if following[0] in _JOINING or (following[0] == ":" and not line[start:end].isdigit()):
        return True
    return following[0] == "," and _NEXT_KEY.match(line, end) is None


def is_right(question: str, line: str, start: int, end: int, *, is_part: bool = False) -> bool:
    """Whether a question may be asked whose answer is [start, end) of a line, and ``is_part`` of a longer value."""
    answer = line[start:end]
    if not answer.strip() or answer != answer.strip() or "\n" in answer or "\n" in question:
        return False
    if len(answer) > LONGEST_ANSWER or len(question) > LONGEST_QUESTION or not re.search(r"\w", answer):
        return False
    if any(
        answer.count(opening) != answer.count(closing) for opening, closing in ("()", "[]", "{}", "<>", "“”", "（）")
    ):
        return False
    if (not is_part and _is_part(line, start, end)) or find_span(answer, line) != (start, end):
        return False
    return find_span(canonical(answer).casefold(), canonical(question).casefold()) is None
