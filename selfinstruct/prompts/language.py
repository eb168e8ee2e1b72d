"""The language that a prompt is written in: English or Chinese, as the seed rows are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from selfinstruct.recipe.types import Language
from selfinstruct.records import Row
from selfinstruct.text import tokens, value_text

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA = re.compile("[\u3040-\u30ff]")


def detect_language(rows: Sequence[Row]) -> Language:
    """Chinese if more than half of the rows' tokens are Han characters, else English.

    Text with kana is Japanese, regardless of its share of Han characters.
    """
    words = [token for row in rows for value in row.values() for token in tokens(value_text(value))]
    han = sum(1 for token in words if _HAN.match(token))
    kana = sum(1 for token in words if _KANA.match(token))
    return "zh" if han * 2 > len(words) and kana * 10 < han else "en"


def is_chinese(prompt: str) -> bool:
    """Whether more than half of the tokens of a recipe's own prompt are Han characters."""
    return len(_HAN.findall(prompt)) * 2 > len(tokens(prompt))
