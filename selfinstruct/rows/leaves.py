"""The leaves of a row: every string, number, boolean and null in it, by its path.

A path is a tuple of field names, keys and list positions; as text it is written ``answers.text[0]``, and a name that
contains a mark of this notation in brackets and quotes: ``["a.b"][0]``. An empty list or object is a leaf too, so that
a row is completely described by its leaves.

>>> leaves({"id": 7, "answers": {"text": ["Rome", "Oslo"]}, "tags": []})
{('id',): 7, ('answers', 'text', 0): 'Rome', ('answers', 'text', 1): 'Oslo', ('tags',): []}
>>> path_text(("answers", "text", 0)), parse_path("answers.text[0]")
('answers.text[0]', ('answers', 'text', 0))
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from selfinstruct.records import JSON, Row
from selfinstruct.text import value_text

#: The place of a value in a row: the name of a field, then keys of objects and positions in lists, from 0.
Path: TypeAlias = tuple[str | int, ...]

_PLAIN = re.compile(r'[^.\[\]"\s][^.\[\]"]*')
_STEP = re.compile(r'\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\.?([^.\[\]"]+)')


def leaves(row: Row) -> dict[Path, JSON]:
    """Return the value of each leaf of ``row``, in the order of the row."""
    return dict(_walk(row, ()))


def leaf_text(value: JSON) -> str:
    """Return the texts of a value's leaves, one per line: a string unchanged, other scalars as JSON, no keys.

    >>> leaf_text({"role": "user", "turns": ["Is it late?", 5]}).splitlines(), leaf_text([])
    (['user', 'Is it late?', '5'], '')
    """
    if isinstance(value, dict | list):
        return "\n".join(value_text(leaf) for _, leaf in _walk(value, ()) if not isinstance(leaf, dict | list))
    return value_text(value)


def replace_leaves(row: Row, values: Mapping[Path, JSON]) -> Row:
    """Return a copy of ``row`` with other values at some paths; raises KeyError or IndexError for an unknown path."""
    copied: Row = _copy(row)
    for path, value in values.items():
        *above, last = path
        place: JSON = copied
        for step in above:
            place = place[step]
        place[last]
        place[last] = value
    return copied


def value_at(row: Row, path: Path) -> JSON:
    """Return the value at a path; raises KeyError, IndexError or TypeError if there is none."""
    value: JSON = row
    for step in path:
        value = value[step]
    return value


def path_text(path: Path) -> str:
    """Return a path as text, which ``parse_path`` reads back."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            written += f".{step}" if written else step
        else:
            written += f"[{json.dumps(step, ensure_ascii=False)}]"
    return written


def parse_path(text: str) -> Path:
    """Return the path that ``text`` is; raises ValueError if it is not one."""
    path: list[str | int] = []
    at = 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise ValueError(f"not a path: {text!r}")
        position, quoted, plain = step.groups()
        path.append(int(position) if position is not None else json.loads(quoted) if quoted is not None else plain)
        at = step.end()
    if not path or isinstance(path[0], int):
        raise ValueError(f"not a path: {text!r}")
    return tuple(path)


def _walk(value: JSON, path: Path) -> Iterator[tuple[Path, JSON]]:
    if isinstance(value, dict) and (value or not path):
        for key, below in value.items():
            yield from _walk(below, (*path, key))
    elif isinstance(value, list) and value:
        for position, below in enumerate(value):
            yield from _walk(below, (*path, position))
    else:
        yield path, value


def _copy(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _copy(below) for key, below in value.items()}
    return [_copy(below) for below in value] if isinstance(value, list) else value
