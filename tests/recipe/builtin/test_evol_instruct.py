"""The recipe evol-instruct: the four eliminations case by case, and generations of tasks on the scripted server."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import field_faults
from selfinstruct.journal import History
from selfinstruct.recipe import Recipe, builtin, load_recipe
from selfinstruct.rows import read_rows
from selfinstruct.testing import Behaviour, FaultServer

NOUNS = Path(builtin.__file__).parent / "inputs/tinystories/nouns.txt"
WORDS = NOUNS.read_text(encoding="utf-8").split()


@cache
def recipe() -> Recipe:
    """The built-in recipe."""
    return load_recipe(builtin.path("evol-instruct"))


# --- the eliminations ----------------------------------------------------------------------------------------

ELIMINATIONS = [
    ("instruction", "Rewrite the given prompt in French.", "blocked"),
    ("instruction", "#Rewritten Prompt#: name three rivers.", "blocked"),
    ("instruction", "#The Given Prompt# asks for three rivers.", "blocked"),
    ("instruction", "Name three rivers. REWRITTEN  PROMPT: name four.", "blocked"),
    ("instruction", "Created prompt: name three rivers.", "blocked"),
    ("instruction", "Write a prompt for a language model.", ""),
    ("instruction", "The speaker was given prompts: which?", ""),
    ("input", "The given prompt has no input.", "blocked"),
    ("input", "", ""),
    ("output", "I'm sorry, I cannot do that.", "blocked"),
    ("output", "SORRY: this is not possible.\n\nAsk me for\nsomething else.", "blocked"),
    ("output", " ".join(["I am sorry.", *["word"] * 76]), "blocked"),
    ("output", " ".join(["I am sorry.", *["word"] * 77]), ""),
    ("output", " ".join([*["word"] * 78, "sorry"]) + "\n", "blocked"),
    ("output", "The sorrys were a band of the sixties.", ""),
    ("output", "It is that, and this.", "blocked"),
    ("output", "... -- ?!", "blocked"),
    ("output", "The 3 of them.", ""),
    ("output", "It is a heron.", ""),
    ("output", "no", ""),
    ("output", "same", ""),
    ("output", "它在那里。", ""),
    ("output", " ", "empty"),
]


@pytest.mark.parametrize(("field", "value", "reason"), ELIMINATIONS)
def test_what_the_method_eliminates_is_refused_and_nothing_else(field: str, value: str, reason: str) -> None:
    """An apology under 80 words, an answer of stop words alone, a task that quotes the prompt that made it."""
    fault = field_faults({field: value}, recipe(), (field,))
    assert (fault.reason if fault else "") == reason


def test_the_six_operations_share_the_rows_and_each_batch_shows_one_row() -> None:
    """Five in depth and one in breadth, balanced; the one demonstration is of the pool."""
    operation, demos = recipe().attributes["operation"], recipe().prompt.demos
    assert operation.balanced
    assert len(operation.values) == 6
    assert (demos.seeds, demos.grown, demos.pool) == (0, 0, 1)


# --- generations ---------------------------------------------------------------------------------------------

FAULTS = ["none", "quotes", "none", "sorry", "none", "empty words", "none", "same", "none", "repeats", "none"]


class Author:
    """A model that adds words to a task, and is at fault in every other batch, each time in another way."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self._evolved = 0

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """What the prompt asks for."""
        prompt = messages[-1]["content"]
        self.prompts.append(prompt)
        if prompt.startswith("Below is a given prompt"):
            return self.evolved(prompt, rng)
        if prompt.startswith("Do these two tasks"):
            same = "without gain" in prompt.partition("Second instruction:")[2]
            return json.dumps({"score": 1 if same else 5, "reason": "It asks the same." if same else "It asks more."})
        if "for an apology" in prompt:
            return "I am sorry, but that is beyond me."
        return "It is what it is." if "for nothing" in prompt else f"The answer: {some(rng)}"

    def evolved(self, prompt: str, rng: Random) -> str:
        """The task with more words; a new one where that is the method."""
        said, _, given = prompt.partition("Instruction: ")[2].partition("\n\nInput: ")
        old, given = said, given.partition("\n\nReply with JSON")[0].strip()
        fault = FAULTS[self._evolved % len(FAULTS)]
        self._evolved += 1
        if fault == "repeats":
            return json.dumps({"instruction": old, "input": given})
        base = "Make something new" if "brand-new" in prompt else old
        marks = {"sorry": "for an apology", "empty words": "for nothing", "same": "without gain"}
        new = f"{base} Mind {some(rng)} {marks.get(fault, '')}"
        return json.dumps({"instruction": f"Rewritten prompt: {new}" if fault == "quotes" else new, "input": given})


