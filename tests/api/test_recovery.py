"""Recovering a run from a damaged journal: what is saved, what is judged again, and what is refused."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.errors import InputError, StorageError
from selfinstruct.journal import JOURNAL_NAME, DamagedJournal, History, RunMetadata, SeedRow
from selfinstruct.journal.database import SCHEMA
from selfinstruct.journal.lock import Lock

SEEDS = Path("seeds/logqa.jsonl")
PAGE = 4096
CITIES = """
name = "cities"
[documents]
files = ["cities.jsonl"]
by = "row"
[[expand]]
name = "questions"
templates = ["Where is {passage.city}?", "In which country does {passage.city} lie?"]
writes = "question"
[fields.question]
[fields.answer]
source = "passage.country"
answer = true
[novelty]
max_rouge_l = 0.95
"""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a finished run of 40 rows."""
    where = tmp_path_factory.mktemp("grown") / "run"
    api.run(SEEDS, rows=40, out=where)
    return where


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a finished run about 12 passages."""
    folder = tmp_path_factory.mktemp("cities")
    rows = [json.dumps({"city": f"City{number}", "country": f"Land{number}"}) for number in range(12)]
    (folder / "cities.jsonl").write_text("\n".join(rows))
    (folder / "recipe.toml").write_text(CITIES)
    api.run(folder / "recipe.toml", out=folder / "run")
    return folder / "run"


def lines(where: Path) -> list[str]:
    """The lines of rows.jsonl."""
    return (where / "rows.jsonl").read_text(encoding="utf-8").splitlines()


def everything(where: Path) -> list[object]:
    """The whole content of a journal, but for the version that wrote it."""
    with History.open(where) as history:
        metadata = replace(history.metadata(), version="", recipe="")
        listings = (history.outcomes(), history.rows(), history.rejections(), history.failures(), history.replies())
        return [metadata, history.seeds(), list(history.passages()), history.state(), *map(list, listings)]


def damaged(run: Path, to: Path, page: int | None = None, size: int | None = None) -> Path:
    """A copy of a run with one page of its journal zeroed, or cut to a size."""
    shutil.copytree(run, to)
    data = bytearray((to / JOURNAL_NAME).read_bytes())
    if page is not None:
        data[(page - 1) * PAGE : page * PAGE] = bytes(PAGE)
    (to / JOURNAL_NAME).write_bytes(data[:size])
    return to


def pages(run: Path) -> range:
    """The numbers of the pages of a journal."""
    return range(1, 1 + (run / JOURNAL_NAME).stat().st_size // PAGE)


def test_an_intact_journal_is_recovered_completely(grown: Path, tmp_path: Path) -> None:
    """Every table has the same content, and the new run needs no further call."""
    done = api.recover(grown, tmp_path / "new")
    assert (done.rows, done.lost) == (40, ())
    assert everything(tmp_path / "new") == everything(grown)
    assert (tmp_path / "new" / "rows.jsonl").read_bytes() == (grown / "rows.jsonl").read_bytes()
    assert api.rejudge(tmp_path / "new").identical
    requests = api.open_run(grown).summary.requests
    assert api.run(tmp_path / "new" / "recipe.toml", out=tmp_path / "new").summary.requests == requests


def test_passages_and_the_values_of_batches_are_recovered(cities: Path, tmp_path: Path) -> None:
    """A run about documents can be judged again without them."""
    api.recover(cities, tmp_path / "new")
    assert everything(tmp_path / "new") == everything(cities)
    assert api.rejudge(tmp_path / "new").identical


@pytest.mark.parametrize("run", ["grown", "cities"])
def test_a_run_goes_on_whichever_page_is_lost(run: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """No row is invented, the counts add up, and the resumed run reaches its quota where its recipe survived."""
    source: Path = request.getfixturevalue(run)
    known, saved = set(lines(source)), []
    for page in pages(source):
        old, new = damaged(source, tmp_path / f"old{page}", page), tmp_path / f"new{page}"
        try:
            done = api.recover(old, new)
        except StorageError as error:
            assert "rows" in error.hint
            assert set(lines(new)) <= known
            continue
        saved.append(done.rows)
        assert set(lines(new)) <= known
        with History.open(new) as history:
            assert history.state().conserved
            assert len(lines(new)) == done.rows == history.state().accepted
        if run == "grown":
            again = api.run(new / "recipe.toml", out=new)
            assert (again.summary.accepted, again.summary.stopped) == (40, "done")
    assert min(saved) < max(saved) == len(known)


def test_missing_passages_are_read_again(cities: Path, tmp_path: Path) -> None:
    """Where the table of passages has a gap none is kept, since batches refer to them by number."""
    shutil.copytree(cities, tmp_path / "old")
    connection = sqlite3.connect(tmp_path / "old" / JOURNAL_NAME)
    connection.execute("DELETE FROM passages WHERE number = 5")
    connection.commit()
    connection.close()
    (lost,) = api.recover(tmp_path / "old", tmp_path / "new").lost
    assert "passages" in lost
    with History.open(tmp_path / "new") as history:
        assert list(history.passages()) == []


def test_incomplete_judgements_are_made_again(grown: Path, tmp_path: Path) -> None:
    """A paid reply with a row missing is judged again on resume: same rows, and not one call more."""
    shutil.copytree(grown, tmp_path / "old")
    connection = sqlite3.connect(tmp_path / "old" / JOURNAL_NAME)
    connection.execute("DELETE FROM rows WHERE number = 40")
    connection.commit()
    connection.close()
    done = api.recover(tmp_path / "old", tmp_path / "new")
    assert done.rows < 39
    assert "1 replies have incomplete judgements" in done.lost[0]
    again = api.run(tmp_path / "new" / "recipe.toml", out=tmp_path / "new")
    assert sorted(lines(again.directory)) == sorted(lines(grown))
    assert again.summary.requests == api.open_run(grown).summary.requests


def test_rows_whose_reply_is_lost_are_kept(grown: Path, tmp_path: Path) -> None:
    """A row that was accepted stays, even where its reply, its call or its category cannot be read."""
    for number, deleted in enumerate(("replies", "calls", "categories", "judged", "batches")):
        old = tmp_path / f"old{number}"
        shutil.copytree(grown, old)
        connection = sqlite3.connect(old / JOURNAL_NAME)
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(f"DELETE FROM {deleted}")
        connection.commit()
        connection.close()
        done = api.recover(old, tmp_path / f"new{number}")
        again = api.run(tmp_path / f"new{number}" / "recipe.toml", out=tmp_path / f"new{number}")
        assert set(lines(again.directory)) == set(lines(grown)), deleted
        assert done.rows in (0, 40)
        if deleted in ("replies", "calls"):
            assert any(
                f"calls have lost their {deleted.replace('ies', 'y').replace('calls', 'record')}" in line
                for line in done.lost
            )


def test_only_rows_are_saved_without_recipe_and_seeds(grown: Path, tmp_path: Path) -> None:
    """The error names the file with the rows, and no run is left behind."""
    old = damaged(grown, tmp_path / "old")
    connection = sqlite3.connect(old / JOURNAL_NAME)
    connection.execute("DELETE FROM notes")
    connection.commit()
    connection.close()
    (old / "recipe.toml").unlink()
    with pytest.raises(StorageError) as error:
        api.recover(old, tmp_path / "new")
    assert f"40 readable rows are in {tmp_path / 'new' / 'rows.jsonl'}" in error.value.hint
    assert lines(tmp_path / "new") == lines(grown)
    assert not (tmp_path / "new" / JOURNAL_NAME).exists()


def test_seeds_other_than_those_of_the_run_are_refused(grown: Path, tmp_path: Path) -> None:
    """Where the journal lost its seeds, the seed file is used only if it has the same rows."""
    old = damaged(grown, tmp_path / "old")
    connection = sqlite3.connect(old / JOURNAL_NAME)
    connection.execute("DELETE FROM seeds")
    connection.commit()
    connection.close()
    assert api.recover(old, tmp_path / "new").rows == 40
    (tmp_path / "other.jsonl").write_text("\n".join(SEEDS.read_text(encoding="utf-8").splitlines()[:5]))
    connection = sqlite3.connect(old / JOURNAL_NAME)
    (recipe,) = connection.execute("SELECT json_extract(value, '$') FROM notes WHERE key = 'recipe'").fetchone()
    changed = [f'file = "{tmp_path}/other.jsonl"' if "logqa.jsonl" in line else line for line in recipe.splitlines()]
    connection.execute("UPDATE notes SET value = ? WHERE key = 'recipe'", (json.dumps("\n".join(changed)),))
    connection.commit()
    connection.close()
    with pytest.raises(StorageError, match="cannot be recovered"):
        api.recover(old, tmp_path / "newer")


def test_a_journal_of_the_first_schema_is_recovered(tmp_path: Path) -> None:
    """Batches without values and calls without tries get the defaults of the second schema."""
    (tmp_path / "old").mkdir()
    connection = sqlite3.connect(tmp_path / "old" / JOURNAL_NAME)
    connection.executescript(SCHEMA[0])
    for table, values in {
        "categories": (1, b"c"),
        "seeds": (1, 1, 1, '{"Q": "seed"}'),
        "batches": (1, 1, 2, 0, "[1]"),
        "calls": (1, 1, "rows", b"m", b"stop", 5, 6, 0, 0.5),
        "replies": (1, b"text"),
        "judged": (1, 1),
        "rows": (1, 1, 0, 1, '{"Q": "new"}', "{}"),
    }.items():
        connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
    connection.commit()
    connection.close()
    (tmp_path / "new").mkdir()
    metadata = RunMetadata("", "", 7, "")
    seeds = [SeedRow({"Q": "seed"}, "c", 1)]
    DamagedJournal(tmp_path / "old").rebuild(tmp_path / "new", metadata, seeds, lambda row: "c")
    with History.open(tmp_path / "new") as history:
        (recorded,) = history.replies()
        assert (recorded.reply.tries, recorded.batch.conditions, recorded.batch.demos) == (1, {}, (1,))
        assert [row.row for row in history.rows()] == [{"Q": "new"}]
        assert history.metadata() == metadata
        assert history.state().conserved


def test_what_cannot_be_recovered_is_refused(grown: Path, tmp_path: Path) -> None:
    """A directory without a journal, one that is being written, and a target that already has a run."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="not a run directory"):
        api.recover(tmp_path / "empty", tmp_path / "new")
    with pytest.raises(InputError, match="already"):
        api.recover(grown, grown)
    old = damaged(grown, tmp_path / "old")
    with Lock.acquire(old), pytest.raises(StorageError, match="another process"):
        api.recover(old, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("cut", [PAGE, 12_000])
def test_a_truncated_journal_is_recovered_and_resumes(grown: Path, tmp_path: Path, cut: int) -> None:
    """The damaged file is not changed, and the new run grows to its quota with counts that add up."""
    old = damaged(grown, tmp_path / "old", size=-cut)
    before = (old / JOURNAL_NAME).read_bytes()
    assert api.recover(old, tmp_path / "new").rows <= 40
    assert (old / JOURNAL_NAME).read_bytes() == before
    summary = api.run(tmp_path / "new" / "recipe.toml", out=tmp_path / "new").summary
    assert (summary.accepted, summary.stopped, summary.conserved) == (40, "done", True)


def test_a_journal_that_was_cut_is_recovered_as_far_as_it_goes(grown: Path, tmp_path: Path) -> None:
    """Cut anywhere, even within its first page, it never ends in another error than that rows alone were saved."""
    size, known = (grown / JOURNAL_NAME).stat().st_size, set(lines(grown))
    for number, left in enumerate((0, 50, PAGE, size // 3, size // 2, size - 100)):
        old, new = damaged(grown, tmp_path / f"old{number}", size=left), tmp_path / f"new{number}"
        try:
            api.recover(old, new)
        except StorageError as error:
            assert "rows" in error.hint
        assert set(lines(new)) <= known
