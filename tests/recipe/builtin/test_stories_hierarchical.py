"""The recipe ``stories-hierarchical``: summary, sentence, story; the story contains the exact sentence."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import field_faults
from selfinstruct.recipe import builtin, load_recipe
from selfinstruct.testing import Behaviour, FaultServer

ROWS = 60
FEATURES = ("dialogue", "plot twist", "bad ending", "moral value", "foreshadowing", "conflict")
BEGINNINGS = {
    "summary": "Think of a short story",
    "sentence": "Summary of a story",
    "story": "Write a short story",
}
STORY_PROMPT = """\
Write a short story of 3 to 5 paragraphs. Use only very simple words, such as a child of 3 or 4 years understands.

Summary: {summary}
Features: {features}
Sentence: {sentence}
Words: {verb}, {noun}, {adjective}

The story follows the summary and has the features. The sentence stands in it to the letter, with every mark as it is
here. Each of the words stands in it in any form. Do not begin with "Once upon a time", "One day" or the like.
Write the story alone, without a title, with a blank line between paragraphs."""


class Author:
    """Writes each step as its prompt asks; ``bad`` counts what it does otherwise, ``prompts`` are what it was asked."""

    def __init__(self) -> None:
        self.prompts: dict[str, list[str]] = {step: [] for step in BEGINNINGS}
        self.bad: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """A summary, a sentence or a story, in words that are none but for those that the prompt names."""
        prompt = messages[-1]["content"]
        step = next((step for step, begins in BEGINNINGS.items() if prompt.startswith(begins)), "")
        if not step:
            return "ok"
        self.prompts[step].append(prompt)
        if step == "summary":
            return f"{said(rng, 12)}."
        if step == "sentence":
            return (
                self._bad("quoted", f'"{said(rng, 6)}."') if rng.random() < 0.1 else f"{said(rng, 6)}, {rng.random()}!"
            )
        return self._story(prompt, rng)

    def _story(self, prompt: str, rng: Random) -> str:
        sentence = re.findall(r"^Sentence: (.+)$", prompt, re.MULTILINE)[0]
        words = re.findall(r"^Words: (.+)$", prompt, re.MULTILINE)[0]
        paragraphs = [said(rng, 24), f"{said(rng, 9)}. {{}} {said(rng, 9)}.", said(rng, 24)]
        story = f"{words}. " + "\n\n".join(paragraphs)
        match rng.choice(["letter", "mark", "none", "word", "nothing", *[""] * 15]):
            case "letter":
                return self._bad("sentence", story.format(sentence.swapcase()))
            case "mark":
                return self._bad("sentence", story.format(sentence.replace(",", "")))
            case "none":
                return self._bad("sentence", story.format(""))
            case "word":
                return self._bad("word", story.format(sentence).removeprefix(words.split(",")[0]))
            case "nothing":
                return self._bad("nothing", "")
        return story.format(sentence)

    def _bad(self, kind: str, text: str) -> str:
        self.bad[kind] += 1
        return text


def said(rng: Random, count: int) -> str:
    """Return the given number of invented words, so that no listed word occurs in a story by chance."""
    return " ".join("".join(rng.choice(["zo", "vu", "xi", "qua", "ju"]) for _ in range(3)) for _ in range(count))


async def grow(source: str, out: Any) -> tuple[api.Run, list[Mapping[str, Any]], Author]:
    """Run the recipe against the scripted author, one call after the other."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async(source, out=out, rows=ROWS, base_url=server.base_url, model="m", concurrency=1)
    return run, list(run.rows()), author


