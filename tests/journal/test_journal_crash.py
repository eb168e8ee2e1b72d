"""The journal under killed processes, torn logs and full disks: what was acknowledged is there, wholly."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfinstruct.errors import StorageError
from selfinstruct.journal import JOURNAL_NAME, History, Journal, RunMetadata, SeedRow
from selfinstruct.journal.database import connect_writer
from selfinstruct.records import Batch, Candidate, Judgement, Rejection, Reply

ROOT = Path(__file__).parents[2]
# How many processes are killed; the long form is SELFINSTRUCT_KILLS=1000.
KILLS = int(os.environ.get("SELFINSTRUCT_KILLS", "15"))
SEED = int(os.environ.get("SELFINSTRUCT_CRASH_SEED", "20261121"))


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


def copy_of_live(directory: Path, to: Path) -> Path:
    """The files as a power failure at this moment would leave them; their directory."""
    to.mkdir()
    for ending in ("", "-wal"):
        shutil.copy(directory / f"{JOURNAL_NAME}{ending}", to)
    return to


# --- killed processes ------------------------------------------------------------------------------------

# Begins or resumes a journal, and says each thing that is committed, after it is.
WORKER = """
import random, sys
from pathlib import Path
from selfinstruct.journal import JOURNAL_NAME, Journal, RunMetadata, SeedRow
from selfinstruct.records import Batch, Candidate, Failure, Judgement, Rejection, Reply

directory, rng = Path(sys.argv[1]), random.Random(int(sys.argv[2]))

def say(*words):
    print(*words, flush=True)

def judge(call):
    size = rng.randrange(30)
    journal.judge(call, [
        Judgement(Candidate(at, "piece", {"call": call, "at": at}), "c",
                  Rejection("echo", "why") if rng.random() < 0.4 else None)
        for at in range(size)])
    return f"judged {call} {size}"

say("ready")
if (directory / JOURNAL_NAME).exists():
    journal = Journal.open(directory)
else:
    journal = Journal.create(directory, RunMetadata("recipe", "", 0, ""), [SeedRow({"Q": "seed"}, "c", 1)])
say("begun")
said = []
for batch, replies in journal.history.open_batches():
    if not replies:
        call = journal.add_reply(batch.number, "rows", Reply("again", "m"))
        journal.commit()
        say(f"reply {call}")
    else:
        call = replies[-1].call
    said.append(judge(call))
number = journal.history.state().last_batch
while True:
    calls = []
    for _ in range(rng.randrange(1, 4)):
        number += 1
        journal.add_batch(Batch(number, "c", 20, 0, (1,)))
        if rng.random() < 0.1:
            said.append(f"failed {journal.add_failure(number, 'rows', Failure('timeout', 'slow'))}")
            continue
        calls.append(journal.add_reply(number, "rows", Reply("r" * rng.randrange(9000), "m")))
        if rng.random() < 0.2:
            calls[-1] = journal.add_reply(number, "answers", Reply("r" * 100, "m"))
    journal.commit()
    for line in [*said, *(f"reply {call}" for call in calls)]:
        say(line)
    said = [judge(call) for call in calls]
"""


def killed_worker(directory: Path, rng: random.Random) -> list[str]:
    """What a worker said before it was killed, at a moment from before its journal is made until well after."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(directory), str(rng.randrange(10**6))],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    time.sleep(rng.choice((0.01, 0.03, 0.3)) * rng.random())
    worker.send_signal(signal.SIGKILL)
    said, _ = worker.communicate()
    assert worker.returncode == -signal.SIGKILL, "the worker must not end by itself"
    return said.splitlines()


