"""The lock of a run directory: one process at a time, named to the others, gone with its holder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfinstruct.errors import StorageError
from selfinstruct.journal.lock import LOCK_NAME, Lock

PAIRS = 20

# Locks the directory, says so, and holds on until its standard input ends.
HOLDER = """
import sys
from pathlib import Path
from selfinstruct.errors import StorageError
from selfinstruct.journal.lock import Lock
sys.stdin.readline()
try:
    lock = Lock.acquire(Path(sys.argv[1]))
except StorageError as error:
    print("refused", str(error).replace("\\n", " "), flush=True)
else:
    print("locked", flush=True)
    sys.stdin.read()
"""


class Process:
    """A process that locks a directory when told to."""

    def __init__(self, directory: Path) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def start(self) -> None:
        """Let it try; the answer is read by ``says``."""
        assert self.child.stdin is not None
        self.child.stdin.write("\n")
        self.child.stdin.flush()

    def says(self) -> str:
        """Its answer, when it comes."""
        assert self.child.stdout is not None
        return self.child.stdout.readline().strip()

    def end(self, how: int = signal.SIGKILL) -> None:
        """Kill it and wait for its death."""
        self.child.send_signal(how)
        self.child.communicate()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Process]:
    """A process that holds the lock of ``tmp_path``."""
    process = Process(tmp_path)
    process.start()
    assert process.says() == "locked"
    yield process
    process.end()


def refused_within_a_second(directory: Path) -> StorageError:
    """The error of a lock that is held; the quickest of three tries counts, since a busy machine may suspend one."""
    tries = []
    for _ in range(3):
        before = time.monotonic()
        with pytest.raises(StorageError) as refused:
            Lock.acquire(directory)
        tries.append((time.monotonic() - before, refused.value))
    assert min(seconds for seconds, _ in tries) < 1
    return tries[-1][1]


def test_second_process_is_refused_within_a_second_naming_the_first(tmp_path: Path, holder: Process) -> None:
    """The message names the holder's pid and host, the directory, and what to do."""
    refused = refused_within_a_second(tmp_path)
    message = str(refused)
    assert f"process {holder.child.pid} on {socket.gethostname()}" in message
    assert str(tmp_path) in message
    assert "`out`" in message
    assert refused.exit_code == 3


def test_lock_of_a_killed_process_is_taken_over(tmp_path: Path, holder: Process) -> None:
    """SIGKILL leaves the file with the dead one's name in it; the next one gets the lock and signs it."""
    holder.end(signal.SIGKILL)
    assert json.loads((tmp_path / LOCK_NAME).read_text())["pid"] == holder.child.pid
    with Lock.acquire(tmp_path):
        assert json.loads((tmp_path / LOCK_NAME).read_text())["pid"] == os.getpid()


def test_released_lock_is_free_again_and_names_nobody(tmp_path: Path) -> None:
    """Release empties the file, and a second release does nothing."""
    first = Lock.acquire(tmp_path)
    first.release()
    first.release()
    assert (tmp_path / LOCK_NAME).read_bytes() == b""
    Lock.acquire(tmp_path).release()


def test_same_process_is_refused_too(tmp_path: Path) -> None:
    """Two runs of one service exclude each other like two processes."""
    with Lock.acquire(tmp_path), pytest.raises(StorageError, match=f"process {os.getpid()} "):
        Lock.acquire(tmp_path)


@pytest.mark.parametrize("pair", range(PAIRS))
def test_of_two_that_start_together_exactly_one_wins(tmp_path: Path, pair: int) -> None:
    """The error of the second process contains the pid of the first, even if that has just started."""
    processes = [Process(tmp_path), Process(tmp_path)]
    # A name from before: the loser must not be told that of a dead process.
    (tmp_path / LOCK_NAME).write_text(json.dumps({"pid": _dead_pid(), "host": socket.gethostname(), "since": "?"}))
    for process in processes:
        process.start()
    answers = [process.says() for process in processes]
    for process in processes:
        process.end()
    assert sorted(answer.split()[0] for answer in answers) == ["locked", "refused"]
    winner, loser = sorted(range(2), key=lambda which: answers[which])
    assert f"process {processes[winner].child.pid} on" in answers[loser]


@pytest.mark.parametrize("said", ["nothing", "not a holder", "a dead process"])
def test_holder_that_has_not_signed_is_given_no_other_name(tmp_path: Path, holder: Process, said: str) -> None:
    """Stale content of the file: a second process is refused within a second, without a wrong pid."""
    dead = {"pid": _dead_pid(), "host": socket.gethostname(), "since": "yesterday"}
    text = {"nothing": "", "not a holder": "{}", "a dead process": json.dumps(dead)}[said]
    (tmp_path / LOCK_NAME).write_text(text)
    refused = refused_within_a_second(tmp_path)
    assert str(dead["pid"]) not in refused.message.replace(str(tmp_path), "")


def test_holder_is_given_time_to_sign(tmp_path: Path, holder: Process) -> None:
    """Between its lock and its name a moment passes; the second one waits for it, and tells the name."""
    path = tmp_path / LOCK_NAME
    signed = path.read_text()
    path.write_text("")
    pen = threading.Timer(0.1, path.write_text, [signed])
    pen.start()
    with pytest.raises(StorageError, match=f"process {holder.child.pid} on"):
        Lock.acquire(tmp_path)
    pen.join()


def test_holder_on_another_host_is_believed(tmp_path: Path, holder: Process) -> None:
    """Another host's processes cannot be checked: the error contains the host's name."""
    (tmp_path / LOCK_NAME).write_text(json.dumps({"pid": _dead_pid(), "host": "elsewhere", "since": "noon"}))
    with pytest.raises(StorageError, match="on elsewhere, since noon"):
        Lock.acquire(tmp_path)


def test_missing_directory_is_said(tmp_path: Path) -> None:
    """A directory that does not exist is an error with the path and the cause, and is not made."""
    with pytest.raises(StorageError, match=r"gone.*No such file or directory"):
        Lock.acquire(tmp_path / "gone")
    assert not (tmp_path / "gone").exists()


def test_import_needs_no_file_locks(tmp_path: Path) -> None:
    """Where the system has none, the module imports, and locking says so."""
    script = (
        "import sys; sys.modules['fcntl'] = None\n"
        "from pathlib import Path\n"
        "from selfinstruct.errors import StorageError\n"
        "from selfinstruct.journal.lock import Lock\n"
        "try: Lock.acquire(Path(sys.argv[1]))\n"
        "except StorageError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert "no file locks" in done.stdout


def _dead_pid() -> int:
    """The pid of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid
