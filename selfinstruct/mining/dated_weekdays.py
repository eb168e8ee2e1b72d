"""The weekdays of a row's dates, as entities that follow these."""

from __future__ import annotations

from collections.abc import Mapping

from selfinstruct.mining.entities import Entity
from selfinstruct.mining.entity_places import outside
from selfinstruct.mining.times import is_weekday_of, weekdays
from selfinstruct.rows.leaves import Path
from selfinstruct.values.written_times import has_year, read_time


def with_weekdays(texts: Mapping[Path, str], found: dict[Path, list[Entity]]) -> dict[Path, list[Entity]]:
    """The entities with the weekdays of the row's dates; ``format`` and ``key`` of one are those of its date."""
    dates = [each for entities in found.values() for each in entities if each.kind == "time" and has_year(each.format)]
    if not dates:
        return found
    for path, text in texts.items():
        added = []
        dated = [(each.start, each.end) for each in found.get(path, ()) if each.kind == "time"]
        for start, end in weekdays(text):
            if any(first <= start < last for first, last in dated):
                continue  # a part of the date itself
            name = text[start:end]
            for date in dates:
                moment = read_time(date.text, date.format)
                if moment is not None and is_weekday_of(name, moment):
                    added.append(Entity(start, end, "weekday", name, date.text, date.format))
                    break
        if added:
            found[path] = sorted([*outside(found[path], added), *added], key=lambda entity: entity.start)
    return found
