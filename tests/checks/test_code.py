"""``passes``: rows whose code does not pass its tests are refused, in files and in runs, or nothing is run at all."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from selfinstruct import api
from selfinstruct.checks import Criteria, running_checks, tests
from selfinstruct.errors import InputError, RowError
from selfinstruct.execution import runner, shared_runner
from selfinstruct.growth.judging import run_tests
from selfinstruct.growth.step_reply import Draft
from selfinstruct.recipe import Field, Recipe
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import JSON, Row

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="code is run on Linux only")
PASSES = Constraints(passes="tests")
ADD = "def add(a, b):\n    return a + b"
NOWHERE = "http://127.0.0.1:9/v1"
RECIPE = """
name = "code"
[fields.code]
passes = "tests"
[fields.tests]
optional = true
[novelty]
fields = ["code"]
max_rouge_l = 0.95
[quota]
rows = 10
"""


@pytest.mark.parametrize(
    ("code", "given", "message"),
    [
        (ADD, "assert add(1, 2) == 3", ""),
        (ADD, ["assert add(1, 2) == 3", "assert add(2, 2) == 4"], ""),
        (f"Add them:\n```python\n{ADD}\n```\nThat is all.", "```\nassert add(1, 2) == 3\n```", ""),
        (
            f"```python\n{ADD}\n```\nor\n```python\nadd = 0\n```",
            "assert add(1, 2) == 3",
            "code: TypeError: 'int' object",
        ),
        (
            ADD,
            ["assert add(1, 2) == 3", "assert add(2, 2) == 5"],
            "code: AssertionError at line 2 of tests: assert add(2",
        ),
        (ADD, [1], "code and tests must be code, as text or as a list of lines"),
        (5, "assert True", "code and tests must be code, as text or as a list of lines"),
    ],
)
def test_code_is_run_and_then_its_tests(code: JSON, given: JSON, message: str) -> None:
    """Text, lines, or the fenced blocks of a text; the reason is ``tests`` and says what went wrong."""
    found = tests.check({"code": code, "tests": given}, "code", PASSES)
    assert (found.reason if found else "") == ("tests" if message else "")
    assert found is None or found.message.startswith(message), found.message


def test_a_file_is_checked_by_running_its_code(tmp_path: Path) -> None:
    """Each row that fails is an error at its line; a row without tests, where these are optional, is not run."""
    rows: list[Row] = [
        {"code": ADD, "tests": "assert add(1, 2) == 3"},
        {"code": "def sub(a, b):\n    return a + b", "tests": "assert sub(3, 1) == 2"},
        {"code": "def never(): raise SystemExit"},
        {"code": "def late():\n    raise SystemExit", "tests": "assert late()"},
    ]
    file, recipe = tmp_path / "rows.jsonl", tmp_path / "recipe.toml"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "seeds.jsonl").write_text(
        json.dumps({"code": "def one():\n    return 1", "tests": "assert one() == 1"})
    )
    recipe.write_text(f'{RECIPE}\n[seeds]\nfile = "seeds.jsonl"\n')
    findings = api.check(file, recipe=recipe)
    assert [(each.line, each.field, each.reason, each.severity) for each in findings.findings] == [
        (2, "code", "tests", "error"),
        (4, "code", "tests", "error"),
    ]
    assert findings.findings[0].message == "code: AssertionError at line 1 of tests: assert sub(3, 1) == 2"
    assert findings.findings[1].message == "code: ended before tests did"


def test_seeds_must_pass_their_tests(tmp_path: Path) -> None:
    """A seed that does not is told with its line, before anything is written."""
    (tmp_path / "seeds.jsonl").write_text(json.dumps({"code": ADD, "tests": "assert add(1, 2) == 4"}) + "\n")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'{RECIPE}\n[seeds]\nfile = "seeds.jsonl"\n')
    with pytest.raises(RowError, match=r"seeds.jsonl:1: code: AssertionError at line 1 of tests"):
        api.run(recipe, out=tmp_path / "run", base_url=NOWHERE, model="m")
    assert not (tmp_path / "run").exists()


def test_where_code_cannot_be_run_nothing_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run, a plan and a check end with the reason and what to do."""
    shared_runner().stop()
    monkeypatch.setattr(runner, "platform", SimpleNamespace(machine=lambda: "riscv64"))
    (tmp_path / "rows.jsonl").write_text(json.dumps({"code": ADD, "tests": "assert add(1, 2) == 3"}) + "\n")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'{RECIPE}\n[seeds]\nfile = "rows.jsonl"\n')
    for start in (
        lambda: api.run(recipe, out=tmp_path / "run", base_url=NOWHERE, model="m"),
        lambda: api.plan(recipe, base_url=NOWHERE, model="m"),
        lambda: api.check(tmp_path / "rows.jsonl", recipe=recipe),
    ):
        with pytest.raises(InputError, match="riscv64 has no filter of system calls"):
            start()
    assert not (tmp_path / "run").exists()


def test_a_recipe_without_tests_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is started, nor asked for."""
    monkeypatch.setattr(runner, "platform", SimpleNamespace(machine=lambda: "riscv64"))
    assert running_checks(Recipe(name="r", fields={"code": Field()})) == ()


# --- while tests run ------------------------------------------------------------------------------------------


@pytest.fixture(name="criteria")
def make_criteria() -> Criteria:
    """The rules of a recipe with tests."""
    fields = {"code": Field(passes="tests"), "tests": Field()}
    return Criteria(Recipe(name="r", fields=fields), {"all": 1.0}, lambda row: "all")


def endless(number: int) -> Draft:
    """A draft whose code never ends."""
    return Draft({"code": f"def f():\n    while True: {number}", "tests": "assert f()"}, "")


async def test_calls_go_on_while_code_runs(criteria: Criteria) -> None:
    """Other tasks have their turn, and the verdicts are known afterwards."""
    drafts, turns = [endless(1)], 0

    async def tick() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.02)
            turns += 1

    ticking = asyncio.create_task(tick())
    await run_tests(criteria, drafts)
    ticking.cancel()
    assert turns > 20
    begun = time.monotonic()
    for draft in drafts:
        assert draft.row is not None
        rejection = criteria.failed_tests(draft.row)
        assert rejection is not None and "2 s of processor time" in rejection.message
    assert time.monotonic() - begun < 0.5


async def test_a_cancelled_run_does_not_wait_for_code(criteria: Criteria) -> None:
    """What runs is ended, and the next row is judged as ever."""
    running = asyncio.create_task(run_tests(criteria, [endless(3)]))
    await asyncio.sleep(0.3)
    running.cancel()
    begun = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - begun < 1
    assert criteria.failed_tests({"code": ADD, "tests": "assert add(2, 2) == 4"}) is None
