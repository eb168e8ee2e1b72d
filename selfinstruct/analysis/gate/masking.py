"""Hiding parts of a row in all that is said about it: a secret in a message is as public as one in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selfinstruct.analysis.gate.found import Found

#: A part of a secret of at least this many characters is hidden too: messages cut long values.
_LEAST_PART = 12


def mask_text(text: str, hidden: Sequence[Found]) -> str:
    """The text with each hidden part, or a long beginning of one, replaced by what may be shown."""
    for found in hidden:
        text = text.replace(found.hidden, found.shown)
        start = found.hidden[:_LEAST_PART]
        while len(start) == _LEAST_PART and (at := text.find(start)) >= 0:
            end = at + _LEAST_PART
            while end < len(text) and text.startswith(found.hidden[: end - at + 1], at):
                end += 1
            text = text[:at] + found.shown.replace(start, "…") + text[end:]
    return text


def mask(value: Any, hidden: Sequence[Found]) -> Any:
    """A JSON value with its texts masked."""
    if isinstance(value, str):
        return mask_text(value, hidden)
    if isinstance(value, Mapping):
        return {mask_text(key, hidden): mask(each, hidden) for key, each in value.items()}
    return [mask(each, hidden) for each in value] if isinstance(value, list) else value
