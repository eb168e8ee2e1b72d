"""Rows of numbers, dates and codes: everything that can be recomputed is."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Callable
from decimal import Decimal

from tests.truth import values
from tests.truth.forms import Check, Form, Row, forms, one_of
from tests.truth.values import decimal, is_rounded

_CENT = r"\d+\.\d\d"


def _matching(**patterns: str) -> Callable[[Row], str | None]:
    def check(row: Row) -> str | None:
        for field, pattern in patterns.items():
            if not re.fullmatch(pattern, str(row[field])):
                return f"{field}: {row[field]!r} has another format"
        return None

    return check


def _product(first: str, second: str, result: str) -> Callable[[Row], str | None]:
    def check(row: Row) -> str | None:
        exact = decimal(row[first]) * decimal(row[second])
        return None if decimal(row[result]) == exact else f"{result}: {row[result]} is not {first} x {second} = {exact}"

    return check


def every(*checks: Check) -> Check:
    """Return a check that passes where all of ``checks`` do."""
    return lambda row: next((problem for check in checks if (problem := check(row))), None)


def _invoice(row: Row) -> str | None:
    items = row["items"]
    if not items or len({item["item"] for item in items}) < len(items):
        return "items are missing or the same"
    for item in items:
        quantity = item["quantity"]
        if not isinstance(quantity, int) or not 0 < quantity < 10_000 or item["price"] <= 0:
            return f"quantity {quantity}, price {item['price']}"
        if not is_rounded(item["amount"], decimal(quantity) * decimal(item["price"]), 2):
            return f"amount {item['amount']} is not {quantity} x {item['price']}"
    net = sum(decimal(item["amount"]) for item in items)
    if decimal(row["net"]) != net:
        return f"net {row['net']} is not the sum {net}"
    if not 0 <= row["tax_rate"] <= 30 or not is_rounded(row["tax"], net * decimal(row["tax_rate"]) / 100, 2):
        return f"tax {row['tax']} is not {row['tax_rate']} % of {net}"
    total = net + decimal(row["tax"])
    return None if decimal(row["total"]) == total else f"total {row['total']} is not {total}"


def _vat(row: Row) -> str | None:
    net, vat = decimal(row["net"]), decimal(row["vat"])
    if decimal(row["gross"]) != net + vat:
        return f"gross {row['gross']} is not {net + vat}"
    return None if is_rounded(vat, net * Decimal("0.19"), 2) else f"vat {vat} is not 19 % of {net}"


def _interval(row: Row) -> str | None:
    start, end = (datetime.datetime.fromisoformat(row[name]) for name in ("start", "end"))
    minutes = (end - start).total_seconds() / 60
    if start >= end or not 1990 <= start.year <= 2040:
        return f"from {start} to {end}"
    return None if minutes == row["minutes"] else f"minutes {row['minutes']}, not {minutes:g}"


def _shift(row: Row) -> str | None:
    if not (values.is_clock(row["begins"]) and values.is_clock(row["ends"])):
        return f"from {row['begins']} to {row['ends']}"
    minutes = [int(row[name][:2]) * 60 + int(row[name][3:]) for name in ("begins", "ends")]
    hours = Decimal(minutes[1] - minutes[0]) / 60
    return None if hours > 0 and decimal(row["hours"]) == hours else f"hours {row['hours']}, not {hours}"


def _tags(row: Row) -> str | None:
    if len(set(row["tags"])) < len(row["tags"]):
        return "a tag is there twice"
    return None if row["count"] == len(row["tags"]) else f"count {row['count']}, not {len(row['tags'])}"


def _weekday(row: Row) -> str | None:
    if not values.is_iso_date(row["date"]):
        return f"date {row['date']}"
    day = datetime.date.fromisoformat(row["date"]).strftime("%A")
    return None if row["weekday"] == day else f"{row['date']} was a {day}, not a {row['weekday']}"


def _lifetime(row: Row) -> str | None:
    age = row["died"] - row["born"]
    if not 0 < age <= 115 or not 1000 <= row["born"] <= 2024:
        return f"from {row['born']} to {row['died']}"
    return None if age == row["age"] else f"age {row['age']}, not {age}"


def _sensor(row: Row) -> str | None:
    celsius = decimal(row["celsius"])
    right = celsius >= Decimal("-273.15") and is_rounded(row["fahrenheit"], celsius * 9 / 5 + 32, 2)
    return None if right else f"{celsius} degrees Celsius are not {row['fahrenheit']} degrees Fahrenheit"


def _ordered(row: Row) -> str | None:
    low, mean, high = (decimal(row[name]) for name in ("min", "mean", "max"))
    if row["unit"] != "mm":
        return f"unit {row['unit']}"
    return None if 0 <= low <= mean <= high else f"{low} <= {mean} <= {high} does not hold"


def _host(row: Row) -> str | None:
    if not values.is_address(row["ip"]) or not values.is_uuid(row["uuid"]):
        return f"{row['ip']} or {row['uuid']}"
    if not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", row["mac"]) or int(row["mac"][:2], 16) & 1:
        return f"mac {row['mac']}"
    return None


def _clock_seconds(row: Row) -> str | None:
    if not re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d", row["length"]):
        return f"length {row['length']}"
    hours, minutes, seconds = map(int, row["length"].split(":"))
    total = 3600 * hours + 60 * minutes + seconds
    return None if str(row["seconds"]) == str(total) else f"{row['length']} is {total} seconds, not {row['seconds']}"


def _percent(row: Row) -> str | None:
    passed, total = decimal(row["passed"]), decimal(row["total"])
    if not 0 <= passed <= total <= 1000 or total == 0 or passed != passed.to_integral_value():
        return f"{passed} of {total}"
    right = is_rounded(row["percent"], 100 * passed / total, 1)
    return None if right else f"{passed} of {total} is not {row['percent']} %"


def _stock(row: Row) -> str | None:
    opening, received, issued, closing = (decimal(row[name]) for name in ("opening", "received", "issued", "closing"))
    if opening == received == issued == closing:
        return "four different counts became one"
    if min(opening, received, issued, closing) < 0 or opening + received - issued != closing:
        return f"{opening} + {received} - {issued} is not {closing}"
    return None


def _series(row: Row) -> str | None:
    times, readings = row["times"], row["readings"]
    if len(times) != len(readings) or not all(values.is_clock(time) for time in times):
        return f"times {times}, readings {readings}"
    minutes = [int(time[:2]) * 60 + int(time[3:]) for time in times]
    if any(after - before != 20 for before, after in itertools.pairwise(minutes)):
        return f"times {times} are not 20 minutes apart"
    return None if readings == sorted(readings) else f"readings {readings} of a meter go down"


def _area(row: Row) -> str | None:
    length, width, area = row["length_mm"], row["width_mm"], row["area_mm2"]
    if not all(isinstance(value, int) and value > 0 for value in (length, width, area)):
        return "not positive integers"
    return None if area == length * width else f"{length} x {width} is not {area}"


def _point(row: Row) -> str | None:
    inside = abs(decimal(row["latitude"])) <= 90 and abs(decimal(row["longitude"])) <= 180
    return None if inside else f"no place on Earth: {row['latitude']}, {row['longitude']}"


def _flight(row: Row) -> str | None:
    local, utc = (datetime.datetime.fromisoformat(row[name]) for name in ("departs", "departs_utc"))
    if not isinstance(row["seats"], int) or not 0 < row["seats"] < 1000:
        return f"seats {row['seats']}"
    return None if local == utc else f"{row['departs']} is not {row['departs_utc']}"


def _grade(row: Row) -> str | None:
    score = decimal(row["score"])
    grade = next((letter for letter, least in (("A", 90), ("B", 80), ("C", 70)) if score >= least), "none")
    return None if score <= 100 and grade == row["grade"] else f"score {score}, grade {row['grade']}"


def _best(row: Row) -> str | None:
    scores = row["scores"]
    if row["best"] != max(scores):
        return f"best {row['best']} of {scores}"
    return None if row["sum"] == sum(scores) else f"sum {row['sum']} of {scores}"


def _chinese_date(row: Row) -> str | None:
    match = re.fullmatch(r"合同于(\d+)年(\d+)月(\d+)日签订，金额(\d+)元。", row["句子"])
    if match is None or not values.is_date(match[1], match[2], match[3]):
        return "no such day"
    date = f"{int(match[1]):04d}-{int(match[2]):02d}-{int(match[3]):02d}"
    return None if (date, int(match[4])) == (row["日期"], row["金额"]) else f"{match[0]}: {row['日期']}, {row['金额']}"


def _written_date(row: Row) -> str | None:
    match = re.fullmatch(r"The \w+ was signed on ([A-Z][a-z]+) (\d+), (\d{4})\.", row["sentence"])
    if (
        match is None
        or match[1] not in values.MONTHS
        or not values.is_date(match[3], values.MONTHS[match[1]], match[2])
    ):
        return "no such day"
    date = f"{match[3]}-{values.MONTHS[match[1]]:02d}-{int(match[2]):02d}"
    return None if date == row["date"] else f"{match[0]}: {row['date']}"


def _number_word(row: Row) -> str | None:
    match = re.fullmatch(r"The \w+ takes (\w+) \w+ a day\.", row["text"])
    number = values.NUMBER_WORDS.get(match[1]) if match else None
    return None if number is not None and number == row["times"] else f"{row['text']}: {row['times']}"


def _valid(field: str, test: Callable[[str], bool]) -> Check:
    return lambda row: None if test(row[field]) else f"{field}: {row[field]} is not valid"


_PERSON = r"[^\W\d_]+(?:[ '-][^\W\d_]+)*"

TABLES: dict[str, Check] = {
    "bookings.csv": every(
        _matching(guest=_PERSON, nights=r"[1-9]\d?", rate=_CENT, total=_CENT), _product("nights", "rate", "total")
    ),
    "invoices.jsonl": _invoice,
    "net_gross.csv": every(_matching(net=_CENT, vat=_CENT, gross=_CENT), _vat),
    "intervals.jsonl": _interval,
    "shifts.csv": _shift,
    "tag_counts.jsonl": _tags,
    "weekdays.csv": _weekday,
    "written_dates.jsonl": _written_date,
    "ages.jsonl": one_of(
        forms(
            ("note", "age"),
            ("{name}, {age} y/o female, {text}.", "{age}"),
            ("{name}, {age} y/o male, {text}.", "{age}"),
        )
    ),
    "lifetimes.jsonl": every(
        one_of(
            (
                Form(
                    {
                        "summary": "{name} lived from {year1} to {year2}.",
                        "person": "{name}",
                        "born": "{year1}",
                        "died": "{year2}",
                    }
                ),
            )
        ),
        _lifetime,
    ),
    "sensors.csv": every(_matching(celsius=r"-?\d+\.\d", fahrenheit=r"-?\d+\.\d\d"), _sensor),
    "min_max.csv": every(_matching(min=r"\d+\.\d", mean=r"\d+\.\d", max=r"\d+\.\d"), _ordered),
    "hosts.csv": _host,
    "iban.csv": every(_matching(amount=_CENT, iban=r"DE\d{20}"), _valid("iban", values.is_iban)),
    "isbn.jsonl": every(_matching(pages=r"[1-9]\d{0,3}"), _valid("isbn", values.is_isbn)),
    "clock_seconds.csv": _clock_seconds,
    "number_words.jsonl": _number_word,
    "percent.csv": _percent,
    "stock.csv": _stock,
    "series.jsonl": _series,
    "columns.json": _area,
    "zh_dates.jsonl": _chinese_date,
    "de_rechnung.csv": every(
        _matching(Menge=r"[1-9]\d*", Preis=r"\d+,\d\d", Summe=r"\d+,\d\d"), _product("Menge", "Preis", "Summe")
    ),
    "points.csv": every(_matching(latitude=r"-?\d+\.\d{4}", longitude=r"-?\d+\.\d{4}"), _point),
    "flights.jsonl": _flight,
    "grades.csv": _grade,
    "max_of_list.jsonl": _best,
}
