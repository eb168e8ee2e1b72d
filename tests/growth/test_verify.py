"""``[[verify]]`` in whole runs: by models at a real local server, and by the embedded reader."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct.errors import RecipeError
from selfinstruct.growth import FIRST_TRAINING, Draft, judge_batch, start_batch
from selfinstruct.preparation import JudgingState
from selfinstruct.preparation.prepare import prepare
from selfinstruct.recipe import frozen_changes, parse_recipe, to_toml
from selfinstruct.records import Batch
from selfinstruct.testing import FaultServer

SEEDS = {
    "en": [
        ("How large is block blk_7?", "671", "Received block blk_7 of size 671 B from 10.0.0.1"),
        ("How large is block blk_8?", "902", "Received block blk_8 of size 902 B from 10.0.0.2"),
    ],
    "zh": [
        ("订单20240311的金额是多少？", "259", "订单20240311创建成功，金额259元，商品数2"),
        ("订单20240312的金额是多少？", "318", "订单20240312创建成功，金额318元，商品数7"),
    ],
}
RECIPE = """\
name = "blocks"
[seeds]
file = "rows.jsonl"
[fields.Question]
[fields.Answer]
appears_in = "Line"
answer = true
[fields.Line]
[novelty]
fields = ["Question"]
max_rouge_l = 1.0
[prompt]
rows_per_request = 5
[quota]
rows = {rows}
[[verify]]
reads = ["Line", "Question"]
answers = "Answer"
votes = {votes}
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes seeds and a recipe into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(language: str, *, rows: int = 20, votes: int = 3, more: str = "") -> str:
        seeds = [dict(zip(("Question", "Answer", "Line"), seed, strict=True)) for seed in SEEDS[language]]
        lines = [json.dumps(seed, ensure_ascii=False) for seed in seeds]
        Path("rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        Path("recipe.toml").write_text(RECIPE.format(rows=rows, votes=votes) + more, encoding="utf-8")
        return "recipe.toml"

    return write


class Writer:
    """Writes rows about orders or blocks, one in ``every`` with a wrong answer, and reads them as it is told to."""

    def __init__(self, language: str, reads: str = "right", every: int = 5) -> None:
        self._language = language
        self._every = every
        self._reads = reads
        self._rows = 0
        self.prompts: list[str] = []
        self.asked: dict[str, int] = {}

    def __call__(self, messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        """Rows, or the answer to a question."""
        text = "\n".join(str(message["content"]) for message in messages)
        if '"answer"' in text:
            return self._answer(text)
        if "jsonl" not in text:
            return "ok"
        return self.rows()

    def rows(self) -> str:
        """The next five rows."""
        return json.dumps({"rows": [self._row() for _ in range(5)]}, ensure_ascii=False)

    def _row(self) -> dict[str, str]:
        self._rows += 1
        number, size, other = 1000 + 7 * self._rows, 5000 + 13 * self._rows, 20 + self._rows
        if self._language == "en":
            line = f"Received block blk_{number} of size {size} B from 10.0.{other}.1"
            question, wrong = f"How large is block blk_{number}?", (f"10.0.{other}.1", "from", "Received")
        else:
            line = f"订单{number}创建成功，金额{size}元，商品数{other}"
            question, wrong = f"订单{number}的金额是多少？", (str(other), "商品", "成功")
        answer = str(size) if self._rows % self._every else wrong[self._rows // self._every % 3]
        return {"Question": question, "Answer": answer, "Line": line}

    def _answer(self, text: str) -> str:
        self.prompts.append(text)
        line = next(
            each
            for each in text.splitlines()
            if (each.startswith(("Received", "订单")) and "成功" in each) or " of size " in each
        )
        vote = self.asked[line] = self.asked.get(line, 0) + 1
        size = re.search(r"size (\d+)|金额(\d+)", line)
        assert size is not None
        right = next(filter(None, size.groups()))
        if self._reads == "unit":
            return json.dumps({"answer": f"{right}{' B' if self._language == 'en' else '元'}"}, ensure_ascii=False)
        if self._reads == "minority" and vote == 1:
            return json.dumps({"answer": "something else"})
        return "no JSON" if self._reads == "unreadable" else json.dumps({"answer": right})


async def _run(recipe: str, writer: Writer, **options: Any) -> Any:
    async with FaultServer(author=writer) as server:
        return await api.run_async(recipe, model="m", base_url=server.base_url, out="run", **options)


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def _conserved(summary: Any) -> bool:
    return bool(summary.conserved and summary.candidates == summary.accepted + sum(summary.rejected.values()))


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_model_that_sees_the_reads_fields_alone_rejects_wrong_answers(recipe: Any, language: str) -> None:
    """Every wrong answer is refused as ``unanswered``, no right one is, and the reader is never shown an answer."""
    writer = Writer(language)
    run = await _run(recipe(language), writer)
    summary = run.summary
    assert summary.accepted == 20
    assert set(summary.rejected) == {"unanswered"}
    assert _conserved(summary)
    rows = [json.loads(line) for line in _lines("run/rows.jsonl")]
    assert all(re.search(rf"(?:size |金额){row['Answer']}\b|金额{row['Answer']}元", row["Line"]) for row in rows)
    shown = '"Answer" (string)' if language == "en" else '"Answer" 字段（'
    assert all(shown in prompt and ('"Line":' in prompt or '"Line"：' in prompt) for prompt in writer.prompts)
    assert ("You get some fields" in writer.prompts[0]) == (language == "en")
    # Two votes that agree decide.
    assert set(writer.asked.values()) == {2}
    again = api.rejudge("run")
    assert again.identical
    assert again.after.rejected == dict(summary.rejected)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_units_make_no_difference_where_seeds_leave_them_out(recipe: Any, language: str) -> None:
    """The seeds answer "671" where the line says "671 B", so a reader may add the unit."""
    run = await _run(recipe(language, votes=1), Writer(language, "unit"))
    assert run.summary.accepted == 20


async def test_a_minority_does_not_decide(recipe: Any) -> None:
    """One of three votes differs: the third is requested, and right rows are kept."""
    writer = Writer("en", "minority")
    run = await _run(recipe("en"), writer)
    assert run.summary.accepted == 20
    assert max(writer.asked.values()) == 3
    name = api.show("run", "x1").rejection
    assert name is not None
    assert name.reason == "unanswered"
    assert "0 of 2" in name.message or "0 of 3" in name.message


async def test_votes_are_paid_for_and_bounded_by_the_budget(recipe: Any) -> None:
    """Requests and tokens include the votes, and a limit on requests stops the run with everything kept."""
    run = await _run(recipe("en"), Writer("en"), max_requests=12)
    assert run.summary.stopped == "budget"
    assert run.summary.requests <= 12
    assert _conserved(run.summary)
    more = await _run(recipe("en"), Writer("en"))
    assert more.summary.accepted == 20
    assert more.summary.requests > 12 + 2 * 20 - 12
    assert api.rejudge("run").identical


async def test_a_row_without_readable_votes_is_rejected(recipe: Any) -> None:
    """A reader that never answers confirms nothing: the run ends without rows, and the counts agree."""
    run = await _run(recipe("en", rows=5, votes=1), Writer("en", "unreadable"))
    assert run.summary.accepted == 0
    assert set(run.summary.rejected) == {"unanswered"}
    assert run.summary.failed["malformed"] > 0
    assert _conserved(run.summary)


async def test_a_row_is_shown_with_the_votes_on_it(recipe: Any) -> None:
    """``show`` names the calls that led to a row: the reply that contains it and the votes, not those on other rows."""
    await _run(recipe("en"), Writer("en"))
    assert sorted(each.step for each in api.show("run", 2).replies) == ["imitate", "verify-1/2", "verify-2/2"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_embedded_reader_rejects_what_contradicts_the_other_rows(recipe: Any, language: str) -> None:
    """Without a model, most wrong answers after the first rows are refused, and right ones are kept."""
    prepared = prepare(recipe(language, rows=400))
    state = JudgingState.of_seeds(prepared)
    writer = Writer(language, every=10)
    rows = [row for _ in range(60) for row in json.loads(writer.rows())["rows"]]
    category = next(iter(prepared.quotas))
    refused: list[str] = []
    for number in range(30):
        drafts = [Draft(row, "") for row in rows[10 * number : 10 * number + 10]]
        batch = Batch(number + 1, category, 10, 10 * number, ())
        start_batch(state.progress, batch)
        judgements = judge_batch(batch, drafts, state.criteria, state.pool, state.progress)
        refused += [each.rejection.reason if each.rejection else "" for each in judgements]
    assert set(refused) == {"", "unanswered"}
    assert not any(refused[: FIRST_TRAINING - 2])
    late = [at for at in range(FIRST_TRAINING, 300) if at % 10 == 9]
    assert sum(map(bool, (refused[at] for at in late))) >= 0.8 * len(late)
    assert sum(1 for at in range(300) if at % 10 != 9 and refused[at]) <= 0.05 * 270


def test_a_keyless_run_resumes_and_rejudges_to_the_same_rows(recipe: Any, tmp_path: Path) -> None:
    """Opinions depend on the rows before alone: interrupted or not, the rows are the same."""
    source = recipe("en", rows=150)
    api.run(source, out="whole", seed=3)
    api.run(source, out="parts", seed=3, rows=90)
    grown = api.run(source, out="parts", seed=3)
    assert grown.summary.accepted == 150
    assert api.rejudge("whole").identical
    assert api.rejudge("parts").identical
    assert any("which taught the embedded reader" in note for note in grown.summary.notes)


def test_few_rows_get_no_opinion_and_the_run_says_so(recipe: Any) -> None:
    """With fewer rows than the reader needs, the summary says that none was read."""
    run = api.run(recipe("en", rows=10), out="run")
    assert any("needs 64 rows" in note for note in run.summary.notes)


def test_the_recipe_is_written_back_and_frozen() -> None:
    """A recipe with second opinions survives writing; a run cannot resume with another number of votes."""
    text = RECIPE.format(rows=5, votes=3)
    recipe = parse_recipe(text, "r.toml", Path())
    assert parse_recipe(to_toml(recipe, {}), "r.toml", Path()).verify == recipe.verify
    other = parse_recipe(text.replace("votes = 3", "votes = 1"), "r.toml", Path())
    assert frozen_changes(recipe, other) == ["verify[0].votes"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('reads = ["Line", "Question"]', "reads = []", "must name at least one field"),
        ('reads = ["Line", "Question"]', 'reads = ["Lines"]', 'did you mean "Line"'),
        ('answers = "Answer"', 'answers = "Reply"', "no field"),
        ('answers = "Answer"', 'answers = "Line"', "must not be one of the fields"),
        ("votes = 3", 'votes = 3\nmodel = "none"', "unknown name"),
        ("votes = 3", "votes = -1", "votes"),
    ],
)
def test_a_wrong_table_is_an_error_with_its_place(old: str, new: str, message: str) -> None:
    """What a reader cannot do is refused before anything runs."""
    with pytest.raises(RecipeError, match=message):
        parse_recipe(RECIPE.format(rows=5, votes=3).replace(old, new), "r.toml", Path())
