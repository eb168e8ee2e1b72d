"""The process that keeps a model server: starts it, starts it again if it ends, and ends it when its owner is gone.

    python -I keeper.py LOG RESTARTS PROGRAM ARGUMENT ...

The owner holds the other end of standard input. When that is closed, by the owner or by the owner's death, SIGKILL
included, the server and all processes that it has started are ended: SIGTERM, then SIGKILL. So no server outlives its
run, on Linux and macOS alike. The keeper leaves its parent at once, because some parents (Ray's workers) kill their
children when they end, and the server would be an orphan.

A byte on standard input says that the server has answered; only from then on is it started again. Each event is a line
on standard output: ``started PID``, ``exited CODE`` (negative: a signal), ``failed REASON``; then it may be started
again, or the output ends. The server's output goes to the file LOG, of which the last part is kept.

It has no secrets of its own and imports nothing of this package, so that it takes little memory.
"""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

#: Seconds from SIGTERM to SIGKILL: servers have nothing to save, and some wait for replies that nobody reads.
GRACE = 2.0
#: Bytes of the log, of which as many again may be kept in a second file.
_LOG_BYTES = 4 << 20
#: Seconds between an end of the server and its next start.
_PAUSE = 1.0
#: Seconds between two looks at a server that has closed its output.
_LOOK = 0.2


class Keeper:
    """One server: its process, its log, and the owner's end of the pipe."""

    def __init__(self, log: Path, restarts: int, command: Sequence[str]) -> None:
        self.log = log
        self.restarts = restarts
        self.command = command
        self.size = 0
        self.answered = False
        self.owned = True

    def run(self) -> None:
        """Run the server until the owner is gone or it may not be started again."""
        while self.owned:
            try:
                server = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                say(f"failed {getattr(error, 'strerror', None) or error}")
                return
            say(f"started {server.pid}")
            code = self.watch(server)
            say(f"exited {code}")
            if not self.answered or not self.restarts:
                return
            self.restarts -= 1
            self.wait(_PAUSE)

    def watch(self, server: subprocess.Popen[bytes]) -> int:
        """Copy the output of the server until it or the owner ends; its exit code, when all its processes are gone."""
        assert server.stdout is not None  # it is a pipe
        with server.stdout as output, selectors.DefaultSelector() as waiting:
            waiting.register(sys.stdin, selectors.EVENT_READ)
            waiting.register(output, selectors.EVENT_READ)
            killed_at = math.inf
            while server.poll() is None and time.monotonic() < killed_at:
                for key, _ in waiting.select(_LOOK):
                    if key.fileobj is not output:
                        self.listen()
                    elif not self.copy(output):
                        waiting.unregister(output)
                if not self.owned and killed_at == math.inf:
                    waiting.unregister(sys.stdin)
                    end(server, signal.SIGTERM)
                    killed_at = time.monotonic() + GRACE
            end(server, signal.SIGKILL)  # also those that it has left behind
            code = server.wait()
            os.set_blocking(output.fileno(), False)
            while self.copy(output):
                pass
        return code

    def wait(self, seconds: float) -> None:
        """Wait, unless the owner ends."""
        until = time.monotonic() + seconds
        with selectors.DefaultSelector() as waiting:
            waiting.register(sys.stdin, selectors.EVENT_READ)
            while self.owned and (left := until - time.monotonic()) > 0:
                if waiting.select(left):
                    self.listen()

    def listen(self) -> None:
        """Read what the owner says: a byte, or by closing the pipe that it is gone."""
        said = os.read(sys.stdin.fileno(), 16)
        self.owned, self.answered = bool(said), self.answered or bool(said)

    def copy(self, output: IO[bytes]) -> bool:
        """Copy what the server has written to the log; False if there is no more."""
        try:
            data = os.read(output.fileno(), 1 << 16)
        except BlockingIOError:
            return False
        if self.size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".1.log"))
            self.size = 0
        # A full disk must not end the server.
        with contextlib.suppress(OSError), self.log.open("ab") as file:
            file.write(data)
        self.size += len(data)
        return bool(data)


def end(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the server and the processes of its group."""
    # macOS reports a PermissionError for processes that have ended and that nobody has waited for.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, number)


def say(line: str) -> None:
    """Tell the owner, if there is one."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())  # not print, which would fail once more at exit


def main() -> None:
    """Leave the parent, then keep the server."""
    if os.fork():
        os._exit(0)
    log, restarts, *command = sys.argv[1:]
    keeper = Keeper(Path(log), int(restarts), command)
    keeper.run()
    if not keeper.owned or not keeper.size:  # nobody is going to read it
        for file in Path(log).parent.iterdir():
            file.unlink()
        Path(log).parent.rmdir()


if __name__ == "__main__":
    main()
