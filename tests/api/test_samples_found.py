"""What a run about documents says of them: the samples found, the date, the directory; in English and Chinese."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.cli import main

SAMPLES = {
    "en": ["The first sample is short.", "Longest: " + "word " * 40 + "end.", "Tiny.", "The last sample of four."],
    "zh": ["乾卦：元，亨，利，贞。", "坤卦：" + "先迷后得主利西南得朋" * 8 + "。", "屯。", "蒙卦：亨。匪我求童蒙。"],
}
RECIPE = """
[documents]
files = ["raw.txt"]
by = "sample"

[fields.text]
source = "passage"

[fields.question]

[[expand]]
name = "questions"
writes = "question"
templates = ["What is said in: {passage}"]

[novelty]
max_rouge_l = 1.0
"""


@pytest.fixture(params=SAMPLES)
def recipe(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Four samples and the recipe about them, in the working directory."""
    monkeypatch.chdir(tmp_path)
    texts = SAMPLES[request.param]
    Path("raw.txt").write_text("\n\n".join(texts), encoding="utf-8")
    Path("recipe.toml").write_text(RECIPE, encoding="utf-8")
    return texts


def test_a_dry_run_lists_the_samples_found(recipe: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """How many there are, the first, the last, the shortest and the longest, in text and in JSON."""
    assert main(["run", "recipe.toml", "--dry-run"]) == 0
    text = capfd.readouterr().out
    assert "4 passages:\n" in text
    assert f"  shortest {recipe[2]}  (raw.txt, {len(recipe[2])} characters)" in text
    assert f"  longest  {recipe[1][:20]}" in text
    assert main(["run", "recipe.toml", "--dry-run", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["passages"]
    assert found["count"] == 4
    listed = [found[label]["text"] for label in ("first", "last", "shortest", "longest")]
    assert listed == [recipe[0], recipe[3], recipe[2], recipe[1]]
    assert found["longest"]["characters"] == len(recipe[1])


def test_rows_without_passages_list_none() -> None:
    """A dry run of seed rows says nothing about passages."""
    rows = [{"q": f"Is {at} even?", "a": str(at)} for at in range(4)]
    assert api.dry_run(api.plan(rows)).passages is None


def test_the_directory_may_have_the_name_and_the_date(recipe: list[str]) -> None:
    """In --out, {name} and {date} are filled in; other braces stay."""
    before = datetime.now().astimezone().date()
    assert main(["run", "recipe.toml", "--out", "runs/{name}-{date}-{x}", "--quiet"]) == 0
    (made,) = Path("runs").iterdir()
    dates = (before, before + timedelta(days=1))
    assert made.name in {f"recipe-{date.isoformat()}-{{x}}" for date in dates}


def test_the_date_of_a_run_is_kept(recipe: list[str]) -> None:
    """Summary and card have the date on which the run was created, also after a later session."""
    before = datetime.now(UTC).replace(microsecond=0)
    first = api.run("recipe.toml", out="run").summary.started
    assert before <= datetime.fromisoformat(first) <= datetime.now(UTC)
    assert api.run("recipe.toml", out="run").summary.started == first
    assert api.open_run("run").summary.started == api.report("run").summary.started == first
    assert f" on {first[:10]}." in Path("run/README.md").read_text(encoding="utf-8")


def test_a_summary_of_an_earlier_version_has_no_date(recipe: list[str]) -> None:
    """A summary without the key is read."""
    api.run("recipe.toml", out="run")
    file = Path("run/summary.json")
    summary = json.loads(file.read_text(encoding="utf-8"))
    del summary["started"]
    file.write_text(json.dumps(summary), encoding="utf-8")
    assert api.open_run("run").summary.started == ""
