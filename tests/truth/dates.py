"""Rows of dates, times and codes in several languages: weekdays, eras, parts of the day, lengths and check digits."""

from __future__ import annotations

import datetime
import re

from tests.truth import values
from tests.truth.forms import Check, Row

_GERMAN_MONTHS = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
]
_GERMAN_DAYS = ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"]


def _trip(row: Row) -> str | None:
    match = re.fullmatch(
        r"Bus (\d+) left ([\w ]+) on (\w+) (\d+), (\d{4}) at (\d+):(\d\d) [ap]m and the ride took (\d+)h (\d\d?)m\.",
        row["text"],
    )
    if match is None or match[3] not in values.MONTHS:
        return "another form"
    date = datetime.date(int(match[5]), values.MONTHS[match[3]], int(match[4]))
    if not 1 <= int(match[6]) <= 12 or int(match[7]) > 59 or int(match[9]) > 59:
        return f"no such time: {row['text']}"
    if row["date"] != date.isoformat():
        return f"date {row['date']}, not {date}"
    minutes = 60 * int(match[8]) + int(match[9])
    return None if row["took"] == minutes else f"{row['took']} minutes, not {minutes}"


def _appointment(row: Row) -> str | None:
    match = re.fullmatch(
        r"Termin am (\w+), (\d+)\. (\w+) (\d{4}) um (\d\d):(\d\d) Uhr bei Zimmer (\d+)\.", row["Notiz"]
    )
    if match is None or match[3] not in _GERMAN_MONTHS:
        return "another form"
    date = datetime.date(int(match[4]), _GERMAN_MONTHS.index(match[3]) + 1, int(match[2]))
    day = _GERMAN_DAYS[date.weekday()]
    if (match[1], row["Wochentag"]) != (day, day):
        return f"{date} is a {day}"
    if not values.is_clock(f"{match[5]}:{match[6]}"):
        return "no such time"
    return None if row["Datum"] == date.strftime("%d.%m.%Y") else f"{row['Datum']} is not {date}"


def _meeting(row: Row) -> str | None:
    match = re.fullmatch(
        r"(\d{4})年(\d+)月(\d+)日(上午|下午)(\d+)点(\d+)分，(\d+)号会议室开会，时长(\d+)小时(\d+)分钟。", row["记录"]
    )
    if match is None:
        return "another form"
    date = datetime.date(int(match[1]), int(match[2]), int(match[3]))
    if int(match[5]) > 12 or int(match[6]) > 59 or int(match[9]) > 59:
        return "no such time"
    told = row["日期"], row["会议室"], row["年"], row["月"]
    return None if told == (date.isoformat(), int(match[7]), date.year, date.month) else f"{told} is not {date}"


def _arrival(row: Row) -> str | None:
    match = re.fullmatch(
        r"(令和|平成)(\d+|元)年(\d+)月(\d+)日（(.)）に第(\d+)便が(\d+)時(\d+)分に到着した。", row["本文"]
    )
    if match is None:
        return "another form"
    year = (2018 if match[1] == "令和" else 1988) + (1 if match[2] == "元" else int(match[2]))
    date = datetime.date(year, int(match[3]), int(match[4]))
    if match[5] != "月火水木金土日"[date.weekday()]:
        return f"{date} is no {match[5]}曜日"
    if int(match[7]) > 23 or int(match[8]) > 59:
        return "no such time"
    return None if row["日付"] == date.strftime("%Y/%m/%d") else f"{row['日付']} is not {date}"


def _due(row: Row) -> str | None:
    match = re.fullmatch(r"Invoice \d+ was issued on (\S+) and is due on (\S+)\.", row["memo"])
    if match is None or (match[1], match[2]) != (row["issued"], row["due"]):
        return "other dates in the memo"
    issued, due = (datetime.datetime.strptime(each, "%m/%d/%Y") for each in match.groups())
    days = (due - issued).days
    return None if days == row["days"] else f"{row['days']} days, not {days}"


def _card(row: Row) -> str | None:
    digits = row["card"].replace(" ", "")
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    if not re.fullmatch(r"\d{4} \d{4} \d{4} \d{4}", row["card"]) or sum(n // 10 + n % 10 for n in doubled) % 10:
        return f"card {row['card']} is not valid"
    return None if re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", row["expires"]) else f"expires {row['expires']}"


DATES: dict[str, Check] = {
    "trips_en.jsonl": _trip,
    "de_termine.jsonl": _appointment,
    "zh_meetings.jsonl": _meeting,
    "ja_reiwa.jsonl": _arrival,
    "us_dates.jsonl": _due,
    "cards.jsonl": _card,
}
