"""The recipe self-instruct: the paper's filters case by case, and the whole pipeline against the scripted server."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import Criteria, field_faults
from selfinstruct.growth import CategoryProgress, Draft, Pool, judge_batch, start_batch
from selfinstruct.journal import History
from selfinstruct.recipe import Recipe, builtin, load_recipe
from selfinstruct.records import Batch, Row
from selfinstruct.rows import read_rows
from selfinstruct.similarity.rouge import rouge_l
from selfinstruct.testing import Behaviour, FaultServer


@cache
def recipe() -> Recipe:
    """The built-in recipe."""
    return load_recipe(builtin.path("self-instruct"))


# --- the filters of an instruction ---------------------------------------------------------------------------

INSTRUCTIONS = [
    ("Sort these words", "length"),
    ("Sort these four words", ""),
    ("word " * 149 + "end", ""),
    ("word " * 150 + "end", "length"),
    ("Describe this image in two sentences.", "blocked"),
    ("Describe these IMAGES in two sentences.", "blocked"),
    ("Describe how imagery works in a poem.", ""),
    ("Read the graph and name its maximum.", "blocked"),
    ("Explain what the graphs have in common.", "blocked"),
    ("Split this text into paragraphs of equal length.", ""),
    ("Find a title for the picture.", "blocked"),
    ("Compare the two pictures of the harbour.", "blocked"),
    ("Rename each file by its date.", "blocked"),
    ("Count the files in the list.", "blocked"),
    ("Write a profile of this company.", ""),
    ("Find the capital on the map.", "blocked"),
    ("Say which maps are needed for the trip.", "blocked"),
    ("List the steps of a mapping project.", ""),
    ("Draw a house with three windows.", "blocked"),
    ("Withdraw the offer in a polite letter.", ""),
    ("Summarise the plot of this novel.", "blocked"),
    ("Name three plotters of the conspiracy.", ""),
    ("Go to the shop and buy bread.", "blocked"),
    ("Say where they will go tomorrow.", ""),
    ("Plan how to go  to work by bicycle.", "blocked"),
    ("Write a program that sorts a list.", "blocked"),
    ("WRITE A PROGRAM that sorts a list.", "blocked"),
    ("Explain how to write a program for a concert.", ""),
    ('"Hello" is said in which languages?', "pattern"),
    ("- Sort these four words.", "pattern"),
    ("_Sort_ these four words.", "pattern"),
    ("Übersetze den Satz ins Englische.", "pattern"),
    ("翻译 这个 句子 成 英文", "pattern"),
    ("3 people share a cake: how?", ""),
    ("Was heißt das auf Englisch?", ""),
    ("Sort these words.\nBegin with the longest.", ""),
]
#: The slug of a value that does not have the recipe's pattern.
SLUGS = {"pattern": "schema"}


@pytest.mark.parametrize(("instruction", "reason"), INSTRUCTIONS)
def test_an_instruction_passes_the_filters_of_the_paper_s_code_or_not(instruction: str, reason: str) -> None:
    """4 to 150 words, no word that means a picture or a file, no program, an ASCII letter or digit first."""
    fault = field_faults({"instruction": instruction}, recipe(), ("instruction",))
    assert (fault.reason if fault else "") == SLUGS.get(reason, reason)


# --- the filters of an instance ------------------------------------------------------------------------------

INSTANCES = [
    ("an empty tin", "metal", ""),
    ("", "A haiku.", ""),
    ("an empty tin", "an empty tin", "same"),
    ("an empty tin", "An empty tin", ""),
    ("an empty tin", "", "empty"),
    ("an empty tin", " \n", "empty"),
    ("an empty tin", "It belongs into:", "blocked"),
    ("an empty tin", "It belongs into: \n", "blocked"),
    ("Sort the following:", "metal", "blocked"),
    ("Sort this: an empty tin", "metal", ""),
    ("", "", "empty"),
]


@pytest.mark.parametrize(("given", "output", "reason"), INSTANCES)
def test_an_instance_passes_the_filters_of_the_paper_s_code_or_not(given: str, output: str, reason: str) -> None:
    """Its output is not its input and not empty, and neither ends in a colon."""
    row = {"instruction": "Say into which bin it belongs.", "input": given, "output": output}
    fault = field_faults(row, recipe(), tuple(row))
    assert (fault.reason if fault else "") == reason


TASKS = [
    ("all differ", [("a", "1"), ("b", "1"), ("c", "2")], ["a", "b", "c"], {}),
    ("an exact duplicate", [("a", "1"), ("b", "2"), ("a", "1")], ["a", "b"], {"duplicate": 1}),
    ("one input, two outputs: nothing is kept", [("a", "1"), ("b", "2"), ("a", "3")], [], {"contradiction": 3}),
    ("an output that is refused contradicts nobody", [("a", "1"), ("a", "a"), ("b", "2")], ["a", "b"], {"same": 1}),
    ("one empty input, two outputs: both are kept", [("", "A haiku."), ("", "Another.")], ["", ""], {}),
    ("one output of many inputs", [("a", "yes"), ("b", "yes")], ["a", "b"], {}),
]


@pytest.mark.parametrize(("says", "instances", "kept", "refused"), TASKS)
def test_the_instances_of_a_task_are_looked_at_together(
    says: str, instances: Sequence[tuple[str, str]], kept: Sequence[str], refused: dict[str, int]
) -> None:
    """Exact duplicates go, and a task whose instances contradict each other goes as a whole; likeness is no fault."""
    judged = judge_task("Say into which bin the thing belongs.", instances, [])
    assert [row["input"] for row, reason in judged if not reason] == list(kept)
    assert Counter(reason for _, reason in judged if reason) == refused


NEAR = [
    ("a b c d e f g h i j", "a b c d e f g x y z", ""),
    ("a b c d e f g h i j", "a b c d e f g h y z", "near-duplicate"),
    ("a b c d e f g h i j", "j i h g f e d c b a", ""),
    ("Sort the words by length", "SORT the words: by length!", "near-duplicate"),
    ("Sorting words is quick fun", "Sort word be quickly fun", ""),
]


@pytest.mark.parametrize(("old", "new", "reason"), NEAR)
def test_an_instruction_is_near_one_of_the_pool_above_0_7(old: str, new: str, reason: str) -> None:
    """ROUGE-L F1 without stemming: 7 tokens of 10 in their order are 0.7 and pass, 8 are not."""
    assert (rouge_l(old, new).f1 > 0.7) == bool(reason)
    assert [said for _, said in judge_task(new, [("a", "1")], [old])] == [reason]


def test_a_task_of_the_pool_that_comes_again_is_too_near_and_contradicts_it_only_with_an_input() -> None:
    """Two poems on one theme are no contradiction, two answers about one thing are; neither task is new."""
    again = "Say what belongs into this bin."
    judged = judge_task(again, [("", "y"), ("a", "x")], [again])
    assert [reason for _, reason in judged] == ["near-duplicate", "near-duplicate"]


def judge_task(instruction: str, instances: Sequence[tuple[str, str]], others: Sequence[str]) -> list[tuple[Row, str]]:
    """The instances of one instruction as rows, each with the reason that refuses it, beside others in the pool."""
    progress = {"": CategoryProgress(100)}
    terms = Criteria(recipe(), {"": 0.7}, lambda row: "")
    pool = Pool(recipe(), terms.thresholds, progress)
    pool.add_seeds([{"instruction": text, "input": "", "output": "x"} for text in others], [""] * len(others))
    rows = [{"instruction": instruction, "input": given, "output": output} for given, output in instances]
    faults = [field_faults(row, recipe(), tuple(row)) for row in rows]
    pieces = [Draft(row, "", rejection=fault, group="/1") for row, fault in zip(rows, faults, strict=True)]
    batch = Batch(1, "", 20, 0, ())
    start_batch(progress, batch)
    judged = judge_batch(batch, pieces, terms, pool, progress)
    return [(row, each.rejection.reason if each.rejection else "") for row, each in zip(rows, judged, strict=True)]


def test_the_numbers_are_the_paper_s() -> None:
    """8 demonstrations, 2 of them grown; sampling; 0.7; 31 judged tasks, 12 of them classification."""
    prompt, model = recipe().prompt, recipe().model
    assert (prompt.demos.seeds, prompt.demos.grown) == (6, 2)
    assert model is not None
    assert (model.temperature, model.top_p, model.presence_penalty) == (0.7, 0.5, 2)
    assert recipe().novelty.max_rouge_l == 0.7
    judged = [line.split(":")[0] for line in recipe().steps[1].prompt.splitlines()]
    assert (judged.count("yes"), judged.count("no")) == (12, 19)


# --- the whole pipeline --------------------------------------------------------------------------------------

NOUNS = Path(builtin.__file__).parent / "inputs/tinystories/nouns.txt"
WORDS = [word for word in NOUNS.read_text(encoding="utf-8").split() if word not in ("file", "map", "picture")]
BAD = [
    "Sort these words",
    "Draw a house with three windows.",
    "Write a program that adds numbers.",
    "- Sort these four words.",
]
FAULTS = ["none", "same", "empty", "colon", "contradiction", "duplicate", "too many"]


class Author:
    """A model that can do what it is asked, and does not always."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self._tasks = 0
        self._bad = cycle(BAD)

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """What the prompt asks for."""
        prompt = messages[-1]["content"]
        self.prompts.append(prompt)
        if prompt.startswith("Come up"):
            return self.instructions(prompt, rng)
        if prompt.startswith("Is a task"):
            task = prompt.split("Say yes or no of this task: ")[1]
            return json.dumps({"is_classification": "Yes" if task.startswith("Choose") else "no"})
        if '{"output": "...", "input": "..."}' in prompt:
            return written([{"output": label, "input": thing(rng)} for label in ("good", "bad", "neither")])
        return self.instances(rng)

    def instructions(self, prompt: str, rng: Random) -> str:
        """Seven tasks: one that a filter refuses, one near an example, five good ones."""
        shown = [line.removeprefix("- ") for line in prompt.splitlines() if line.startswith("- ")]
        good = [f"{rng.choice(['Choose', 'Tell'])} {' '.join(rng.sample(WORDS, 8))}." for _ in range(5)]
        return written(
            [{"instruction": each} for each in [*good, next(self._bad), f"Please {rng.choice(shown or ['nothing'])}"]]
        )

    def instances(self, rng: Random) -> str:
        """Three examples, with a fault of each kind in its turn."""
        rows = [{"input": thing(rng), "output": thing(rng)} for _ in range(3)]
        first = rows[0]
        fault = FAULTS[self._tasks % len(FAULTS)]
        self._tasks += 1
        if fault == "same":
            rows[1] = {"input": "the same", "output": "the same"}
        elif fault == "empty":
            rows[1] = {"input": "a thing", "output": ""}
        elif fault == "colon":
            rows[1] = {"input": "a thing", "output": "The answer is:"}
        elif fault == "contradiction":
            rows[1] = {**first, "output": "something else"}
        elif fault == "duplicate":
            rows[1] = first
        elif fault == "too many":
            rows += [{"input": thing(rng), "output": thing(rng)} for _ in range(3)]
        return written(rows)


