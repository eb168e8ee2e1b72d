"""The recipe ``document-qa``: passages, questions, answers; each row with its place, and no step paid for twice."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from selfinstruct import api
from selfinstruct.checks import field_faults
from selfinstruct.documents import read_document
from selfinstruct.growth.prompt_inputs import read_passages
from selfinstruct.recipe import Language, builtin, load_recipe
from selfinstruct.records import Row
from selfinstruct.testing import Behaviour, FaultServer

pytest.importorskip("pypdfium2")

BEGINNING = "You are an expert in data sets of questions and answers. "
QUESTION_FAULTS = {"two": "schema", "statement": "schema", "number": "identifiers", "mention": "blocked"}
ANSWER_FAULTS = {"short": "length", "number": "identifiers", "mention": "blocked"}


def said(rng: Random, count: int) -> str:
    """Return the given number of invented words."""
    return " ".join("".join(rng.choice(["zo", "vu", "xi", "qua", "ju"]) for _ in range(3)) for _ in range(count))


class Author:
    """Writes 3 questions to a passage and an answer to a question; ``bad`` counts what it does otherwise.

    ``faulty`` makes questions and answers with every fault, and answers that are no JSON, in turn with sound ones.
    ``heard`` is called before each reply.
    """

    def __init__(self, *, faulty: bool = False) -> None:
        self.heard: Callable[[], None] = lambda: None
        self.asked: dict[str, list[str]] = {"questions": [], "answers": []}
        self.bad: Counter[str] = Counter()
        self._question_faults = cycle(
            [each for fault in QUESTION_FAULTS for each in ("", "", fault)] if faulty else [""]
        )
        # By the question, so that the order of the calls does not matter: no JSON at first, or at each of two attempts.
        # One of two answers is sound in the end, so that each passage has a row: one without would be used again.
        faults = [each for fault in (*ANSWER_FAULTS, "no JSON") for each in ("", fault)]
        self._answer_faults = cycle(["no JSON once", *faults[1:]] if faulty else [""])
        self._fault_of: dict[str, str] = {}

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Rows of questions, or one answer, in words that are none."""
        prompt = messages[-1]["content"]
        if not prompt.startswith(BEGINNING):
            return "ok"
        step = "questions" if prompt.startswith(f"{BEGINNING}Write 3 questions") else "answers"
        self.asked[step].append(prompt)
        self.heard()
        if step == "questions":
            return json.dumps({"rows": [{"question": self._question(rng)} for _ in range(3)]})
        return self._answer(prompt, rng)

    def _question(self, rng: Random) -> str:
        about = f"What is {said(rng, 6)}"
        fault = next(self._question_faults)
        self.bad[f"question {fault}"] += bool(fault)
        return {
            "two": f"{about}? And why?",
            "statement": f"{about}.",
            "number": f"{about} of 98765?",
            "mention": f"{about} in this passage?",
        }.get(fault, f"{about}?")

    def _answer(self, prompt: str, rng: Random) -> str:
        if prompt not in self._fault_of:
            self._fault_of[prompt] = next(self._answer_faults)
        fault = self._fault_of[prompt]
        if fault == "no JSON once":
            self._fault_of[prompt] = ""
            fault = "no JSON"
        self.bad[f"answer {fault}"] += bool(fault)
        text = {
            "short": "Yes.",
            "number": f"It is {said(rng, 8)}, 98765 in all.",
            "mention": f"According to the text, it is {said(rng, 8)}.",
        }.get(fault, f"It is {said(rng, 8)}.")
        return text if fault == "no JSON" else json.dumps({"answer": text})


def passage_of(prompt: str) -> str:
    """The passage that a prompt shows."""
    return prompt.split("\n---\n")[1]


def passages() -> list[Row]:
    """The passages that the recipe makes of its documents."""
    documents = load_recipe(builtin.path("document-qa")).documents
    assert documents is not None
    return read_passages(documents)


class Grown(NamedTuple):
    """A run, its rows, its author, and how many requests were billed beside the preflight's."""

    run: api.Run
    rows: list[Mapping[str, Any]]
    author: Author
    calls: int


async def grow(out: Path, author: Author, concurrency: int = 4) -> Grown:
    """Run the recipe as it is against the scripted author."""
    async with FaultServer(Behaviour(seed=2), author=author) as server:
        run = await api.run_async("document-qa", out=out, base_url=server.base_url, model="m", concurrency=concurrency)
        billed = len(server.ledger.billed)
    return Grown(run, list(run.rows()), author, billed - 1)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run whose model makes no mistakes."""
    return asyncio.run(grow(tmp_path_factory.mktemp("documents") / "run", Author()))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run whose model makes many."""
    return asyncio.run(grow(tmp_path_factory.mktemp("documents") / "run", Author(faulty=True), concurrency=1))


def test_each_passage_is_asked_about_and_each_question_answered(grown: Grown) -> None:
    """10 passages of a PDF and a Markdown file are 10 calls for 30 questions and 30 calls for their answers."""
    summary = grown.run.summary
    shown = [passage["passage"] for passage in passages()]
    assert len(shown) == 10 and sorted(map(passage_of, grown.author.asked["questions"])) == sorted(shown)
    assert grown.calls == 10 + 30 and len(grown.author.asked["answers"]) == 30
    assert summary.accepted == len(grown.rows) == 30 and summary.stopped == "done" and summary.conserved
    assert not summary.rejected and not summary.failed
    assert Counter(row["passage"] for row in grown.rows) == dict.fromkeys(shown, 3)
    assert api.rejudge(grown.run.directory).identical


