"""The recipe ``bonito``: 16 types of tasks by 50 passages, each answer checked as its type demands."""

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
from selfinstruct.exports.chats import chat
from selfinstruct.recipe import Recipe, builtin, load_recipe
from selfinstruct.testing import Behaviour, FaultServer

PASSAGES = (Path(builtin.__file__).parent / "inputs/bonito/passages.txt").read_text(encoding="utf-8").split("\n\n")
PROMPT = """\
Write one task about the passage, of this type: {task_type}. Word its instruction in your own way.

Passage:
{context}

Reply with JSON alone, without Markdown and without comments, in this form:
{{"instruction": "...", "response": "..."}}"""
#: Types whose responses are labels, or are chosen from what the instruction lists.
LABELS = {
    "yes-no question answering": ["yes", "no"],
    "paraphrase identification": ["yes", "no"],
    "textual entailment": ["yes", "no"],
    "sentiment": ["positive", "negative", "neutral"],
    "natural language inference": ["entailment", "neutral", "contradiction"],
}
CHOICES = ["multiple-choice question answering", "topic classification", "word sense disambiguation"]
SPANS = ["extractive question answering", "coreference resolution"]
FREE = ["question answering without choices", "paraphrase generation", "sentence completion"]


@cache
def recipe() -> Recipe:
    """The built-in recipe."""
    return load_recipe(builtin.path("bonito"))


# --- answers by type, case by case ---------------------------------------------------------------------------

PASSAGE = "The Suez Canal opened in 1869. It needs no locks, since the two seas lie at nearly the same level."
LISTED = "Which of these?\n- red\n- dark blue\n- green"
CASES = [
    ("extractive question answering", "When?", "1869", ""),
    ("extractive question answering", "When?", "869", "ungrounded"),
    ("extractive question answering", "What?", "The canal", "ungrounded"),
    ("coreference resolution", "What is it?", "the Suez Canal", ""),
    ("coreference resolution", "What is it?", "the Panama Canal", "ungrounded"),
    *((name, "Is it so?", said, "") for name, labels in LABELS.items() for said in labels),
    *((name, "Is it so?", labels[0].upper(), "") for name, labels in LABELS.items()),
    *((name, "Is it so?", "maybe", "label") for name in LABELS),
    ("sentiment", "How does it sound?", "yes", "label"),
    ("natural language inference", "Is it so?", "It is entailment.", "label"),
    *((name, LISTED, "dark blue", "") for name in CHOICES),
    *((name, LISTED, "blue", "label") for name in CHOICES),
    *((name, "Red, dark blue or green?", "green", "label") for name in CHOICES),
    *((name, f"{LISTED}\nChoose!", "green", "schema") for name in CHOICES),
    ("topic classification", "Is it this?\n- red", "red", "schema"),
    ("question generation", "Ask something.", "When did it open?", ""),
    ("question generation", "Ask something.", "It opened in 1869.", "schema"),
    ("question generation", "Ask something.", "Here is one:\nWhen did it open?", "schema"),
    ("summarization", "Sum it up.", "word " * 60, ""),
    ("summarization", "Sum it up.", "word " * 61, "length"),
    ("text generation", "Write on.", "word " * 20, ""),
    ("text generation", "Write on.", "word " * 19, "length"),
    *((name, "Do it.", "Anything goes.", "") for name in FREE),
    *((name, "Do it.", PASSAGE, "same") for name in FREE),
    *((name, "Do it.", " ", "empty") for name in FREE),
    *((name, PASSAGE, "Anything goes.", "same") for name in FREE),
]


@pytest.mark.parametrize(("task_type", "instruction", "response", "reason"), CASES)
def test_a_response_is_what_its_type_demands(task_type: str, instruction: str, response: str, reason: str) -> None:
    """A span, yes or no, a label, one of the choices, one question, so many words; never the passage itself."""
    row = {"task_type": task_type, "context": PASSAGE, "instruction": instruction, "response": response}
    fault = field_faults(row, recipe(), tuple(row))
    assert (fault.reason if fault else "") == reason


# --- 16 types by 50 passages ---------------------------------------------------------------------------------


