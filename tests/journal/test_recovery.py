"""A journal that is damaged, of another version, or read while it is written."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfinstruct.errors import StorageError
from selfinstruct.journal import JOURNAL_NAME, History, Journal, RunMetadata, SeedRow, write_rows
from selfinstruct.journal.database import SCHEMA, connect_reader, connect_writer
from selfinstruct.records import Batch, Candidate, Judgement, Rejection, Reply


def make(directory: Path) -> Journal:
    """A new journal."""
    return Journal.create(directory, RunMetadata("", "", 0, ""), [SeedRow({"Q": "seed"}, "c", 1)])


def add(journal: Journal, number: int, rows: int = 2, size: int = 10) -> None:
    """Return a complete batch: rows of about ``size`` bytes each, and one rejection."""
    journal.add_batch(Batch(number, "c", rows, 0, (1,)))
    call = journal.add_reply(number, "rows", Reply("r" * size, "m"))
    good = [Judgement(Candidate(at, "", {"Q": f"{number}.{at}" + "q" * size}), "c") for at in range(rows)]
    bad = Judgement(Candidate(rows, "t" * size, None), "", Rejection("echo", "says why"))
    journal.judge(call, [*good, bad])


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A new journal in ``tmp_path``."""
    with make(tmp_path) as made:
        yield made


def change(directory: Path, statement: str) -> None:
    """Change a journal at rest behind its back."""
    with contextlib.closing(sqlite3.connect(directory / JOURNAL_NAME)) as connection:
        connection.execute(statement)
        connection.commit()


def copy_of_live(directory: Path, to: Path) -> Path:
    """The files as a power failure at this moment would leave them; their directory."""
    to.mkdir()
    for ending in ("", "-wal"):
        shutil.copy(directory / f"{JOURNAL_NAME}{ending}", to)
    return to


# --- damage is said, and nothing is begun anew -----------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a good journal of about 300 kB."""
    directory = tmp_path_factory.mktemp("whole")
    with make(directory) as journal:
        for number in range(1, 51):
            add(journal, number, rows=8, size=500)
    return (directory / JOURNAL_NAME).read_bytes()


