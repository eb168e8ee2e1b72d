"""``selfinstruct context``: short, complete, in English everywhere, and true: its command lines run."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from selfinstruct import errors
from selfinstruct.analysis.gate.reasons import REASONS as FINDINGS
from selfinstruct.checks import REASONS
from selfinstruct.cli import BROKEN_PIPE, INTERNAL_ERROR, application, main
from selfinstruct.cli.exit_codes import EXIT_CODES
from selfinstruct.cli.interrupts import INTERRUPTED
from selfinstruct.cli.run import STOPPED_SHORT
from selfinstruct.recipe.table_names import named_tables

LOGQA = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints."""
    capsys.readouterr()
    assert main(["context", *arguments]) == 0
    return capsys.readouterr().out


def test_the_page_is_short_and_has_every_command_reason_key_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """About 2,000 tokens, and nothing of the code is missing; the JSON has the same."""
    page, data = said(capsys), json.loads(said(capsys, "--json"))
    assert len(page.encode()) < 9500
    group: Any = typer.main.get_command(application())
    assert [each["name"] for each in data["commands"]] == list(group.commands)
    assert all(f"\n- {each['usage']}: {each['does']}" in page for each in data["commands"])
    for reason in {*REASONS, *FINDINGS}:
        assert re.search(rf"^{reason}: \w", page, re.MULTILINE)
    for heading, model in named_tables():
        if not heading.startswith("[[rules]]"):
            line = next(line for line in page.splitlines() if line.startswith(heading or "top level"))
            assert all(re.search(rf"\b{key}\b", line if heading else page) for key in model.model_fields)
    assert {str(code): text for code, text in EXIT_CODES.items()} == data["exit_codes"]


def test_every_exit_code_of_the_code_has_a_meaning() -> None:
    """Those of errors, and those that the command line adds."""
    own = {each.exit_code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "exit_code")}
    assert {*own, 0, STOPPED_SHORT, INTERNAL_ERROR, INTERRUPTED, BROKEN_PIPE} == EXIT_CODES.keys()


def test_the_page_is_english_in_every_locale(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The language of the terminal changes nothing in it."""
    english = said(capsys)
    monkeypatch.setenv("SELFINSTRUCT_LANG", "zh")
    assert said(capsys) == english and english.isascii()


def test_its_worked_command_lines_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In their order, as they are written, they grow seeds, gate a file, and explain rejections."""
    examples = json.loads(said(capsys, "--json"))["examples"]
    monkeypatch.chdir(tmp_path)
    Path("seeds.jsonl").write_bytes(LOGQA.read_bytes())
    for line in [line for example in examples for line in example["lines"]]:
        words = shlex.split(line)
        if "edited.toml" in words:
            Path("edited.toml").write_bytes(Path("outputs/mine/recipe.toml").read_bytes())
        assert main(words[1 : words.index(">") if ">" in words else None]) == 0, (line, capsys.readouterr().err)
    assert {path.name for path in Path("data").iterdir()} >= {"data", "manifest.json"}
    assert {path.name for path in Path("outputs/mine").iterdir()} >= {"rows.jsonl", "summary.json", "run.sqlite"}
