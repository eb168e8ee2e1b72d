"""The seed files of ``tests/truth/seeds``, and which rows of their kind are true."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.truth.dates import DATES
from tests.truth.dependent import DEPENDENT
from tests.truth.derived import DERIVED
from tests.truth.forms import Check, Row
from tests.truth.questions import QUESTIONS
from tests.truth.tables import TABLES
from tests.truth.texts import TEXTS
from tests.truth.ties import TIES
from tests.truth.values import implausible

SEEDS = Path(__file__).parent / "seeds"
CHECKS: dict[str, Check] = QUESTIONS | TABLES | TEXTS | DATES | DEPENDENT | TIES | DERIVED
#: File -> fields that name a row or say when it was written: they do not make a row new.
NAMES: dict[str, tuple[str, ...]] = {
    "averages.csv": ("student",),
    "bmi.jsonl": ("patient",),
    "conversions.csv": ("city_temp",),
    "dated_orders.jsonl": ("order_no",),
    "dialogues.jsonl": ("id",),
    "faq_de.csv": ("Nr.", "Stand"),
    "flights.jsonl": ("flight",),
    "grades.csv": ("id", "student"),
    "invoices.jsonl": ("invoice",),
    "max_of_list.jsonl": ("player",),
    "min_max.csv": ("station",),
    "net_gross.csv": ("order",),
    "prices.csv": ("sku",),
    "sensors.csv": ("sensor",),
    "series.jsonl": ("meter",),
    "shares.csv": ("district",),
    "shifts.csv": ("worker",),
    "squad_nested.json": ("id", "title"),
    "stock.csv": ("article",),
    "trends.csv": ("day",),
    "zh_averages.csv": ("姓名",),
}
#: File -> the field that is unique over all rows.
UNIQUE = {"grades.csv": "id", "dialogues.jsonl": "id", "squad_nested.json": "id"}


@dataclass(frozen=True)
class Wrong:
    """A row that is not true: its number, counted from 1, the reason, and the row."""

    number: int
    reason: str
    row: Row


def family(name: str) -> str:
    """Return the group of the kind of file ``name``; other where it has no checker."""
    groups = {
        "question": QUESTIONS,
        "table": TABLES,
        "text": TEXTS,
        "dates": DATES,
        "dependent": DEPENDENT,
        "tie": TIES,
        "derived": DERIVED,
    }
    return next((group for group, checks in groups.items() if name in checks), "other")


def seed_files() -> list[Path]:
    """Return every seed file, sorted by name."""
    return sorted(SEEDS.iterdir())


def read_seeds(path: Path) -> list[Row]:
    """Return the rows of a seed file: JSON Lines, a table, SQuAD's nesting, or an object of columns."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        head = text.partition("\n")[0]
        return list(csv.DictReader(io.StringIO(text), delimiter=";" if ";" in head else ","))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    whole = json.loads(text)
    if "data" in whole:
        return list(_squad_rows(whole["data"]))
    return [dict(zip(whole, cells, strict=True)) for cells in zip(*whole.values(), strict=True)]


def _squad_rows(articles: Sequence[dict[str, Any]]) -> Iterator[Row]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                answers = {key: [answer[key] for answer in question["answers"]] for key in ("text", "answer_start")}
                named = {"id": question["id"], "title": article["title"], "context": paragraph["context"]}
                yield {**named, "question": question["question"], "answers": answers}


def problem(name: str, row: Row) -> str | None:
    """Return why ``row`` is not a true row of the kind of file ``name``, or None."""
    try:
        return (CHECKS[name](row) if name in CHECKS else None) or implausible(row)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        return f"another shape: {error!r}"


def judge(name: str, seeds: Sequence[Row], rows: Sequence[Row]) -> list[Wrong]:
    """Return the wrong rows of a grown file: false by themselves, of other types than the seeds, or copies."""
    wrong = []
    types = {key: {type(row[key]) for row in seeds if key in row} for row in seeds for key in row}
    copies = {_text(name, row): f"a copy of seed {number}" for number, row in enumerate(seeds, 1)}
    unique = UNIQUE.get(name, "")
    taken = {str(row.get(unique)) for row in seeds} if unique else set()
    for number, row in enumerate(rows, 1):
        reason = (
            copies.get(_text(name, row)) or (_other_types(row, types, seeds) if seeds else None) or problem(name, row)
        )
        if reason is None and unique and str(row.get(unique)) in taken:
            reason = f"{unique} {row.get(unique)} is taken"
        if reason:
            wrong.append(Wrong(number, reason, row))
        copies[_text(name, row)] = f"a copy of row {number}"
        taken.add(str(row.get(unique)))
    return wrong


def _text(name: str, row: Row) -> str:
    left = {key: value for key, value in row.items() if key not in NAMES.get(name, ())}
    return json.dumps(left, sort_keys=True)


def _other_types(row: Row, types: dict[str, set[type]], seeds: Sequence[Row]) -> str | None:
    for key, value in row.items():
        if key not in types:
            return f"a field that no seed has: {key}"
        if type(value) not in types[key] and not (isinstance(value, int) and float in types[key]):
            return f"{key} is {type(value).__name__}, in the seeds {', '.join(kind.__name__ for kind in types[key])}"
    missing = [key for key in types if key not in row and all(key in seed for seed in seeds)]
    return f"without {missing[0]}" if missing else None
