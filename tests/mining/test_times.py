"""Times of a row: which ones there are, and by how much they may be shifted together."""

from __future__ import annotations

from datetime import datetime
from random import Random

import pytest

from selfinstruct.mining.entities import find_entities
from selfinstruct.mining.times import clock_step, is_time, seconds_of_shift, shifts, weekdays, write_weekday
from selfinstruct.values.written_times import TimeStyle, read_time, write_time


@pytest.mark.parametrize(
    "text",
    ["03.05.2023", "Fri, 17 Mar 2023 16:13:45", "Friday, March 17, 2023", "2023-W52", "2023-12-31T23:59", "14h30"],
)
def test_a_time_of_each_form_is_found_whole(text: str) -> None:
    """A time is one entity with a form."""
    (entity,) = find_entities(text)
    assert (entity.kind, entity.text) == ("time", text)
    assert is_time(text, entity.format)


def test_a_weekday_keeps_its_language() -> None:
    """The weekday of the shifted date, in the words of the original."""
    friday, saturday = datetime(2023, 3, 17), datetime(2023, 3, 18)
    pairs = ("Friday", "Saturday"), ("Freitag", "Samstag"), ("星期五", "星期六"), ("周五", "周六"), ("金曜日", "土曜日")
    for day, next_day in (*pairs, ("vendredi", "samedi"), ("الجمعة", "السبت"), ("शुक्रवार", "शनिवार")):
        assert write_weekday(day, friday, saturday, TimeStyle()) == next_day
        assert weekdays(f"x {day} y") == [(2, 2 + len(day))]


def test_short_names_are_weekdays_only_alone() -> None:
    """Neither So nor Do in a text is a day."""
    assert weekdays("So") == [(0, 2)]
    assert weekdays("Do you think So?") == []


@pytest.mark.parametrize("text", ["UTC+8", "GMT-05:00", "2023-02-30", "31/13/2023", "令和5年"])
def test_parts_of_dates_are_no_numbers(text: str) -> None:
    """What is part of a date that is not understood is never drawn by itself."""
    assert [entity for entity in find_entities(text) if entity.kind != "time"] == []


def test_time_zones_are_no_values() -> None:
    """The offset after a clock time is constant text."""
    for text in ("[10/Oct/2023:13:55:36 +0000]", "2023-10-10T13:55:36+02:00", "2023-10-10T13:55:36.123-0530"):
        (entity,) = find_entities(text)
        offset = text.rstrip("]")[-5:]
        assert write_time(entity.text, entity.format, 7200)[-5:] == offset


def _drawn(times: list[str], years: set[int] = frozenset()) -> list[list[str]]:  # type: ignore[assignment]
    """The times of a row, shifted 200 times."""
    found = [entity for text in times for entity in find_entities(text)]
    generator = shifts([(each.text, each.format) for each in found], years, 1)
    assert generator is not None
    drawn = [generator.draw(at, Random(at)) for at in range(200)]
    return [
        [write_time(each.text, each.format, seconds_of_shift(shift, each.format)) for each in found] for shift in drawn
    ]


def test_a_date_and_a_clock_that_stand_apart_are_one_moment() -> None:
    """The clock does not pass midnight, so that the date alone stays the date of the moment."""
    for day, clock, whole in _drawn(["2023-03-01", "23:15", "2023-03-01 23:15"]):
        assert whole == f"{day} {clock}"


def test_a_time_without_seconds_stays_the_same_minute() -> None:
    """A shift is a whole number of minutes where a time shows no seconds."""
    for minute, second in _drawn(["2023-03-01 10:15", "2023-03-01 10:15:59"]):
        assert second.startswith(minute)


def test_a_week_contains_its_day_and_a_year_its_dates() -> None:
    """Coarse times alone move by whole units, and dates stay in a year that stands in the row."""
    assert {text for (text,) in _drawn(["2023-W07"])} <= {f"2023-W{week:02d}" for week in range(7, 16)}
    for first, second in _drawn(["2023-01", "2023-03"]):
        assert (int(second[:4]) - int(first[:4])) * 12 + int(second[-2:]) - int(first[-2:]) == 2
    for (text,) in _drawn(["2023-12-20"], {2023}):
        assert text.startswith("2023")
    assert shifts([("March 2023", "%B %Y"), ("2023-03-05", "%Y-%m-%d")], (), 1) is None


def test_a_time_that_is_not_understood_keeps_the_others() -> None:
    """None of the times of a row moves if one of them is no time of the calendar."""
    assert shifts([("2023-02-30", "%Y-%m-%d"), ("2023-03-05", "%Y-%m-%d")], (), 1) is None
    assert read_time("2023-02-30", "%Y-%m-%d") is None


def test_the_step_of_clocks() -> None:
    """Whole minutes need three different times, five minutes eight."""
    assert clock_step([]) == 1
    assert clock_step([60, 61, 180]) == 1
    assert clock_step([60, 120, 180]) == 60
    assert clock_step(range(0, 3000, 300)) == 300
