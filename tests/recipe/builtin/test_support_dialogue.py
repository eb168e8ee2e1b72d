"""The recipe ``support-dialogue``: turns of C: and A: in the format of the example, about each issue equally often."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.checks import field_faults
from selfinstruct.recipe import builtin, load_recipe
from selfinstruct.testing import Behaviour, FaultServer

INPUTS = builtin.path("support-dialogue").parent / "inputs" / "support-dialogue"
PROMPT = """\
Generate a conversation between a customer (C) and a support agent (A). Follow this format:

{dialogue}

Now generate a new conversation about a different issue:
{issue}

Products, names, numbers and steps are its own, and so is its course. It has 6, 8, 10 or 12 turns, one line each: the
customer begins, they take turns, and the agent has the last word, when the issue is solved. Write nothing else.\
"""
FORMAT_FAULTS = ("agent first", "customer last", "twice", "narrated", "two lines", "too short", "too long", "unmarked")


class Author:
    """Writes conversations, some with one of the ``FORMAT_FAULTS`` and some copied; ``bad`` counts these."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.bad: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """A conversation in words that are none."""
        prompt = str(messages[-1]["content"])
        if not prompt.startswith("Generate"):
            return "ok"
        self.prompts.append(prompt)
        fault = rng.choice([*FORMAT_FAULTS, "copied", *[""] * 30])
        self.bad[fault] += bool(fault)
        if fault == "copied":
            return prompt.split("\n\n")[1]
        turns = [f"{'CA'[at % 2]}: {said(rng)}?" for at in range(2 * rng.randint(3, 6))]
        match fault:
            case "agent first":
                turns = [f"A: {said(rng)}.", *turns[:-1], turns[0]][: len(turns)]
            case "customer last":
                turns = [*turns[:8], f"C: {said(rng)}."]
            case "twice":
                turns = [turns[0], *turns[:-1]]
            case "narrated":
                turns = [*turns, "(The customer hangs up.)"]
            case "two lines":
                turns[2] += f"\n{said(rng)}"
            case "too short":
                turns = turns[:4]
            case "too long":
                turns = [f"{'CA'[at % 2]}: {said(rng)}" for at in range(14)]
            case "unmarked":
                turns[1] = said(rng)
        return "\n".join(turns)


def said(rng: Random) -> str:
    """Eight words that are none."""
    return " ".join("".join(rng.choice(["zo", "vu", "xi", "qua", "ju"]) for _ in range(3)) for _ in range(8))


def seeds() -> list[dict[str, str]]:
    """The real conversations."""
    return [json.loads(line) for line in (INPUTS / "rows.jsonl").read_text(encoding="utf-8").splitlines()]


async def grow(out: Path, concurrency: int = 1) -> tuple[api.Run, Author]:
    """Run the recipe, with its own quota, against the scripted author, one call after the other by default."""
    author = Author()
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        url = server.base_url
        run = await api.run_async("support-dialogue", out=out, base_url=url, model="m", concurrency=concurrency)
    return run, author


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[api.Run, Author]:
    """One run of the recipe as it is."""
    return asyncio.run(grow(tmp_path_factory.mktemp("dialogue") / "run"))


def test_every_issue_has_as_many_conversations(grown: tuple[api.Run, Author]) -> None:
    """400 rows over 40 issues are 10 each, despite rejected rows; no issue is from a real dialogue."""
    run, _ = grown
    summary, rows = run.summary, list(run.rows())
    assert summary.stopped == "done" and summary.conserved and summary.accepted == len(rows) == 400
    issues = Counter(row["issue"] for row in rows)
    assert set(issues) == set((INPUTS / "issues.txt").read_text(encoding="utf-8").splitlines())
    assert set(issues.values()) == {10}
    assert not set(issues) & {row["issue"] for row in seeds()}
    assert api.rejudge(run.directory).identical


def test_issues_stay_balanced_when_replies_come_faster_than_they_are_judged(tmp_path: Path) -> None:
    """With 8 calls at once and no latency, few calls are made for rows that have come already."""
    run, _ = asyncio.run(grow(tmp_path / "run", concurrency=8))
    issues = Counter(row["issue"] for row in run.rows())
    assert issues.total() == 400 and set(issues.values()) <= {9, 10, 11}
    assert run.summary.rejected.get("quota", 0) <= 16


def test_turns_alternate_and_any_other_format_is_refused(grown: tuple[api.Run, Author]) -> None:
    """What is kept can be read as messages of two roles; each fault of format and each copy is counted as such."""
    run, author = grown
    lengths: Counter[int] = Counter()
    for row in run.rows():
        turns = [re.fullmatch(r"([CA]): (.+)", line) for line in row["dialogue"].split("\n")]
        assert list(row) == ["issue", "dialogue"] and all(turns)
        assert "".join(turn[1] for turn in turns if turn) == "CA" * (len(turns) // 2)
        lengths[len(turns)] += 1
    assert set(lengths) == {6, 8, 10, 12}
    assert all(author.bad[fault] for fault in FORMAT_FAULTS) and author.bad["copied"]
    assert run.summary.rejected["schema"] == sum(author.bad[fault] for fault in FORMAT_FAULTS)
    assert run.summary.rejected["near-duplicate"] == author.bad["copied"]


def test_conversations_go_out_as_messages(grown: tuple[api.Run, Author], tmp_path: Path) -> None:
    """The customer is the user and the agent the assistant, turn by turn, with nothing lost."""
    run, _ = grown
    api.export(run.directory, tmp_path / "chat.jsonl", format="messages")
    lines = (tmp_path / "chat.jsonl").read_text(encoding="utf-8").splitlines()
    speakers = {"user": "C", "assistant": "A"}
    for line, row in zip(lines, run.rows(), strict=True):
        turns = [f"{speakers[turn['role']]}: {turn['content']}" for turn in json.loads(line)["messages"]]
        assert "\n".join(turns) == row["dialogue"]


def test_the_prompt_is_one_real_conversation_and_another_issue(grown: tuple[api.Run, Author]) -> None:
    """Word for word; each real conversation serves as the example, and each row's issue was asked for."""
    run, author = grown
    asked = set(author.prompts)
    real = [row["dialogue"] for row in seeds()]
    issues = {row["issue"] for row in run.rows()}
    possible = {PROMPT.format(dialogue=dialogue, issue=issue) for dialogue in real for issue in issues}
    assert asked <= possible
    assert all(any(dialogue in prompt for prompt in asked) for dialogue in real)
    assert all(any(f"issue:\n{issue}\n" in prompt for prompt in asked) for issue in issues)


def test_the_rows_in_the_seeds_folder_are_such_rows() -> None:
    """The real conversations have the recipe's fields in their order, and pass its checks."""
    recipe = load_recipe(builtin.path("support-dialogue"))
    for row in seeds():
        assert tuple(row) == tuple(recipe.fields)
        assert field_faults(row, recipe, tuple(row)) is None
