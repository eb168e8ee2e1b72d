"""Numbers that are the time between two times of their row: "from 09:00 to 10:15", and 75 minutes.

All times of a row are moved together, so that such a number stays. One with a unit of time beside it needs no other
evidence, one that is all of a field the same in every row.

Does not handle: durations in several units (1 h 15 min) that are not all of a leaf.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Final, TypeAlias

from selfinstruct.mining.entities import Entity
from selfinstruct.mining.numerals import ascii_digits
from selfinstruct.rows.leaves import Path
from selfinstruct.values import seconds_of
from selfinstruct.values.written_times import is_ambiguous, read_time

_Found: TypeAlias = Mapping[Path, Sequence[Entity]]

_DAY: Final = 86400
_UNITS: Final = {
    _DAY: "days? tage?n? jours? días? dias? giorn[oi] дн(?:я|ей) день 天 日間 일간? يوما? أيام दिन nights? nächte?",
    3600: "h hours? hrs? stunden? std heures? horas? or[ae] ч час(?:а|ов)? 小时 小時 时间 時間 시간 ساعات? घंटे",
    60: "min mins minutes? minuten? minutos? minut[oi] мин(?:ут[ыа]?)? 分钟 分鐘 分 분 دقائق دقيقة मिनट",
    1: "s sec secs seconds? sekunden? secondes? segundos? second[oi] сек(?:унд[ыа]?)? 秒 초",
}
_AFTER: Final = {
    size: re.compile(rf"[\s-]?(?:{'|'.join(names.split())})(?![^\W\d_]|\.\d)", re.IGNORECASE)
    for size, names in _UNITS.items()
}
_MOST_TIMES = 8
_LEAST_ROWS = 3


def elapsed_spots(found: _Found, texts: Mapping[Path, str], paths: frozenset[Path]) -> Iterator[tuple[Path, int]]:
    """Yield the numbers of a row that are the time between two of its times; ``paths`` are those of ``elapsed_paths``."""
    between = _seconds_between(found)
    if not between:
        return
    for path, entities in found.items():
        whole = seconds_of(texts[path]) if any(each.kind == "number" for each in entities) else None
        for position, each in enumerate(entities):
            if each.kind == "number" and (whole in between or path in paths or _is_between(each, texts[path], between)):
                yield path, position


def elapsed_paths(rows: Sequence[_Found]) -> frozenset[Path]:
    """The leaves that are a number, the time between two times in one unit, in all rows that have any."""
    fitting: dict[Path, set[int]] = {}
    counts: dict[Path, set[Decimal]] = {}
    for found in rows:
        between = _seconds_between(found)
        if not between:
            continue
        for path, entities in found.items():
            if len(entities) == 1 and entities[0].kind == "number" and entities[0].is_whole:
                value = Decimal(ascii_digits(entities[0].text))
                units = {size for size in _UNITS if value * size in between}
                fitting[path] = fitting.get(path, units) & units
                counts.setdefault(path, set()).add(value)
    return frozenset(path for path, units in fitting.items() if units and len(counts[path]) >= _LEAST_ROWS)


def _seconds_between(found: _Found) -> set[int]:
    """The seconds between each two times of a row, also past midnight; none of 0."""
    times = [each for entities in found.values() for each in entities if each.kind == "time"][:_MOST_TIMES]
    moments = [read_time(each.text, each.format) for each in times if not is_ambiguous(each.format)]
    known = dict.fromkeys(moment for moment in moments if moment is not None)
    between = {abs(int((one - other).total_seconds())) for one, other in combinations(known, 2)}
    return (between | {_DAY - each for each in between if each < _DAY}) - {0}


def _is_between(entity: Entity, text: str, between: set[int]) -> bool:
    value = Decimal(ascii_digits(entity.text))
    return any(
        value * size in between for size, pattern in _AFTER.items() if pattern.match(text, entity.end) is not None
    )
