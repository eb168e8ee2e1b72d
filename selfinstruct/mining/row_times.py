"""The times of one row: how they move, and what in the row depends on them.

A time that is not understood keeps the others; a number that is a part of a date follows it; a length of time between
two of them stays, as they move together; an age keeps the dates.

Does not handle: lengths that include only working days.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations

from selfinstruct.mining.entities import Entity
from selfinstruct.mining.number_roles import ID
from selfinstruct.mining.times import ShiftGenerator, seconds_of_shift, shifts, write_weekday
from selfinstruct.rows.leaves import Path
from selfinstruct.values.durations import UNITS, length_of
from selfinstruct.values.written_times import (
    TimeStyle,
    has_clock,
    has_date,
    has_day,
    has_year,
    is_ambiguous,
    read_time,
    write_time,
)

#: Units of lengths of time, in seconds, and the words for them.
_UNITS = UNITS | {
    86400: f"{UNITS[86400]}|nights?|Nächten?|Nacht|Tagen|nuits?|noches?|notti|noites|晚|日間|泊|박|रातें|ليال|ليلة",
    604800: r"weeks?|Wochen?|semaines?|semanas?|settimane|周|星期|週間|주|सप्ताह|أسابيع|أسبوع",
}
_UNIT = re.compile("|".join(rf"(?P<_{size}>[ \u00a0-]?(?:{words})(?![^\W\d_]))" for size, words in _UNITS.items()))
#: Fields whose number is a part of a date or a time.
_PARTS: Mapping[str, Callable[[datetime], int]] = {
    name: part
    for names, part in (
        ("year yr jahr année annee año anno ano 年 年份 연도 वर्ष السنة", lambda moment: moment.year),
        ("month mon monat mois mes mese mês 月 月份 월 महीना الشهر", lambda moment: moment.month),
        ("day tag jour día dia giorno 日 일 दिन اليوم", lambda moment: moment.day),
        ("hour stunde heure hora ora 时 時 小时 시", lambda moment: moment.hour),
        ("minute minuto 分 분", lambda moment: moment.minute),
        ("second sekunde seconde segundo 秒 초", lambda moment: moment.second),
        ("quarter quartal trimestre 季度", lambda moment: (moment.month + 2) // 3),
        ("week kw woche semaine semana 周 週", lambda moment: moment.isocalendar().week),
    )
    for name in names.split()
}
_BIRTH = re.compile(
    r"birth|born|\bdob\b|geb(?:oren|\.|urts)|\bnée?\b|naiss|nacid|nacim|\bnat[oa]\b|nasc|出生|生年月日|생년월일|जन्म|ميلاد|ولد",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)", re.ASCII)


class RowTimes:
    """The times of a row, and what depends on them."""

    def __init__(
        self,
        found: Mapping[Path, Sequence[Entity]],
        texts: Mapping[Path, str],
        style: TimeStyle,
        step: int,
        *,
        is_still: bool = False,
    ) -> None:
        """Take the times of a row from its entities; with ``is_still``, they do not move."""
        self._texts = texts
        self._style = style
        self._times = [each for those in found.values() for each in those if each.kind == "time"]
        known = [(each, read_time(each.text, each.format)) for each in self._times]
        self._moments = [(each, moment) for each, moment in known if moment is not None]
        self._years = {str(moment.year) for each, moment in self._moments if has_year(each.format)}
        self._lengths = self._between()
        self._is_aged = self._has_age(found)
        self.moves = None if is_still else self._shifts(found, step)

    def writer(self, path: Path, entity: Entity) -> Callable[[str], str] | None:
        """The function that writes a time, a weekday, or a part of a date for a shift; None for anything else."""
        if self.moves is None:
            return None
        if entity.kind in ("time", "weekday"):
            return self._time_writer(entity)
        return self._part_writer(path, entity)

    def keeps(self, path: Path, entity: Entity) -> bool:
        """Whether a number stays because of the row's times: a year that contains them, or a length between them."""
        if self._is_year(entity):
            return True
        if self._is_aged and _is_age(path, entity):
            return True
        if entity.kind == "duration":
            return length_of(entity.text) in self._lengths
        return entity.kind == "number" and self._is_length(path, entity)

    def _shifts(self, found: Mapping[Path, Sequence[Entity]], step: int) -> ShiftGenerator | None:
        times = [(each.text, each.format) for each in self._times]
        if not times or any(is_ambiguous(form) for _, form in times) or self._is_aged:
            return None
        alone = {
            int(each.text)
            for path, those in found.items()
            for each in those
            if self._is_year(each) and self._part(path, each) is None
        }
        ids = [each.text for those in found.values() for each in those if each.kind == "id"]
        alone |= {int(year) for text in ids for year in _YEAR.findall(text) if year in self._years}
        return shifts(times, alone, step)

    def _is_year(self, entity: Entity) -> bool:
        """Whether a number is the year of one of the row's dates."""
        is_alone = entity.is_whole or entity.is_name or entity.role == ID  # INV-2024-0061
        return (entity.kind == "year" or (entity.kind == "number" and is_alone)) and entity.text in self._years

    def _has_age(self, found: Mapping[Path, Sequence[Entity]]) -> bool:
        """Whether the row has an age, or a number that contains one, and the date that it counts from."""
        entities = [(path, each) for path, those in found.items() for each in those]
        if any(each.kind == "checked" and each.format == "resident_id" for _, each in entities):
            return True
        aged = any(_is_age(path, each) for path, each in entities)
        dates = [(path, each) for path, each in entities if each.kind == "time" and has_year(each.format)]
        before = (f"{path[-1]} {self._texts[path][max(0, each.start - 30) : each.start]}" for path, each in dates)
        return aged and any(map(_BIRTH.search, before))

    def _between(self) -> set[int]:
        """The lengths between any two times of the row that can be compared, in seconds."""
        lengths = set()
        for (one, first), (other, second) in combinations(self._moments, 2):
            if has_date(one.format) == has_date(other.format) and has_day(one.format) == has_day(other.format):
                lengths.add(abs(int((second - first).total_seconds())))
                if has_clock(one.format) != has_clock(other.format):
                    lengths.add(86400 * abs((second.date() - first.date()).days))
        return lengths - {0}

    def _is_length(self, path: Path, entity: Entity) -> bool:
        """Whether a number is a length between two times: in the unit after it, or in any if it is all of its field."""
        if not self._lengths:
            return False
        unit = _UNIT.match(self._texts[path], entity.end)
        sizes = list(_UNITS) if entity.is_whole else []
        if unit is not None and unit.lastgroup is not None:
            sizes = [int(unit.lastgroup[1:])]
        try:
            number = Decimal(entity.text)
        except ArithmeticError:
            return False
        # Nights include both days or not, as the seeds count.
        return any(abs(number * size - length) < max(1, size // 100) for size in sizes for length in self._lengths)

    def _part(self, path: Path, entity: Entity) -> tuple[Entity, datetime, Callable[[datetime], int]] | None:
        """The time of which a number is the part that the field's name says."""
        part = _PARTS.get(str(path[-1]).casefold().rpartition("_")[2]) if entity.is_whole else None
        if part is None or entity.kind not in ("number", "year") or not entity.text.isdecimal():
            return None
        needs = has_clock if part(datetime(2001, 1, 1)) == 0 else has_date
        fitting = [(e, m) for e, m in self._moments if needs(e.format) and part(m) == int(entity.text)]
        return (*fitting[0], part) if fitting else None

    def _part_writer(self, path: Path, entity: Entity) -> Callable[[str], str] | None:
        found = self._part(path, entity)
        if found is None:
            return None
        time, moment, part = found
        width = len(entity.text) if entity.text[0] == "0" else 0
        return lambda shift: str(part(moment + timedelta(seconds=seconds_of_shift(shift, time.format)))).zfill(width)

    def _time_writer(self, entity: Entity) -> Callable[[str], str]:
        text = entity.key if entity.kind == "weekday" else entity.text
        moment = read_time(text, entity.format)
        if moment is None:
            raise ValueError(f"not a time: {text!r}")
        style = self._style

        def seconds(shift: str) -> int:
            return seconds_of_shift(shift, entity.format)

        if entity.kind == "weekday":
            return lambda shift: write_weekday(entity.text, moment, moment + timedelta(seconds=seconds(shift)), style)
        return lambda shift: write_time(text, entity.format, seconds(shift), style)


_AGES = frozenset(["age", "alter", "âge", "edad", "età", "idade", "年龄", "年齢", "나이", "आयु", "उम्र", "العمر"])


def _is_age(path: Path, entity: Entity) -> bool:
    return entity.kind == "number" and (entity.unit == "age" or str(path[-1]).casefold() in _AGES)
