"""A damaged journal rebuilt: what its numbers refer to, and which of two versions of a page counts."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct.journal import (
    JOURNAL_NAME,
    DamagedJournal,
    History,
    Journal,
    RunMetadata,
    SeedRow,
    count_calls,
    keys_of_calls,
    sent_jobs,
)
from selfinstruct.records import Batch, Candidate, Failure, Judgement, Rejection, Reply

METADATA = RunMetadata("", "", 0, "")
SEEDS = [SeedRow({"Q": "seed 1"}, "c", 1), SeedRow({"Q": "seed 2"}, "d", 2)]


def accepted(position: int, text: str) -> Judgement:
    """An accepted row."""
    return Judgement(Candidate(position, text, {"Q": text}), "c")


def refused(position: int, nearest: int) -> Judgement:
    """A near-duplicate of the row with that pool id."""
    return Judgement(Candidate(position, "x", None), "c", Rejection("near-duplicate", "close", nearest, 0.9))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Two batches of rows, the second shown rows of the first, and a third without a reply; each test closes it."""
    (tmp_path / "old").mkdir()
    made = Journal.create(tmp_path / "old", METADATA, SEEDS)
    made.add_batch(Batch(1, "c", 2, 0, demos=(1, 2)))
    made.judge(made.add_reply(1, "rows", Reply("one", "m")), [accepted(0, "a"), accepted(1, "b")])
    made.add_batch(Batch(2, "d", 2, 2, demos=(2, 3, 4)))
    second = made.add_reply(2, "rows", Reply("two", "m"))
    made.judge(second, [accepted(0, "e"), refused(1, nearest=2), refused(2, nearest=5), refused(3, nearest=3)])
    made.add_batch(Batch(3, "d", 1, 4, demos=(5,)))
    return made


def change(directory: Path, statement: str) -> None:
    """Change a journal at rest behind its back."""
    with contextlib.closing(sqlite3.connect(directory / JOURNAL_NAME)) as connection:
        connection.execute(statement)
        connection.commit()


def rebuilt(folder: Path) -> History:
    """The journal that is rebuilt from the old one."""
    (folder / "new").mkdir()
    DamagedJournal(folder / "old").rebuild(folder / "new", METADATA, SEEDS, lambda row: "c")
    return History.open(folder / "new")


def test_demonstrations_and_nearest_rows_keep_their_rows(tmp_path: Path, journal: Journal) -> None:
    """Pool ids of an intact journal stay as they are, in finished and in open batches."""
    journal.close()
    with rebuilt(tmp_path) as history:
        assert [reply.batch.demos for reply in history.replies()] == [(1, 2), (2, 3, 4)]
        assert [rejection.nearest for rejection in history.rejections()] == [2, 5, 3]
        assert [open_batch.batch.demos for open_batch in history.open_batches()] == [(5,)]


def test_pool_ids_follow_rows_that_are_renumbered(tmp_path: Path, journal: Journal) -> None:
    """Where rows are dropped the later ones move up, and references to dropped rows are removed."""
    journal.close()
    change(tmp_path / "old", "DELETE FROM rows WHERE number = 1")
    with rebuilt(tmp_path) as history:
        assert [row.row for row in history.rows()] == [{"Q": "e"}]
        assert [reply.batch.demos for reply in history.replies()] == [(1, 2), (2,)]
        assert [rejection.nearest for rejection in history.rejections()] == [2, 3, None]
        assert [(batch.batch.number, len(batch.replies)) for batch in history.open_batches()] == [(1, 1), (3, 0)]
        assert history.open_batches()[1].batch.demos == (3,)


def test_rows_that_are_no_longer_json_are_dropped(tmp_path: Path, journal: Journal) -> None:
    """Such a row makes the judgement of its reply incomplete, so that it is judged again."""
    journal.close()
    change(tmp_path / "old", "UPDATE rows SET row = '{\"Q' WHERE number = 3")
    with rebuilt(tmp_path) as history:
        assert [row.row for row in history.rows()] == [{"Q": "a"}, {"Q": "b"}]
        assert [batch.batch.number for batch in history.open_batches()] == [2, 3]


def test_an_unfinished_step_stays_unfinished(tmp_path: Path, journal: Journal) -> None:
    """The reply to a step whose batch goes on is neither judged nor lost; a failed call stays failed."""
    journal.add_reply(3, "first", Reply("three", "m"))
    journal.add_batch(Batch(4, "c", 1, 5, demos=()))
    journal.add_failure(4, "rows", Failure("refusal", "no"))
    journal.close()
    with rebuilt(tmp_path) as history:
        (unfinished,) = history.open_batches()
        assert [reply.reply.text for reply in unfinished.replies] == ["three"]
        assert [(failure.batch, failure.reason) for failure in history.failures()] == [(4, "refusal")]
        assert history.state().unjudged == 1


def test_a_call_without_a_record_gets_a_batch_of_its_own(tmp_path: Path, journal: Journal) -> None:
    """Its rows stay, under a number that no other batch has."""
    journal.close()
    change(tmp_path / "old", "DELETE FROM calls WHERE id = 2")
    with rebuilt(tmp_path) as history:
        assert [reply.batch.number for reply in history.replies()] == [1, 4]
        assert len(list(history.rows())) == 3


def test_an_outdated_page_does_not_replace_a_newer_value(tmp_path: Path, journal: Journal) -> None:
    """If a page that no table uses also contains the value, the value in the table is used."""
    journal.write_metadata(replace(METADATA, stopped="budget"))
    journal.close()
    path = tmp_path / "old" / JOURNAL_NAME
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'notes'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    outdated = path.read_bytes()[(root - 1) * size : root * size]
    with Journal.open(tmp_path / "old") as again:
        again.write_metadata(replace(METADATA, stopped="done"))
    path.write_bytes(path.read_bytes() + outdated)
    assert DamagedJournal(tmp_path / "old").metadata.stopped == "done"


def test_batch_jobs_are_kept(tmp_path: Path, journal: Journal) -> None:
    """Also those of a journal that an older version began, whose pages lie elsewhere: their replies are paid for."""
    first = journal.add_job("m (batch)", "file-1", ["3/imitate/1", "3/imitate/2"])
    journal.name_job(first, "batch-1")
    journal.add_job("m (batch)", "file-2", [f"{number}/imitate/1" for number in range(2000)])
    expected = sent_jobs(journal.history)
    journal.close()
    with rebuilt(tmp_path) as history:
        assert sent_jobs(history) == expected
        assert [(job.file, job.job, len(job.requests)) for job in expected] == [
            ("file-1", "batch-1", 2),
            ("file-2", "", 2000),
        ]
        assert keys_of_calls(history) == [(1, "rows"), (2, "rows")]
        assert [count_calls(history, 1, step) for step in ("rows", "other")] == [1, 0]
