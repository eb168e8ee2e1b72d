"""The runner: sends programs to a worker process, and keeps their verdicts.

One worker serves all runs of this process; it starts with the first program and runs several at once. If it dies or
hangs, a new one runs the programs one by one, so that a single one cannot spoil the verdicts of the others.

Does not handle: what a program is made of (``checks.tests``), or what happens inside the worker.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import platform
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from selfinstruct.errors import InputError
from selfinstruct.execution.program import Program
from selfinstruct.execution.system_calls import filter_program, machines
from selfinstruct.messages import Phrase
from selfinstruct.platform_support import is_readable

_WORKER = Path(__file__).with_name("worker.py")
#: The options of the interpreter: no paths but the standard library's, no site packages, no bytecode written.
_OPTIONS = ("-P", "-s", "-S", "-B", "-X", "utf8")
#: The whole environment: sets have one order, and time one zone, in every run.
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "TZ": "UTC0"}
_LIBRARY_PATH = "LD_LIBRARY_PATH"
_START_SECONDS = 60.0
_KEPT = 10_000
_PATIENCE = 20  # times the limit by the clock, which computing extends


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one program: seconds of processor time, seconds of waiting without computing, bytes of memory.

    2 s is 100 times what the tests of an exercise need; how busy the machine is makes no difference.
    """

    cpu_seconds: int = 2
    wall_seconds: int = 5
    memory: int = 256 << 20


class Runner:
    """Runs programs; safe to use from several threads, one after the other."""

    def __init__(self, limits: Limits = Limits(), at_once: int | None = None) -> None:
        self._limits = limits
        self._at_once = at_once or min(os.cpu_count() or 1, 8)
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._stopped = False
        self._verdicts: OrderedDict[bytes, str] = OrderedDict()

    def require(self) -> None:
        """Start the worker. Raises InputError where programs cannot be run in safety: then none is run at all."""
        with self._lock:
            self._running()

    def verdicts(self, programs: Sequence[Program]) -> list[str]:
        """What is wrong with each program, "" for one that passes; programs run before are not run again."""
        digests = [program.digest() for program in programs]
        with self._lock:
            self._stopped = False
            new = {
                digest: program
                for digest, program in zip(digests, programs, strict=True)
                if digest not in self._verdicts
            }
            found = dict(zip(new, self._run(list(new.values())), strict=True))
            answer = [found[digest] if digest in found else self._verdicts[digest] for digest in digests]
            self._verdicts.update(found)
            while len(self._verdicts) > _KEPT:
                self._verdicts.popitem(last=False)
            return answer

    def stop(self) -> None:
        """End the worker at once; programs that it is running have no verdict. The next program starts another."""
        self._stopped = True
        worker = self._worker
        if worker is None or self._owner != os.getpid():
            return
        worker.kill()
        with self._lock:  # whoever waits for the worker reads that it has ended, and lets go
            self._kill()

    def _run(self, programs: Sequence[Program]) -> list[str]:
        """Run programs together, or one by one where that fails."""
        if not programs:
            return []
        answer = self._ask(programs)
        if answer is not None:
            return answer
        if self._stopped:
            raise InterruptedError("the worker was stopped")
        if len(programs) == 1:
            return ["ends the process that runs programs"]
        return [self._run([program])[0] for program in programs]

    def _ask(self, programs: Sequence[Program]) -> list[str] | None:
        """The verdicts of the worker; None if it has none, after which there is no worker any more."""
        worker = self._running()
        assert worker.stdin is not None and worker.stdout is not None
        if self._stopped:
            return None
        rounds = 2 * -(-len(programs) // self._at_once)
        try:
            worker.stdin.write(json.dumps(programs).encode() + b"\n")
            worker.stdin.flush()
            if is_readable(worker.stdout, rounds * _PATIENCE * self._limits.wall_seconds + 10):
                verdicts = json.loads(worker.stdout.readline() or b"null")
                if isinstance(verdicts, list) and len(verdicts) == len(programs):
                    return verdicts
        except (OSError, ValueError):
            pass  # it has died
        except BaseException:
            self._kill()  # its answer would be taken for that to the next question
            raise
        self._kill()
        return None

    def _running(self) -> subprocess.Popen[bytes]:
        """The worker of this process, started if there is none."""
        if self._worker is not None and self._owner == os.getpid() and self._worker.poll() is not None:
            self._kill()
        if self._worker is None or self._owner != os.getpid():
            self._worker, self._owner = self._started(), os.getpid()
        return self._worker

    def _started(self) -> subprocess.Popen[bytes]:
        """Start a worker, which shows that the filter works."""
        program = filter_program(platform.machine()) if sys.platform == "linux" else None
        if program is None or sys.byteorder != "little":
            raise InputError(
                "cannot run tests of code: {system} on {machine} has no filter of system calls",
                hint="Remove `passes` from the recipe, or run it where there is one: on Linux, on {machines}.",
                system=sys.platform,
                machine=platform.machine(),
                machines=", ".join(machines()),
            )
        limits = (self._limits.cpu_seconds, self._limits.wall_seconds, self._limits.memory, self._at_once)
        environment = dict(_ENVIRONMENT)
        if _LIBRARY_PATH in os.environ:
            environment[_LIBRARY_PATH] = os.environ[_LIBRARY_PATH]
        worker = subprocess.Popen(
            [sys.executable, *_OPTIONS, str(_WORKER), program.hex(), *map(str, limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
        assert worker.stdout is not None
        line = worker.stdout.readline() if is_readable(worker.stdout, _START_SECONDS) else b""
        problem = json.loads(line) if line else Phrase("the interpreter does not start")
        if problem:
            worker.kill()
            self._reap(worker)
            raise InputError(
                "cannot run tests of code: {problem}",
                hint="Remove `passes` from the recipe, or run it where the system allows a seccomp filter.",
                problem=problem,
            )
        atexit.register(self.stop)
        return worker

    def _kill(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
            self._reap(worker)

    @staticmethod
    def _reap(worker: subprocess.Popen[bytes]) -> None:
        """Wait for a worker that was killed, and close its pipes."""
        worker.wait()
        for stream in (worker.stdin, worker.stdout):
            if stream is not None and not stream.closed:
                with contextlib.suppress(OSError):  # what was not sent yet
                    stream.close()


@cache
def shared_runner() -> Runner:
    """The runner of this process."""
    return Runner()
