"""The passages of a run written as numbered text files, of documents and of logs, in English and Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.cli import main
from selfinstruct.errors import InputError

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


@pytest.mark.parametrize("samples", [["A fund is a pool.", "It has\ntwo lines."], ["基金是什么。", "乾卦：元，\n亨。"]])
def test_samples_are_written_to_numbered_files(
    samples: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each passage is a file, word for word; a resumed run finds them there."""
    monkeypatch.chdir(tmp_path)
    Path("raw.txt").write_text("\n\n".join(samples), encoding="utf-8")
    Path("recipe.toml").write_text(RECIPE, encoding="utf-8")
    for _ in range(2):
        assert main(["run", "recipe.toml", "--keep-passages", "kept/texts", "--quiet"]) == 0
    files = sorted(Path("kept/texts").iterdir())
    assert [file.name for file in files] == ["001.txt", "002.txt"]
    assert [file.read_text(encoding="utf-8") for file in files] == samples


def test_lines_of_a_log_are_passages_too(tmp_path: Path) -> None:
    """With passages of the command line, the numbers of the files are those of the passages."""
    log = tmp_path / "app.log"
    lines = [f"Accepted password for user{at} from 10.0.0.{at} port 50{at}" for at in range(12)]
    log.write_text("\n".join(lines), encoding="utf-8")
    api.run(passages=[log], keep_passages=tmp_path / "kept", out=tmp_path / "run", rows=5)
    assert [file.read_text() for file in sorted((tmp_path / "kept").iterdir())] == lines


def test_files_with_other_content_are_not_overwritten(tmp_path: Path) -> None:
    """Nothing is lost: another content is an error, and so are seeds without passages."""
    (tmp_path / "raw.txt").write_text("One.\n\nTwo.", encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "002.txt").write_text("mine")
    with pytest.raises(InputError, match=r"002\.txt: has other content"):
        api.run(tmp_path / "recipe.toml", keep_passages=tmp_path / "kept", out=tmp_path / "run")
    assert (tmp_path / "kept" / "002.txt").read_text() == "mine" and not (tmp_path / "run").exists()
    rows = [{"q": f"Is {at} even?", "a": f"{at}"} for at in range(5)]
    with pytest.raises(InputError, match="no passages to keep"):
        api.run(rows, keep_passages=tmp_path / "kept", out=tmp_path / "run")
