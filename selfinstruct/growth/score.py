"""The score that a judge gives: a number, however it is written; pure.

Does not handle: the scale. "8/10" and "8 out of 10" are 8: a judge's ``least`` is on the scale of its own prompt.

>>> read_score("4 out of 5"), read_score("Score: 4.5/5 - well written"), read_score("五分"), read_score("yes")
(4.0, 4.5, 5.0, 5.0)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

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
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(?![\d.]*\d|\s*[-–~至到]\s*\d|\s+of\s+(?:the|these|those)\b)")
_NUMERAL = re.compile(
    rf"({'|'.join(sorted(_NUMERALS, key=len, reverse=True))})(?![a-z一二三四五六七八九十])"
    r"(?:\s*(?:(?:out of|of|/)\s*(?:\d|five|ten|五|十)|stars?|points?|分|星|颗星)|\s*[.。,，;；]|$)"
)
_STARS = re.compile(r"(★+|⭐+)☆*\s*$")
# A score within a text, after the word for it; what is said of the scale may stand between.
_STATED = re.compile(
    r"(?:\b(?:score|rating|grade|verdict|overall|total)|评分|得分|分数|打分|总分|评为|质量)"
    r"\s*(?:[(（][^)）\n]{0,30}[)）]\s*)?(?:is|of|was|为|是)?[\s:=*_`\"'\[({<>|-]*(?=\d)"
)
_GIVEN = re.compile(
    r"(?:\b(?:give|gives|rate|rates|scores?|deserves?|merits?|earns?|assign)\b)[^.,;:\d\n]{0,30}?(?<![\w-])(?=\d)"
    r"|[给打](?:出|了|它|予|这[一]?[行条个])?\s?(?=\d)"
)
_MARKUP = re.compile(r"\\boxed\{|<[/\w]{1,12}>|[{}]")
_LIST_MARK = re.compile(r"\A\d+[.)]\s+(?=\D)")
#: Names that judges give their score instead of the one that was asked for.
_NAMES = "score rating grade value points overall total verdict 评分 分数 得分 总分 打分"
_SYNONYMS = tuple(_NAMES.split())
_WORD = re.compile(rf"({'|'.join(_WORDS)})(?![a-z])")


def read_score(value: JSON) -> float | None:
    """Return the number that a judge gives as its score, 5 for a yes and 1 for a no; None where there is none.

    A text begins with the score, or with words such as "Score:" and then the score, and its reason follows; or its
    reason comes first, and the score after such words. Of several scores that differ, none is taken.
    """
    if isinstance(value, dict):
        return read_score(value[name]) if (name := score_name(value)) is not None else None
    if isinstance(value, list) and len(value) == 1:
        return read_score(value[0])
    if isinstance(value, bool):
        return _YES if value else _NO
    if isinstance(value, int | float):
        return float(value) if value == value and abs(value) != float("inf") else None
    if not isinstance(value, str):
        return None
    whole = _LIST_MARK.sub("", _MARKUP.sub(" ", canonical(value).lower()).strip(), count=1)
    text = whole[_OPENING.match(whole).end() :]  # type: ignore[union-attr]  # it also matches nothing
    if found := _NUMBER.match(text):
        return float(found[1])
    if found := _NUMERAL.match(text):
        return _NUMERALS[found[1]]
    if found := _STARS.match(text):
        return float(len(found[1]))
    if found := _WORD.match(text):
        return _WORDS[found[1]]
    for words in (_STATED, _GIVEN):
        found_words = [each for each in words.finditer(whole) if "between" not in each[0]]
        stated = {number[1] for each in found_words if (number := _NUMBER.match(whole, each.end()))}
        if stated:
            return float(stated.pop()) if len(stated) == 1 else None
    return None


def score_name(verdict: Mapping[str, JSON]) -> str | None:
    """Return the name under which a verdict has its score, or None."""
    names = {name.strip().lower(): name for name in verdict}
    return next((names[each] for each in _SYNONYMS if each in names), None)
