"""Steps, judges, templates and documents in whole runs: the calls that are made, and the rows that result."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.errors import EndpointError, InputError, RecipeError
from selfinstruct.journal import History
from selfinstruct.recipe import parse_recipe
from selfinstruct.records import Failure, Reply, Request

RECIPE = """
name = "qa"
[documents]
files = ["*.txt"]
by = "sample"
[[steps]]
name = "questions"
rows = 3
writes = ["question"]
prompt = "Ask three questions about this passage:\\n{passage}"
[[steps]]
name = "answers"
writes = ["answer"]
prompt = "Answer: {question}\\n{passage}"
[fields.context]
source = "passage"
[fields.question]
[fields.answer]
appears_in = "context"
[fields.start]
source = "start"
type = "integer"
[novelty]
fields = ["question"]
max_rouge_l = 0.9
[prompt]
rows_per_request = 3
"""
JUDGE = """
[[judge]]
name = "faithful"
prompt = "Score {answer} for {question}"
"""
EXPAND = """
name = "phrasings"
[documents]
files = ["*.txt"]
by = "sample"
[[steps]]
name = "pair"
writes = ["subject", "summary"]
prompt = "Subject and summary of: {passage}"
[[expand]]
name = "questions"
writes = "question"
prompt = "Write {size} questions about {{subject}}"
size = 4
[fields.question]
[fields.subject]
[fields.summary]
answer = true
[novelty]
fields = ["question", "summary"]
max_rouge_l = 0.97
[prompt]
rows_per_request = 4
"""
PASSAGES = [f"The {word} harbour opens at {n} o'clock and closes {n + 9} hours later." for n, word in enumerate(
    ("northern", "southern", "eastern", "western", "inner", "outer"), 1)]  # fmt: skip


class Model:
    """Answers by the first word of a prompt; ``fails`` returns bad replies, and call number ``ends`` raises."""

    name = "scripted"
    reads_messages = True

    def __init__(self, fails: Callable[[Request, int], str] = lambda request, number: "", ends: int = 0) -> None:
        self.asked: list[tuple[int, str]] = []
        self.prompts: list[str] = []
        self._fails = fails
        self._ends = ends

    async def complete(self, request: Request) -> Reply | Failure:
        """The bad reply of the test, or a good answer."""
        self.asked.append((request.batch.number, request.step))
        self.prompts.append(request.messages[-1].content)
        await asyncio.sleep(0)
        if self._ends and len(self.asked) >= self._ends:
            raise EndpointError("no more")
        bad = self._fails(request, self.asked.count((request.batch.number, request.step)))
        if bad == "failure":
            return Failure("timeout", "took too long", model=self.name)
        return Reply(bad or self.answer(request.messages[-1].content, request), self.name)

    def answer(self, prompt: str, request: Request) -> str:
        """A good answer."""
        word, passage = prompt.split(" ")[0], prompt.split("\n")
        if word == "Ask":
            which = passage[1].split()[1]
            asks = [f"When does the {which} harbour {verb}" for verb in ("open?", "close at night?", "have visitors?")]
            return json.dumps({"rows": [{"question": ask} for ask in asks]})
        if word == "Answer:":
            return json.dumps({"answer": passage[1].split(" at ")[1].split(" ")[0]})
        if word == "Score":
            return json.dumps({"score": 2 if "close" in prompt else "5/5", "reason": "it says so"})
        if word == "Subject":
            said = passage[0].removeprefix("Subject and summary of: ").split()
            return json.dumps({"subject": f"the {said[1]} harbour", "summary": " ".join(said[3:])})
        lines = "1. What is {subject}?", "2. Tell me of {subject}.", "- {subject}: what is it?", "4) Is {subject} open?"
        return "Here they are:\n" + "\nNone.\n".join(lines)

    async def close(self) -> None:
        """Do nothing."""


def folder(where: Path, recipe: str, passages: int = len(PASSAGES)) -> Path:
    """Write passages and the recipe into a folder; return the recipe's path."""
    (where / "text.txt").write_text("\n\n".join(PASSAGES[:passages]), encoding="utf-8")
    (where / "recipe.toml").write_text(recipe, encoding="utf-8")
    return where / "recipe.toml"


async def grow(where: Path, recipe: Path, model: Model, **options: Any) -> api.Run:
    """Run the recipe beside its documents."""
    return await api.run_async(recipe, out=where / "run", backend=model, concurrency=4, **options)


async def test_each_row_of_a_step_is_continued_on_its_own(tmp_path: Path) -> None:
    """Six passages with three questions each make 24 calls and 18 rows, each with its position in the text."""
    run = await grow(tmp_path, folder(tmp_path, RECIPE), model := Model())
    rows = list(run.rows())
    assert len(rows) == 18 and run.summary.stopped == "done" and run.summary.conserved
    assert Counter(step.partition("/")[0] for _, step in model.asked) == {"questions": 6, "answers": 18}
    text = (tmp_path / "text.txt").read_text(encoding="utf-8")
    for row in rows:
        assert text[row["start"] :].startswith(row["context"])
        assert row["question"].split()[3] == row["context"].split()[1]
    assert api.rejudge(tmp_path / "run", out=tmp_path / "again.jsonl").identical
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "run" / "rows.jsonl").read_bytes()


