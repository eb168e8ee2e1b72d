"""The recipe ``retrieval``: queries of five kinds, each with its passage and hard negatives, in both languages."""

from __future__ import annotations

import asyncio
import io
import json
import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from selfinstruct import api
from selfinstruct.errors import InputError, RecipeError
from selfinstruct.recipe import LANGUAGES, Language, builtin, load_recipe, parse_recipe
from selfinstruct.similarity.rouge import rouge_l
from selfinstruct.testing import Behaviour, FaultServer
from selfinstruct.text import find_span

#: What is wrong with a query, and the reason for its rejection.
FAULTS = {"copied": "same", "elsewhere": "ungrounded", "number": "identifiers", "unanswered": "judge", "": ""}
#: The forms of queries by kind: of keywords, questions, requests and claims; {} are words of the passage.
FORMS = {
    "en": ("{} {} {}", "{} or {}, and {}?", "{} {} {} {}. {} {} {} {} {}. {} {} {} {} {} {} {}?", "{} and {} need {}."),
    "zh": ("{} {} {}", "{}和{}，{}呢？", "{}，{}，{}，{}，{}。{}，{}，{}，{}？", "{}与{}、{}有关。"),
}
KINDS = {"key": 0, "关键": 0, "det": 2, "详细": 2, "cla": 3, "待核": 3}


class Author:
    """Asks about the first words of a passage; every fourth query has one of the faults."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.faults: Counter[str] = Counter()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._number = 0

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """A query with its answer, or the verdict on one."""
        prompt = messages[-1]["content"]
        if re.match("Query:|查询：", prompt):
            return json.dumps({"score": 2 if "nobody knows" in prompt else 5, "reason": "-"})
        kind = re.search("of this kind: (.+)|类型是：(.+)", prompt)
        if kind is None:
            return "ok"
        passage = prompt.split("\n---\n")[1]
        self._number += 1
        fault = list(FAULTS)[self._number // 4 % len(FAULTS)] if self._number % 4 == 0 else ""
        query, answer = self._written(kind[1] or kind[2], passage)
        if fault == "copied":
            query = re.split("[.;,。，；]", passage)[0] + query[-1].strip(string.ascii_letters)
        elif fault == "elsewhere":
            answer = "written nowhere"
        elif fault == "number":
            query = re.sub(r"^\w+", "98765", query)
        elif fault == "unanswered":
            query = f"nobody knows {query}"
        self.faults[fault] += 1
        return json.dumps({"query": query, "answer": answer}, ensure_ascii=False)

    def _written(self, kind: str, passage: str) -> tuple[str, str]:
        """A query in words of the passage, shuffled, and one of them as its answer."""
        form = FORMS[self.language][KINDS.get(kind[: 3 if kind.isascii() else 2], 1)]
        words = sorted(set(re.findall(r"[a-z]{4,}|[\u4e00-\u9fff]{2,4}", passage)))
        self._asked[passage, kind] += 1
        Random(f"{kind}/{passage}/{self._asked[passage, kind]}").shuffle(words)
        return form.format(*words), words[0]


class Grown(NamedTuple):
    """A run, its rows, and its author."""

    run: api.Run
    rows: list[Mapping[str, Any]]
    author: Author


async def grow(out: Path, language: Language, **options: Any) -> Grown:
    """Run the recipe against the scripted author."""
    author = Author(language)
    async with FaultServer(Behaviour(seed=1), author=author) as server:
        run = await api.run_async(
            "retrieval", out=out, language=language, base_url=server.base_url, model="m", concurrency=1, **options
        )
    return Grown(run, list(run.rows()), author)


@pytest.fixture(scope="module", params=LANGUAGES)
def grown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One run in each language."""
    return asyncio.run(grow(tmp_path_factory.mktemp("retrieval") / "run", request.param, per_category=6))


def test_each_kind_gets_its_quota_whatever_goes_wrong(grown: Grown, tmp_path: Path) -> None:
    """Five kinds, six queries each; faults are refused for what they are; judged again, the bytes are the same."""
    summary = grown.run.summary
    assert summary.stopped == "done" and summary.conserved and summary.accepted == 30
    assert set(Counter(row["kind"] for row in grown.rows).values()) == {6}
    assert {"same", "ungrounded", "identifiers", "judge"} <= set(summary.rejected), summary.rejected
    assert api.rejudge(grown.run.directory, out=tmp_path / "again.jsonl").identical
    assert (tmp_path / "again.jsonl").read_bytes() == (grown.run.directory / "rows.jsonl").read_bytes()


