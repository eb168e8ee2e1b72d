"""The paths of relations: places in a row, where ``[*]`` means every position of a list.

>>> places({"answers": {"text": ["Rome", "Oslo"]}}, parse_pattern("answers.text[*]"))
{(0,): 'Rome', (1,): 'Oslo'}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import parse_path

#: A path of ``rows.leaves``; None is every position of a list.
Pattern: TypeAlias = tuple[str | int | None, ...]

_EVERY = "\x00*"
_HOLE = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
#: Texts that people write where there is no value.
_ABSENT = frozenset({"", "-", "--", "—", "n/a", "na", "nan", "none", "null", "?"})


@lru_cache(maxsize=4096)
def parse_pattern(text: str) -> Pattern:
    """Return the pattern that ``text`` is; raises ValueError if it is not one."""
    path = parse_path(text.replace("[*]", '["\\u0000*"]'))
    return tuple(None if step == _EVERY else step for step in path)


def places(row: Row, pattern: Pattern) -> dict[tuple[int, ...], JSON]:
    """Return the values at a pattern that are present, by the list positions that its ``[*]`` mean."""
    if len(pattern) == 1:
        value = row.get(pattern[0])  # type: ignore[arg-type]
        return {} if is_absent(value) else {(): value}
    return {position: value for position, value in _walk(row, pattern, ()) if not is_absent(value)}


def is_absent(value: JSON) -> bool:
    """Whether a value means that there is none: null, or text such as "", "-" and "n/a"."""
    return value is None or (isinstance(value, str) and len(value) <= 4 and value.strip().lower() in _ABSENT)


def aligned(row: Row, patterns: Sequence[Pattern]) -> Iterator[tuple[JSON, ...]]:
    """Yield the values of several patterns that belong together: those at equal positions of their lists.

    A pattern with fewer ``[*]`` goes with every position below it. Positions where one has no value are left out.
    """
    found = [places(row, pattern) for pattern in patterns]
    deepest = max(range(len(patterns)), key=lambda at: patterns[at].count(None))
    depths = [pattern.count(None) for pattern in patterns]
    for position in found[deepest]:
        values = [each.get(position[:depth], None) for each, depth in zip(found, depths, strict=True)]
        if all(value is not None for value in values):
            yield tuple(values)


@lru_cache(maxsize=1024)
def parse_composition(form: str) -> tuple[tuple[str, bool], ...]:
    """Return the parts of a composed text: literal text, or a path in braces and True.

    >>> parse_composition("https://{host}{path}?q={{}}")
    (('https://', False), ('host', True), ('path', True), ('?q={}', False))
    """
    parts: list[tuple[str, bool]] = []
    literal, end = "", 0
    for hole in _HOLE.finditer(form):
        literal += form[end : hole.start()] + ("" if hole[1] else hole[0][0])
        end = hole.end()
        if hole[1]:
            parts += [(literal, False)] if literal else []
            parts.append((hole[1], True))
            literal = ""
    literal += form[end:]
    return (*parts, (literal, False)) if literal else tuple(parts)


def composition_paths(forms: Mapping[str, str]) -> list[str]:
    """Return the paths in the forms of composed texts, each once."""
    parts = [part for form in forms.values() for part in parse_composition(form)]
    return list(dict.fromkeys(part for part, is_path in parts if is_path))


def _walk(value: JSON, steps: Pattern, position: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], JSON]]:
    if not steps:
        yield position, value
        return
    step, below = steps[0], steps[1:]
    if step is None:
        if isinstance(value, list):
            for at, item in enumerate(value):
                yield from _walk(item, below, (*position, at))
    elif isinstance(step, str):
        if isinstance(value, dict) and step in value:
            yield from _walk(value[step], below, position)
    elif isinstance(value, list) and step < len(value):
        yield from _walk(value[step], below, position)
