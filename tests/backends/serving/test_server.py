"""A model server that a run starts: waited for, started again, and gone with the run, however that ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfinstruct import api
from selfinstruct.backends.serving import ModelServer, parse_command
from selfinstruct.errors import EndpointError, InputError
from selfinstruct.platform_support import process_exists

#: A server that needs a moment to load, and a helper of it that does not mind SIGTERM; it writes down both processes.
_SERVER = """
import os, signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
port, file, began = int(sys.argv[1]), sys.argv[2], time.monotonic()
helper = os.fork()
if not helper:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        loading = self.path == "/health" and time.monotonic() < began + 0.1
        self.send_response(503 if loading else 200)
        self.end_headers()
    def log_message(self, *words): pass
with open(file, "a") as out:
    print(os.getpid(), helper, file=out, flush=True)
HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


def command(file: Path) -> list[str]:
    """The command of that server."""
    return [sys.executable, "-S", "-E", "-c", _SERVER, "{port}", str(file)]


def processes(file: Path) -> list[int]:
    """The processes of all servers so far."""
    return [int(word) for word in file.read_text().split()]


def gone(pids: list[int], seconds: float = 15) -> bool:
    """Whether the processes end within that time."""
    until = time.monotonic() + seconds
    while any(map(process_exists, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(process_exists, pids))


@contextmanager
def started(command: list[str]) -> Iterator[ModelServer]:
    """A server."""
    server = ModelServer(command)
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("  ", "the command is empty"),
        ("serve --port 8000", "does not say which port"),
        ("serve '{port}", "quotation mark"),
    ],
)
def test_a_command_that_cannot_serve_is_refused(given: str, said: str) -> None:
    """Before anything is started."""
    with pytest.raises(InputError, match=said):
        parse_command(given)
    with pytest.raises(InputError, match=said):
        api.plan("logqa", serve=given)


def test_arguments_that_name_another_server_are_refused() -> None:
    """An address, or another writer of the rows."""
    for others in ({"base_url": "http://127.0.0.1:1/v1"}, {"backend": "imitator"}):
        with pytest.raises(InputError, match="would not call the server"):
            api.plan("logqa", serve="serve {port}", **others)  # type: ignore[arg-type]
    prepared = api.plan("logqa", serve="serve {port}", model="m", concurrency=3)
    assert [(each.name, each.base_url, each.concurrency) for each in prepared.recipe.all_models] == [("m", None, 3)]


@pytest.mark.slow
def test_a_server_is_ready_when_it_has_loaded_and_ends_with_all_its_processes(tmp_path: Path) -> None:
    """Also with a helper that ignores SIGTERM; its log goes, too."""
    with started(command(tmp_path / "pids")) as server:
        asyncio.run(server.ready(30))
        running = processes(tmp_path / "pids")
        assert len(running) == 2 and all(map(process_exists, running))
    assert gone(running) and not server.log.parent.exists()


def test_a_server_that_does_not_start_says_why() -> None:
    """With its last words, or those of the system."""
    with started([sys.executable, "-S", "-E", "-c", "raise SystemExit('no such model')"]) as server:
        with pytest.raises(EndpointError, match=r"exit code 1 before it answered\nno such model") as raised:
            asyncio.run(server.ready(30))
        assert str(server.log) in raised.value.hint and server.log.read_text() == "no such model\n"
    server.log.unlink()
    server.log.parent.rmdir()
    with started(["no-such-server", "{port}"]) as server, pytest.raises(EndpointError, match="cannot be started"):
        asyncio.run(server.ready(30))


@pytest.mark.slow
def test_a_server_that_ends_is_started_again_but_not_for_ever(tmp_path: Path) -> None:
    """Three times; what it has left behind is ended before."""
    with started(command(tmp_path / "pids")) as server:
        asyncio.run(server.ready(30))
        assert not asyncio.run(server.comes_back())
        for times in range(1, 4):
            os.kill(processes(tmp_path / "pids")[-2], signal.SIGKILL)
            while len(processes(tmp_path / "pids")) == 2 * times:
                time.sleep(0.05)
            assert asyncio.run(server.comes_back())
        running = processes(tmp_path / "pids")
        assert gone(running[:-2])
        os.kill(running[-2], signal.SIGKILL)
        assert gone(running)
        with pytest.raises(EndpointError, match="ended by signal 9, the last of 4 times"):
            while not asyncio.run(server.comes_back()):
                pass


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["owner", "keeper"])
def test_no_server_is_left_by_a_process_that_is_killed(whose: str, tmp_path: Path) -> None:
    """Whether it is the run or the process between."""
    script = (
        "import asyncio, sys, time; from selfinstruct.backends.serving import ModelServer\n"
        "server = ModelServer(sys.argv[1:]); asyncio.run(server.ready(30)); print('ready', flush=True)\n"
        "while True:\n    time.sleep(0.1); server.has_ended and sys.exit()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, *command(tmp_path / "pids")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as owner:
        assert owner.stdout is not None and owner.stdout.readline() == "ready\n"
        running = processes(tmp_path / "pids")
        found = subprocess.run(["ps", "-o", "ppid=", "-p", str(running[0])], capture_output=True, text=True, check=True)
        os.kill(owner.pid if whose == "owner" else int(found.stdout), signal.SIGKILL)
    assert gone(running)


@pytest.mark.slow
async def test_a_run_goes_on_when_its_server_has_ended(tmp_path: Path) -> None:
    """The same run, with the rows that it had; and nothing of its servers stays."""
    serve = [sys.executable, "-m", "selfinstruct.testing", "--port", "{port}", "--latency", "0.1"]
    marker = ["--log", str(tmp_path / "log")]
    killed: list[int] = []

    def kill(snapshot: api.Snapshot) -> None:
        if snapshot.accepted > 20 and not killed:
            killed.extend(_with_argument(marker[1]))
            for pid in killed:
                if os.getpgid(pid) == pid and _parent(pid) != 1:
                    os.kill(pid, signal.SIGKILL)

    run = await api.run_async("logqa", rows=80, out=tmp_path / "run", serve=[*serve, *marker], watch=kill)
    assert killed and (run.summary.accepted, run.summary.stopped) == (80, "done")
    assert api.verify(run.directory, max_pairs=10_000).holds
    assert not _with_argument(marker[1])


def _with_argument(argument: str) -> list[int]:
    """The processes with this argument."""
    return [int(pid) for pid in subprocess.run(["pgrep", "-f", argument], capture_output=True).stdout.split()]


def _parent(pid: int) -> int:
    found = subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(found.stdout)


@pytest.mark.slow
async def test_a_run_ends_when_its_server_has_ended_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its calls would wait for the server much longer; the rows so far are kept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # the log stays, as the error names it
    dying = (
        "import os, runpy, sys, threading; threading.Timer(2.5, os._exit, [3]).start(); "
        "runpy.run_module('selfinstruct.testing', run_name='__main__')"
    )
    serve = [sys.executable, "-c", dying, "--port", "{port}", "--latency", "0.1"]
    with pytest.raises(EndpointError, match="exit code 3, the last of 4 times"):
        run = api.run_async("logqa", out=tmp_path / "run", rows=4000, serve=serve, concurrency=2)
        await asyncio.wait_for(run, 60)
    assert api.open_run(tmp_path / "run").summary.accepted > 0
