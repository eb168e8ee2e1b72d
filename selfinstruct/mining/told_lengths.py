"""Lists whose number of items a text of their row states: an order of 3 items has three.

>>> rows = [{"items": ["a"], "text": "1 item"}, {"items": ["a", "b"], "text": "2 items"}]
>>> told_lists(rows, [{("text",): "1 item"}, {("text",): "2 items"}])
frozenset({'items'})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path
from selfinstruct.text import find_span


def told_lists(rows: Sequence[Row], texts: Sequence[Mapping[Path, str]]) -> frozenset[str]:
    """Return the fields whose number of items, which varies, a text outside them states in every row with the list."""
    lengths: dict[str, set[int]] = {}
    untold: set[str] = set()
    for row, leaves in zip(rows, texts, strict=True):
        for name, value in row.items():
            if isinstance(value, list) and name not in untold:
                lengths.setdefault(name, set()).add(len(value))
                others = (text for path, text in leaves.items() if path[0] != name)
                if not any(find_span(str(len(value)), text) for text in others):
                    untold.add(name)
    return frozenset(name for name, seen in lengths.items() if len(seen) > 1 and name not in untold)
