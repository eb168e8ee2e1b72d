"""A category whose replies are copies is shown fewer demonstrations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from selfinstruct import api
from selfinstruct.growth.echoes import Echoes
from selfinstruct.recipe import Demos
from selfinstruct.records import Batch, Candidate, Judgement, Rejection
from selfinstruct.testing import FaultServer

SEEDS = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
DEMOS = Demos(seeds=6, grown=2)


def judged(copies: int, others: int) -> list[Judgement]:
    """The judgements of a batch with so many copies and accepted rows."""
    copy = Judgement(Candidate(0, "", {}), "c", Rejection("echo", ""))
    return [copy] * copies + [Judgement(Candidate(0, "", {}), "c")] * others


def batch(number: int, category: str = "c") -> Batch:
    """A batch of a category."""
    return Batch(number, category, 5, 0, ())


def test_copies_halve_the_demonstrations_of_their_category_alone() -> None:
    """Step by step down to one; no step without enough candidates; other categories see all of them."""
    echoes, shown = Echoes(), []
    for number in range(1, 12):
        note = echoes.add_batch(batch(number), judged(4, 1), number)
        shown.append(echoes.demos("c", DEMOS))
        assert (note is not None) == (number in (2, 4, 6))
    assert [each.seeds + each.grown for each in shown[:7]] == [8, 4, 4, 2, 2, 1, 1]
    assert shown[-1].seeds == 1
    assert echoes.demos("other", DEMOS) == DEMOS


def test_batches_that_were_planned_before_a_step_are_no_evidence() -> None:
    """A hundred calls in flight halve the demonstrations once."""
    echoes = Echoes()
    notes = [echoes.add_batch(batch(number), judged(5, 0), 100) for number in range(1, 101)]
    assert sum(note is not None for note in notes) == 1


def test_some_copies_change_nothing() -> None:
    """A model that copies every second row is still shown all demonstrations."""
    echoes = Echoes()
    assert not any(echoes.add_batch(batch(number), judged(5, 5), number) for number in range(1, 100))
    assert echoes.demos("c", DEMOS) == DEMOS


async def test_a_model_that_echoes_long_prompts_gets_shorter_ones(tmp_path: Path) -> None:
    """A run against a model that copies its first demonstration while it sees several notes what was done."""
    shown: list[int] = []

    def parrot(messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        lines = [line for line in str(messages[-1]["content"]).split("\n") if line.startswith("{")]
        shown.append(len(lines))
        return json.dumps({"rows": [json.loads(lines[0])] * 5}) if lines else "ok"

    async with FaultServer(author=parrot) as server:
        run = await api.run_async(
            SEEDS, rows=8, out=tmp_path / "run", model="m", base_url=server.base_url, concurrency=1
        )
    assert any("showing half the demonstrations" in note for note in run.summary.notes)
    assert max(shown) == 2 and shown[-1] == 1
