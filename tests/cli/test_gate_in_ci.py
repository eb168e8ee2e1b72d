"""The gate as it runs in CI: the steps of the composite action in a repository, and the hook by pre-commit itself."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
SEEDS = (ROOT / "seeds" / "logqa.jsonl").read_text(encoding="utf-8")
BROKEN = (
    '{"Question": "How many kb is broadcast_7 free?", "Answer": "8.5", "RawLog": "Block broadcast_7 has 7.5 KB free"}\n'
)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="the steps are bash scripts")]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with seeds and a baseline, both committed."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "seeds.jsonl").write_text(SEEDS, encoding="utf-8")
    call(folder, "git init -q . && git config user.email ann@brightleaf.de && git config user.name Ann")
    call(folder, "selfinstruct check seeds.jsonl --baseline baseline.json --update-baseline")
    call(folder, "git add . && git commit -q -m 'Add seeds and a baseline'")
    return folder


def call(folder: Path, script: str, expected: int = 0, **variables: str) -> str:
    """Run a bash script in a folder, as the runner does, and return its standard output."""
    programs = folder.parent / "bin"
    if not programs.exists():
        programs.mkdir()
        program = programs / "selfinstruct"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m selfinstruct "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **variables}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == expected, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def run_action(folder: Path, expected: int = 0, **given: str) -> str:
    """Run the steps of action.yml with these inputs; the step that installs is left out by its own condition."""
    inputs = {name: each.get("default", "") for name, each in ACTION["inputs"].items()} | given
    output = ""
    for step in ACTION["runs"]["steps"]:
        assert step["shell"] == "bash" and "${{" not in step["run"]
        condition = re.fullmatch(r"inputs\.(\w+) == '(\w+)'", step.get("if", "inputs.files == 'x'"))
        assert condition is not None
        if "if" in step and inputs[condition[1]] != condition[2]:
            continue
        variables = {
            name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: inputs[match[1]], value)
            for name, value in step.get("env", {}).items()
        }
        output += call(folder, step["run"], expected, GITHUB_ACTIONS="true", **variables)
    return output


def test_a_regression_fails_the_action_until_it_is_waived(repository: Path) -> None:
    """Run the steps of action.yml with these inputs; its own condition leaves out the step that installs."""
    given: dict[str, Any] = {"files": "seeds.jsonl", "baseline": "baseline.json", "install": "false"}
    assert run_action(repository, **given) == ""
    (repository / "seeds.jsonl").write_text(SEEDS + BROKEN, encoding="utf-8")
    call(repository, "git commit -qam 'Add a row'")
    line = SEEDS.count("\n") + 1
    commands = run_action(repository, 1, **given).splitlines()
    annotation = re.fullmatch(
        rf'::error file=seeds\.jsonl,line={line},title=ungrounded in Answer::Answer "8\.5" .*\[([0-9a-f]{{12}})\]',
        commands[0],
    )
    assert annotation is not None, commands
    found = [re.search(r"\[([0-9a-f]{12})\]$", each) for each in commands if each.startswith("::error")]
    waivers = [f'[[waivers]]\nfingerprint = "{each[1]}"\n' for each in found if each is not None]
    (repository / "waivers.toml").write_text("\n".join(waivers), encoding="utf-8")
    run_action(repository, 2, **given, waivers="waivers.toml")
    reasoned = [f'{each}reason = "The line was cut by the logger."\n' for each in waivers]
    (repository / "waivers.toml").write_text("\n".join(reasoned), encoding="utf-8")
    assert "::error" not in run_action(repository, **given, waivers="waivers.toml")


def test_inputs_of_the_action_are_never_commands(repository: Path) -> None:
    """A file name with a command in it is a file name, and a pattern is not expanded by the shell."""
    run_action(repository, 2, files="$(touch pwned) `touch pwned` ;touch pwned", install="false")
    assert not (repository / "pwned").exists()
    run_action(repository, files="seeds.jsonl", format="sarif", report="out.sarif", install="false")
    assert '"2.1.0"' in (repository / "out.sarif").read_text(encoding="utf-8")


def test_pre_commit_runs_the_hook(repository: Path, tmp_path: Path) -> None:
    """The hook of this repository, as a local one without an installation: it passes, then fails with the line."""
    pytest.importorskip("pre_commit")
    (hook,) = HOOKS
    local: dict[str, Any] = {**hook, "language": "system", "args": ["--baseline", "baseline.json"]}
    config = {"repos": [{"repo": "local", "hooks": [local]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    call(repository, "git add .")
    home: dict[str, Any] = {"PRE_COMMIT_HOME": str(tmp_path / "home")}
    run = f"{shlex.quote(sys.executable)} -m pre_commit run --all-files --color never"
    assert "Passed" in call(repository, run, **home)
    (repository / "seeds.jsonl").write_text(SEEDS + BROKEN, encoding="utf-8")
    call(repository, "git add .")
    assert f"seeds.jsonl:{SEEDS.count(chr(10)) + 1}: error ungrounded: Answer" in call(repository, run, 1, **home)