class Author:
    """A model that writes tasks of each type, one in ten with a bad answer; ``bad`` counts them by reason."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.bad: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """The task that the prompt asks for, or no JSON."""
        prompt = messages[-1]["content"]
        if not prompt.startswith("Write one task"):
            return "ok"
        self.prompts.append(prompt)
        name = prompt.partition("of this type: ")[2].partition(".")[0]
        passage = prompt.partition("Passage:\n")[2].partition("\n\nReply with")[0]
        if rng.random() < 0.02:
            return "I would rather not write JSON."
        instruction, good, bad, reason = self.task(name, passage, rng)
        if rng.random() < 0.1:
            self.bad[reason] += 1
            good = bad
        return json.dumps({"instruction": instruction, "response": good})

    def task(self, name: str, passage: str, rng: Random) -> tuple[str, str, str, str]:
        """An instruction, a good response, a bad one, and why it is bad."""
        asked, said = f"Question {rng.random()}?", f"It is {rng.random()}."
        if name in SPANS:
            return asked, rng.choice([word for word in passage.split() if word.isalpha()]), "zzz zzz", "ungrounded"
        if name in LABELS:
            return asked, rng.choice(LABELS[name]), "perhaps", "label"
        if name in CHOICES:
            choices = [f"choice {rng.random()}" for _ in range(4)]
            return "\n- ".join([asked, *choices]), rng.choice(choices), "none of these", "label"
        if name == "question generation":
            return asked, asked, said, "schema"
        if name == "summarization":
            return asked, said, "much " * 70, "length"
        if name == "text generation":
            return asked, f"{said} " * 10, said, "length"
        return asked, said, passage, "same"


Grown = tuple[api.Run, list[Mapping[str, Any]], Author]


async def grow(out: Path) -> Grown:
    """Run the recipe, with its own quota, against the author."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async("bonito", out=out, base_url=server.base_url, model="m", concurrency=8)
    return run, list(run.rows()), author


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run of the recipe as it is."""
    return asyncio.run(grow(tmp_path_factory.mktemp("bonito") / "run"))


def test_every_type_has_as_many_tasks_as_there_are_passages(grown: Grown) -> None:
    """16 x 50 = 800 rows, each type 50 of them; every type was asked about every passage before any a second time."""
    run, rows, author = grown
    summary = run.summary
    assert summary.stopped == "done" and summary.conserved
    assert {name: each.accepted for name, each in summary.categories.items()} == {
        str(name): 50 for name in recipe().attributes["task_type"].values
    }
    assert len(rows) == 800
    assert set(Counter(row["task_type"] for row in rows).values()) == {50}
    passages = Counter(row["context"] for row in rows)
    assert set(passages) == set(map(str.strip, PASSAGES)) and len(passages) == 50
    assert min(passages.values()) >= 8
    assert len(set(author.prompts)) == 800 < len(author.prompts)
    assert api.rejudge(run.directory).identical


def test_bad_answers_are_refused_for_what_they_are(grown: Grown) -> None:
    """Each bad answer by its reason, and nothing else; what is no JSON is asked for again."""
    run, rows, author = grown
    assert set(author.bad) == {"ungrounded", "label", "schema", "length", "same"}
    assert {reason: count for reason, count in run.summary.rejected.items() if reason != "quota"} == author.bad
    assert run.summary.failed.keys() == {"malformed"}
    assert all(list(row) == ["task_type", "context", "instruction", "response"] for row in rows)


def test_the_prompt_names_the_type_and_shows_the_passage(grown: Grown) -> None:
    """Every row's prompt, word for word; the system message explains all 16 types by their names."""
    _, rows, author = grown
    assert {PROMPT.format_map(row) for row in rows} <= set(author.prompts)
    explained = [line.partition(":")[0] for line in recipe().steps[0].system.splitlines() if "->" in line]
    assert explained == list(recipe().attributes["task_type"].values)


def test_as_messages_the_passage_comes_after_the_instruction(grown: Grown) -> None:
    """Nothing that the answer needs is lost, and a dialogue that is asked about is not taken for the chat itself."""
    for row in grown[1]:
        assert chat(dict(row)) == [
            {"role": "user", "content": f"{row['instruction']}\n\n{row['context']}"},
            {"role": "assistant", "content": row["response"]},
        ]
    about = {"context": "C: It hums.\nA: Send it in.", "instruction": "Sum it up.", "response": "It hums."}
    assert chat(about) == [
        {"role": "user", "content": "Sum it up.\n\nC: It hums.\nA: Send it in."},
        {"role": "assistant", "content": "It hums."},
    ]
