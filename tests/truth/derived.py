"""Fields that are computed from others by a formula, decided by them, or facts; codes with a date; words with tags."""

from __future__ import annotations

import re
from decimal import Decimal

from tests.truth.forms import Check, Row
from tests.truth.values import decimal, is_iso_date, is_rounded


def _mean_of(result: str, *parts: str) -> Check:
    def check(row: Row) -> str | None:
        numbers = [decimal(row[part]) for part in parts]
        if not all(0 <= each <= 100 for each in numbers):
            return f"points {numbers}"
        right = is_rounded(row[result], sum(numbers, Decimal(0)) / len(numbers), 1)
        return None if right else f"{row[result]} is not the mean of {numbers}"

    return check


def _bmi(row: Row) -> str | None:
    height, weight = Decimal(row["height_cm"]) / 100, Decimal(row["weight_kg"])
    right = is_rounded(row["bmi"], weight / height**2, 1)
    return None if right else f"{row['bmi']} is not {weight} / {height}^2"


def _share(row: Row) -> str | None:
    yes, no = decimal(row["yes"]), decimal(row["no"])
    if not is_rounded(row["yes_pct"], 100 * yes / (yes + no), 1):
        return f"{yes} of {yes + no} are not {row['yes_pct']} %"
    return None if decimal(row["no_pct"]) == 100 - decimal(row["yes_pct"]) else "not 100 % together"


def _conversion(row: Row) -> str | None:
    right = is_rounded(row["fahrenheit"], decimal(row["celsius"]) * Decimal("1.8") + 32, 1)
    return None if right else f"{row['celsius']} C is not {row['fahrenheit']} F"


def _bases(row: Row) -> str | None:
    number = int(row["dec"])
    return None if (row["bin"], row["hex"]) == (f"{number:b}", f"{number:x}") else f"{number} is written otherwise"


def _trend(row: Row) -> str | None:
    right = "rise" if decimal(row["close"]) > decimal(row["open"]) else "fall"
    return None if row["trend"] == right else f"a {right} from {row['open']} to {row['close']}"


def _grade(row: Row) -> str | None:
    score = int(row["score"])
    right = "A" if score >= 90 else "B" if score >= 80 else "C" if score >= 70 else "D"
    return None if row["grade"] == right and score <= 100 else f"{score} is {right}"


def _order(row: Row) -> str | None:
    number = re.fullmatch(r"(\d{8})(\d{3})", row["order_no"])
    if number is None or not is_iso_date(row["date"]):
        return "no order number, or no date"
    return None if number[1] == row["date"].replace("-", "") else f"{number[0]} is not an order of {row['date']}"


def _tags(row: Row) -> str | None:
    if len(row["tokens"]) != len(row["tags"]):
        return "tokens without tags"
    if any(" " in token for token in row["tokens"]):
        return "two words in one token"
    names = [token for token, tag in zip(row["tokens"], row["tags"], strict=True) if tag == "I-LOC"]
    pairs = list(zip(row["tokens"], row["tokens"][1:], strict=False))
    return None if not names or ("New", "York") in pairs else "no such place"


_CAPITALS = {
    "France": "Paris",
    "Japan": "Tokyo",
    "Kenya": "Nairobi",
    "Peru": "Lima",
    "Norway": "Oslo",
    "Egypt": "Cairo",
}


def _capital(row: Row) -> str | None:
    return None if _CAPITALS.get(row["country"]) == row["capital"] else "another capital"


def _pressure(row: Row) -> str | None:
    note = re.fullmatch(r"BP (\d+)/(\d+) mmHg, HR (\d+) bpm", row["note"])
    if note is None or (int(note[1]), int(note[2])) != (row["systolic"], row["diastolic"]):
        return "note and fields differ"
    upper, lower, rate = map(int, note.groups())
    return None if 40 <= lower < upper <= 220 and 40 <= rate <= 180 else f"nobody has {upper}/{lower} at {rate}"


def _memory(row: Row) -> str | None:
    line = re.fullmatch(r"[\d:]{8} node-\d+ GPU0 mem=(\d+)/(\d+)MiB util=(\d+)%", row["line"])
    if line is None or int(line[1]) != row["used"]:
        return "line and field differ"
    return None if int(line[1]) <= int(line[2]) and int(line[3]) <= 100 else f"{line[1]} of {line[2]}"


DERIVED: dict[str, Check] = {
    "averages.csv": _mean_of("average", "math", "physics", "english"),
    "zh_averages.csv": _mean_of("平均分", "语文", "数学", "英语"),
    "bmi.jsonl": _bmi,
    "shares.csv": _share,
    "conversions.csv": _conversion,
    "bases.csv": _bases,
    "trends.csv": _trend,
    "few_grades.csv": _grade,
    "dated_orders.jsonl": _order,
    "tagged_tokens.jsonl": _tags,
    "capitals.jsonl": _capital,
    "blood_pressure.jsonl": _pressure,
    "gpu_memory.jsonl": _memory,
}
