"""The recipe ``code-exercises``: docstrings, functions, and tests that are run, with wrong and hostile functions."""

from __future__ import annotations

import asyncio
import doctest
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import field_faults
from selfinstruct.errors import InputError
from selfinstruct.execution import Program, shared_runner
from selfinstruct.recipe import LANGUAGES, Language, builtin, load_recipe
from selfinstruct.run_directory import open_history
from selfinstruct.testing import Behaviour, FaultServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="code is run on Linux only")
INPUTS = builtin.path("code-exercises").parent / "inputs" / "code-exercises"
#: The bodies of functions that are no solution, each with the beginning of the reason.
WRONG = {
    "return a - {number}": "solution: AssertionError at line 1 of tests: assert plus(0) == ",
    "return b": "solution: NameError: name 'b' is not defined at line",
    "return (a": "solution: SyntaxError: '(' was never closed at line",
    "while True: pass": "solution: needs more than 2 s of processor time",
    "return a + {number} if open('{canary}', 'w') else 0": "solution: not allowed: open(",
    "import os; os.system('touch {canary}')": "solution: not allowed: os.system(",
    "raise SystemExit": "solution: ended before tests did",
    "return len('x' * 10**10)": "solution: needs more than 256 MiB of memory",
    "import numpy; return a + {number}": "solution: ModuleNotFoundError: No module named 'numpy'",
}
VACUOUS = "assert plus\nassert callable(plus)\nassert plus is plus"
WORDS = {
    "en": ["lamp", "river", "stone", "cloud", "bread", "candle", "mirror", "ticket", "winter", "pepper", "saddle"],
    "zh": list("山水云风雨雪花草树木石田河海星月"),
}


class Author:
    """A model that writes exercises and solutions; a fourth of its solutions is wrong, some tests are empty."""

    def __init__(self, language: Language, canary: Path) -> None:
        self.language, self.canary = language, canary
        self.solutions = self.exercises = 0
        self.wrong = 0
        self.vacuous: set[str] = set()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """The reply to either step, in fences."""
        prompt = messages[-1]["content"]
        if prompt.startswith(("Write one exercise", "请为学习")):
            return self.exercise(rng)
        if prompt.startswith(("Complete this", "请补全")):
            return self.solution(re.findall("```python\n(.+?)\n```", prompt, re.DOTALL)[0])
        return "ok"

    def exercise(self, rng: Random) -> str:
        """A docstring in the language, with a number of its own, and tests."""
        self.exercises += 1
        number = rng.randrange(1, 10**6)
        said = (" " if self.language == "en" else "").join(rng.choices(WORDS[self.language], k=14))
        tests = "\n".join(f"assert plus({at}) == {at + number}" for at in range(4))
        if self.exercises % 9 == 0:
            tests = VACUOUS
            self.vacuous.add(str(number))
        asked = f'def plus(a: int) -> int:\n    """{said}\n\n    a + {number}\n    """'
        return f"```python\n{asked}\n```\n```python\n{tests}\n```"

    def solution(self, asked: str) -> str:
        """The function that a docstring asks for, or another."""
        number = asked.rpartition("+ ")[2].split()[0]
        body = "return a + {number}"
        self.solutions += number not in self.vacuous
        if number not in self.vacuous and self.solutions % 4 == 0:
            body = list(WRONG)[self.solutions // 4 % len(WRONG)]
            self.wrong += 1
        return f"```python\n{asked}\n    {body.format(number=number, canary=self.canary)}\n```"


async def grow(language: Language, folder: Path) -> tuple[api.Run, Author]:
    """Run the recipe against the author."""
    author = Author(language, folder / "canary")
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        options: Any = {"out": folder / "run", "base_url": server.base_url, "model": "m", "concurrency": 4}
        run = await api.run_async("code-exercises", rows=40, language=language, **options)
    return run, author


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_functions_that_pass_become_rows(language: Language, tmp_path: Path) -> None:
    """The quota is met with right functions; the others are refused with their reason, and none had an effect."""
    run, author = asyncio.run(grow(language, tmp_path))
    summary, rows = run.summary, list(run.rows())
    assert summary.stopped == "done" and summary.conserved and summary.accepted == len(rows) == 40
    assert all(re.search(r"return a \+ \d+$", row["solution"]) and row["prompt"] in row["solution"] for row in rows)
    assert all(list(row) == ["topic", "level", "prompt", "solution", "tests"] for row in rows)
    assert len({row["topic"] for row in rows}) == 30
    assert max(Counter(row["level"] for row in rows).values()) <= 16
    assert summary.rejected["tests"] == author.wrong + len(author.vacuous)
    assert not (tmp_path / "canary").exists()
    assert api.rejudge(run.directory).identical
    messages = refused(run)
    for reason in (*WRONG.values(), "solution: tests pass with empty functions too"):
        assert any(message.startswith(reason) for message in messages), reason


def refused(run: api.Run) -> set[str]:
    """The messages of the rejections for the reason ``tests``."""
    with open_history(run.directory) as history:
        return {each.message for each in history.rejections("tests")}


def test_the_recipe_says_that_it_needs_a_model(tmp_path: Path) -> None:
    """The imitator writes no code: the run ends before it begins."""
    with pytest.raises(InputError, match="needs a model"):
        api.run("code-exercises", out=tmp_path / "run")


@pytest.mark.parametrize(("language", "name"), [("en", "rows.jsonl"), ("zh", "rows.zh.jsonl")])
def test_the_seeds_are_exercises_that_pass(language: Language, name: str) -> None:
    """Each keeps the recipe's rules and passes its tests; its example is true, its topic and level are on the lists."""
    recipe = load_recipe(builtin.path("code-exercises"), language=language)
    topics = (INPUTS / f"topics{name.removeprefix('rows').removesuffix('.jsonl')}.txt").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in (INPUTS / name).read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 24 and Counter(row["level"] for row in rows) == dict.fromkeys(
        recipe.attributes["level"].values, 8
    )
    assert all(row["topic"] in topics and list(row) == list(recipe.fields) for row in rows)
    assert [field_faults(row, recipe, tuple(row)) for row in rows] == [None] * 24
    programs = [Program(row["solution"], row["tests"]) for row in rows]
    assert shared_runner().verdicts(programs) == [""] * 24
    for row in rows:
        names: dict[str, Any] = {}
        exec(row["solution"], names)
        example = doctest.DocTestParser().get_doctest(row["prompt"].rstrip('"'), names, row["topic"], None, None)
        assert doctest.DocTestRunner(verbose=False).run(example) == (0, len(example.examples)) and example.examples