def some(rng: Random) -> str:
    """Ten words."""
    return " ".join(rng.sample(WORDS, 10))


async def grow(out: Path) -> tuple[api.Run, Author]:
    """Run the recipe against the author."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async("evol-instruct", out=out, rows=90, base_url=server.base_url, model="m", concurrency=4)
    return run, author


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[api.Run, Author]:
    """One run of the recipe."""
    return asyncio.run(grow(tmp_path_factory.mktemp("evol") / "run"))


def test_generations_grow_and_each_elimination_takes_its_share(grown: tuple[api.Run, Author]) -> None:
    """The quota is met, the operations share it evenly, grown rows are parents too, and all is accounted for."""
    run, _ = grown
    assert run.summary.stopped == "done"
    assert run.summary.conserved
    assert run.summary.accepted == len(list(run.rows())) == 90
    assert {"blocked", "judge", "near-duplicate"} <= set(run.summary.rejected)
    assert api.rejudge(run.directory).identical
    with History.open(run.directory) as history:
        refusals = Counter(f"{each.reason}: {each.message.split()[0]}" for each in history.rejections())
        batches = list(history.finished_batches())
    assert set(refusals) >= {"blocked: instruction", "blocked: output", "judge: gain:", "near-duplicate: ROUGE-L"}
    by_operation = Counter[str]()
    for batch, rows, _ in batches:
        by_operation[batch.conditions["operation"]] += rows
    assert len(by_operation) == 6
    assert max(by_operation.values()) - min(by_operation.values()) <= 4
    assert max(row["instruction"].count("Mind") for row in run.rows()) >= 2


def test_what_is_dropped_goes_back_unevolved(grown: tuple[api.Run, Author]) -> None:
    """A parent whose child was refused is as it was, is drawn again, and has a child that is accepted."""
    run, author = grown
    with History.open(run.directory) as history:
        parents = [(batch.demos[0], rows) for batch, rows, _ in history.finished_batches()]
        pooled = history.pool_rows([parent for parent, _ in parents if parent > 40])
    seeds = read_rows(recipe().seeds.file).rows
    again = [parent for at, (parent, rows) in enumerate(parents) if not rows and (parent, 1) in parents[at + 1 :]]
    assert any(parent <= len(seeds) for parent in again)
    assert any(parent > len(seeds) for parent in again)
    for parent in again:
        row = seeds[parent - 1] if parent <= len(seeds) else pooled[parent]
        shown = [prompt for prompt in author.prompts if f"\n\nInstruction: {row['instruction']}\n\n" in prompt]
        assert len(shown) >= 2


def test_what_quotes_the_prompt_or_repeats_its_parent_is_told_apart(grown: tuple[api.Run, Author]) -> None:
    """A task that quotes its prompt is refused before it is answered; nothing that is kept is one of these."""
    run, author = grown
    assert not any(prompt.startswith("Rewritten prompt") for prompt in author.prompts)
    kept = [row["instruction"] for row in run.rows()]
    assert not any(mark in each for each in kept for mark in ("Rewritten", "for an apology", "for nothing", "gain"))
    assert len(set(kept)) == len(kept)