Grown = tuple[api.Run, list[Mapping[str, Any]], Author]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run of the recipe as it is."""
    return asyncio.run(grow("stories-hierarchical", tmp_path_factory.mktemp("stories") / "run"))


def test_the_sentence_stands_in_the_story_to_the_letter(grown: Grown) -> None:
    """A letter, a mark or all of it otherwise, and the story is refused; so it is without one of its words."""
    run, rows, author = grown
    summary = run.summary
    assert summary.accepted == len(rows) == ROWS and summary.stopped == "done" and summary.conserved
    assert summary.categories["all"].quota == summary.categories["all"].accepted == ROWS
    for row in rows:
        assert list(row) == ["summary", "sentence", "story", "verb", "noun", "adjective", "features"]
        assert row["sentence"] in row["story"] and row["sentence"] not in row["summary"]
        assert all(row[name] in row["story"] for name in ("verb", "noun", "adjective"))
    assert author.bad["sentence"] > 3 and author.bad["word"] and author.bad["quoted"] and author.bad["nothing"]
    assert summary.rejected["ungrounded"] == author.bad["sentence"] + author.bad["word"]
    assert sum(summary.rejected.values()) == author.bad["sentence"] + author.bad["word"] + author.bad["quoted"]
    features = Counter(feature for row in rows for feature in row["features"])
    assert set(features) == set(FEATURES) and max(features.values()) - min(features.values()) <= 3
    assert api.rejudge(run.directory).identical


def test_no_step_is_paid_for_twice_nor_in_vain(grown: Grown) -> None:
    """A story that failed is asked for again by itself, and none is asked for a sentence that was refused."""
    run, _, author = grown
    asked = {step: len(prompts) for step, prompts in author.prompts.items()}
    assert run.summary.failed == {"empty": author.bad["nothing"]}
    assert asked["summary"] == asked["sentence"] == len(set(author.prompts["summary"]))
    assert asked["story"] <= asked["sentence"] - author.bad["quoted"] + author.bad["nothing"]
    assert len(set(author.prompts["story"])) == asked["sentence"] - author.bad["quoted"]


def test_each_step_builds_on_the_one_before(grown: Grown) -> None:
    """The story's prompt has the summary and the sentence of its row, its features and words, and nothing else."""
    _, rows, author = grown
    for row in rows:
        known = {**row, "features": ", ".join(row["features"])}
        assert STORY_PROMPT.format_map(known) in author.prompts["story"]
    about = [prompt for prompt in author.prompts["sentence"] if rows[0]["summary"] in prompt]
    assert len(about) == 1 and rows[0]["sentence"] not in about[0]


def seeds() -> list[dict[str, Any]]:
    """The rows that a person wrote in this shape."""
    file = builtin.path("stories-hierarchical").parent / "inputs" / "stories-hierarchical" / "rows.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_the_rows_in_the_seeds_folder_are_such_rows() -> None:
    """They have the recipe's fields in their order, and pass its checks."""
    recipe = load_recipe(builtin.path("stories-hierarchical"))
    for row in seeds():
        assert tuple(row) == tuple(recipe.fields)
        assert field_faults(row, recipe, tuple(row)) is None


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("summary", "Omar finds gold.", "length"),
        ("summary", "Omar digs. " * 31, "length"),
        ("sentence", "No gold, Omar.", "length"),
        ("sentence", f"{'No gold. ' * 16}None.", "length"),
        ("sentence", "There was no gold in it", "schema"),
        ("sentence", "There was no gold.\nThere was a boat.", "schema"),
        ("story", "Omar dug and found no gold in the rusty box.", "length"),
        ("story", "Omar dug. " * 251, "length"),
        ("story", f"# No gold\n\n{'Omar dug. ' * 60}", "blocked"),
        ("story", f"Here is your story:\n\n{'Omar dug. ' * 60}", "blocked"),
    ],
)
def test_what_is_no_summary_no_sentence_or_no_story_is_refused(field: str, value: str, reason: str) -> None:
    """Each is checked by itself when it comes, before anything more is asked for."""
    recipe = load_recipe(builtin.path("stories-hierarchical"))
    assert (fault := field_faults({field: value}, recipe, [field])) is not None
    assert fault.reason == reason