def damaged(whole: bytes, how: str) -> bytes:
    """A good journal, damaged."""
    page = 4096
    return {
        "empty": b"",
        "one byte": whole[:1],
        "cut in the header": whole[:60],
        "cut at a page": whole[: len(whole) // 2 // page * page],
        "cut in a page": whole[: len(whole) // 2 + 17],
        "last byte lost": whole[:-1],
        "header zeroed": bytes(100) + whole[100:],
        "first page zeroed": bytes(page) + whole[page:],
        "pages zeroed": whole[: 20 * page] + bytes(5 * page) + whole[25 * page :],
        "pages of garbage": whole[: 20 * page] + random.Random(7).randbytes(5 * page) + whole[25 * page :],
        "a page repeated": whole[: 22 * page] + whole[32 * page : 33 * page] + whole[23 * page :],
        "text": b"not a database, but quite long text\n" * 500,
    }[how]


@pytest.mark.parametrize(
    "how",
    [
        *("empty", "one byte", "cut in the header", "cut at a page", "cut in a page", "last byte lost"),
        *("header zeroed", "first page zeroed", "pages zeroed", "pages of garbage", "a page repeated", "text"),
    ],
)
def test_damaged_journal_is_refused_and_left_as_it_is(tmp_path: Path, whole: bytes, how: str) -> None:
    """Opening says that the journal is damaged and what to do; neither it nor a new beginning touches the file."""
    path = tmp_path / JOURNAL_NAME
    path.write_bytes(damaged(whole, how))
    with pytest.raises(StorageError) as refused:
        Journal.open(tmp_path)
    assert str(path) in refused.value.message
    assert "damaged" in refused.value.hint
    with pytest.raises(StorageError, match="already exists"):
        make(tmp_path)
    assert path.read_bytes() == damaged(whole, how)


def test_reading_a_damaged_journal_is_an_error_for_a_person(tmp_path: Path, whole: bytes) -> None:
    """A reader does not check every page at the start, but says the damage when it comes upon it."""
    (tmp_path / JOURNAL_NAME).write_bytes(damaged(whole, "pages zeroed"))
    with History.open(tmp_path) as history, pytest.raises(StorageError, match="malformed"):
        for listing in (history.rows, history.replies, history.rejections, history.outcomes):
            list(listing())


def test_row_that_is_no_longer_json_is_said(tmp_path: Path) -> None:
    """Damage inside a value, which SQLite cannot see, names the row."""
    with make(tmp_path) as journal:
        add(journal, 1)
    change(tmp_path, "UPDATE rows SET row = '{\"Q' WHERE number = 2")
    with History.open(tmp_path) as history:
        _, row = history.rows()
    with pytest.raises(StorageError, match="grown row 2 in the journal is damaged"):
        _ = row.row


def test_log_without_its_journal_is_not_built_upon(tmp_path: Path, journal: Journal) -> None:
    """SQLite would replay the old log into a new journal; so a new one is refused until it is gone."""
    add(journal, 1)
    journal.commit()
    crashed = copy_of_live(tmp_path, tmp_path / "crashed")
    (crashed / JOURNAL_NAME).unlink()
    with pytest.raises(StorageError, match=r"run\.sqlite is missing"):
        make(crashed)


def test_other_databases_are_refused(tmp_path: Path) -> None:
    """An SQLite file that is not ours is neither read nor changed."""
    connection = sqlite3.connect(tmp_path / JOURNAL_NAME)
    connection.execute("CREATE TABLE rows (number)")
    connection.close()
    before = (tmp_path / JOURNAL_NAME).read_bytes()
    for attempt in (Journal.open, History.open):
        with pytest.raises(StorageError, match="not a journal of selfinstruct"):
            attempt(tmp_path)
    assert (tmp_path / JOURNAL_NAME).read_bytes() == before


# --- versions --------------------------------------------------------------------------------------------


def test_newer_schema_is_refused(tmp_path: Path) -> None:
    """A journal of a later version is not read: the message says to upgrade."""
    make(tmp_path).close()
    change(tmp_path, f"PRAGMA user_version = {len(SCHEMA) + 1}")
    for attempt in (Journal.open, History.open):
        with pytest.raises(StorageError, match="newer selfinstruct") as refused:
            attempt(tmp_path)
        assert "Upgrade" in refused.value.hint


def test_older_schema_is_brought_up_to_date_by_the_writer(tmp_path: Path) -> None:
    """The next version's script runs once, whole; until then a reader says what to do."""
    with make(tmp_path) as journal:
        add(journal, 1)
    path = tmp_path / JOURNAL_NAME
    later = (*SCHEMA, "CREATE TABLE later (a); INSERT INTO later SELECT number FROM rows;")
    with pytest.raises(StorageError, match="older selfinstruct"):
        connect_reader(path, schema=later)
    for _ in range(2):
        connection = connect_writer(path, schema=later)
        with Journal(connection, path) as journal:
            assert journal.history.state().accepted == 2
            assert connection.execute("SELECT a FROM later").fetchall() == [(1,), (2,)]


def test_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    """Half a migration is undone: this version still opens the journal, and a mended script can run."""
    with make(tmp_path) as journal:
        add(journal, 1)
    path = tmp_path / JOURNAL_NAME
    with pytest.raises(StorageError, match="nowhere"):
        connect_writer(path, schema=(*SCHEMA, "CREATE TABLE half (a); INSERT INTO nowhere VALUES (1);"))
    for schema in (SCHEMA, (*SCHEMA, "CREATE TABLE half (a);")):
        with Journal(connect_writer(path, schema=schema), path) as journal:
            assert journal.history.state().accepted == 2


# --- readers beside the writer ---------------------------------------------------------------------------


def test_reader_sees_what_is_committed_and_no_more(tmp_path: Path, journal: Journal) -> None:
    """A reader of a live run follows it commit by commit."""
    with History.open(tmp_path) as reader:
        add(journal, 1)
        assert reader.state().accepted == 0
        journal.commit()
        assert reader.state().accepted == 2
        assert write_rows(reader, tmp_path / "rows.jsonl") == 2


def test_reader_cannot_write(tmp_path: Path, journal: Journal) -> None:
    """A reader's connection refuses to change anything, so there is never a second writer."""
    reader = contextlib.closing(connect_reader(tmp_path / JOURNAL_NAME))
    with reader as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM seeds")


def test_reader_never_checkpoints(tmp_path: Path, journal: Journal) -> None:
    """Reading a crashed run, to the end and closing, leaves journal and log as they were, byte for byte."""
    add(journal, 1)
    journal.commit()
    crashed = copy_of_live(tmp_path, tmp_path / "crashed")
    files = [crashed / JOURNAL_NAME, crashed / f"{JOURNAL_NAME}-wal"]
    before = [file.read_bytes() for file in files]
    assert before[1]
    with History.open(crashed) as reader:
        assert len(list(reader.rows())) == 2
        assert reader.state().accepted == 2
    assert [file.read_bytes() for file in files] == before


def test_half_read_listing_does_not_hold_the_log(tmp_path: Path) -> None:
    """A reader that pauses within a long listing lets the writer's log be reset, and then goes on with the rest."""
    make(tmp_path).close()
    connection = connect_writer(tmp_path / JOURNAL_NAME)
    journal = Journal(connection, tmp_path / JOURNAL_NAME)
    add(journal, 1, rows=1200)
    journal.commit()
    with History.open(tmp_path) as reader:
        rows = reader.rows()
        first = next(rows)
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        add(journal, 2, rows=3)
        journal.commit()
        assert [first.number, *(row.number for row in rows)] == list(range(1, 1204))
    journal.close()


def test_journal_at_rest_is_one_file(tmp_path: Path) -> None:
    """After a clean end, also with a reader since, the one file can be copied as it is; a live reader stops nothing."""
    journal = make(tmp_path)
    reader = History.open(tmp_path)
    assert reader.state().accepted == 0
    add(journal, 1)
    journal.close()
    assert reader.state().accepted == 2
    reader.close()
    Journal.open(tmp_path).close()
    with History.open(tmp_path) as reader:
        assert reader.state().accepted == 2
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL_NAME]


def test_every_path_can_hold_a_journal(tmp_path: Path) -> None:
    """Characters that mean something in a URI do not in a directory's name."""
    for name in ("a b", "100%25", "what?mode=rw#x", "乾"):
        directory = tmp_path / name
        directory.mkdir()
        with make(directory) as journal:
            add(journal, 1)
        with History.open(directory) as history:
            assert history.state().accepted == 2
