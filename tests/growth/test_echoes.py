"""A category whose replies are copies is shown fewer demonstrations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from selfinstruct import api
from selfinstruct.growth.batch_result import BatchResult
from selfinstruct.growth.echoes import Echoes
from selfinstruct.recipe import Demos
from selfinstruct.records import Batch, Candidate, Judgement, Rejection
from selfinstruct.testing import FaultServer

SEEDS = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
DEMOS = Demos(seeds=6, grown=2)


def batch(demos: int, copies: int, others: int) -> BatchResult:
    """A batch that was shown so many demonstrations, with so many copies and accepted rows."""
    copy = Judgement(Candidate(0, "", {}), "c", Rejection("echo", ""))
    judged = [copy] * copies + [Judgement(Candidate(0, "", {}), "c")] * others
    return BatchResult.of(Batch(1, "c", 5, 0, tuple(range(demos))), judged)


def test_copies_halve_the_demonstrations_of_their_category_alone() -> None:
    """Step by step down to one; no step without enough candidates; other categories see all of them."""
    echoes, shown = Echoes(8), list[Demos]()
    for number in range(1, 12):
        note = echoes.add_batch(batch(8 if not shown else shown[-1].seeds + shown[-1].grown, 4, 1))
        shown.append(echoes.demos("c", DEMOS))
        assert (note is not None) == (number in (2, 4, 6))
    assert [each.seeds + each.grown for each in shown[:7]] == [8, 4, 4, 2, 2, 1, 1]
    assert shown[-1].seeds == 1
    assert echoes.demos("other", DEMOS) == DEMOS


def test_the_second_step_raises_the_temperature() -> None:
    """Moderately, of the category alone, and not where the recipe sets one; the note says so."""
    for free in (True, False):
        echoes, seen, notes = Echoes(8, sets_temperature=free), [], []
        for _ in range(6):
            shown = echoes.demos("c", DEMOS)
            notes += [each for each in [echoes.add_batch(batch(shown.seeds + shown.grown, 4, 1))] if each]
            seen.append(echoes.temperature("c"))
        assert seen == ([None, None, None, 1.0, 1.0, 1.2] if free else [None] * 6)
        assert [note.endswith("at temperature 1.0") for note in notes] == [False, free, False]
        assert echoes.temperature("other") is None


def test_batches_that_were_planned_before_a_step_are_no_evidence() -> None:
    """A hundred calls in flight halve the demonstrations once."""
    echoes = Echoes(8)
    notes = [echoes.add_batch(batch(8, 5, 0)) for _ in range(100)]
    assert sum(note is not None for note in notes) == 1


def test_some_copies_change_nothing() -> None:
    """A model that copies every second row is still shown all demonstrations."""
    echoes = Echoes(8)
    assert not any(echoes.add_batch(batch(8, 5, 5)) for _ in range(100))
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