def test_killed_at_any_moment_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """After each SIGKILL all that was said is there, each reply judged wholly or not at all, and the run goes on."""
    rng = random.Random(SEED)
    acknowledged: Counter[str] = Counter()
    directory, replies, sizes = tmp_path, set[int](), dict[int, int]()
    for kill in range(KILLS):
        if kill % 5 == 0:  # and some journals are killed in the making
            directory, replies, sizes = tmp_path / str(kill), set(), {}
            directory.mkdir()
        said = killed_worker(directory, rng)
        if not (directory / JOURNAL_NAME).exists():
            assert said == []
            continue
        for line in said:
            kind, *values = line.split()
            acknowledged[kind] += 1
            if kind == "judged":
                sizes[int(values[0])] = int(values[1])
            elif kind == "reply":
                replies.add(int(values[0]))
            elif kind == "failed":
                sizes[int(values[0])] = 0
        survived(directory, replies, sizes)
    print(f"{KILLS} kills, seed {SEED}, acknowledged: {dict(acknowledged)}")
    assert acknowledged["judged"] > KILLS


def survived(directory: Path, replies: set[int], sizes: dict[int, int]) -> None:
    """Fails where a journal lacks an acknowledged reply or judgement, or holds half of one."""
    with Journal.open(directory) as journal:
        history = journal.history
        state = history.state()
        assert state.conserved
        assert replies <= {recorded.call for recorded in history.replies()}
        assert [row.number for row in history.rows()] == list(range(1, state.accepted + 1))
        places = [(row.call, row.position) for row in history.rows()]
        places += [(rejection.call, rejection.position) for rejection in history.rejections()]
        assert len(places) == len(set(places))
        found = Counter(call for call, _ in places)
        judged = dict(read(directory, "SELECT call, candidates FROM judged WHERE candidates IS NOT NULL"))
        assert sizes.items() <= judged.items()
        assert dict(found) == {call: size for call, size in judged.items() if size}


