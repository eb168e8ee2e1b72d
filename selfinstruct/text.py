"""Tokens and token boundaries, as all other modules use them.

Does not handle: stemming, language detection, or word segmentation that needs a dictionary (Thai, Japanese): in these
scripts every character is a token.

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

#: Character class of scripts written without spaces: Thai to Tibetan, kana, CJK ideographs.
UNSPACED = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_ASCII_TOKEN = re.compile(r"[a-z0-9]+")
_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
_UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
_NUMBER_SEPARATORS = ".,"


def tokens(text: str) -> list[str]:
    """Return the tokens that ROUGE-L compares, in order, lower-cased.

    For ASCII text these are exactly those of rouge-score 0.1.2 (``[a-z0-9]+`` of the lower-cased text, no stemming),
    so that scores are comparable with published ones. Other text is split into Unicode words, with one token per
    character in scripts written without spaces (rouge-score drops these characters).
    """
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    return _TOKEN.findall(text.lower())


def value_text(value: Any) -> str:
    """Return a JSON value as text: strings unchanged, other values as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script written without spaces between words."""
    return _UNSPACED_CHARACTER.match(character) is not None


def is_bound(text: str, at: int) -> bool:
    """Whether there is a token boundary between ``text[at - 1]`` and ``text[at]``.

    There is none inside a word or at the decimal point of a number: ``9.0`` and ``29`` are not tokens of ``29.0``.
    In scripts without spaces there is one between any two characters.
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if _is_word(before) and _is_word(after):
        return is_unspaced(before) or is_unspaced(after)
    if before.isdigit() and after in _NUMBER_SEPARATORS:
        return at + 1 >= len(text) or not text[at + 1].isdigit()
    if before in _NUMBER_SEPARATORS and after.isdigit():
        return at < 2 or not text[at - 2].isdigit()
    return True


def find_span(needle: str, text: str) -> tuple[int, int] | None:
    """Return the first occurrence of ``needle`` in ``text`` between token boundaries, as [start, end) code points.

    None if there is none, or if the needle is empty.
    """
    return next(_spans(needle, text), None)


def find_spans(needle: str, text: str) -> list[tuple[int, int]]:
    """Return all occurrences of ``needle`` in ``text`` between token boundaries, including overlapping ones."""
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
