"""The examples of docs/extending.md run as they stand there."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.checks import CustomCheck
from selfinstruct.checks.table import REASONS
from selfinstruct.cli import main
from selfinstruct.recipe import Field, Recipe

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each file is written under the name in its first line, then each command ends with exit code 0."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    for language, text in BLOCKS:
        if language == "json":
            Path("kitchen.jsonl").write_text(text, encoding="utf-8")
        elif language != "sh":
            Path(text.split("\n")[0].removeprefix("# ")).write_text(text, encoding="utf-8")
    importlib.invalidate_caches()
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "selfinstruct"
        code = main(arguments)
        assert code == 0, (command, capsys.readouterr().err)
    accepted = {name: api.open_run(f"outputs/{name}").summary.accepted for name in ("checked", "shelf", "plain")}
    assert accepted == {"checked": 4, "shelf": 8, "plain": 4}
    categories = api.open_run("outputs/by-verb").summary.categories
    assert {name: each.accepted for name, each in categories.items()} == {"Weigh": 2, "Pour": 2}
    assert api.open_run("outputs/replayed").summary.accepted == 8
    privacy = importlib.import_module("privacy")
    check = CustomCheck("privacy:no_mail_address", privacy.no_mail_address)
    rejection = check.check({"text": "Write to a@b.example."}, Recipe(name="r", fields={"text": Field()}), REASONS)
    assert rejection is not None
    assert (rejection.reason, rejection.message) == ("pii", "a mail address: a@b.example.")
