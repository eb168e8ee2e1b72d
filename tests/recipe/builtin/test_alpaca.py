"""The recipe ``alpaca``: 20 whole tasks a call after the example of 3 seeds, and which of them are kept."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import field_faults
from selfinstruct.recipe import Recipe, builtin, load_recipe
from selfinstruct.rows import read_rows
from selfinstruct.similarity.rouge import rouge_l
from selfinstruct.testing import Behaviour, FaultServer


@cache
def recipe() -> Recipe:
    """The built-in recipe."""
    return load_recipe(builtin.path("alpaca"))


# --- the filters ---------------------------------------------------------------------------------------------

BLOCKED = ["image", "images", "graph", "graphs", "picture", "pictures", "file", "files", "map", "maps", "draw", "plot"]
BLOCKED += ["go to", "video", "audio", "music", "flowchart", "diagram"]
INSTRUCTIONS = [
    *((f"Say more about the {word} in one sentence.", "blocked") for word in BLOCKED),
    ("Describe what VIDEO art is about.", "blocked"),
    ("Name a musical instrument of the baroque.", ""),
    ("Explain what makes an audiobook good.", ""),
    ("Name three musicians and diagrammatic signs.", ""),
    ("Write a program that sorts a list.", "blocked"),
    ("Sort these words", "length"),
    ("Sort these four words", ""),
    ("word " * 150, ""),
    ("word " * 151, "length"),
    ("- Sort these four words.", "schema"),
    ("Übersetze den Satz ins Englische.", "schema"),
    ("20. What is the number of this chapter?", ""),
]


@pytest.mark.parametrize(("instruction", "reason"), INSTRUCTIONS)
def test_an_instruction_passes_the_filters_of_the_authors_code_or_not(instruction: str, reason: str) -> None:
    """4 to 150 words, none of the blocked ones, no program, an ASCII letter or digit first."""
    fault = field_faults({"instruction": instruction}, recipe(), ("instruction",))
    assert (fault.reason if fault else "") == reason


def test_the_numbers_are_the_authors() -> None:
    """One call asks for 20 tasks and shows 3 seeds and no grown row; temperature 1; 0.7."""
    prompt, model = recipe().prompt, recipe().model
    assert (prompt.demos.seeds, prompt.demos.grown, prompt.demos.pool, prompt.rows_per_request) == (3, 0, 0, 20)
    assert model is not None and model.temperature == 1.0
    assert recipe().novelty.max_rouge_l == 0.7
    assert len(recipe().steps) == 1 and not recipe().judge


# --- the whole method ----------------------------------------------------------------------------------------

NOUNS = Path(builtin.__file__).parent / "inputs/tinystories/nouns.txt"
WORDS = [word for word in NOUNS.read_text(encoding="utf-8").split() if word not in BLOCKED]
BAD = {
    "Sort these words": "length",
    "Describe the music of a country of your choice.": "blocked",
    "Write a program that adds two numbers.": "blocked",
    "* Sort these four words.": "schema",
}
FENCED = re.compile(r"```jsonl\n(.*?)\n```", re.DOTALL)
LISTED = "The steps are:\n19. Wait.\n20. Stir.\n21. Serve."


class Author:
    """A model that writes as many tasks as it is asked for; of 20, four are bad and one has a list up to 21."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """One object with all the tasks."""
        prompt = messages[-1]["content"]
        asked = re.search(r"Come up with (\d+) new tasks", prompt)
        if asked is None:
            return "ok"
        self.prompts.append(prompt)
        rows = [self.task(rng) for _ in range(int(asked[1]))]
        demo = json.loads(FENCED.findall(prompt)[0].splitlines()[0])
        for at, row in enumerate(rows[:3]):
            row["instruction"] = [rng.choice(list(BAD)), f"Please {demo['instruction']}", rows[-1]["instruction"]][at]
        if len(rows) > 4:
            rows[3]["output"], rows[4]["output"] = LISTED, " "
        return json.dumps({"rows": rows})

    def task(self, rng: Random) -> dict[str, str]:
        """Two in five have an input."""
        words = rng.sample(WORDS, 12)
        given = " ".join(words[8:]) if rng.random() < 0.4 else ""
        return {"instruction": f"Compare {' '.join(words[:8])}.", "input": given, "output": "It depends."}


Grown = tuple[api.Run, list[Mapping[str, Any]], Author]


async def grow(out: Path) -> Grown:
    """Run the recipe for 300 rows against the author."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async("alpaca", out=out, rows=300, base_url=server.base_url, model="m", concurrency=4)
    return run, list(run.rows()), author


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run of the recipe with a smaller quota."""
    return asyncio.run(grow(tmp_path_factory.mktemp("alpaca") / "run"))


def test_tasks_are_kept_or_refused_one_by_one(grown: Grown) -> None:
    """The quota is met; every filter has refused something, and no two instructions are too much alike."""
    run, rows, _ = grown
    summary = run.summary
    assert summary.stopped == "done" and summary.conserved
    assert summary.accepted == len(rows) == 300
    refused = {"length", "blocked", "schema", "empty", "near-duplicate", "duplicate"}
    assert refused <= set(summary.rejected) <= {*refused, "quota"}
    told = [row["instruction"] for row in [*rows, *read_rows(recipe().seeds.file).rows]]
    assert len(set(told)) == len(told)
    assert all(rouge_l(one, other).f1 <= 0.7 for at, one in enumerate(told[:60]) for other in told[at + 1 :])
    assert api.rejudge(run.directory).identical


def test_a_call_brings_twenty_tasks(grown: Grown) -> None:
    """4 of 20 are bad: 300 rows are 19 calls, and some more for what is missing at the end."""
    run, rows, author = grown
    assert 19 <= len(author.prompts) <= 25
    assert run.summary.rejected["near-duplicate"] >= 19
    assert 0.3 < sum(bool(row["input"]) for row in rows) / len(rows) < 0.5


def test_a_number_and_a_full_stop_end_nothing(grown: Grown) -> None:
    """A reply is read whole, also where a task has a list that goes up to 21."""
    assert sum(row["output"] == LISTED for row in grown[1]) >= 15


def test_examples_are_seeds_alone(grown: Grown) -> None:
    """Each prompt shows three seeds whole, other ones from call to call, and never a grown row."""
    seeds = [dict(row) for row in read_rows(recipe().seeds.file).rows]
    shown = [list(map(json.loads, FENCED.findall(prompt)[0].splitlines())) for prompt in grown[2].prompts]
    assert all(len(rows) == 3 and all(row in seeds for row in rows) for rows in shown)
    assert len({json.dumps(rows) for rows in shown}) == len(shown)
