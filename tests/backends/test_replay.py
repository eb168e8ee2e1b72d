"""What holds when a recorded run serves as the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import EndpointError, InputError

SEEDS = "seeds/logqa.jsonl"


def test_a_recording_asked_the_same_gives_the_same_rows(tmp_path: Path) -> None:
    """The rows of the replayed run are the recorded ones, byte for byte, and cost nothing."""
    recorded = api.run(SEEDS, rows=120, out=tmp_path / "recorded")
    replayed = api.run(SEEDS, rows=120, out=tmp_path / "replayed", backend="replay", recording=recorded.directory)
    assert (replayed.directory / "rows.jsonl").read_bytes() == (recorded.directory / "rows.jsonl").read_bytes()
    assert replayed.summary.requests == recorded.summary.requests
    assert replayed.summary.tokens.output == 0


def test_a_recording_asked_otherwise_still_answers_by_category(tmp_path: Path) -> None:
    """Under another seed other batches are planned, and each gets a reply recorded for its category."""
    recorded = api.run(SEEDS, rows=400, out=tmp_path / "recorded")
    replayed = api.run(SEEDS, rows=100, out=tmp_path / "other", backend="replay", recording=recorded.directory, seed=7)
    assert replayed.summary.accepted == 100
    assert set(map(str, replayed.rows())) <= set(map(str, recorded.rows()))


def test_a_recording_that_is_used_up_ends_the_run_and_keeps_what_came(tmp_path: Path) -> None:
    """More rows than were recorded: an endpoint error that says what to do, with the rows in place."""
    recorded = api.run(SEEDS, rows=40, out=tmp_path / "recorded")
    with pytest.raises(EndpointError, match="no further reply"):
        api.run(SEEDS, rows=400, out=tmp_path / "more", backend="replay", recording=recorded.directory)
    assert api.open_run(tmp_path / "more").summary.accepted > 0


def test_replay_and_its_recording_go_together(tmp_path: Path) -> None:
    """Either without the other is an input error, and so is a directory without a run; nothing is written."""
    with pytest.raises(InputError, match="require each other"):
        api.run(SEEDS, rows=4, out=tmp_path / "a", backend="replay")
    with pytest.raises(InputError, match="require each other"):
        api.run(SEEDS, rows=4, out=tmp_path / "a", recording=tmp_path)
    with pytest.raises(InputError, match="not a run directory"):
        api.run(SEEDS, rows=4, out=tmp_path / "a", backend="replay", recording=tmp_path)
    assert not (tmp_path / "a").exists()
