"""Child processes for whatever takes long or reads what strangers sent: they have no secrets, and limits.

Does not handle: what they do (``child``); which runs are started when (``jobs``).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from selfinstruct.messages import Phrase
from selfinstruct.service.logs import say
from selfinstruct.service.problems import Fault, Problem

#: What a child needs of the environment; everything else, and so every secret, is left out.
_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_MAX_LINE = 64 << 20
#: Seconds that a task may take which a request waits for.
_PATIENCE = 120.0
_STATUSES: Mapping[str, tuple[HTTPStatus, str]] = {
    "EndpointError": (HTTPStatus.BAD_GATEWAY, "endpoint"),
    "StorageError": (HTTPStatus.CONFLICT, "storage"),
}


class Child:
    """A child process that does one task."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, folder: Path, key: tuple[str, str] | None = None) -> Self:
        """Start a child that waits for its task; ``key`` is the one secret that it gets, as name and value."""
        environment = _environment()
        if key is not None:
            environment[key[0]] = key[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "selfinstruct.service.child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # it may print rows
            env=environment,
            cwd=folder,
            start_new_session=True,  # Ctrl-C goes to the service, which then ends its children in order
            limit=_MAX_LINE,
        )
        return cls(process)

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.returncode is not None

    async def give(
        self,
        task: str,
        spec: Mapping[str, Any],
        *,
        language: str,
        names: Mapping[str, str],
        memory_bytes: int,
        folder: Path,
    ) -> None:
        """Have the child do a task in ``folder``."""
        order = {
            **{"task": task, "language": language, "memory_bytes": memory_bytes},
            **{"names": dict(names), "folder": str(folder), "spec": spec},
        }
        if self._process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(json.dumps(order).encode() + b"\n")
                await self._process.stdin.drain()

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """The messages of the child until it ends."""
        output = self._process.stdout
        while output is not None:
            line = await output.readline()
            if not line.endswith(b"\n"):
                return
            yield json.loads(line)

    def interrupt(self) -> None:
        """Have the child end in order, as Ctrl-C does."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """Kill the child unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                os.killpg(self._process.pid, signal.SIGKILL)  # with the processes that it started

    async def end(self) -> int:
        """Kill the child unless it has ended, and wait for that; returns its exit status."""
        self.kill()
        return await self._process.wait()

    async def wait(self) -> int:
        """Wait until the child has ended; returns its exit status."""
        return await self._process.wait()


class Processes:
    """Runs tasks that requests wait for, at most ``at_once`` of them at a time.

    With ``keep_spare``, a child that has imported what most tasks need waits for the next one, which saves it a second.
    """

    def __init__(self, memory_bytes: int, folder: Path, log: logging.Logger, at_once: int = 2) -> None:
        self._memory_bytes = memory_bytes
        self._folder = folder
        self._log = log
        self._free = asyncio.Semaphore(at_once)
        self._spare: asyncio.Task[Child] | None = None
        self._keeps_spare = False

    def keep_spare(self) -> None:
        """From now on, keep a spare child."""
        self._keeps_spare = True
        if self._spare is None:
            self._spare = asyncio.create_task(Child.start(self._folder))

    async def close(self) -> None:
        """End the spare child."""
        spare, self._spare = self._spare, None
        if spare is not None:
            with contextlib.suppress(OSError):
                await (await spare).end()

    async def _take(self) -> Child:
        """The spare child, or a new one; the next spare is started."""
        spare, self._spare = self._spare, None
        child = await (spare if spare is not None else Child.start(self._folder))
        if child.ended:
            child = await Child.start(self._folder)
        if self._keeps_spare:
            self.keep_spare()
        return child

    async def call(
        self,
        task: str,
        spec: Mapping[str, Any],
        language: str = "en",
        names: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        seconds: float = _PATIENCE,
    ) -> dict[str, Any]:
        """Do a task in ``folder`` and return its result. Raises Problem if it fails, or takes too long."""
        async with self._free:
            child = await self._take()
            try:
                async with asyncio.timeout(seconds):
                    await child.give(
                        task,
                        spec,
                        language=language,
                        names=names or {},
                        memory_bytes=self._memory_bytes,
                        folder=folder or self._folder,
                    )
                    async for message in child.messages():
                        if "result" in message:
                            result: dict[str, Any] = message["result"]
                            return result
                        if "error" in message:
                            raise problem_of_child(message["error"], language)
                        if "internal" in message:
                            say(self._log, "internal error", logging.ERROR, task=task, **message["internal"])
                            raise _failed()
            except TimeoutError:
                raise Problem(
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                    Phrase("took more than {seconds:.0f} seconds", seconds=seconds),
                    Phrase("Use fewer or smaller rows."),
                    slug="too-slow",
                ) from None
            finally:
                status = await child.end()
            say(self._log, "task ended", logging.ERROR, task=task, status=status)
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                Phrase("needs more memory than the service allows"),
                Phrase("Use fewer or smaller rows."),
                slug="too-large",
            )


def _environment() -> dict[str, str]:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return environment


def problem_of_child(error: Mapping[str, Any], language: str) -> Problem:
    """The problem of an error that a child reported."""
    status, slug = _STATUSES.get(error["kind"], (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-input"))
    return Problem(
        status,
        error["message"][language],
        error["hint"][language],
        slug=slug,
        where=error["where"],
        errors=[
            Fault(line=each["line"], message=each["message"][language], hint=each["hint"][language])
            for each in error["faults"]
        ],
    )


def _failed() -> Problem:
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        Phrase("internal error"),
        Phrase("This is a bug. Please report it with the lines of the service's log."),
    )
