"""A damaged run is recovered into a new one, which resumes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import InputError
from selfinstruct.journal import JOURNAL_NAME

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds" / "logqa.jsonl"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 80 rows."""
    return api.run(SEEDS, rows=80, out=tmp_path_factory.mktemp("grown") / "run").directory


def _copy(grown: Path, to: Path, cut: int) -> Path:
    """The journal of a run without its last ``cut`` bytes, in a directory of its own."""
    to.mkdir()
    data = (grown / JOURNAL_NAME).read_bytes()
    (to / JOURNAL_NAME).write_bytes(data[: len(data) - cut])
    return to


def test_a_whole_journal_is_recovered_whole(grown: Path, tmp_path: Path) -> None:
    """Nothing is lost of a journal that is not damaged: the same rows, in the same order."""
    found = api.recover(_copy(grown, tmp_path / "old", 0), tmp_path / "new")
    assert (found.rows, list(found.lost)) == (80, [])
    assert (tmp_path / "new" / "rows.jsonl").read_bytes() == (grown / "rows.jsonl").read_bytes()


@pytest.mark.parametrize("cut", [4_096, 12_000, 40_000])
def test_a_cut_journal_is_recovered_and_resumes(grown: Path, tmp_path: Path, cut: int) -> None:
    """What was read is kept, and the new run grows to its quota with counts that add up."""
    old = _copy(grown, tmp_path / "old", cut)
    before = (old / JOURNAL_NAME).read_bytes()
    found = api.recover(old, tmp_path / "new")
    assert (old / JOURNAL_NAME).read_bytes() == before
    assert found.rows <= 80
    api.run(tmp_path / "new" / "recipe.toml", rows=80, out=tmp_path / "new")
    summary = json.loads((tmp_path / "new" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["accepted"], summary["stopped"], summary["conserved"]) == (80, "done", True)


def test_a_directory_with_a_run_is_not_overwritten(grown: Path) -> None:
    """Recovering into a directory that contains a run is an error, and so is a directory without one."""
    with pytest.raises(InputError, match="already contains a run"):
        api.recover(grown, grown)
    with pytest.raises(InputError, match="not a run directory"):
        api.recover(grown / "nothing", grown.parent / "new")
