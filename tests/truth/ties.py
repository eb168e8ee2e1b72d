"""Numbers of one text or row that depend on each other, and codes: shares, discounts, ages, versions, other digits."""

from __future__ import annotations

import re
from decimal import Decimal

from tests.truth.forms import Check, Row
from tests.truth.values import decimal, is_rounded


def _alert(row: Row) -> str | None:
    match = re.fullmatch(r"CPU of [a-z]+-\d+ at (\d+)%, threshold (\d+)%", row["alert"])
    if match is None:
        return "another text"
    load, threshold = int(match[1]), int(match[2])
    if not threshold <= load <= 100:
        return f"an alert at {load}% below the threshold {threshold}%"
    right = "critical" if load > 90 else "warning"
    return None if row["severity"] == right else f"{load}% is {right}"


def _download(row: Row) -> str | None:
    match = re.fullmatch(r"[\w -]+: downloaded (\d+) of (\d+) files \((\d+\.\d)%\)", row["line"])
    if match is None:
        return "another text"
    part, whole = int(match[1]), int(match[2])
    right = 0 < part <= whole and is_rounded(match[3], Decimal(100 * part) / whole, 1)
    return None if right else f"{part} of {whole} is not {match[3]}%"


def _price(row: Row) -> str | None:
    price, percent = decimal(row["list"]), decimal(row["discount_pct"])
    if price <= 0 or not 0 < percent < 100:
        return f"{price}, {percent} %"
    right = is_rounded(row["final"], price * (100 - percent) / 100, 2)
    return None if right else f"{price} less {percent} % is not {row['final']}"


def _life(row: Row) -> str | None:
    match = re.fullmatch(r"[^\d,]+, born in (\d{4}), was (\d+) years old in (\d{4})\.", row["text"])
    if match is None:
        return "another text"
    born, age, year = map(int, match.groups())
    return None if year - born == age > 0 and 1900 <= born < year <= 2024 else f"{born} + {age} is not {year}"


_VERSIONS = ("1.18.0", "1.20.2", "1.22.1", "1.24.0", "1.25.3")


def _upgrade(row: Row) -> str | None:
    match = re.fullmatch(r"Upgraded nginx on ([\w-]+) from version ([\d.]+) to ([\d.]+) \(ticket \d+\)", row["note"])
    if match is None or (match[1], match[3]) != (row["host"], row["to"]):
        return "text and fields differ"
    if match[2] not in _VERSIONS or match[3] not in _VERSIONS:
        return f"no such version: {match[2]} or {match[3]}"
    return None if _VERSIONS.index(match[2]) < _VERSIONS.index(match[3]) else "a step back is no upgrade"


def _arabic(row: Row) -> str | None:
    asked = re.fullmatch("متى نُشر الكتاب ([٠-٩]+)؟", row["السؤال"])
    told = re.fullmatch("نُشر الكتاب ([٠-٩]+) عام ([٠-٩]{4}) وعدد صفحاته ([٠-٩]+)\\.", row["النص"])
    if asked is None or told is None or asked[1] != told[1] or row["الجواب"] != told[2]:
        return "text, question and answer differ"
    return None if 1900 <= int(told[2]) <= 2024 and 0 < int(told[3]) < 2000 else f"year {told[2]}, pages {told[3]}"


TIES: dict[str, Check] = {
    "alerts.jsonl": _alert,
    "ar_digits.jsonl": _arabic,
    "downloads.jsonl": _download,
    "life_texts.jsonl": _life,
    "prices.csv": _price,
    "upgrades.jsonl": _upgrade,
}