def written(rows: Sequence[Row]) -> str:
    """A reply of several objects."""
    return json.dumps({"rows": rows})


def thing(rng: Random) -> str:
    """Three words."""
    return " ".join(rng.sample(WORDS, 3))


async def grow(out: Path, rows: int, concurrency: int) -> tuple[api.Run, Author]:
    """Run the recipe against the author."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async(
            "self-instruct", out=out, rows=rows, base_url=server.base_url, model="m", concurrency=concurrency
        )
    return run, author


def test_tasks_grow_from_the_seeds(tmp_path: Path) -> None:
    """The quota is met, every filter has refused something, and the labels of classification come first."""
    run, _ = asyncio.run(grow(tmp_path / "run", 200, 4))
    summary, rows = run.summary, list(run.rows())
    assert summary.stopped == "done"
    assert summary.conserved
    assert summary.accepted == len(rows) == 200
    refused = {"length", "blocked", "same", "empty", "contradiction", "duplicate", "near-duplicate", "schema"}
    assert refused <= set(summary.rejected) <= {*refused, "quota"}
    assert api.rejudge(tmp_path / "run").identical

    tasks = Counter(row["instruction"] for row in rows)
    assert 1 < max(tasks.values()) <= 5
    seeds = [row["instruction"] for row in read_rows(recipe().seeds.file).rows]
    told = [*tasks, *seeds]
    assert all(rouge_l(one, other).f1 <= 0.7 for at, one in enumerate(told) for other in told[:at])
    labels = Counter(row["output"] for row in rows if row["instruction"].startswith("Choose"))
    assert max(labels.values()) - min(labels.values()) <= 1
    assert set(labels) == {"good", "bad", "neither"}


def test_prompts_show_what_the_method_shows(tmp_path: Path) -> None:
    """Instructions alone where instructions are asked for: 6 seeds, and 2 grown ones as soon as there are any."""
    _, author = asyncio.run(grow(tmp_path / "run", 40, 1))
    seeds = {row["instruction"] for row in read_rows(recipe().seeds.file).rows}
    asked = [prompt for prompt in author.prompts if prompt.startswith("Come up")]
    shown = [[line.removeprefix("- ") for line in prompt.splitlines() if line.startswith("- ")] for prompt in asked]
    assert all(sum(each in seeds for each in task) == 6 for task in shown)
    assert [len(each) for each in shown] == sorted(len(each) for each in shown)
    assert {len(each) for each in shown} == {6, 8}
    assert len({tuple(each) for each in shown}) == len(shown) > 1
    with History.open(tmp_path / "run") as history:
        steps = Counter(reply.step.split("/")[0] for reply in history.replies())
    assert steps["classification"] == steps["output-first"] + steps["input-first"] == 6 * steps["instructions"]
