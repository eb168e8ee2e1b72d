"""A process for work on untrusted input: without secrets, and answering only in lines of JSON.

The module that it runs limits itself (``platform_support.limit_process``); here are its environment, its time, and the
length of its lines. What it answers is not trusted either.

Does not handle: sending it more than a file as standard input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from selfinstruct.platform_support import is_readable

# The only environment variables that a worker gets: the search paths of shared libraries.
_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
# Ten times the length of the longest page that the PDF worker sends, with each character as \uXXXX and boxes.
_MAX_LINE = 16 << 20


@contextmanager
def worker_process(module: str, arguments: Sequence[str], stdin: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python -m module arguments < stdin``, from the start of the file, and end it with the block."""
    stdin.seek(0)
    environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
    # The worker must find the same packages as this process.
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    process = subprocess.Popen(
        [sys.executable, "-P", "-B", "-m", module, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # Ctrl-C goes to the run, which then ends this process
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Messages:
    """Iterates over the messages of a worker; ``problem`` is set if it ends early.

    A message may take ``seconds``, and all of them until ``deadline``; ``name`` is the worker's in the problem. Raises
    ValueError or RecursionError for a line that is not JSON.
    """

    def __init__(self, process: subprocess.Popen[bytes], name: str, seconds: float, deadline: float) -> None:
        self.process = process
        self.name = name
        self.seconds = seconds
        self.deadline = deadline
        self.problem = ""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        rest = b""
        until = self._next_deadline()
        while True:
            line, found, rest = rest.partition(b"\n")
            if found:
                yield json.loads(line)
                until = self._next_deadline()
                continue
            more = self._receive(until)
            if not more:
                return
            rest = line + more
            if len(rest) > _MAX_LINE:
                self.problem = f"the output of {self.name} is too long"
                return

    def _next_deadline(self) -> float:
        return min(time.monotonic() + self.seconds, self.deadline)

    def _receive(self, until: float) -> bytes:
        output = self.process.stdout
        if output is None or not is_readable(output, until - time.monotonic()):
            self.problem = f"{self.name} took more than {self.seconds:g} s"
            return b""
        data = os.read(output.fileno(), 1 << 16)
        if not data:
            status = self.process.wait()
            self.problem = f"{self.name} crashed ({f'signal {-status}' if status < 0 else f'exit {status}'})"
        return data