def test_negatives_are_similar_passages_without_the_answer(grown: Grown) -> None:
    """Three passages of the collection: not the positive, no near-duplicate of it, without the words of the answer."""
    folder = builtin.path("retrieval").parent
    documents = load_recipe(builtin.path("retrieval"), language=grown.author.language).documents  # type: ignore[arg-type]
    assert documents is not None
    collection = (folder / documents.files[0]).read_text(encoding="utf-8").strip().split("\n\n")
    for row in grown.rows:
        assert list(row) == ["query", "positive", "negatives", "kind", "answer", "document"]
        assert len(set(row["negatives"])) == 3 and set(row["negatives"]) < set(collection) - {row["positive"]}
        assert find_span(row["answer"], row["positive"]) is not None
        for negative in row["negatives"]:
            assert row["answer"].casefold() not in negative.casefold() or find_span(row["answer"], negative) is None
            assert rouge_l(row["positive"], negative).f1 <= 0.7
        others = [text for text in collection if text not in row["negatives"] and text != row["positive"]]
        nearest = max(rouge_l(row["positive"], text).f1 for text in row["negatives"])
        holding = [text for text in others if row["answer"].casefold() in text.casefold()]
        assert all(rouge_l(row["positive"], text).f1 <= nearest for text in others if text not in holding)


def test_triplets_are_the_columns_of_embedding_training(grown: Grown) -> None:
    """One line for each negative; rows of another shape are an error that says what is missing."""
    file = io.BytesIO()
    assert api.export(grown.run.directory, file, format="triplets").rows == 90
    triplets = [json.loads(line) for line in file.getvalue().decode().splitlines()]
    assert triplets == [
        {"anchor": row["query"], "positive": row["positive"], "negative": negative}
        for row in grown.rows
        for negative in row["negatives"]
    ]


def test_a_resumed_run_has_the_same_negatives(tmp_path: Path) -> None:
    """Stopped in the middle and run again, the negatives of its rows are those that follow from its replies."""
    asyncio.run(grow(tmp_path / "parts", "en", per_category=4, max_requests=17))
    stopped = len((tmp_path / "parts/rows.jsonl").read_text(encoding="utf-8").splitlines())
    assert 0 < stopped < 20
    resumed = asyncio.run(grow(tmp_path / "parts", "en", per_category=4))
    assert resumed.run.summary.accepted == 20 and resumed.run.summary.conserved
    again = tmp_path / "again.jsonl"
    assert api.rejudge(resumed.run.directory, out=again).identical
    assert again.read_bytes() == (resumed.run.directory / "rows.jsonl").read_bytes()


def test_without_a_model_it_says_that_it_needs_one(tmp_path: Path) -> None:
    """The imitator writes no queries."""
    with pytest.raises(InputError, match="model"):
        api.run("retrieval", out=tmp_path / "run")


def test_a_single_passage_has_no_negatives(tmp_path: Path) -> None:
    """Its queries are refused as empty, and the run says so instead of writing rows without negatives."""
    (tmp_path / "one.txt").write_text("Films are lent for seven days to holders of an adult card.", encoding="utf-8")
    run = asyncio.run(grow(tmp_path / "run", "en", per_category=1, passages=[tmp_path / "one.txt"])).run
    assert run.summary.accepted == 0 and set(run.summary.rejected) >= {"empty"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('type = "array"', 'type = "string"', "array"),
        ('of = "positive"', 'of = "query"', "must be a passage"),
        ('answer = "answer"', 'answer = "anwser"', "anwser"),
        ('differs_from = "positive"\nrefuse', "differs_by = 0.1\nrefuse", "no effect without differs_from"),
    ],
)
def test_contradictory_keys_are_errors(old: str, new: str, message: str) -> None:
    """Each with the key that is wrong."""
    text = builtin.path("retrieval").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(RecipeError, match=message):
        parse_recipe(text.replace(old, new, 1), "retrieval.toml", builtin.path("retrieval").parent)
