"""The recipe ``rewordings``: several phrasings of one answer, with its facts and in other words."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.recipe import LANGUAGES, Language
from selfinstruct.testing import Behaviour, FaultServer

FACTS = re.compile(r"\d+(?:\.\d+)?|[“《].+?[”》]|(?<=[a-z0-9,;] )[A-Z][a-z]+(?: [A-Z][a-z]+)*")
#: The reason for which each fault is refused.
FAULTS = {"number lost": "relation", "number added": "identifiers", "copied": "same", "repeated": "near-duplicate"}
HAN = "山水云风雨雪花草树木石田河海星月光影春夏秋冬晨夜"


class Author:
    """Writes five phrasings of an answer, one of them with a fault where the answer has a fact to lose."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.faults: Counter[str] = Counter()

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """The facts of the answer between invented words."""
        found = re.search("(?:Answer: |回答：)(.+)", messages[-1]["content"])
        if found is None:
            return "ok"
        facts = FACTS.findall(found[1])
        texts = [self._phrasing(facts, rng) for _ in range(5)]
        fault = list(FAULTS)[sum(self.faults.values()) % len(FAULTS)]
        self.faults[fault] += 1
        texts[4] = {
            "number lost": self._phrasing(facts[1:], rng) if facts else f"{texts[3]}!",
            "number added": self._phrasing([*facts, "98765"], rng),
            "copied": found[1][:-9],
            "repeated": texts[3] + texts[3][-1],
        }[fault]
        return json.dumps({"rows": [{"summary": text} for text in texts]}, ensure_ascii=False)

    def _phrasing(self, facts: Sequence[str], rng: Random) -> str:
        if self.language == "zh":
            return "，".join("".join(rng.choice(HAN) for _ in range(14)) + fact for fact in (*facts, "")) + "。"
        words = [["".join(rng.choice(["ba", "do", "fi"]) for _ in range(4)) for _ in range(6)] for _ in (*facts, "")]
        return " ".join(f"{' '.join(some)} {fact}".strip() for some, fact in zip(words, (*facts, ""), strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_phrasings_keep_the_facts_and_differ(language: Language, tmp_path: Path) -> None:
    """Six answers give four or five phrasings each; a lost or new number, a copy and a repetition are refused."""
    author = Author(language)
    async with FaultServer(Behaviour(seed=3), author=author) as server:
        run = await api.run_async(
            "rewordings", out=tmp_path / "run", language=language, base_url=server.base_url, model="m", concurrency=1
        )
    summary, rows = run.summary, list(run.rows())
    assert summary.conserved and summary.candidates == 30
    assert set(summary.rejected) == set(FAULTS.values()) and summary.accepted == len(rows) == 24
    for row in rows:
        assert list(row) == ["content", "summary", "original"]
        assert all(fact in row["summary"] for fact in FACTS.findall(row["original"]))
    assert set(Counter(row["original"] for row in rows).values()) == {4}
    assert api.rejudge(run.directory, out=tmp_path / "again.jsonl").identical
    assert (tmp_path / "again.jsonl").read_bytes() == (run.directory / "rows.jsonl").read_bytes()
    file = tmp_path / "chats.jsonl"
    api.export(run.directory, file, format="messages")
    said = [json.loads(line)["messages"] for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(user["content"], answer["content"]) for user, answer in said] == [
        (row["content"], row["summary"]) for row in rows
    ]
