"""A model that breaks relations on purpose in a third of its rows: all of these are refused, and the quotas are met."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.records import Reply, Request

Row = dict[str, Any]
NAMES = "Ann Bob Eve Jan Kim Lea Max Nia Omar Pia Raj Sue Tom Uma Vic Yan Zoe Ida".split()  # noqa: SIM905
CITIES = "Rome Oslo Lima Cairo Bonn Kyoto Perth Quito Riga Sofia Turin Varna".split()  # noqa: SIM905
Broken = dict[str, Callable[[Row], Any]]


def booking(r: random.Random) -> Row:
    """Total, nights and weekday follow from the rest; the reference is written with the guest's number."""
    nights, rate, number = r.randint(1, 14), r.randrange(4000, 30000) / 100, r.randrange(10**5, 10**6)
    start = datetime.date(2023, 1, 1) + datetime.timedelta(days=r.randrange(700))
    return {
        "number": number,
        "reference": f"{r.choice(CITIES)} / no. {number}",
        "checkin": f"{start}",
        "day": start.strftime("%A"),
        "checkout": f"{start + datetime.timedelta(days=nights)}",
        "nights": nights,
        "rate": rate,
        "total": round(nights * rate + 1e-9, 2),
    }


BREAK_BOOKING: Broken = {
    "total": lambda row: row["total"] + 1.5,
    "nights": lambda row: row["nights"] + 1,
    "checkout": lambda row: "1999-01-01",
    "day": lambda row: "Monday" if row["day"] != "Monday" else "Friday",
    "checkin": lambda row: "2023-02-30",
    "reference": lambda row: row["reference"] + "7",
}


def reading(r: random.Random) -> Row:
    """A passage with its options, the letter of the right one, and a list with its extremes."""
    name, city, other, third = r.choice(NAMES), *r.sample(CITIES, 3)
    year = r.randint(1950, 2020)
    options = [city, other, third]
    r.shuffle(options)
    scores = [r.randint(1, 99) for _ in range(r.randint(3, 6))]
    return {
        "passage": f"In {year}, number {r.randrange(10**4)} of the list, {name}, came to {city} for good.",
        "question": f"Where did {name} go in {year}?",
        "options": options,
        "answer": "ABC"[options.index(city)],
        "scores": scores,
        "best": max(scores),
        "n": len(scores),
    }


BREAK_READING: Broken = {
    "answer": lambda row: "ABC"[("ABC".index(row["answer"]) + 1) % 3],
    "options": lambda row: [row["options"][0]] * 3,
    "best": lambda row: row["best"] + 1,
    "n": lambda row: row["n"] + 1,
    "question": lambda row: row["question"].replace(" in ", " in 17"),
}


class DishonestAuthor:
    """Answers with true rows, and breaks every third of them."""

    name = "dishonest"
    reads_messages = False

    def __init__(self, make: Callable[[random.Random], Row], breaks: Broken) -> None:
        self.random = random.Random(5)
        self.make, self.breaks = make, list(breaks.items())
        self.written: list[Row] = []
        self.broken: list[Row] = []

    def row(self) -> Row:
        """The next row."""
        row = self.make(self.random)
        self.written.append(row)
        if len(self.written) % 3 == 0:
            field, change = self.breaks[len(self.broken) % len(self.breaks)]
            row[field] = change(row)
            self.broken.append(row)
        return row

    async def complete(self, request: Request) -> Reply:
        """Ten rows."""
        return Reply(json.dumps({"rows": [self.row() for _ in range(10)]}), "dishonest")

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(("make", "breaks"), [(booking, BREAK_BOOKING), (reading, BREAK_READING)])
def test_rows_that_break_relations_are_all_refused(
    tmp_path: Path, make: Callable[[random.Random], Row], breaks: Broken
) -> None:
    """No broken row is accepted, nearly all are refused as ``relation``, no true one is, and the quota is met."""
    r = random.Random(1)
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("".join(json.dumps(make(r)) + "\n" for _ in range(24)), encoding="utf-8")
    author = DishonestAuthor(make, breaks)
    run = api.run(seeds, rows=120, out=tmp_path / "run", backend=author)
    assert run.summary.stopped == "done" and run.summary.accepted == 120
    assert len(author.broken) >= 50
    assert not [row for row in run.rows() if row in author.broken]
    others = {reason: count for reason, count in run.summary.rejected.items() if reason != "relation"}
    refused = run.summary.rejected["relation"]
    judged = len(author.broken) - sum(others.values())
    assert judged <= refused <= len(author.broken), (others, refused, len(author.broken))