async def test_a_failed_second_step_does_not_repeat_the_first(tmp_path: Path) -> None:
    """Unreadable and missing answers are requested again; the questions are not."""

    def fails(request: Request, number: int) -> str:
        if not request.step.startswith("answers") or number > 1:
            return ""
        return {1: "failure", 2: "no answer here", 0: ""}[request.batch.number % 3]

    run = await grow(tmp_path, folder(tmp_path, RECIPE), model := Model(fails))
    assert run.summary.accepted == 18
    assert run.summary.failed == {"malformed": 6, "timeout": 6}
    counts = Counter(model.asked)
    assert all(counts[number, "questions"] == 1 for number in range(1, 7))
    assert sum(counts.values()) == 6 + 18 + 12
    assert api.rejudge(tmp_path / "run").identical


async def test_a_branch_that_is_given_up_does_not_affect_others(tmp_path: Path) -> None:
    """An answer that never arrives costs one row, and its calls are counted."""

    def fails(request: Request, number: int) -> str:
        return "failure" if request.step == "answers/2" and request.batch.number == 1 else ""

    run = await grow(tmp_path, folder(tmp_path, RECIPE), Model(fails))
    assert run.summary.accepted == 17
    assert run.summary.failed == {"timeout": 2}
    assert run.summary.conserved
    assert api.rejudge(tmp_path / "run").identical


async def test_a_batch_without_a_readable_reply_is_finished(tmp_path: Path) -> None:
    """A batch whose replies are all unreadable is counted and closed; its passage is used again."""

    def fails(request: Request, number: int) -> str:
        return "nonsense" if request.batch.number == 1 else ""

    run = await grow(tmp_path, folder(tmp_path, RECIPE), Model(fails))
    assert run.summary.failed == {"malformed": 2}
    assert run.summary.accepted == 18
    with History.open(tmp_path / "run") as history:
        assert history.open_batches() == []
    assert api.rejudge(tmp_path / "run").identical


@pytest.mark.parametrize("ends", [2, 5, 9, 14, 20])
async def test_an_interrupted_run_continues_each_batch_where_it_stopped(tmp_path: Path, ends: int) -> None:
    """Whichever step was interrupted, a resumed run does not request any recorded reply again."""
    recipe = folder(tmp_path, RECIPE)
    with pytest.raises(EndpointError):
        await grow(tmp_path, recipe, Model(ends=ends))
    with History.open(tmp_path / "run") as history:
        recorded = {(reply.batch.number, reply.step) for reply in history.replies()}
    run = await grow(tmp_path, recipe, model := Model())
    assert run.summary.accepted == 18 and run.summary.stopped == "done"
    assert not recorded & set(model.asked)
    assert len(model.asked) + len(recorded) == 24
    assert api.rejudge(tmp_path / "run").identical


async def test_a_rejection_by_a_judge_has_its_reason(tmp_path: Path) -> None:
    """A score below the threshold is a rejection with the judge's reason; others pass."""
    run = await grow(tmp_path, folder(tmp_path, RECIPE + JUDGE), Model())
    assert run.summary.rejected == {"judge": 6}
    assert run.summary.accepted == 12
    with History.open(tmp_path / "run") as history:
        assert {r.message for r in history.rejections("judge")} == {"faithful: 2, below 4: it says so"}
    assert api.rejudge(tmp_path / "run").identical


async def test_a_field_that_breaks_its_rules_ends_its_branch_early(tmp_path: Path) -> None:
    """A question that is too short is rejected at once; its answer is not requested."""
    recipe = folder(tmp_path, RECIPE.replace("[fields.question]", "[fields.question]\nmin_chars = 36"))
    run = await grow(tmp_path, recipe, model := Model())
    short = run.summary.rejected["length"]
    assert short > 0 and run.summary.conserved
    assert Counter(step.partition("/")[0] for _, step in model.asked)["answers"] == 18 - short


async def test_templates_make_rows_without_calls(tmp_path: Path) -> None:
    """Four generated templates and six passages make 24 rows from 7 calls; rows of one passage may be similar."""
    run = await grow(tmp_path, folder(tmp_path, EXPAND), model := Model())
    assert len(model.asked) == 7
    assert run.summary.requests == 7
    kept = (tmp_path / "run" / "lists" / "questions.txt").read_text(encoding="utf-8").splitlines()
    assert kept == ["What is {subject}?", "Tell me of {subject}.", "{subject}: what is it?", "Is {subject} open?"]
    rows = list(run.rows())
    assert len(rows) == 24
    assert {row["question"] for row in rows[:4]} == {line.replace("{subject}", rows[0]["subject"]) for line in kept}
    assert api.rejudge(tmp_path / "run").identical


