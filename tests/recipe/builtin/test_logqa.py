"""The recipe ``logqa``: as many rows of each kind of question, the same values in all fields of a row."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks.identifiers import identifiers
from selfinstruct.testing import Behaviour, FaultServer, ScriptedAuthor, Shares
from selfinstruct.text import find_span

KINDS = {
    "What stage was the task <*> completed in?": r"What stage was the task \S+ completed in\?",
    "How many kb is <*> free?": r"How many kb is \S+ free\?",
    "Is partition <*> found?": r"Is partition \S+ found\?",
    "What is the ID for stage <*>?": r"What is the ID for stage \S+\?",
}


class Author:
    """The scripted author, some of whose rows are bad; ``prompts`` are what it was asked."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self._write = ScriptedAuthor(Shares(ungrounded=0.1, echoed=0.05, malformed=0.03))

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Rows after the example of those in the prompt; "ok" to the call before the first."""
        said = self._write(messages, rng)
        if said != "ok":
            self.prompts.append(messages[-1]["content"])
            if rng.random() < 0.3:  # Another number in the first question than in its line.
                said = re.sub(r'("Question": "[^"]*?)\d+', r"\g<1>987654", said, count=1)
        return said


async def grow(out: Path) -> tuple[api.Run, Author]:
    """Run the recipe, with its own quota, against the scripted author."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async("logqa", out=out, base_url=server.base_url, model="m", concurrency=4)
    return run, author


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[api.Run, Author]:
    """One run of the recipe as it is."""
    return asyncio.run(grow(tmp_path_factory.mktemp("logqa") / "run"))


def holds(rows: Sequence[Mapping[str, Any]]) -> None:
    """What the method promises of rows: equal kinds, consistent values, nothing twice and nothing copied."""
    kinds = Counter(next(k for k, said in KINDS.items() if re.fullmatch(said, row["Question"])) for row in rows)
    assert kinds == dict.fromkeys(KINDS, 250)
    for row in rows:
        assert list(row) == ["Question", "Answer", "RawLog"]
        assert find_span(row["Answer"], row["RawLog"])
        assert all(find_span(named, row["RawLog"]) for named in identifiers(row["Question"])), row
    assert len({tuple(row.values()) for row in rows}) == len(rows)


def test_ten_rows_become_a_thousand_of_four_equal_kinds(grown: tuple[api.Run, Author]) -> None:
    """Each kind has 250 rows, and the bad rows of the author are refused by what is wrong with them."""
    run, _ = grown
    summary = run.summary
    assert summary.stopped == "done" and summary.conserved and summary.seeds == 10
    assert {name: each.accepted for name, each in summary.categories.items()} == dict.fromkeys(KINDS, 250)
    holds(list(run.rows()))
    rejected = summary.rejected
    assert min(rejected[reason] for reason in ("ungrounded", "identifiers", "echo", "schema")) >= 5, rejected
    assert api.rejudge(run.directory).identical


def test_a_batch_shows_and_asks_for_one_kind(grown: tuple[api.Run, Author]) -> None:
    """No prompt shows the kinds in an order that could be repeated: its examples are of the kind that it asks for."""
    _, author = grown
    asked: Counter[str] = Counter()
    for prompt in author.prompts:
        shown, _, wanted = prompt.rpartition("```")
        kind = next(kind for kind in KINDS if f'"{kind}"' in wanted)
        asked[kind] += 1
        questions = re.findall(r'"Question": ?"([^"]+)"', shown)
        assert questions and all(re.fullmatch(KINDS[kind], question) for question in questions), prompt
    assert len(asked) == len(KINDS) and max(asked.values()) <= 2 * min(asked.values())


def test_the_recipe_needs_no_model(tmp_path: Path) -> None:
    """The embedded imitator keeps the same promise."""
    run = api.run("logqa", out=tmp_path / "run")
    assert run.summary.model == "imitator" and run.summary.stopped == "done"
    holds(list(run.rows()))
