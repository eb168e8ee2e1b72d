"""The leaves of a row that may contain values, as text: strings, and numbers as JSON writes them.

Does not handle: booleans and null, which have no other value of their kind to vary with.

>>> row = {"age": 54, "answers": {"text": ["1901"], "start": [33]}}
>>> leaf_texts(row)[("answers", "start", 0)]
'33'
>>> with_texts(row, {("age",): "61", ("answers", "text", 0): "1910"})
{'age': 61, 'answers': {'text': ['1910'], 'start': [33]}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import Path, leaves, replace_leaves, value_at

_PLAIN_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def leaf_texts(row: Row, fixed: Collection[str] = ()) -> dict[Path, str]:
    """Return the text of each string and number of ``row`` by its path, without the fields in ``fixed``."""
    return {
        path: text for path, value in leaves(row).items() if path[0] not in fixed and (text := _text(value)) is not None
    }


def with_texts(row: Row, texts: Mapping[Path, str]) -> Row:
    """Return a copy of ``row`` with other texts at some paths; a number stays a number.

    A decimal number keeps being one where the new text is whole (120.00 is read as 120.0).
    """
    return replace_leaves(row, {path: _as_type(text, value_at(row, path)) for path, text in texts.items()})


def is_plain_number(text: str) -> bool:
    """Whether a text is a number without exponent, separators or unit."""
    return _PLAIN_NUMBER.fullmatch(text) is not None


def any_position(path: Path) -> Path:
    """Return the path without its positions in lists: equal for all items of a list."""
    for step in path:
        if isinstance(step, int):
            return tuple(-1 if isinstance(step, int) else step for step in path)
    return path


def _text(value: JSON) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    text = json.dumps(value)
    return text if is_plain_number(text) else None


def _as_type(text: str, like: JSON) -> JSON:
    if isinstance(like, str):
        return text
    return int(text) if isinstance(like, int) else float(text)