def read(directory: Path, sql: str) -> list[tuple[int, int]]:
    """What plain SQLite finds in a journal."""
    connection = sqlite3.connect(directory / JOURNAL_NAME)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """The writer's connection uses a write-ahead log and syncs at each commit: a power failure loses no commit."""
    make(tmp_path).close()
    with contextlib.closing(connect_writer(tmp_path / JOURNAL_NAME)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_what_was_added_after_the_last_commit_is_not_there_after_a_crash(tmp_path: Path, journal: Journal) -> None:
    """A group is on the disk whole or not at all."""
    add(journal, 1)
    journal.commit()
    add(journal, 2)
    with Journal.open(copy_of_live(tmp_path, tmp_path / "crashed")) as crashed:
        assert crashed.history.state().last_batch == 1
        assert crashed.history.state().accepted == 2


def test_torn_log_loses_only_what_was_not_acknowledged(tmp_path: Path, journal: Journal) -> None:
    """Cut, zeroed or overwritten with garbage from any byte of its tail on, the log gives every commit before it."""
    wal = tmp_path / f"{JOURNAL_NAME}-wal"
    ends = [wal.stat().st_size]
    for number in range(1, 9):
        add(journal, number)
        journal.commit()
        ends.append(wal.stat().st_size)
    good = wal.read_bytes()
    assert len(good) == ends[-1]
    garbage = random.Random(SEED).randbytes(4096)
    crashed = copy_of_live(tmp_path, tmp_path / "crashed")
    for cut in range(len(good) - 4096, len(good), 83):
        lost = len(good) - cut
        for tail in (b"", bytes(lost), garbage[:lost]):
            shutil.copy(tmp_path / JOURNAL_NAME, crashed)
            (crashed / f"{JOURNAL_NAME}-wal").write_bytes(good[:cut] + tail)
            (crashed / f"{JOURNAL_NAME}-shm").unlink(missing_ok=True)
            with History.open(crashed) as history:
                state = history.state()
            acknowledged = sum(1 for end in ends[1:] if end <= cut)
            assert state.conserved
            assert state.last_batch >= acknowledged, f"cut at {cut}"
            assert state.accepted == 2 * state.last_batch


# --- the disk says no ------------------------------------------------------------------------------------


def test_full_disk_stops_the_writing_and_keeps_what_was_committed(tmp_path: Path) -> None:
    """The group is undone, every later call says the same cause, and there is no half judgement to resume with."""
    make(tmp_path).close()
    connection = connect_writer(tmp_path / JOURNAL_NAME)
    journal = Journal(connection, tmp_path / JOURNAL_NAME)
    add(journal, 1)
    journal.commit()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(StorageError, match="full") as stopped:
        add(journal, 2, rows=50, size=1000)
    assert JOURNAL_NAME in stopped.value.message
    assert "free some space" in stopped.value.hint
    assert isinstance(stopped.value.__cause__, sqlite3.OperationalError)
    with pytest.raises(StorageError, match="full"):
        add(journal, 3)
    with pytest.raises(StorageError, match="full"):
        journal.write_exhausted(["c"])
    journal.commit()
    journal.close()
    with Journal.open(tmp_path) as journal:
        assert journal.history.state().last_batch == 1
        assert journal.history.state().conserved
        add(journal, 2)


# Writes until a limit on the size of files stops it, and says the error.
STOPPED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_journal_crash import add, make
from selfinstruct.errors import StorageError
journal = make(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    for number in range(1, 10_000):
        add(journal, number, size=3000)
        journal.commit()
        print(number, flush=True)
except StorageError as error:
    print(str(error).replace("\\n", " "), flush=True)
journal.close()
"""


@pytest.mark.parametrize("limit", [300_000, 1_000_001])
def test_real_write_error_is_said_and_resumed_from(tmp_path: Path, limit: int) -> None:
    """Where the system refuses a write, the cause is said with the path, and all that was committed is there."""
    done = subprocess.run(
        [sys.executable, "-c", STOPPED, str(tmp_path), str(Path(__file__).parent), str(limit)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    *said, error = done.stdout.splitlines()
    assert error.startswith(f"{tmp_path / JOURNAL_NAME}: ")
    assert "disk" in error
    with Journal.open(tmp_path) as journal:
        state = journal.history.state()
        assert state.conserved
        assert len(said) <= state.last_batch <= len(said) + 1
        add(journal, state.last_batch + 1)


def test_interrupted_judgement_is_undone(tmp_path: Path) -> None:
    """Ctrl-C in the middle of an addition leaves none of it, and closing does not commit the half."""
    journal = make(tmp_path)
    add(journal, 1)
    journal.commit()

    class Interrupting(str):
        def encode(self, *how: str) -> bytes:
            raise KeyboardInterrupt

    journal.add_batch(Batch(2, "c", 1, 0, ()))
    call = journal.add_reply(2, "rows", Reply("r", "m"))
    journal.commit()
    good = Judgement(Candidate(0, "", {"Q": "half"}), "c")
    bad = Judgement(Candidate(1, Interrupting(), None), "", Rejection("echo", "why"))
    with pytest.raises(KeyboardInterrupt):
        journal.judge(call, [good, bad])
    assert journal.history.state().accepted == 2
    journal.close()
    with Journal.open(tmp_path) as journal:
        assert journal.history.state().accepted == 2
        (waiting,) = journal.history.open_batches()
        assert [reply.call for reply in waiting.replies] == [call]


def test_beginning_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Seeds that cannot be written leave no journal and no other file; a leftover of a killed one is cleared."""
    with pytest.raises(TypeError):
        Journal.create(tmp_path, RunMetadata("", "", 0, ""), [SeedRow({"Q": object()}, "c", 1)])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / f"{JOURNAL_NAME}.new").write_bytes(b"half a journal")
    (tmp_path / f"{JOURNAL_NAME}.new-journal").write_bytes(b"its log")
    make(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL_NAME]


def test_directory_that_does_not_exist_is_said(tmp_path: Path) -> None:
    """Neither beginning nor opening makes a directory."""
    gone = tmp_path / "gone"
    for attempt in (make, Journal.open, History.open):
        with pytest.raises(StorageError, match=f"gone/{JOURNAL_NAME}: "):
            attempt(gone)
    assert not gone.exists()
