"""The recipe of docs/how-to/questions-and-full-answers.md: broad questions, then full answers, as it stands there."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.testing import FaultServer

PAGE = Path(__file__).parents[2] / "docs/how-to/questions-and-full-answers.md"
FILES = dict(re.findall(r"^cat > (\S+) <<'END'\n(.*?)^END$", PAGE.read_text(encoding="utf-8"), re.M | re.S))
DOCUMENTS = {
    "zh": (
        FILES["fund.md"],
        ("基金有哪些分类？", "介绍一下卡兹克。"),
        "这个问题的答案可以从几个方面来说，内容里都讲到了，先说{}。",
    ),
    "en": (
        "Funds are open or closed; a closed one is traded.\n\nAda writes about tools that she has tried.\n",
        ("Which kinds of funds are there?", "Who is Ada?"),
        "There is much to say, and all of it is in the text that was given: first, {}.",
    ),
}


class Author:
    """Asks one good question about each passage and one that is two, and answers in full."""

    def __init__(self, questions: Sequence[str], answer: str) -> None:
        self.questions = questions
        self.answer = answer

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Two questions, or an answer."""
        prompt = str(messages[-1]["content"])
        if "生成 2 个" in prompt:
            own = self.questions["卡兹克是" in prompt or "Ada writes" in prompt]
            return json.dumps([{"content": own}, {"content": f"{own}{own}"}], ensure_ascii=False)
        asked = re.search(r"我的问题如下：\n(.+)\n", prompt)
        return "ok" if asked is None else json.dumps({"summary": self.answer.format(asked[1])}, ensure_ascii=False)


@pytest.mark.parametrize("language", DOCUMENTS)
async def test_questions_and_full_answers_are_content_and_summary(language: str, tmp_path: Path) -> None:
    """A request without a question mark is a question; two in a row are refused; the rows are chats as they are."""
    text, questions, answer = DOCUMENTS[language]
    (tmp_path / "fund.md").write_text(text, encoding="utf-8")
    (tmp_path / "pairs.toml").write_text(FILES["pairs.toml"], encoding="utf-8")
    async with FaultServer(author=Author(questions, answer)) as server:
        run = await api.run_async(
            tmp_path / "pairs.toml",
            keep_passages=tmp_path / "passages",
            out=tmp_path / "run",
            model="m",
            base_url=server.base_url,
        )
    rows = {row["content"]: row for row in run.rows()}
    assert rows == {each: {"content": each, "summary": answer.format(each)} for each in questions}
    assert sum(run.summary.rejected.values()) == 2 and run.summary.stopped == "done"
    kept = [file.read_text(encoding="utf-8") for file in sorted((tmp_path / "passages").iterdir())]
    assert kept == text.strip().split("\n\n")
    file = io.BytesIO()
    api.export(run.directory, file, format="messages", shuffle=True)
    chats = [json.loads(line)["messages"] for line in file.getvalue().decode().splitlines()]
    assert {user["content"]: assistant["content"] for user, assistant in chats} == {
        each: answer.format(each) for each in questions
    }
    assert api.rejudge(run.directory).identical
