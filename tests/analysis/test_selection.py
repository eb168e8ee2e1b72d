"""The best rows: exact numbers of each category, quality from judges, the most that can be covered."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.analysis.quality import row_quality
from selfinstruct.analysis.selection import apportion, select
from selfinstruct.preparation import prepared_from_journal
from selfinstruct.recipe import Novelty
from selfinstruct.records import Reply, Request, Row
from selfinstruct.run_directory import open_history
from selfinstruct.similarity import NoveltyIndex
from selfinstruct.similarity.rouge import rouge_l

WORDS = st.lists(st.sampled_from(["task", "28", "found", "元", "亨", "in", "stage"]), max_size=8).map(" ".join)
NOVELTY = Novelty(fields=("text",))


@given(
    st.integers(0, 60),
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0.1, 9), max_size=6),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 20), max_size=6),
)
def test_a_total_is_divided_exactly(total: int, weights: dict[str, float], available: dict[str, int]) -> None:
    """Nothing is lost, no part exceeds what there is, and equal weights differ by at most one."""
    parts = apportion(total, weights, available)
    assert sum(parts.values()) == min(total, sum(available.values()))
    assert all(rows <= available[name] for name, rows in parts.items())
    even = apportion(total, dict.fromkeys(available, 1.0), dict.fromkeys(available, 99))
    assert not even or max(even.values()) - min(even.values()) <= 1


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=20), st.integers(1, 20), st.integers(0, 3))
def test_the_next_row_is_the_farthest_one(texts: list[str], count: int, start: int) -> None:
    """As a search over all pairs chooses, with ties by new tokens, then by order; given rows are covered already."""
    rows: list[Row] = [{"text": text} for text in texts]
    given_rows = [({"text": text}, "k") for text in texts[:start]]
    found = select(rows, ["k"] * len(rows), {"k": count}, NOVELTY, given=given_rows)
    scores = [max((rouge_l(text, other).f1 for other in texts[:start]), default=0.0) for text in texts]
    seen = {token for text in texts[:start] for token in text.split()}
    expected: list[int] = []

    def new(at: int) -> float:
        own = set(texts[at].split())
        return 1.0 - len(own & seen) / max(len(own), 1)

    while len(expected) < min(count, len(texts)):
        free = [at for at in range(len(texts)) if at not in expected]
        best = max(free, key=lambda at: (round(1.0 - scores[at] + 1e-6 * new(at), 9), -at))
        expected.append(best)
        seen |= set(texts[best].split())
        scores = [max(score, rouge_l(text, texts[best]).f1) for score, text in zip(scores, texts, strict=True)]
    assert found == sorted(expected)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=20), WORDS, st.sampled_from([0.0, 0.4, 0.7, 0.95]), st.integers(1, 4))
def test_the_index_finds_all_that_are_near(texts: list[str], text: str, threshold: float, labels: int) -> None:
    """Of each label that has a near row one is found, no other row is; scores are raised to those of brute force."""
    index = NoveltyIndex(min_threshold=0.4)
    index.add_all(texts)
    labelled = np.arange(len(texts)) % labels
    near = {at for at, other in enumerate(texts) if rouge_l(text, other).f1 > threshold}
    found = index.near(text, threshold, labelled)
    assert set(found) <= near and {labelled[at] for at in found} == {labelled[at] for at in near}
    index.raise_scores(text, scores := np.full(len(texts), 0.3))
    assert scores.tolist() == [max(0.3, rouge_l(text, other).f1) for other in texts]


def test_quality_decides_where_rows_are_equally_far() -> None:
    """Of rows that share nothing, the better ones are kept; a copy is worth nothing, however good it is."""
    rows: list[Row] = [{"text": text} for text in ("alpha", "beta", "gamma", "delta", "delta")]
    quality = [0.5, 1.0, 0.4, 0.9, 0.95]
    assert select(rows, ["k"] * 5, {"k": 3}, NOVELTY, quality=quality) == [0, 1, 4]
    assert select(rows, ["a", "b", "a", "b", "c"], {"a": 1, "b": 1}, NOVELTY, quality=quality) == [0, 1]


RECIPE = """
name = "graded"
[documents]
files = ["*.txt"]
by = "sample"
[[steps]]
name = "ask"
writes = ["question"]
rows = 2
prompt = "Ask two about: {passage}"
[[judge]]
name = "fair"
least = 3
prompt = "Score {question}"
[fields.question]
[novelty]
max_rouge_l = 1.0
"""


class Grader:
    """Asks about each passage in two ways, and gives them 3 and 4 points."""

    name = "grader"
    reads_messages = True

    async def complete(self, request: Request) -> Reply:
        """Two questions, or a score."""
        told = request.messages[-1].content
        if request.step.startswith("fair"):
            return Reply(json.dumps({"score": 4 if "size" in told else 3, "reason": "so"}), "grader")
        about = re.findall(r"name\d", told)[-1]
        return Reply(json.dumps([{"question": f"What size has {about}?"}, {"question": f"Who is {about}?"}]), "grader")

    async def close(self) -> None:
        """Nothing to close."""


def test_quality_is_what_the_judges_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The points of the recorded verdicts, relative to the most; the better rows are exported first."""
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        Path(f"{number}.txt").write_text(f"name{number}\n")
    Path("recipe.toml").write_text(RECIPE)
    run = api.run("recipe.toml", rows=8, out="run", backend=Grader())
    with open_history("run") as history:
        quality = row_quality(history, prepared_from_journal(history))
    assert quality == {at: 1.0 if "size" in row["question"] else 0.75 for at, row in enumerate(run.rows(), 1)}
    assert sorted(quality.values()) == [0.75] * 4 + [1.0] * 4
    api.export("run", "best.jsonl", best=1)
    assert "size" in Path("best.jsonl").read_text()
