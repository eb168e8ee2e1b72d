"""A model server as its owner sees it: started, waited for, and closed; its process is the keeper's."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from selfinstruct.backends.serving import keeper
from selfinstruct.backends.serving.command import with_port
from selfinstruct.errors import EndpointError
from selfinstruct.messages import Phrase
from selfinstruct.platform_support import is_readable

#: The longest time, in seconds, that a model may take to load: hundreds of gigabytes from a network file system.
LOADING = 1800.0
#: How often a server that has answered is started again after it has ended.
RESTARTS = 3
_LOOK, _ANSWER = 0.2, 2.0  # seconds
_LINES, _LINE = 5, 200  # of the log, in an error
_TAIL = 8192  # bytes


class ModelServer:
    """A server that this process has started, at ``base_url``; its output is in the file ``log`` while it runs."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start ``command`` with a free port; ``ready`` waits for it."""
        self._program = command[0]
        self._folder = Path(tempfile.mkdtemp(prefix="selfinstruct-server-"))
        self.log = self._folder / f"{Path(command[0]).stem or 'server'}.log"
        port = _free_port()
        self._origin = f"http://127.0.0.1:{port}"
        self.base_url = f"{self._origin}/v1"
        self._pid = self._ends = self._known_ends = 0
        self._last = ("", "")
        self._rest = b""
        self._is_ready = False
        words = [str(self.log), str(RESTARTS), *with_port(command, port)]
        self._process = subprocess.Popen(
            [sys.executable, "-I", keeper.__file__, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C goes to the run, which then ends the server
        )

    async def ready(self, patience: float = LOADING) -> None:
        """Wait until the model is loaded, after a start or a restart.

        Raises EndpointError if the server ends for good, or takes longer than ``patience`` seconds.
        """
        until = time.monotonic() + patience
        while not await asyncio.to_thread(self._answers):
            if self.has_ended:
                raise self._ended()
            if time.monotonic() > until:
                raise EndpointError(
                    "{program}: no answer from {url} in {minutes:g} minutes{said}",
                    hint="Check that the command makes it listen on {{port}} of 127.0.0.1.",
                    program=self._program,
                    url=f"{self.base_url}/models",
                    minutes=patience / 60,
                    said=self._last_lines(),
                )
            await asyncio.sleep(_LOOK)
        if self.has_ended:  # then another server has answered at its port
            raise self._ended()
        if not self._is_ready and self._process.stdin is not None:
            self._is_ready = True
            with contextlib.suppress(OSError):
                self._process.stdin.write(b"+")
                self._process.stdin.flush()

    async def comes_back(self) -> bool:
        """Whether the server has ended since the last call, and is ready again; waits for that. Raises as ``ready``."""
        if not self.has_ended and self._ends == self._known_ends:
            return False
        self._known_ends = self._ends
        await self.ready()
        return True

    async def gone(self) -> EndpointError:
        """Wait until the server has ended for good, and say why; that may be never."""
        while not self.has_ended:  # noqa: ASYNC110 - the keeper speaks through a pipe
            await asyncio.sleep(_LOOK)
        return self._ended()

    def close(self) -> None:
        """End the server with all processes that it has started, and wait for that."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        until = time.monotonic() + keeper.GRACE + 5
        while not self._read_events(1.0) and time.monotonic() < until:
            pass
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()

    def _answers(self) -> bool:
        """Whether the server lists its models and does not say that it is still loading one."""
        # llama.cpp lists the model while it loads it; not every server has a /health.
        return _status(f"{self.base_url}/models") == 200 and _status(f"{self._origin}/health") != 503

    @property
    def has_ended(self) -> bool:
        """Whether the server is gone for good."""
        if not self._read_events(0.0):
            return False
        if self._pid:  # the keeper was killed; what it kept must not stay
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
        return True

    def _read_events(self, seconds: float) -> bool:
        """Read what the keeper has said; whether it has ended."""
        output = self._process.stdout
        while output is not None and not output.closed and is_readable(output, seconds):
            data = os.read(output.fileno(), 4096)
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                kind, _, what = line.decode(errors="replace").partition(" ")
                self._last = (kind, what)
                self._pid = int(what) if kind == "started" else 0
                self._ends += kind == "exited"
            if not data:
                return True
            seconds = 0.0
        return output is None or output.closed

    def _ended(self) -> EndpointError:
        """Why the server is gone, with the end of its output."""
        kind, what = self._last
        if kind == "failed":
            return EndpointError(
                "{program}: cannot be started: {problem}",
                hint="Install it, or name the program in `serve` by its whole path.",
                program=self._program,
                problem=what,
            )
        how = Phrase("it ended with exit code {code}", code=what)
        if kind != "exited" or what.startswith("-"):
            how = Phrase("it was ended by signal {number}", number=what.removeprefix("-") if kind == "exited" else 9)
        values = {"program": self._program, "how": how, "said": self._last_lines()}
        message = Phrase("{program}: {how} before it answered{said}", **values)
        if self._is_ready:
            message = Phrase("{program}: {how}, the last of {times} times{said}", times=self._ends, **values)
        return EndpointError(message, hint=Phrase("Its output is in {log}.", log=self.log))

    def _last_lines(self) -> str:
        """The end of the server's output, each line after a line break."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        return "".join(f"\n{line[:_LINE]}" for line in [line for line in lines if line.strip()][-_LINES:])


def _free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _status(url: str) -> int:
    """The status of a GET request, 0 without an answer; never by a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_ANSWER) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError, http.client.HTTPException):
        return 0
