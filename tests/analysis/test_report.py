"""The figures of a report and of two reports side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.analysis.report.shares import counted_shares, field_shares
from selfinstruct.analysis.report.wording import wording
from selfinstruct.cli import main


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two small runs from the same seeds."""
    where = tmp_path_factory.mktemp("runs")
    for name, rows in (("a", 40), ("b", 80)):
        api.run("seeds/logqa.jsonl", rows=rows, out=where / name)
    return where / "a", where / "b"


def test_the_json_of_a_report_has_the_numbers_of_the_summary(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every key of summary.json is there unchanged, with the version and the other figures; they agree."""
    assert main(["report", str(runs[1]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    summary = json.loads((runs[1] / "summary.json").read_text())
    assert found["version"] == 1 and {key: found[key] for key in summary} == summary
    figures = found["figures"]
    assert figures["growth"]["accepted"][-1] == summary["accepted"] == 80
    assert figures["growth"]["candidates"][-1] == summary["candidates"]
    assert {name: counts[-1] for name, counts in figures["growth"]["categories"].items()} == {
        name: each["accepted"] for name, each in summary["categories"].items()
    }
    stages = figures["rules"]["stages"]
    assert stages[0]["checked"] == summary["candidates"]
    assert stages[-1]["checked"] - stages[-1]["refused"] == summary["accepted"]
    assert sum(stage["refused"] for stage in stages) == sum(summary["rejected"].values())


def test_two_runs_are_compared_and_left_as_they_are(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts and changes are printed and written as a page and as JSON; no file of a run is touched."""
    files = [path for run in runs for path in run.iterdir() if path.is_file()]
    before = [(path.stat().st_mtime_ns, path.read_bytes()) for path in files]
    assert main(["report", *map(str, runs), "-o", str(tmp_path / "c.html")]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["accepted", "rows", "40", "80", "+40"] in lines
    page = (tmp_path / "c.html").read_text()
    assert '<td class="number">40</td><td class="number">80</td><td class="number">+40</td>' in page
    assert "<script" not in page and page.count("<header>row ") == 10
    assert main(["report", *map(str, runs), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = found["sections"][0]["lines"][1]
    assert (rows["name"], rows["first"], rows["second"]) == ("accepted rows", 40, 80)
    assert [(path.stat().st_mtime_ns, path.read_bytes()) for path in files] == before


def test_a_page_of_one_run_has_its_own_place(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """``-o`` with one run is refused: its report is in its directory."""
    assert main(["report", str(runs[0]), "-o", "x.html"]) == 2
    assert "Name two runs" in capsys.readouterr().err


def test_the_distance_of_distributions_is_half_the_sum_of_differences() -> None:
    """0 for equal shares, 1 for nothing in common, and none where values rarely repeat."""
    assert counted_shares({"a": 1, "b": 1}, {"a": 50, "b": 50}).distance == 0
    assert counted_shares({"a": 2}, {"b": 3}).distance == 1
    found = counted_shares({"a": 8, "b": 2}, {"a": 5, "b": 5})
    assert found.distance == pytest.approx(0.3)
    assert [(each.value, each.seeds, each.grown) for each in found.values] == [("a", 0.8, 0.5), ("b", 0.2, 0.5)]
    texts = field_shares("t", [{"t": "one"}], [{"t": f"text {n}"} for n in range(40)])
    assert texts.distance is None and texts.values == () and texts.grown_values == 40
    numbers = field_shares("n", [{"n": 3}], [{"n": n} for n in range(41)])
    assert numbers.grown_numbers is not None and numbers.grown_numbers.median == 20


def test_words_are_counted_as_rouge_l_counts_them() -> None:
    """Vocabulary, distinct n-grams and first words, in English and in Chinese."""
    found = wording("q", [{"q": "What is it?"}], [{"q": "What is the log?"}, {"q": "What is a log?"}])
    assert (found.grown.words, found.grown.vocabulary) == (8, 5)
    assert found.grown.distinct == (5 / 8, 5 / 6, 1.0)
    assert [(each.words, each.seeds, each.grown) for each in found.openings] == [("what is", 1.0, 1.0)]
    chinese = wording("q", [], [{"q": "什么是日志"}, {"q": "什么时候"}])
    assert [each.words for each in chinese.openings] == ["什么"]


def test_seeds_of_a_run_about_passages_have_no_categories(tmp_path: Path) -> None:
    """The category is that of the passage: no distance is claimed between seeds and grown rows, and no template."""
    lines = [f"Block blk_{n * 7919} of size {n * 31 + 7} received from host{n}" for n in range(1, 13)]
    (tmp_path / "log.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    api.run("seeds/logqa.jsonl", passages=[tmp_path / "log.txt"], rows=4, out=tmp_path / "run")
    found = api.report_figures(tmp_path / "run")
    assert found.category_shares.seed_values == 0 and found.category_shares.distance is None
    assert found.templates is None and found.to_seeds is not None