def test_every_row_says_where_it_is_from(grown: Grown) -> None:
    """The passage is what stands between the offsets, on that page of that document."""
    seen = set()
    names = {row["document"] for row in grown.rows}
    folder = builtin.path("document-qa").parent
    assert all(name.startswith("inputs/documents/") for name in names)
    read = {name: read_document(folder / name).pages for name in names}
    pages = {(name, page.number): page.text for name, of in read.items() for page in of}
    for row in grown.rows:
        assert list(row) == ["question", "answer", "passage", "document", "page", "start", "end"]
        assert pages[row["document"], row["page"]][row["start"] : row["end"]] == row["passage"]
        seen.add((Path(row["document"]).name, row["page"]))
    assert seen == {("harbour-handbook.md", None), *(("water-works.pdf", page) for page in (1, 2, 3, 4))}


def test_passages_are_within_the_limits_and_end_with_sentences() -> None:
    """None is longer than 2,000 characters or stops in a sentence; the next begins with at most 200 of its last."""
    cut = passages()
    shown = [str(passage["passage"]) for passage in cut]
    assert max(map(len, shown)) <= 2000
    assert all(here["end"] - 200 <= after["start"] < here["end"] for here, after in pairwise(cut) if after["start"])
    assert all(re.search(r"([.:!?]|\|\n?|\n\n\d\. [A-Z][a-z ]+)$", passage) for passage in shown)


def test_the_second_prompt_has_the_question_and_its_passage(grown: Grown) -> None:
    """Each row's answer was asked for with its own question and passage, and the form of the reply at the end."""
    asked = grown.author.asked["answers"]
    for row in grown.rows:
        prompt = next(prompt for prompt in asked if f"The question: {row['question']}\n" in prompt)
        assert passage_of(prompt) == row["passage"]
        assert prompt.endswith('in this form:\n{"answer": "..."}')
    assert all(
        prompt.endswith('in this form:\n{"rows": [{"question": "..."}]}') for prompt in grown.author.asked["questions"]
    )


def test_an_answer_that_failed_is_asked_for_again_without_its_question(mixed: Grown) -> None:
    """Each passage is used for questions once, even if answers fail; answers are requested at most twice."""
    author, summary = mixed.author, mixed.run.summary
    times = Counter(author.asked["answers"])
    assert len(author.asked["questions"]) == len(set(author.asked["questions"])) == 10
    assert mixed.calls == 10 + sum(times.values())
    assert author.bad["answer no JSON"] == sum(summary.failed.values()) >= 3
    assert set(times.values()) == {1, 2} and list(times.values()).count(2) >= 2
    assert summary.accepted + sum(summary.rejected.values()) < 30, "an answer is given up after two tries"
    refused = sum(author.bad[f"question {fault}"] for fault in QUESTION_FAULTS)
    assert refused and len(times) == 30 - refused


def test_questions_and_answers_are_refused_for_what_is_wrong_with_them(mixed: Grown) -> None:
    """Each fault is counted under its reason; a question that is refused costs no call for its answer."""
    bad, reasons = mixed.author.bad, Counter[str]()
    for step, faults in (("question", QUESTION_FAULTS), ("answer", ANSWER_FAULTS)):
        for fault, reason in faults.items():
            assert bad[f"{step} {fault}"], (step, fault, bad)
            reasons[reason] += bad[f"{step} {fault}"]
    assert mixed.run.summary.rejected == reasons
    assert mixed.run.summary.conserved and api.rejudge(mixed.run.directory).identical


def test_a_run_that_was_stopped_goes_on_with_the_answers(tmp_path: Path) -> None:
    """Stopped in the middle of the answers and run again, it asks about no passage a second time."""
    author = Author()

    async def stopped() -> None:
        task: asyncio.Task[Grown] | None = None

        def heard() -> None:
            if task is not None and len(author.asked["answers"]) == 11:
                task.cancel()

        author.heard = heard
        task = asyncio.create_task(grow(tmp_path / "run", author, concurrency=1))
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stopped())
    before = {step: len(prompts) for step, prompts in author.asked.items()}
    assert before["answers"] == 11 and before["questions"] < 10
    made = asyncio.run(grow(tmp_path / "run", author, concurrency=1))
    assert len(made.rows) == 30 and made.run.summary.conserved
    assert len(author.asked["questions"]) == len(set(author.asked["questions"])) == 10
    assert made.calls == 40 - before["questions"] - 10  # The eleventh answer was under way, and is asked for again.


@pytest.mark.parametrize(
    ("language", "question", "fits"),
    [
        ("en", "How do bees find their way?", True),
        ("en", "Describe how bees find their way.", True),
        ("en", "Tell me about the harbour.", True),
        ("en", "Bees find their way by the sun.", False),
        ("en", "Describe the hive. Explain the comb.", False),
        ("zh", "权益型基金的特点有哪些方面？", True),
        ("zh", "介绍一下卡兹克。", True),
        ("zh", "基金分类有哪些", True),
        ("zh", "基金是什么？有哪些分类？", False),
    ],
)
def test_a_question_is_one_sentence_and_may_be_a_request(language: Language, question: str, *, fits: bool) -> None:
    """The examples of the prompt fit, and so does a request without a question mark; a statement or two do not."""
    recipe = load_recipe(builtin.path("document-qa"), language=language)
    rejection = field_faults({"question": question}, recipe, ("question",))
    assert (rejection is None) == fits, rejection
