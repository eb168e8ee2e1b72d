"""The trial: rows of each category, drawn in memory before the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from selfinstruct import api
from selfinstruct.api.connect import make_imitator
from selfinstruct.errors import RowError
from selfinstruct.preparation.prepare import Prepared, prepare
from selfinstruct.preparation.trial import failing_categories, tried
from selfinstruct.records import Row

LOGQA = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
ROWS: list[Row] = [json.loads(line) for line in LOGQA.read_text(encoding="utf-8").splitlines()]


class Scripted:
    """Imitates the rows whose label contains ``varying``, and repeats the others."""

    def __init__(self, varying: str) -> None:
        self.varying = varying
        self.drawn = 0

    def imitate(self, demos: Sequence[Row], count: int, place: int, rng: Random) -> list[Row]:
        """Return ``count`` rows."""
        self.drawn += count
        rows = []
        for at in range(count):
            row = dict(demos[at % len(demos)])
            if self.varying in row["label"]:
                row["text"] = " ".join(str(rng.randrange(10**9)) for _ in range(6))
            rows.append(row)
        return rows

    def not_understood(self) -> str:
        """Nothing seems to be computed."""
        return ""


_TEXTS = (("all went well in shop", "good"), ("it broke at once after hour", "bad"))


def prepared() -> Prepared:
    """Two categories."""
    rows = [{"text": f"{text} {n}", "label": label} for text, label in _TEXTS for n in range(3)]
    return prepare(rows)


def test_a_category_without_a_passing_row_is_a_warning() -> None:
    """The other category grows; the warning has the number of rows and the reason."""
    result = tried(prepared(), Scripted("good"), "COMMAND")
    assert list(result.warnings) == ["bad: none of 60 trial rows was accepted (most often: echo)"]
    assert not prepared().warnings


def test_no_passing_row_at_all_is_refused_after_as_many_rows_as_in_a_run() -> None:
    """A rate of one row in a hundred is no reason to refuse."""
    imitator = Scripted("nothing")
    with pytest.raises(RowError, match="nothing that the embedded imitator can vary") as caught:
        tried(prepared(), imitator, "COMMAND")
    assert "COMMAND" in caught.value.hint
    assert imitator.drawn >= 240


def test_good_seeds_cost_a_few_rows() -> None:
    """Six rows a category where the first ones pass."""
    imitator = Scripted("")
    failed, others = failing_categories(prepared(), imitator)
    assert (failed, others, imitator.drawn) == ([], True, 12)
    plan = api.plan(LOGQA)
    assert tried(plan, make_imitator(plan, 0), "") is plan
