"""About how many tokens a text has, without the tokenizer of a model."""

from __future__ import annotations

import math
import re

from selfinstruct.text import UNSPACED

_UNSPACED = re.compile(f"[{UNSPACED}]")


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of ``text``, for plans and for endpoints that report no usage.

    One token per four ASCII characters (OpenAI's rule of thumb for English), per two characters of another alphabet,
    or per character of a script without spaces. Tokenizers differ: do not rely on it for a budget.
    """
    if text.isascii():
        return math.ceil(len(text) / 4)
    unspaced = len(_UNSPACED.findall(text))
    ascii_count = len(text.encode("ascii", "ignore"))
    return math.ceil(unspaced + ascii_count / 4 + (len(text) - unspaced - ascii_count) / 2)
