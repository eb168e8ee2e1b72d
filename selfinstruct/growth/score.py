"""The score that a judge gives: a number, however it is written; pure.

Does not handle: the scale. "8/10" and "8 out of 10" are 8: a judge's ``least`` is on the scale of its own prompt.

>>> read_score("4 out of 5"), read_score("Score: 4.5/5 - well written"), read_score("五分"), read_score("yes")
(4.0, 4.5, 5.0, 5.0)
"""

from __future__ import annotations

import re

from selfinstruct.records import JSON
from selfinstruct.text import canonical

_YES, _NO = 5.0, 1.0
_WORDS = {"yes": _YES, "no": _NO, "true": _YES, "false": _NO, "是": _YES, "否": _NO}
_NUMERALS = {
    word: float(number)
    for number, words in enumerate(
        (
            "zero 零",
            "one 一",
            "two 二 两",
            "three 三",
            "four 四",
            "five 五",
            "six 六",
            "seven 七",
            "eight 八",
            "nine 九",
            "ten 十",
        )
    )
    for word in words.split()
}
_OPENING = re.compile(
    r"[\s*_`\"'#(\[]*(?:(?:the |my |overall |final )*(?:score|rating|grade|verdict|total)(?: is| of)?"
    r"|i (?:give|rate|score) (?:it|this)(?: a| with)?"
    r"|(?:我)?(?:的|给它|给这一?[行条个])?(?:总|最终|综合)?(?:评分|得分|分数|打分|评为|打)(?:是|为)?)?[\s:=*_`\"'(\[]*"
)
#: Not the first of a range.
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(?![\d.]*\d|\s*[-–~至到]\s*\d)")
_NUMERAL = re.compile(
    rf"({'|'.join(sorted(_NUMERALS, key=len, reverse=True))})(?![a-z一二三四五六七八九十])"
    r"(?:\s*(?:(?:out of|of|/)\s*(?:\d|five|ten|五|十)|stars?|points?|分|星|颗星)|\s*[.。,，;；]|$)"
)
_STARS = re.compile(r"(★+)☆*\s*$")
_WORD = re.compile(rf"({'|'.join(_WORDS)})(?![a-z])")


def read_score(value: JSON) -> float | None:
    """Return the number that a judge gives as its score, 5 for a yes and 1 for a no; None where there is none.

    A text must begin with the score, or with words such as "Score:" and then the score; what follows is its reason.
    """
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, int | float):
        return float(value) if value == value and abs(value) != float("inf") else None
    if not isinstance(value, str):
        return None
    text = canonical(value).strip().lower()
    text = text[_OPENING.match(text).end() :]  # type: ignore[union-attr]  # it also matches nothing
    if found := _NUMBER.match(text):
        return float(found[1])
    if found := _NUMERAL.match(text):
        return _NUMERALS[found[1]]
    if found := _STARS.match(text):
        return float(len(found[1]))
    found = _WORD.match(text)
    return _WORDS[found[1]] if found else None
