"""Fields that make a row new: beside a text, a date, a time or a number alone does not.

Does not handle: ids (see ``unique_fields``), or numbers inside lists.

>>> telling_fields([{"q": "How do I cancel my order?", "as of": "03.05.2023", "stars": "4"}], ["q", "as of", "stars"])
['q']
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selfinstruct.mining.times import is_moment
from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import leaf_text
from selfinstruct.text import tokens

# A text has at least this many words in most rows.
_LEAST_WORDS = 3
_SHARE = 0.5
_NUMBER = re.compile(r"[-+]?\d[\d., ]*[%€$£¥]?")
_MOST_ROWS = 200


def telling_fields(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """Return those of ``names`` whose values tell rows apart; all of them if none is a text."""
    some = rows[:: max(len(rows) // _MOST_ROWS, 1)]
    texts = {name for name in names if sum(_is_text(row.get(name)) for row in some) > _SHARE * len(some)}
    if not texts:
        return list(names)
    return [name for name in names if name in texts or not all(_is_value(row.get(name)) for row in some)]


def _is_text(value: JSON) -> bool:
    return len(tokens(leaf_text(value))) >= _LEAST_WORDS and not _is_value(value)


def _is_value(value: JSON) -> bool:
    """Whether a value is a number, a date or a time, also as text."""
    if not isinstance(value, str):
        return not isinstance(value, list | dict)
    text = value.strip()
    return not text or _NUMBER.fullmatch(text) is not None or is_moment(text)
