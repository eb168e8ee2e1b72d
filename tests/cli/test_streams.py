"""Standard streams that are closed, or whose reader is gone: exit codes, and what goes where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOGQA = str(ROOT / "seeds" / "logqa.jsonl")


def shell(redirection: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command with a redirection of the shell."""
    return subprocess.run(
        [
            "bash",
            "-c",
            f'set -o pipefail; "$@" {redirection}',
            "bash",
            sys.executable,
            "-m",
            "selfinstruct",
            *arguments,
        ],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirection", "arguments", "code"),
    [
        (">&-", ["dedup", LOGQA], 141),
        ("| true", ["recipes"], 141),
        ("2>&1 | true", ["check", "nowhere.jsonl"], 141),
        ("<&-", ["check", "-"], 2),
    ],
)
def test_exit_codes_are_the_documented_ones(redirection: str, arguments: list[str], code: int, tmp_path: Path) -> None:
    """Data that nobody reads is 141, for a list as for an error; a closed stdin is an empty file; never a traceback."""
    done = shell(redirection, *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_run_does_not_need_its_streams(tmp_path: Path) -> None:
    """Without stdout it is done; without stderr, words for people are lost, and stdout has the JSON alone."""
    assert shell(">&- <&-", "run", LOGQA, "--rows", "4", "--out", "o", cwd=tmp_path).returncode == 0
    done = shell("2>&-", "run", LOGQA, "--rows", "8", "--out", "o", "--json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["accepted"]) == (0, 8)
    assert (tmp_path / "o" / "rows.jsonl").read_text().count("\n") == 8
