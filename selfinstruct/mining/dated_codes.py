"""Dates of a row that occur in its codes as well: order 20240315-7, ``/archive/2024/03/``.

Such a date stays, and all times of the row with it.

Does not handle: dates in codes with the day or the month first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from selfinstruct.mining.entities import Entity
from selfinstruct.rows.leaves import Path
from selfinstruct.values.written_times import has_day, has_year, read_time


def dates_in_codes(
    found: Mapping[Path, Sequence[Entity]], texts: Mapping[Path, str]
) -> Iterator[tuple[Path, int, int]]:
    """Yield the [start, end) of the row's dates, or their years and months, in codes."""
    forms = dict.fromkeys(form for moment in _dates(found) for form in ("%Y%m%d", "%Y/%m", "%Y-%m", "%Y_%m", "%Y%m"))
    written = {moment.strftime(form) for moment in _dates(found) for form in forms}
    if not written:
        return
    pattern = re.compile("|".join(map(re.escape, sorted(written, key=len, reverse=True))))
    for path, text in texts.items():
        entities = found.get(path, ())
        times = [(each.start, each.end) for each in entities if each.kind == "time" and not _is_in_code(each, text)]
        for match in pattern.finditer(text):
            if not any(start < match.end() and match.start() < end for start, end in times):
                yield path, match.start(), match.end()


def _is_in_code(time: Entity, text: str) -> bool:
    """Whether what looks like a time is a date with a number, after letters: DD202403150017."""
    return time.text.isdecimal() and "%H" in time.format and text[max(0, time.start - 1) : time.start].isalpha()


def _dates(found: Mapping[Path, Sequence[Entity]]) -> list[datetime]:
    times = [each for those in found.values() for each in those if each.kind == "time" and has_year(each.format)]
    moments = [read_time(each.text, each.format) for each in times if has_day(each.format)]
    return [moment for moment in moments if moment is not None]
