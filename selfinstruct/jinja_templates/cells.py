"""The cells of a table as templates expect them: promptsource reads data sets whose columns have types.

>>> typed([{"text": "42", "label": "1"}, {"text": "a", "label": "0"}])
[{'text': '42', 'label': 1}, {'text': 'a', 'label': 0}]

A cell is a number only if every other cell of its column is one, or empty, and if it would be written again as it is:
``007`` and ``1.50`` stay texts. Otherwise ``answer_choices[label]`` and ``{% if label == 1 %}`` would find nothing.

Does not handle: dates, lists.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from selfinstruct.records import JSON, Row

_NAMED: dict[str, JSON] = {"True": True, "False": False}


def typed(rows: Sequence[Row]) -> list[Row]:
    """The rows of a table with numbers, and the truth values True and False, in columns that have nothing else."""
    columns: dict[str, dict[str, JSON]] = {}
    texts = set()
    for row in rows:
        for name, cell in row.items():
            known = columns.setdefault(name, {})
            if name in texts or cell in known:
                continue
            known[cell] = _value(cell)
            if known[cell] is None and cell:
                texts.add(name)
    return [
        {name: cell if name in texts or not cell else columns[name][cell] for name, cell in row.items()} for row in rows
    ]


def _value(cell: str) -> JSON:
    """The number or truth value that a cell is; None for other texts."""
    if cell in _NAMED:
        return _NAMED[cell]
    try:
        number = json.loads(cell)
    except ValueError:
        return None
    return number if type(number) in (int, float) and str(number) == cell else None
