"""A recorded run in place of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import EndpointError, InputError
from selfinstruct.testing import Behaviour, FaultServer

SEEDS = "seeds/logqa.jsonl"


def test_a_replay_reproduces_the_rows(tmp_path: Path) -> None:
    """With the same settings, the rows are those of the recorded run, byte for byte, and cost nothing."""
    recorded = api.run(SEEDS, rows=120, out=tmp_path / "recorded")
    replayed = api.run(SEEDS, rows=120, out=tmp_path / "replayed", backend="replay", recording=recorded.directory)
    assert (replayed.directory / "rows.jsonl").read_bytes() == (recorded.directory / "rows.jsonl").read_bytes()
    assert replayed.summary.requests == recorded.summary.requests
    assert replayed.summary.tokens.output == 0


@pytest.mark.parametrize("seeds", ["seeds/logqa.jsonl", "seeds/classics-zh.jsonl"])
async def test_a_run_with_one_call_at_a_time_is_reproduced(tmp_path: Path, seeds: str) -> None:
    """Rows and rejections, although the model took its time, and with nothing said of concurrency or model."""
    out, again = tmp_path / "recorded", tmp_path / "replayed"
    async with FaultServer(Behaviour(latency=0.01)) as server:
        recorded = await api.run_async(seeds, rows=100, out=out, concurrency=1, model="m-70b", base_url=server.base_url)
    replayed = await api.run_async(seeds, rows=100, out=again, backend="replay", recording=out)
    assert (again / "rows.jsonl").read_bytes() == (out / "rows.jsonl").read_bytes()
    assert replayed.summary.rejected == recorded.summary.rejected


def test_another_seed_gets_the_recorded_replies_by_category(tmp_path: Path) -> None:
    """Another seed plans other batches, each of which gets a reply recorded for its category."""
    recorded = api.run(SEEDS, rows=400, out=tmp_path / "recorded")
    replayed = api.run(SEEDS, rows=100, out=tmp_path / "other", backend="replay", recording=recorded.directory, seed=7)
    assert replayed.summary.accepted == 100
    assert set(map(str, replayed.rows())) <= set(map(str, recorded.rows()))


def test_an_exhausted_recording_ends_the_run(tmp_path: Path) -> None:
    """A request for more rows than were recorded is an endpoint error, and the rows so far are kept."""
    recorded = api.run(SEEDS, rows=40, out=tmp_path / "recorded")
    with pytest.raises(EndpointError, match="no further reply"):
        api.run(SEEDS, rows=400, out=tmp_path / "more", backend="replay", recording=recorded.directory)
    assert api.open_run(tmp_path / "more").summary.accepted > 0


def test_replay_needs_a_recording(tmp_path: Path) -> None:
    """One without the other is an input error, as is a directory without a run; nothing is written."""
    with pytest.raises(InputError, match="require each other"):
        api.run(SEEDS, rows=4, out=tmp_path / "a", backend="replay")
    with pytest.raises(InputError, match="require each other"):
        api.run(SEEDS, rows=4, out=tmp_path / "a", recording=tmp_path)
    with pytest.raises(InputError, match="not a run directory"):
        api.run(SEEDS, rows=4, out=tmp_path / "a", backend="replay", recording=tmp_path)
    assert not (tmp_path / "a").exists()
