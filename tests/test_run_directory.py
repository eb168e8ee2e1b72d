"""The run directory: whose it is, what is left of it when something refuses, and what its files say then."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import api
from selfinstruct import run_directory as directory
from selfinstruct.errors import InputError, RecipeError, StorageError
from selfinstruct.events import Snapshot
from selfinstruct.journal import History, Journal
from selfinstruct.journal.lock import Lock
from selfinstruct.recipe import load_recipe
from selfinstruct.records import Row

SEEDS = Path(__file__).parent.parent / "seeds" / "logqa.jsonl"
ROWS: list[Row] = [json.loads(line) for line in SEEDS.read_text(encoding="utf-8").splitlines()]
DERIVED = ["README.md", "SHA256SUMS", "croissant.json", "recipe.toml", "report.html", "rows.jsonl", "summary.json"]
FILES = sorted([*DERIVED, "run.lock", "run.sqlite"])


def content(where: Path) -> dict[str, bytes]:
    """Every file below a folder, with what it holds; the lock aside, which names its last holder."""
    return {str(f.relative_to(where)): f.read_bytes() for f in where.rglob("*") if f.is_file() and f.name != "run.lock"}


def summary_of(where: Path) -> dict[str, Any]:
    """The summary as others read it."""
    read: dict[str, Any] = json.loads((where / "summary.json").read_text(encoding="utf-8"))
    return read


# --- what a run leaves --------------------------------------------------------------------------------------------


def test_a_run_leaves_the_files_of_the_contract_and_no_other(tmp_path: Path) -> None:
    """Rows as the journal has them, in the seeds' order of fields; a recipe that loads; the summary that is given."""
    run = api.run(SEEDS, rows=20, out=tmp_path / "deep" / "run")
    assert sorted(path.name for path in run.directory.iterdir()) == FILES
    rows = [json.loads(line) for line in (run.directory / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    with History.open(run.directory) as history:
        assert rows == [grown.row for grown in history.rows()]
    assert all(list(row) == list(ROWS[0]) for row in rows)
    assert summary_of(run.directory) == run.summary.to_dict()
    assert load_recipe(run.directory / "recipe.toml").quota.rows == 20


def test_the_recipe_in_the_directory_goes_on_with_the_run(tmp_path: Path) -> None:
    """From the folder of the run, the seeds are found, and nothing differs; no further call is made."""
    run = api.run(SEEDS, rows=20, out=tmp_path / "run")
    again = api.run(run.directory / "recipe.toml", out=run.directory)
    assert again.summary.accepted == 20
    assert again.summary.requests == run.summary.requests


def test_derived_files_that_were_lost_come_again(tmp_path: Path) -> None:
    """The journal is the only truth: the same command writes the same files from it."""
    run = api.run(SEEDS, rows=20, out=tmp_path / "run")
    before = content(run.directory)
    for name in DERIVED:
        (run.directory / name).unlink()
    api.run(SEEDS, rows=20, out=tmp_path / "run")
    assert content(run.directory)["rows.jsonl"] == before["rows.jsonl"]
    assert sorted(content(run.directory)) == sorted(before)


# --- whose directory it is ----------------------------------------------------------------------------------------


def test_all_that_differs_is_named_and_how_to_go_on(tmp_path: Path) -> None:
    """Other seeds, another random seed and a smaller quota at once; the remedy is a command that works."""
    out = tmp_path / "my run"
    api.run(SEEDS, rows=20, out=out)
    before = {name: data for name, data in content(out).items() if name in DERIVED}
    with History.open(out) as history:
        state, metadata = history.state(), history.metadata()
    with pytest.raises(InputError) as told:
        api.run(ROWS[:6], rows=10, seed=3, out=out)
    for named in ("quota.rows", "the seed rows", "`seed` (the run has 0)"):
        assert named in told.value.message
    assert f"'{out}'" in told.value.hint
    assert {name: data for name, data in content(out).items() if name in DERIVED} == before
    with History.open(out) as history:
        assert (history.state(), history.metadata()) == (state, metadata)


def test_another_rule_is_another_run(tmp_path: Path) -> None:
    """A recipe that would have judged the earlier rows otherwise is refused; other words in it are not."""
    run = api.run(SEEDS, rows=20, out=tmp_path / "run")
    own = (run.directory / "recipe.toml").read_text(encoding="utf-8")
    stricter, told = run.directory / "stricter.toml", run.directory / "told.toml"
    stricter.write_text(own.replace('max_rouge_l = "seeds"', "max_rouge_l = 0.75"), encoding="utf-8")
    told.write_text(own.replace("rows_per_request = 20", "rows_per_request = 5"), encoding="utf-8")
    assert len({own, stricter.read_text(encoding="utf-8"), told.read_text(encoding="utf-8")}) == 3
    with pytest.raises(InputError, match=r"novelty\.max_rouge_l"):
        api.run(stricter, out=run.directory)
    assert api.run(told, out=run.directory, rows=40).summary.accepted == 40


def test_a_run_that_another_process_writes_is_left_alone(tmp_path: Path) -> None:
    """The lock is taken before anything is read; its holder is named, and nothing of a new directory goes."""
    (tmp_path / "run").mkdir()
    with Lock.acquire(tmp_path / "run"), pytest.raises(StorageError, match=f"process {os.getpid()} "):
        api.run(SEEDS, rows=20, out=tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.lock"]
    assert api.run(SEEDS, rows=20, out=tmp_path / "run").summary.accepted == 20


# --- nothing half-written -----------------------------------------------------------------------------------------


def test_a_journal_that_cannot_be_begun_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the directory, nor those made on the way to it, nor the lock's file; what was there before stays."""

    def refuse(*_: object) -> Journal:
        raise StorageError("no room")

    (tmp_path / "there").mkdir()
    monkeypatch.setattr(Journal, "create", refuse)
    for name in ("a/b/run", "there", "there/run"):
        with pytest.raises(StorageError, match="no room"):
            api.run(SEEDS, rows=20, out=tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_a_recipe_that_cannot_be_written_is_found_before_anything_is_made(tmp_path: Path) -> None:
    """TOML cannot represent a lone surrogate in the name of a field."""
    rows = [{"q\ud800": f"task {n} of stage {7 * n} has ended", "a": "x"} for n in (31, 52, 93)]
    with pytest.raises(RecipeError, match="lone surrogate"):
        api.run(rows, rows=6, out=tmp_path / "a" / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/run", "n" * 300, "ok/" + "n" * 300])
def test_a_place_that_no_directory_can_be_in_is_told(name: str, tmp_path: Path) -> None:
    """A file in its place or on its way, a name that is too long: an input error, and nothing is made."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError) as told:
        api.run(SEEDS, rows=20, out=tmp_path / name)
    assert "`out`" in told.value.hint
    assert [path.name for path in tmp_path.rglob("*")] == ["file"]


# --- how a run ends -----------------------------------------------------------------------------------------------


def refusing_at(number: int) -> Any:
    """A ``Journal.judge`` for which the disk is full from the call of that number on."""
    judge, calls = Journal.judge, iter(range(1, 10**6))

    def refuse(self: Journal, *judged: Any) -> None:
        if next(calls) < number:
            judge(self, *judged)
            return
        self.add_passages(passages())

    def passages() -> Iterator[Row]:
        """Passages that fail within the transaction of the journal."""
        raise sqlite3.OperationalError("database or disk is full")
        yield {}

    return refuse


def test_a_disk_that_fills_up_is_told_and_the_summary_is_of_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was done and grows on: not "done" any more, though the journal takes no note of it."""
    run = api.run(SEEDS, rows=40, out=tmp_path / "run")
    with monkeypatch.context() as patched, pytest.raises(StorageError, match="disk is full"):
        patched.setattr(Journal, "judge", refusing_at(3))
        api.run(SEEDS, rows=4000, out=run.directory)
    summary = summary_of(run.directory)
    assert (summary["stopped"], summary["requested_rows"], summary["conserved"]) == ("storage", 4000, True)
    assert summary["seconds"] > run.summary.seconds
    rows = (run.directory / "rows.jsonl").read_bytes().splitlines()
    assert len(rows) == summary["accepted"] >= 40
    done = api.run(SEEDS, rows=4000, out=run.directory)
    assert (done.summary.stopped, done.summary.accepted) == ("done", 4000)
    assert (run.directory / "rows.jsonl").read_bytes().splitlines()[: len(rows)] == rows


def refuse_to_write(*_: object) -> None:
    """A ``write_whole`` for which the disk refuses."""
    raise StorageError("the derived file is refused")


def test_the_first_error_is_told_where_the_derived_files_are_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a journal and a file that the disk refuses, what ended the run; the files alone are an error as well."""
    monkeypatch.setattr(directory, "write_whole", refuse_to_write)
    with monkeypatch.context() as patched, pytest.raises(StorageError, match="disk is full"):
        patched.setattr(Journal, "judge", refusing_at(2))
        api.run(SEEDS, rows=40, out=tmp_path / "run")
    with pytest.raises(StorageError, match="derived file is refused"):
        api.run(SEEDS, rows=40, out=tmp_path / "run")
    monkeypatch.undo()
    assert api.run(SEEDS, rows=40, out=tmp_path / "run").summary.accepted == 40


async def test_a_cancelled_run_stays_cancelled_where_the_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canceller sees its cancellation, not an error of the clean-up."""

    def stop(snapshot: Snapshot) -> None:
        if snapshot.accepted > 50:
            task.cancel()

    monkeypatch.setattr(directory, "write_whole", refuse_to_write)
    task = asyncio.create_task(api.run_async(SEEDS, rows=4000, out=tmp_path / "run", watch=stop))
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    assert not (tmp_path / "run" / "summary.json").exists()
    again = await api.run_async(SEEDS, rows=4000, out=tmp_path / "run")
    assert again.summary.accepted == len({json.dumps(row) for row in again.rows()}) == 4000


def test_a_directory_without_a_run_is_told() -> None:
    """Reading what is not there names the directory."""
    for read in (directory.open_history, api.open_run):
        with pytest.raises(InputError, match="nowhere: not a run directory"):
            read("nowhere")
