"""Fragments for notebooks, and the progress of a run there."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.analysis.summary import Summary
from selfinstruct.events import CategoryCount, Snapshot
from selfinstruct.render.notebook import findings_html, progress_html, run_html
from selfinstruct.render.notebook_progress import in_notebook, notebook_progress
from selfinstruct.render.progress import RateMeter


def snapshot(accepted: int, categories: int = 1) -> Snapshot:
    """A run with the given number of twenty rows in each of its categories."""
    each = {f"c{n}": CategoryCount(20, accepted, 1, exhausted=n == 1) for n in range(categories)}
    return Snapshot(each, accepted * categories, 30, {"echo": 1}, {}, 2, 1, {"Text": "the last"}, None, ["a remark"])


def summary(stopped: str, categories: dict[str, tuple[int, int]]) -> Summary:
    """The summary of a run of these categories, each with its accepted rows and its quota."""
    bill = {"requests": 2, "tokens": {"input": 0, "output": 0, "estimated": False}, "cost": None, "cost_per_row": None}
    each = {
        name: {**bill, "accepted": has, "quota": quota, "drifted": 0, "exhausted": has < quota, "max_rouge_l": 0.7}
        for name, (has, quota) in categories.items()
    }
    return Summary.from_dict(
        {
            **{**bill, "name": "n", "accepted": sum(has for has, _ in categories.values()), "seeds": 2},
            **{"requested_rows": sum(quota for _, quota in categories.values()), "candidates": 200},
            **{"rejected": {"echo": 6}, "failed": {}, "categories": each, "models": {}, "model": "imitator", "seed": 0},
            **{"max_rouge_l": 0.7, "stopped": stopped, "seconds": 1.0, "conserved": True, "notes": []},
        }
    )


class Display(ModuleType):
    """IPython.display, which keeps what each update shows."""

    def __init__(self) -> None:
        super().__init__("IPython.display")
        self.shown: list[str] = []

    def HTML(self, html: str) -> str:
        """The HTML itself."""
        return html

    def display(self, html: str, *, display_id: bool) -> Display:
        """Show HTML, and return the handle to update it."""
        assert display_id
        self.shown.append(html)
        return self

    def update(self, html: str) -> None:
        """Show HTML in the place of what was shown before."""
        self.shown.append(html)


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Display:
    """A notebook's display, without IPython."""
    display = Display()
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return display


def test_a_run_shows_its_rows_categories_and_files(tmp_path: Any) -> None:
    """The fragment of a real run has its headline, categories with counts, rejections, rows and the report's path."""
    done = api.run("seeds/logqa.jsonl", rows=40, out=tmp_path / "o")
    html = run_html(done.summary, tmp_path / "o", [{"Question": "Q & A?", "n": 3}])
    assert "40 rows in" in html and "every quota met" in html
    assert html.count("10/10") == 2 * 4  # the count, and the description of the bar
    assert "candidates rejected" in html and "Q &amp; A?" in html and "<td>3</td>" in html
    assert str(tmp_path / "o" / "report.html") in html


def test_an_unfinished_run_says_so() -> None:
    """A run that stopped early has its reason in the headline, and the exhausted category is marked."""
    html = run_html(summary("exhausted", {"a": (3, 20)}), "o")
    assert "3 of 20 rows in 1.0 s, stopped early: 1 category exhausted." in html
    assert '<td class="short">exhausted' in html


def test_of_many_categories_those_short_of_rows_come_first() -> None:
    """Twenty categories are listed and the others counted."""
    html = run_html(summary("interrupted", {**{f"c{n}": (4, 4) for n in range(29)}, "c29": (1, 4)}), "o")
    assert "c29" in html and "and 10 more" in html and html.count("4/4") == 2 * 19


def test_findings_are_a_table_with_file_and_line() -> None:
    """Each finding is a line; the verdict counts errors and warnings; a file without findings has no table."""
    rows = [{"Question": f"Which of {n}?", "Answer": f"{n}", "RawLog": f"it is {n} of {n}"} for n in range(100, 112)]
    html = findings_html(api.check([*rows, rows[0]]).to_dict())
    assert "13 rows, inferred rules: 1 error" in html and "rows:13" in html and "duplicate" in html
    assert "no findings" in findings_html(api.check(rows).to_dict())
    assert "<table" not in findings_html(api.check(rows).to_dict())


def test_progress_shows_bars_totals_and_the_last_row() -> None:
    """Categories with counts, the totals, remarks and the row accepted last."""
    meter = RateMeter(0.0)
    assert "waiting for the first reply · 3.0 s" in progress_html(None, meter, 3.0)
    html = progress_html(snapshot(5, 2), meter, 4.0)
    assert html.count("5/20") == 4 and "exhausted" in html and "10 of 40 rows" in html
    assert "a remark" in html and "the last" in html
    assert "and 15 more" in progress_html(snapshot(5, 35), meter, 4.0)


def test_progress_updates_one_output_twice_a_second_and_clears_it(display: Display) -> None:
    """Updates replace the output, at most every half second; at the end, also after an error, it is empty."""
    times = iter([0.0, 0.1, 0.7, 0.8, 1.3])
    with pytest.raises(ValueError), notebook_progress(lambda: next(times)) as watch:
        for accepted in (1, 2, 3, 4):
            watch(snapshot(accepted))
        raise ValueError
    assert [next((f"{n}/20" for n in range(5) if f">{n}/20<" in html), "") for html in display.shown] == [
        *("", "2/20", "4/20", ""),
    ]
    assert display.shown[-1] == ""


def test_run_displays_its_progress_in_a_kernel_alone(
    display: Display, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without ``watch``, a run in a kernel displays progress and clears it; with one, and elsewhere, it does not."""
    rows = [{"text": f"the {word} ship sails at {n}"} for n, word in enumerate(("red", "old", "big"))]
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: None, raising=False)
    api.run(rows, rows=4, out=tmp_path / "plain")
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: SimpleNamespace(kernel=1), raising=False)
    api.run(rows, rows=4, out=tmp_path / "watched", watch=lambda snapshot: None)
    assert display.shown == []
    done = api.run(rows, rows=4, out=tmp_path / "shown")
    assert "waiting for the first reply" in display.shown[0] and display.shown[-1] == ""
    html = done._repr_html_()
    assert "4 rows in" in html and "<th>text</th>" in html and html.count("<td>") >= 4
    assert "no findings" in (api.check([{"a": f"x{n} y{n}"} for n in range(9)])._repr_html_() or "")


def test_only_a_kernel_is_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither plain Python nor IPython in a terminal is a notebook; a shell with a kernel is one."""
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()
    for shell, expected in ((None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel=object()), True)):
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert in_notebook() is expected
