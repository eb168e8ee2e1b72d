"""Dates and times: forms, validity, and what is shifted with them."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from selfinstruct.mining.entities import find_entities
from selfinstruct.mining.times import day_first, is_time, read_time, resolved, write_time, write_weekday


@pytest.mark.parametrize(
    "text",
    [
        "03.05.2023",
        "3.5.2023",
        "31.12.2023 23:59",
        "03-17 16:13:45",
        "Fri, 17 Mar 2023 16:13:45",
        "Fri Mar 17 16:13:45 2023",
        "Friday, March 17, 2023",
        "Friday, 17 March 2023",
        "2023-W11-5",
        "2023-W52",
        "2023-12-31T23:59",
    ],
)
def test_a_time_of_each_form_is_found_whole_and_stays_valid(text: str) -> None:
    """Unshifted it is written as it was; shifted it is a time of the same form."""
    (entity,) = find_entities(text)
    assert (entity.kind, entity.text) == ("time", text)
    moment = read_time(text, entity.format)
    assert isinstance(moment, datetime)
    assert write_time(moment, "0", entity.format, text) == text
    for seconds in range(0, 60 * 86400, 86_399):
        moved = write_time(moment, str(seconds), entity.format, text)
        assert is_time(moved, entity.format)
        weekday = re.match("[A-Z][a-z]{2,}day|Mon|Tue|Wed|Thu|Fri|Sat|Sun", moved)
        again = read_time(moved, entity.format)
        assert weekday is None or (again is not None and f"{again:%A}".startswith(weekday[0]))


def test_the_seeds_show_whether_the_day_comes_first() -> None:
    """A number above 12 decides; without one, or with two that disagree, the order is unknown."""
    assert day_first(["17/03/2023", "01/02/2023"]) is True
    assert day_first(["03/17/2023", "01/02/2023"]) is False
    assert day_first(["03/02/2023"]) is None
    assert day_first(["03/17/2023", "17/03/2023"]) is None
    (entity,) = find_entities("17/03/2023")
    assert resolved(entity.format, day_first=True) == "%d/%m/%Y"


def test_a_weekday_keeps_its_language() -> None:
    """The weekday of the shifted date, in the words of the original."""
    moment = datetime(2023, 3, 17)
    for day, next_day in (("Friday", "Saturday"), ("Freitag", "Samstag"), ("星期五", "星期六"), ("周五", "周六")):
        assert write_weekday(moment, "86400", day) == next_day


def test_time_zones_are_no_values() -> None:
    """The offset after a clock time is constant text."""
    for text in ("[10/Oct/2023:13:55:36 +0000]", "2023-10-10T13:55:36+02:00", "2023-10-10T13:55:36.123-0530"):
        assert all(entity.text not in ("0000", "02", "00", "-0530", "0530") for entity in find_entities(text))
