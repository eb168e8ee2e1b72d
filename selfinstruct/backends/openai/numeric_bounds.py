"""The bounds that an error states for a number of the request; pure.

>>> stated_bounds("the valid range of max_tokens is [1, 8192]")
(1.0, 8192.0)
>>> stated_bounds("max_tokens is too large: 9000. This model supports at most 4096 tokens")
(None, 4096.0)
"""

from __future__ import annotations

import re

_NUMBER = r"['\"`]?(-?[0-9][0-9,]*(?:\.[0-9]+)?)"
_RANGE = re.compile(
    rf"(?:between|in the range(?: of)?|from|range\D{{0,40}}?)\s*[\[(]?{_NUMBER}\s*(?:,|and|to|-|~|至|到)\s*{_NUMBER}"
    rf"|[\[(]{_NUMBER}\s*,\s*{_NUMBER}\s*[\])]",
    re.IGNORECASE,
)
_AT_MOST = re.compile(
    r"(?:at most|less than or equal to|lower than or equal to|<=|≤|(?:maximum|max)(?: allowed)?(?: value)?(?: is| of|:)"
    rf"|up to|(?:not|cannot|must not) exceed|不能(?:大于|超过)|小于等于|最大(?:值)?(?:为|是)?)\s*{_NUMBER}",
    re.IGNORECASE,
)
_AT_LEAST = re.compile(
    r"(?:at least|(?:greater|larger|higher|more) than(?: or equal to)?|>=|≥"
    r"|(?:minimum|min)(?: allowed)?(?: value)?(?: is| of|:)|not be less than"
    rf"|不能小于|大于等于|至少|最小(?:值)?(?:为|是)?)\s*{_NUMBER}",
    re.IGNORECASE,
)
_TOO_LOW = re.compile(
    r"\b(?:with|needs?|requires?|use|set|specify|provide|be)\b[^.]{0,30}?\b(?:higher|larger|greater|bigger|more)\b"
    r"|\b(?:increase|raise)\b|too (?:low|small|short)|below (?:the )?minimum|(?:low|small)er than (?:the )?min"
    r"|过小|太小",
    re.IGNORECASE,
)

_CONTEXT = re.compile(rf"context (?:length|window|size)(?: is| of|:)?\D{{0,20}}?{_NUMBER}", re.IGNORECASE)
_PROMPT = re.compile(
    rf"{_NUMBER}\s*(?:tokens )?(?:in (?:the|your) (?:messages|prompt|input)|(?:input|prompt) tokens)", re.IGNORECASE
)


def stated_bounds(message: str) -> tuple[float | None, float | None]:
    """The least and the greatest value that a message states, each None if it states none."""
    spread = _RANGE.search(message)
    if spread:
        low, high = (_value(each) for each in spread.groups() if each is not None)
        return (low, high) if low < high else (None, None)
    least, most = _AT_LEAST.search(message), _AT_MOST.search(message)
    return _value(least[1]) if least else None, _value(most[1]) if most else None


def stated_room(message: str) -> int | None:
    """The tokens that a prompt leaves of the model's context, by an error that states both; None if it does not.

    >>> stated_room("maximum context length is 4096 tokens and your request has 500 input tokens")
    3596
    """
    context, prompt = _CONTEXT.search(message), _PROMPT.search(message)
    return int(_value(context[1]) - _value(prompt[1])) if context and prompt else None


def asks_for_more(message: str) -> bool:
    """Whether a message says that a number is too low, without saying which would do."""
    return _TOO_LOW.search(message) is not None


def _value(text: str) -> float:
    return float(text.replace(",", ""))
