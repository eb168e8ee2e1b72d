"""The end of a run in words: what is listed, what it cost, and which commands come next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selfinstruct.analysis.summary import Summary
from selfinstruct.render.summary import finished_phrase, headline, shortfall, summary_text, used_all_passages

BILL: dict[str, Any] = {
    "requests": 9,
    "tokens": {"input": 100, "output": 20, "estimated": False},
    "cost": None,
    "cost_per_row": None,
}


def summary(stopped: str = "done", *, quota: int = 4, **changes: Any) -> Summary:
    """A run of the category a with four rows, or of the categories {name: (accepted, exhausted)}."""
    rows = changes.pop("categories", {"a": (4, False)})
    price = changes.pop("price", None)
    categories = {
        name: {
            **BILL,
            **{"accepted": accepted, "quota": quota, "drifted": 0, "exhausted": exhausted, "max_rouge_l": 0.7},
            "cost_per_row": price,
        }
        for name, (accepted, exhausted) in rows.items()
    }
    data = {
        **{**BILL, "name": "n", "requested_rows": quota * len(categories), "seeds": 2, "candidates": 50},
        **{"accepted": sum(accepted for accepted, _ in rows.values()), "rejected": {}, "failed": {}, "models": {}},
        **{"categories": categories, "max_rouge_l": 0.7, "model": "imitator", "seed": 0, "stopped": stopped},
        **{"seconds": 2.0, "conserved": True, "notes": []},
    }
    return Summary.from_dict({**data, **changes})


def text(of: Summary, width: int | None = 80) -> str:
    """The whole summary as plain text."""
    return summary_text(of, Path("o"), "s.jsonl", width).plain


def test_a_run_that_used_every_passage_is_done_and_cannot_grow_further() -> None:
    """Fewer rows than requested, and yet done: no quota is shown, no command to grow it."""
    short = summary(quota=9)
    assert used_all_passages(short) and headline(short) == "4 rows in 2.0 s, every passage used."
    assert "\n  4  a\n" in text(short) and "grow further" not in text(short) and "trace a row" in text(short)
    assert finished_phrase(summary()) == "every quota met" and "grow further" in text(summary())
    assert "grow further" not in text(summary(requests=0))  # templates alone


def test_of_many_categories_those_short_of_rows_are_listed_first() -> None:
    """Forty categories are listed, the one that is short before the full ones; the others are counted."""
    many = {f"c{n:02}": (4, False) for n in range(45)} | {"last": (1, False)}
    lines = text(summary("budget", categories=many)).splitlines()
    assert lines[2] == "  1/4  last" and "  and 6 more" in lines


def test_prices_have_a_column_of_their_own() -> None:
    """Where the price of a row is known, each category shows it."""
    assert "\n  4/4  0.0250 per row  a\n" in text(summary(price=0.025))
    assert "per row" not in text(summary())


def test_each_of_several_models_has_its_line() -> None:
    """Rows, requests and cost by model; a single model is named once."""
    bill = {**BILL, "accepted": 3, "cost": 0.5}
    both = text(
        summary(models={"m1": bill, "m2": {**bill, "accepted": 1, "requests": 1, "cost": None}}, model="m1, m2")
    )
    assert "    m1: 3 rows in 9 requests, 0.500\n    m2: 1 row in 1 request\n" in both
    assert "m1: " not in text(summary(models={"m1": bill}, model="m1"))
    assert "9 requests to the embedded imitator, 100 input and 20 output tokens." in text(summary())


def test_what_is_missing_is_priced_in_tokens_by_the_replies_so_far() -> None:
    """A run that was stopped says how many tokens its missing rows will take; a finished one does not."""
    stopped = text(summary("budget", quota=9, model="m"))
    assert "  30 tokens a row so far: about 150 for the 5 rows that are missing.\n" in stopped
    assert "a row so far" not in text(summary(model="m"))


def test_a_shortfall_names_three_exhausted_categories() -> None:
    """One line: rows of those requested, three categories by name, the others counted; or why it stopped."""
    many = {f"c{n}": (1, True) for n in range(5)}
    assert shortfall(summary("exhausted", categories=many)) == (
        "stopped early: 5 of 20 rows; exhausted: c0, c1, c2 and 2 more"
    )
    assert shortfall(summary("budget", categories={"a": (1, False)})) == (
        "stopped early: 1 of 4 rows; the budget is spent"
    )


def test_exhausted_categories_are_marked_in_one_column() -> None:
    """Names are padded, so that the marks stand below each other."""
    lines = text(summary("exhausted", categories={"a": (1, True), "longer": (2, True)})).splitlines()
    assert lines[2:4] == ["  1/4  a       exhausted", "  2/4  longer  exhausted"]


@pytest.mark.parametrize(
    ("stopped", "purposes"),
    [
        ("done", ["grow further", "trace a row"]),
        ("budget", ["resume", "trace a row"]),
        ("interrupted", ["resume", "trace a row"]),
        ("running", ["trace a row"]),
        ("exhausted", ["trace a row"]),
    ],
)
def test_the_next_commands_fit_the_ending(stopped: str, purposes: list[str]) -> None:
    """Only a run that may go on is resumed, only a finished one grown further; a row can be traced in all."""
    tail = text(summary(stopped)).rpartition("\n\n")[2].splitlines()
    assert [line.split("  ")[1] for line in tail] == purposes
    assert all("selfinstruct " in line for line in tail)
