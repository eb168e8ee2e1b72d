"""Tokens and token bounds: the one definition that every other module shares.

Does not handle: stemming, language detection, or words of scripts that need a dictionary (Thai, Japanese):
those are taken character by character.

>>> tokens("Finished task 28.0 in stage 29.0")
['finished', 'task', '28', '0', 'in', 'stage', '29', '0']
>>> tokens("乾卦 is 元亨")
['乾', '卦', 'is', '元', '亨']
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

#: Character class of the scripts written without spaces: Thai to Tibetan, kana, CJK ideographs.
UNSPACED = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_ASCII_TOKEN = re.compile(r"[a-z0-9]+")
_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
_UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
_NUMBER_JOINT = ".,"


def tokens(text: str) -> list[str]:
    """The tokens that ROUGE-L compares, in order, lower-cased.

    For ASCII text these are exactly rouge-score 0.1.2's (``[a-z0-9]+`` of the lower-cased text, stemming off),
    so that scores compare with published ones. Other text goes on to Unicode words, with one token for each
    character of a script written without spaces (rouge-score gives those no tokens at all).
    """
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    return _TOKEN.findall(text.lower())


def value_text(value: Any) -> str:
    """A JSON value as text: a string as it is, anything else as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script that is written without spaces between words."""
    return _UNSPACED_CHARACTER.match(character) is not None


def is_bound(text: str, at: int) -> bool:
    """Whether a token may begin or end between ``text[at - 1]`` and ``text[at]``.

    No bound lies inside a word, nor inside a number at its decimal point: ``9.0`` and ``29`` are no tokens of
    ``29.0``. Between characters of a script without spaces every place is a bound.
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if _is_word(before) and _is_word(after):
        return is_unspaced(before) or is_unspaced(after)
    if before.isdigit() and after in _NUMBER_JOINT:
        return at + 1 >= len(text) or not text[at + 1].isdigit()
    if before in _NUMBER_JOINT and after.isdigit():
        return at < 2 or not text[at - 2].isdigit()
    return True


def find_span(needle: str, text: str) -> tuple[int, int] | None:
    """The first token-bounded place of ``needle`` in ``text`` as [start, end) code points, or None.

    An empty needle has no place.
    """
    return next(_spans(needle, text), None)


def find_spans(needle: str, text: str) -> list[tuple[int, int]]:
    """All token-bounded places of ``needle`` in ``text``, also overlapping ones, as [start, end) code points."""
    return list(_spans(needle, text))


def _spans(needle: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(needle) if needle else -1
    while start >= 0:
        end = start + len(needle)
        if is_bound(text, start) and is_bound(text, end):
            yield start, end
        start = text.find(needle, start + 1)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
