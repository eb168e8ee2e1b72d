"""The recipe ``textbook``: every topic for every reader; one or two Python snippets, and nothing after them."""

from __future__ import annotations

import ast
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

AUDIENCES = ("school pupil", "first-year bachelor student", "PhD student")
PROMPT = """\
Write an extract from a computer science textbook. Its reader: {audience}. It is taken from the middle of this topic:
{topic}

The extract starts with an overview of the topic. Then it presents an example and describes the solution in words.
After that come 1 or 2 snippets of Python code that follow the example, each between ```python and ``` on lines of their
own, with at most 10 lines of code: a function and its call. Write no text after the last snippet.

Choose words, depth and example for the reader. Be concise, 2 paragraphs at most before the code, and explain a single
concept. Write the extract alone, without a heading."""
FAULTS = ("no snippet", "three snippets", "eleven lines", "no Python", "text after")
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Author:
    """Writes extracts, some of them with each of the ``FAULTS``; ``bad`` counts these."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.bad: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Text in words that are none, and snippets of any number of lines that is allowed."""
        prompt = messages[-1]["content"]
        if not prompt.startswith("Write an extract"):
            return "ok"
        self.prompts.append(prompt)
        fault = rng.choice([*FAULTS, *[""] * 20])
        self.bad[fault] += bool(fault)
        count = {"no snippet": 0, "three snippets": 3}.get(fault, rng.choice([1, 2]))
        parts = [
            f"{said(rng, 40)}.",
            f"{said(rng, 30)}.",
            *(fenced(code(rng, rng.randint(3, 10))) for _ in range(count)),
        ]
        if fault == "eleven lines":
            parts[-1] = fenced(code(rng, 11))
        if fault == "no Python":
            parts[-1] = fenced("def area(side):\nreturn side * side\n")
        if fault == "text after":
            parts.append(f"{said(rng, 5)}.")
        return "\n\n".join(parts)


def code(rng: Random, lines: int) -> str:
    """Return a function and its call in the given number of lines of Python."""
    body = [f"    total += {rng.randint(2, 99)}" for _ in range(lines - 3)]
    return "\n".join(["def add(total):", *body, "    return total", f"print(add({rng.randint(1, 9)}))", ""])


def fenced(snippet: str) -> str:
    """A snippet as Markdown has it."""
    return f"```python\n{snippet}```"


def said(rng: Random, count: int) -> str:
    """Return the given number of invented words."""
    return " ".join("".join(rng.choice(["zo", "vu", "xi", "qua", "ju"]) for _ in range(3)) for _ in range(count))


async def grow(source: str, out: Any) -> tuple[api.Run, list[Mapping[str, Any]], Author]:
    """Run the recipe, with its own quota, against the scripted author."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async(source, out=out, base_url=server.base_url, model="m", concurrency=4)
    return run, list(run.rows()), author


Grown = tuple[api.Run, list[Mapping[str, Any]], Author]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run of the recipe as it is."""
    return asyncio.run(grow("textbook", tmp_path_factory.mktemp("textbook") / "run"))


def test_every_topic_is_explained_to_every_reader(grown: Grown) -> None:
    """60 topics and 3 readers are 180 categories with a passage each."""
    run, rows, _ = grown
    summary = run.summary
    assert summary.stopped == "done" and summary.conserved
    assert len(summary.categories) == len(rows) == 180
    assert all(each.quota == each.accepted == 1 for each in summary.categories.values())
    assert set(Counter((row["topic"], row["audience"]) for row in rows).values()) == {1}
    assert Counter(row["audience"] for row in rows) == dict.fromkeys(AUDIENCES, 60)
    assert set(Counter(row["topic"] for row in rows).values()) == {3}
    assert api.rejudge(run.directory).identical


def test_passages_end_with_one_or_two_snippets_of_ten_lines_of_python(grown: Grown) -> None:
    """Each of the faults refuses a passage, and nothing else does."""
    run, rows, author = grown
    for row in rows:
        assert list(row) == ["topic", "audience", "passage"]
        snippets = SNIPPET.findall(row["passage"])
        assert 1 <= len(snippets) <= 2 and row["passage"].endswith(f"{snippets[-1]}```")
        assert all(len(snippet.splitlines()) <= 10 and ast.parse(snippet).body for snippet in snippets)
    assert max(len(snippet.splitlines()) for row in rows for snippet in SNIPPET.findall(row["passage"])) == 10
    assert all(author.bad[fault] for fault in FAULTS)
    rejected = {reason: count for reason, count in run.summary.rejected.items() if reason != "quota"}
    assert rejected == {"schema": sum(author.bad.values())}


def test_the_prompt_is_the_method_s(grown: Grown) -> None:
    """Every row's prompt, word for word, with its topic and reader."""
    _, rows, author = grown
    assert {PROMPT.format_map(row) for row in rows} == set(author.prompts)


def test_the_rows_in_the_seeds_folder_are_such_rows() -> None:
    """They have the recipe's fields in their order and pass its checks, but not with much less or more text."""
    recipe = load_recipe(builtin.path("textbook"))
    file = builtin.path("textbook").parent / "inputs" / "textbook" / "rows.jsonl"
    for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        assert tuple(row) == tuple(recipe.fields)
        assert field_faults(row, recipe, tuple(row)) is None
        for passage in ("```python\nprint(1)\n```", "So it is. " * 200 + row["passage"]):
            fault = field_faults({**row, "passage": passage}, recipe, tuple(row))
            assert fault is not None and fault.reason == "length"
