"""Dates and times in every written form: found whole, read, and written shifted in the same form."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct.values.calendar_names import MONTH_SETS, WEEKDAY_SETS
from selfinstruct.values.time_forms import find_times, form_pattern
from selfinstruct.values.written_times import TimeStyle, read_time, resolved, style_of, write_time

#: A time in each form, and how many seconds it does not show: a day for a date alone.
TIMES = {
    "2023-12-31T23:59:58": 1,
    "2023-12-31T23:59:58.123+02:00": 1,
    "2023-12-31 23:59": 60,
    "2023/12/31 23:59:58": 1,
    "2023-12-31": 86400,
    "2023/12/31": 86400,
    "31.12.2023": 86400,
    "31.12.2023 23:59": 60,
    "31. 12. 2023": 86400,
    "23/12/31 23:59:58": 1,
    "31/Dec/2023:23:59:58 +0000": 1,
    "31-Dec-2023": 86400,
    "Sun, 31 Dec 2023 23:59:58 +0100": 1,
    "Sun Dec 31 23:59:58 2023": 1,
    "Dec 31 23:59:58": 1,
    "Mar  2 03:04:05": 1,
    "12-31 23:59:58.123": 1,
    "231231 235958": 1,
    "20231231235958": 1,
    "202312312359": 60,
    "20231231": 86400,
    "December 31, 2023": 86400,
    "31 December 2023": 86400,
    "31st December 2023": 86400,
    "Sunday, 31 December 2023": 86400,
    "2 March": 86400,
    "May 12": 86400,
    "31. Dezember 2023": 86400,
    "Sonntag, 31. Dezember 2023": 86400,
    "3. Oktober": 86400,
    "1er mars 2023": 86400,
    "31 décembre 2023": 86400,
    "dimanche 31 décembre 2023": 86400,
    "31 de diciembre de 2023": 86400,
    "31 dicembre 2023": 86400,
    "31 de dezembro de 2023": 86400,
    "31 декабря 2023": 86400,
    "31 दिसंबर 2023": 86400,
    "31 ديسمبر 2023": 86400,
    "٣١ ديسمبر ٢٠٢٣": 86400,
    "2023年12月31日": 86400,
    "2023 年 12 月 31 日": 86400,
    "２０２３年３月１日": 86400,
    "12月31日": 86400,
    "平成31年4月30日": 86400,
    "2023년 12월 31일": 86400,
    "3월 1일": 86400,
    "2023. 3. 1": 86400,
    "2023-W52-7": 86400,
    "23:59": 60,
    "23:59:58": 1,
    "3:20 pm": 60,
    "11:05 a.m.": 60,
    "12 AM": 3600,
    "14h30": 60,
    "14 h 30": 60,
    "15时05分": 60,
    "下午3点20分": 60,
    "15時5分": 60,
    "午後3時": 3600,
    "오후 3시 20분": 60,
    "15시 5분": 60,
    "2023年3月1日15时05分": 60,
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_of_each_form_is_found_whole(text: str) -> None:
    """It is one time in a sentence too, and unshifted it is written as it was."""
    for around in (text, f"({text})", f"at {text}, x"):
        (found,) = find_times(around)
        assert found.text == text
        assert write_time(text, found.form, 0) == text


@settings(deadline=None)
@given(st.sampled_from(sorted(TIMES)), st.integers(-40_000, 40_000).map(lambda number: number * 3607))
def test_a_shifted_time_reads_as_the_shifted_moment(text: str, shift: int) -> None:
    """What is written is found whole in the same form, and means the moment that was shifted."""
    (found,) = find_times(text)
    precision = TIMES[text]
    shift -= shift % precision
    moment = read_time(text, found.form)
    assert moment is not None
    moved = write_time(text, found.form, shift)
    again = read_time(moved, found.form)
    assert again is not None
    expected = moment + timedelta(seconds=shift)
    if "%d" not in found.form and "%u" not in found.form:
        assert again.time() == expected.time()
    elif any(mark in found.form for mark in ("%Y", "%G", "%N")):
        assert again == expected
    else:
        assert (again.month, again.day, again.time()) == (expected.month, expected.day, expected.time()) or (
            expected.year % 4 == 0 or "%y" in found.form
        )
    refound = [each for each in find_times(moved) if each.text == moved]
    assert refound


@pytest.mark.parametrize("names", MONTH_SETS)
def test_the_months_of_every_language_are_written_in_it(names: object) -> None:
    """A date with the names of one language gets names of the same set, if the file's other dates show it."""
    months = names.names  # type: ignore[attr-defined]
    language = names.language  # type: ignore[attr-defined]
    style = TimeStyle(months=frozenset(months), languages=(language,))
    for at, name in enumerate(months):
        text = f"15 {name} 2022"
        (found,) = find_times(text)
        assert found.text == text
        assert read_time(text, found.form) == datetime(2022, at + 1, 15)
        following = write_time(text, found.form, 30 * 86400 + 43200, style)
        assert following.split(" ", 1)[1].rsplit(" ", 1)[0] == months[(at + 1) % 12]


