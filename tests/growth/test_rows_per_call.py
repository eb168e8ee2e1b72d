"""Calls to an endpoint that may be weak or slow ask for few rows at first; those to any other for all at once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfinstruct import api
from selfinstruct.api.prompt_sizes import prompt_size
from selfinstruct.growth import BatchResult, PromptSize
from selfinstruct.growth.rows_per_call import RowsPerCall
from selfinstruct.journal import History
from selfinstruct.testing import Author, Behaviour, FaultServer, ScriptedAuthor

SEEDS = Path(__file__).parents[2] / "seeds"
ASKED = re.compile(r"(?:Write|请写出) ([0-9]+) ")
_QUICK = Behaviour()
WEAK, STRONG = "tiny-0.5b-instruct", "large"
RESULTS = st.builds(
    lambda asked, whole, accepted, malformed, seconds: BatchResult(
        1, "c", asked, 0, whole + malformed, malformed, 0, min(whole, accepted), seconds
    ),
    st.integers(1, 20),
    *[st.integers(0, 20)] * 3,
    st.floats(0, 700),
)


def reply(asked: int, whole: int, accepted: int | None = None, seconds: float = 0.0) -> BatchResult:
    """A reply with so many whole rows, all of them accepted by default."""
    return BatchResult(
        1, "c", asked, candidates=whole, accepted=whole if accepted is None else accepted, seconds=seconds
    )


def test_rows_double_as_replies_succeed() -> None:
    """From a fifth up to all, as fast as replies come; few accepted rows keep the number, few whole ones halve it."""
    rows, seen = RowsPerCall(20, few=True), []
    for _ in range(4):
        seen.append(rows.rows)
        rows.record(reply(rows.rows, rows.rows))
    assert seen == [4, 8, 16, 20]
    for result, left in ((reply(4, 4, accepted=0), 4), (reply(4, 1), 2), (reply(2, 0), 1), (reply(1, 0), 1)):
        rows = RowsPerCall(20, few=True)
        rows.rows = result.asked
        rows.record(result)
        assert rows.rows == left


def test_a_larger_call_that_succeeds_restores_its_number() -> None:
    """One bad reply among many good ones of the same size costs one batch, not the way up."""
    rows = RowsPerCall(20, few=True)
    rows.rows = 16
    for result, left in ((reply(16, 0), 8), (reply(16, 16), 16), (reply(4, 4), 16)):
        rows.record(result)
        assert rows.rows == left


def test_a_call_would_end_well_before_its_deadline() -> None:
    """At 10 s a row and 600 s a call, no call asks for more than a quarter of the rows that 600 s would take."""
    rows = RowsPerCall(20, 600.0, few=True)
    for _ in range(5):
        rows.record(reply(rows.rows, rows.rows, seconds=10.0 * rows.rows))
    assert rows.rows == 15


@given(st.lists(RESULTS, max_size=40), st.integers(1, 50))
def test_without_a_sign_of_weakness_no_reply_changes_the_number(results: list[BatchResult], most: int) -> None:
    """Only calls that are not answered in time do; a run against a good endpoint is the one it was."""
    rows = RowsPerCall(most, 600.0)
    for result in results:
        rows.record(result)
        assert rows.rows == most
    assert rows.record_timeout(most) == (most > 1) and rows.rows == max(1, most // 4)


@given(st.lists(st.tuples(RESULTS, st.booleans()), max_size=40), st.integers(1, 50), st.booleans())
def test_the_number_stays_in_its_bounds(results: list[tuple[BatchResult, bool]], most: int, few: bool) -> None:
    """Whatever comes; and where a passage must have all its rows at once, it never changes."""
    rows, fixed = RowsPerCall(most, 600.0, few=few), RowsPerCall(most, 600.0, few=few, least=most)
    for result, late in results:
        for each in (rows, fixed):
            if late:
                each.record_timeout(result.asked)
            else:
                each.record(result)
        assert 1 <= rows.rows <= most and fixed.rows == most


def test_an_endpoint_recovers_from_a_bad_first_reply() -> None:
    """After it, as many good replies as the way up has steps are all that it takes."""
    rows = RowsPerCall(20, few=True)
    rows.record(reply(4, 0))
    for _ in range(4):
        rows.record(reply(rows.rows, rows.rows))
    assert rows.rows == 20


async def grow(
    model: str,
    out: Path,
    behaviour: Behaviour = _QUICK,
    *,
    source: str | Path = SEEDS / "logqa.jsonl",
    author: Author | None = None,
    **options: Any,
) -> list[int]:
    """Run against the mock server; the rows that each prompt asked for, in order."""
    asked: list[int] = []
    writes = author or ScriptedAuthor()

    def listening(messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        if found := ASKED.search(str(messages[-1]["content"])):
            asked.append(int(found[1]))
        return writes(messages, rng)

    async with FaultServer(behaviour, author=listening) as server:
        await api.run_async(source, out=out, model=model, base_url=server.base_url, **options)
    return asked


def recorded(out: Path) -> list[BatchResult]:
    """The batches of a run."""
    with History.open(out) as history:
        return list(BatchResult.recorded(history))


def notes_of(out: Path) -> list[str]:
    """What a run says of the rows that its calls ask for."""
    notes = json.loads((out / "summary.json").read_text(encoding="utf-8"))["notes"]
    return [note for note in notes if ": asking for " in note]


def one_category(folder: Path, seeds: str, rows: int, model: str = "") -> Path:
    """A recipe for rows like those of a seed file, without categories."""
    fields = json.loads((SEEDS / seeds).read_text(encoding="utf-8").partition("\n")[0])
    tables = "".join(f'[fields."{name}"]\n' for name in fields)
    source = folder / "recipe.toml"
    source.write_text(
        f'name = "x"\nseeds.file = "{SEEDS / seeds}"\nquota.rows = {rows}\nnovelty.max_rouge_l = 0.9\n{tables}{model}',
        encoding="utf-8",
    )
    return source


@pytest.mark.parametrize("seeds", ["logqa.jsonl", pytest.param("classics-zh.jsonl", marks=pytest.mark.slow)])
async def test_a_small_model_is_asked_for_few_rows_at_first(tmp_path: Path, seeds: str) -> None:
    """In both languages: a fifth, then more; the user is told. A large one is asked for all at once, without a word."""
    source = one_category(tmp_path, seeds, 24)
    asked = await grow(WEAK, tmp_path / "few", source=source, concurrency=1)
    assert asked[0] == 4 and 8 in asked and asked == sorted(asked[:-1]) + asked[-1:]
    assert notes_of(tmp_path / "few") == [
        f"{WEAK} is a small model by its name: asking for 4 rows per call at first, and for more as replies succeed"
    ]
    assert (await grow(STRONG, tmp_path / "all", source=source, concurrency=1))[0] == 20
    assert not notes_of(tmp_path / "all")


@pytest.mark.slow
async def test_a_replay_asks_for_as_many_rows(tmp_path: Path) -> None:
    """It knows that the recorded run began with few, though not the model."""
    out, again, source = tmp_path / "run", tmp_path / "again", one_category(tmp_path, "logqa.jsonl", 24)
    asked = await grow(WEAK, out, source=source, concurrency=1)
    await api.run_async(source, out=again, backend="replay", recording=out, concurrency=1)
    assert asked[0] == 4 and [batch.asked for batch in recorded(again)] == asked


@pytest.mark.slow
async def test_a_slow_server_of_this_machine_is_asked_for_few_rows_at_first(tmp_path: Path) -> None:
    """Its first reply takes longer than a run waits for it; with many calls at once it is no slow server."""
    slow, source = Behaviour(latency=0.4), one_category(tmp_path, "logqa.jsonl", 24)
    assert max((await grow(STRONG, tmp_path / "few", slow, source=source, concurrency=4))[:4]) == 4
    assert "took longer than 0.3 s for a short call" in notes_of(tmp_path / "few")[0]
    assert (await grow(STRONG, tmp_path / "all", slow, source=source, concurrency=64))[0] == 20


@pytest.mark.slow
async def test_calls_that_are_too_long_for_their_deadline_ask_for_fewer_rows(tmp_path: Path) -> None:
    """The first sixteen calls are all too long; none is repeated as it is, and none of them ends the run."""
    out = tmp_path / "run"
    model = f'[model]\nname = "{STRONG}"\ntimeout = 0.6\n'
    source = one_category(tmp_path, "logqa.jsonl", 200, model)
    asked = await grow(STRONG, out, Behaviour(tokens_per_second=250), source=source, rows=200, max_requests=40)
    assert asked[:10] == [20] * 10 and set(asked[-3:]) <= {1, 2}
    assert "not answered in time" in notes_of(out)[0] and (out / "rows.jsonl").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_a_resumed_run_goes_on_where_it_was(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, format, demonstrations and temperature follow from the journal as they did from the replies."""
    sizes: list[PromptSize] = []
    made, scripted = prompt_size, ScriptedAuthor()

    def watched(*arguments: Any, **named: Any) -> PromptSize:
        sizes.append(made(*arguments, **named))
        return sizes[-1]

    monkeypatch.setattr("selfinstruct.api.session.prompt_size", watched)

    def moody(messages: Sequence[Mapping[str, Any]], rng: Random) -> str:
        lines = [line for line in str(messages[-1]["content"]).split("\n") if line.startswith("{")]
        mood = rng.random()
        if not lines or mood < 0.5:
            return scripted(messages, rng)
        return json.dumps({"rows": [json.loads(lines[0])] * 5}) if mood < 0.8 else "I cannot count."

    out = tmp_path / "run"
    await grow(WEAK, out, Behaviour(seed=seed), author=moody, rows=40, concurrency=1)
    assert sizes[0].notes
    await grow(WEAK, out, Behaviour(seed=seed), author=moody, rows=40, concurrency=1)
    before, after = ((vars(size.rows), vars(size.echoes), size.prompt, size.repeats_format) for size in sizes)
    assert after == before