async def test_a_list_that_was_edited_is_used_as_it_is(tmp_path: Path) -> None:
    """A list that was edited in the run directory is used, not generated again."""
    recipe = folder(tmp_path, EXPAND, passages=3)
    with pytest.raises(EndpointError):
        await grow(tmp_path, recipe, Model(ends=2))
    file = tmp_path / "run" / "lists" / "questions.txt"
    file.write_text("Why {subject}?\n", encoding="utf-8")
    run = await grow(tmp_path, recipe, model := Model())
    assert all(row["question"].startswith("Why the ") for row in run.rows())
    assert not any(step.startswith("lists/") for _, step in model.asked)


async def test_documents_may_change_once_a_run_has_begun(tmp_path: Path) -> None:
    """A resumed run uses the passages in the journal, even if the files have changed."""
    with pytest.raises(EndpointError):
        await grow(tmp_path, recipe := folder(tmp_path, RECIPE), Model(ends=5))
    (tmp_path / "text.txt").write_text("Something else altogether stands here now.", encoding="utf-8")
    run = await grow(tmp_path, recipe, Model())
    assert run.summary.accepted == 18
    assert {row["context"] for row in run.rows()} == set(PASSAGES)


async def test_a_useless_model_is_not_called_for_every_category(tmp_path: Path) -> None:
    """With fifty categories and bad rows only, the run ends after 200 rows, not after 10,000."""
    recipe = tmp_path / "recipe.toml"
    values = json.dumps([f"topic {n}" for n in range(50)])
    recipe.write_text(
        f'[attributes.topic]\nvalues = {values}\n[categories]\nby = "attribute"\nattributes = ["topic"]\n'
        '[[steps]]\nname = "text"\nreply = "text"\nwrites = ["text"]\nprompt = "Write of {topic}"\n[fields.text]\n'
        "min_words = 50\n[quota]\nper_category = 4\n[novelty]\nmax_rouge_l = 0.7\n[prompt]\nrows_per_request = 1\n",
        encoding="utf-8",
    )
    run = await grow(tmp_path, recipe, model := Model(lambda request, number: "Too short."))
    assert run.summary.stopped == "exhausted" and run.summary.conserved
    assert 200 <= len(model.asked) <= 210
    assert any("none of the last 200 requested rows" in note and "length" in note for note in run.summary.notes)


async def test_a_model_that_has_become_useless_is_given_up_later(tmp_path: Path) -> None:
    """After some accepted rows, ten times as many are requested before the run ends; good rows are kept."""
    recipe = tmp_path / "recipe.toml"
    values = json.dumps([f"topic {n}" for n in range(50)])
    recipe.write_text(
        f'[attributes.topic]\nvalues = {values}\n[categories]\nby = "attribute"\nattributes = ["topic"]\n'
        '[[steps]]\nname = "text"\nreply = "text"\nwrites = ["text"]\nprompt = "Write of {topic}"\n[fields.text]\n'
        "min_words = 3\n[quota]\nper_category = 4\n[novelty]\nmax_rouge_l = 0.7\n[prompt]\nrows_per_request = 1\n",
        encoding="utf-8",
    )

    def fails(request: Request, number: int) -> str:
        return f"a{request.batch.number} b{request.batch.number} c d{number}" if request.batch.number <= 30 else "No."

    run = await grow(tmp_path, recipe, model := Model(fails))
    assert run.summary.accepted == 30 and run.summary.stopped == "exhausted"
    assert 2030 <= len(model.asked) <= 2040


def test_a_recipe_with_steps_needs_a_model(tmp_path: Path) -> None:
    """The embedded imitator only imitates; the hint explains how to choose a model."""
    with pytest.raises(InputError, match=r"qa: needs a model.*\n.*base_url"):
        api.run(folder(tmp_path, RECIPE), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{question}\\n{passage}",
            "{qestion}",
            'unknown name "qestion"; did you mean "question"?',
        ),
        ('writes = ["answer"]', 'writes = ["reply"]', "fields.answer: is never written"),
        ('source = "start"', 'source = "strat"', 'fields.start.source: unknown name "strat"'),
        ('name = "answers"', 'name = "questions"', "duplicate name questions"),
        ("max_rouge_l = 0.9", 'max_rouge_l = "seeds"', "needs seeds; none are configured"),
        ('writes = ["answer"]', 'writes = ["answer"]\nmodel = "big"', 'unknown name "big"'),
        ('by = "sample"', 'by = "page"', 'expected "chunk", "sample" or "row"'),
        (
            'name = "qa"',
            'name = "qa"\n[attributes.tone]\nvalues = ["a"]\nfile = "b"',
            "requires exactly one of values, file and prompt",
        ),
        ('name = "qa"', 'name = "qa"\n[categories]\nby = "attribute"', "categories.attributes: attributes and by"),
    ],
)
def test_an_unknown_name_is_reported_at_load(old: str, new: str, said: str) -> None:
    """A prompt may only use names defined before it; the nearest name is suggested."""
    assert old in RECIPE
    with pytest.raises(RecipeError) as caught:
        parse_recipe(RECIPE.replace(old, new), "r.toml", ".")
    assert said in str(caught.value)