@pytest.mark.parametrize(
    "names", [each for each in WEEKDAY_SETS if each.names[0].isascii() and "Sonnabend" not in each.names]
)
def test_a_weekday_in_a_date_keeps_its_language(names: object) -> None:
    """The weekday before a date is that of the new date; a wrong one is no date."""
    day = names.names  # type: ignore[attr-defined]
    language = names.language  # type: ignore[attr-defined]
    text = f"{day[4]}, 17.03.2023"
    (found,) = find_times(text)
    assert found.text == text
    assert write_time(text, found.form, 86400, TimeStyle(languages=(language,))) == f"{day[5]}, 18.03.2023"
    assert read_time(f"{day[3]}, 17.03.2023", found.form) is None


@pytest.mark.parametrize(
    ("seen", "text", "shift", "written"),
    [
        (["Feb 02 11:00:00"], "Feb 19 11:00:00", -10, "Feb 09 11:00:00"),
        (["Feb  2 11:00:00"], "Feb 19 11:00:00", -10, "Feb  9 11:00:00"),
        ([], "Feb 19 11:00:00", -10, "Feb  9 11:00:00"),
        (["3.5.2023"], "12.11.2023", -10, "2.11.2023"),
        (["03.05.2023"], "12.11.2023", -10, "02.11.2023"),
        ([], "12.5.2023", -10, "2.5.2023"),
        (["3 janv. 2023"], "12 avr. 2023", 30, "12 mai. 2023"),
        (["4. März 2023"], "4. April 2023", 27, "1. Mai 2023"),
        (["4. Marzo 2023"], "12 mayo 2023", 30, "11 junio 2023"),
    ],
)
def test_the_file_shows_what_one_time_does_not(seen: list[str], text: str, shift: int, written: str) -> None:
    """Padding and the language of a month are those of the other times of the file."""
    (found,) = find_times(text)
    style = style_of([(each.text, each.form) for one in [*seen, text] for each in find_times(one)])
    assert write_time(text, found.form, shift * 86400, style) == written


def test_the_file_shows_whether_the_day_comes_first() -> None:
    """A number above 12 decides; without one, or with two that disagree, the order is unknown."""
    for texts, first in (
        (["17/03/2023", "01/02/2023"], True),
        (["03/17/2023", "01/02/2023"], False),
        (["03/02/2023"], None),
        (["03/17/2023", "17/03/2023"], None),
    ):
        found = [(each.text, each.form) for text in texts for each in find_times(text)]
        assert style_of(found).day_first is first
    assert read_time("03/02/2023", "%1/%2/%Y") is None
    assert read_time("03/02/2023", resolved("%1/%2/%Y", day_first=True)) == datetime(2023, 2, 3)


@pytest.mark.parametrize("text", ["2023-02-30", "31.04.2023", "2023-13-01", "Thu, 17 Mar 2023 10:00:00", "13:00 pm"])
def test_what_no_calendar_has_is_no_time(text: str) -> None:
    """Neither a thirtieth of February nor a wrong weekday can be read."""
    for found in find_times(text):
        assert found.text != text or read_time(text, found.form) is None


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.7:5001",
        "00:11:22:33:44:55",
        "1.2.3",
        "12 may vary",
        "9 marks",
        "1h20m",
        "15分钟",
        "3小时",
        "2時間",
        "v12:3",
        "3点建议",
    ],
)
def test_what_is_no_time(text: str) -> None:
    """Addresses, versions, words, durations and counts are no times."""
    assert list(find_times(text)) == []


def test_a_form_reads_no_other_text() -> None:
    """The pattern of a form matches what has exactly its parts."""
    assert form_pattern("%d.%m.%Y").fullmatch("1.2.2023") is not None
    assert form_pattern("%d.%m.%Y").fullmatch("1-2-2023") is None
