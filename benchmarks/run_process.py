"""Processes that run `selfinstruct run` until they end or are killed, and a reader that checks their journal.

A process is forked from one that has imported everything, so that a thousand of them take minutes. The reader reads the
journal during a run and after its end: data that it has seen once must remain.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from benchmarks.stepped import served
from selfinstruct import api
from selfinstruct.backends.openai import backend as openai  # noqa: F401 - imported once, before the processes are forked
from selfinstruct.backends.openai.batches import client  # noqa: F401 - the same
from selfinstruct.cli import main as command
from selfinstruct.journal import JOURNAL_NAME, History
from selfinstruct.preparation.prepare import prepare
from selfinstruct.testing import Disk, DiskFault, server_process

SEEDS = Path(__file__).parent.parent / "seeds" / "logqa.jsonl"
_LATENCY = 0.01
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


class Violation(Exception):
    """A guarantee that does not hold."""


def require(holds: bool, what: str) -> None:
    """Raise Violation unless ``holds``."""
    if not holds:
        raise Violation(what)


def run_command(arguments: Sequence[str], log: str, fault: DiskFault | None, sites: str, limit: int) -> None:
    """Run the command line with a faulty disk in this process; output to ``log``, its disk calls to ``sites``."""
    words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(words, 1)
    os.dup2(words, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    if fault is None and not sites:
        code = command(arguments)
    else:
        with Disk(fault) as disk:
            code = command(arguments)
        if sites:
            Path(sites).write_text(json.dumps(disk.calls))
    sys.stderr.flush()
    os._exit(code)


@dataclass(slots=True)
class Run:
    """A run of ``source``: its command, and everything that was ever read from its journal.

    ``target`` is what its processes run, with the arguments of ``run_command``.
    """

    out: Path
    rows: int
    options: Sequence[str] = ()
    source: Path = SEEDS
    target: Callable[..., None] = run_command
    seen_rows: list[str] = field(default_factory=list)
    seen_replies: dict[int, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """The file with the output of the last process."""
        return self.out.with_name(f"{self.out.name}.log")

    def start(
        self, fault: DiskFault | None = None, sites: Path | None = None, limit: int = 0, log: Path | None = None
    ) -> ForkServerProcess:
        """Start a process that creates or resumes the run.

        ``fault`` is that of its disk, ``sites`` the file for its disk calls, ``limit`` the largest size of its files.
        """
        arguments = [
            "run",
            str(self.source),
            "--rows",
            str(self.rows),
            "--out",
            str(self.out),
            "--quiet",
            *self.options,
        ]
        process = _PROCESSES.Process(
            target=self.target, args=([*arguments, *self.options], str(log or self.log), fault, str(sites or ""), limit)
        )
        process.start()
        return process

    def finish(self) -> None:
        """Resume it to its end, and compare the result with everything seen before."""
        process = self.start()
        process.join(120)
        require(process.exitcode == 0, f"resumed, the run ended with {process.exitcode}: {self.output()}")
        self.check()
        with History.open(self.out) as history:
            state = history.state()
        quotas = prepare(self.source, rows=self.rows).quotas
        accepted = {name: tally.accepted for name, tally in state.categories.items() if tally.accepted}
        require(accepted == {name: quota for name, quota in quotas.items() if quota}, f"quotas: {accepted}")
        lines = (self.out / "rows.jsonl").read_text(encoding="utf-8").splitlines()
        require(lines == self.seen_rows, "rows.jsonl differs from the journal")
        require(len(set(lines)) == len(lines) == self.rows, "a row occurs twice")
        summary = api.open_run(self.out).summary
        require(summary.stopped == "done" and summary.conserved, "the summary of a finished run")
        left = sorted(path.name for path in self.out.iterdir())
        require(not [name for name in left if name.endswith((".part", ".new", "-wal"))], f"left behind: {left}")

    def check(self) -> None:
        """Read the journal: everything seen before must be there, and the counts must add up."""
        if not (self.out / JOURNAL_NAME).exists():
            require(not self.seen_rows and not self.seen_replies, "the journal is missing")
            return
        with History.open(self.out) as history:
            rows = list(history.rows())
            replies = {recorded.call: recorded.reply.text for recorded in history.replies()}
            state = history.state()
        # The run may continue between the queries; only what the first of them returned is compared.
        require([row.number for row in rows] == list(range(1, len(rows) + 1)), "row numbers have gaps")
        lines = [row.line for row in rows]
        require(lines[: len(self.seen_rows)] == self.seen_rows, "an acknowledged row is lost or changed")
        require(self.seen_replies.items() <= replies.items(), "an acknowledged reply is lost or changed")
        require(len({(row.call, row.position) for row in rows}) == len(rows), "a candidate was accepted twice")
        require(len(set(lines)) == len(lines), "a row occurs twice")
        require(state.conserved, "the conservation law")
        self.seen_rows, self.seen_replies = lines, replies

    def output(self) -> str:
        """The output of the last process."""
        return self.log.read_text(encoding="utf-8", errors="replace").strip()

    def calls(self) -> int:
        """The number of requests in the journal."""
        if not (self.out / JOURNAL_NAME).exists():
            return 0
        with History.open(self.out) as history:
            return history.state().requests


class Endpoint:
    """The server, which counts its requests."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._counted = 0

    def requests(self) -> tuple[int, int]:
        """The requests since the last call, once none is in flight; and the peak of concurrent requests."""
        while True:
            with urllib.request.urlopen(self.base_url.removesuffix("/v1") + "/ledger") as reply:
                ledger = json.load(reply)
            if not ledger["in_flight"]:
                break
            time.sleep(0.005)
        total = int(ledger.get("requests", 0))
        since, self._counted = total - self._counted, total
        return since, int(ledger["peak"])


@contextlib.contextmanager
def endpoint(*, stepped: bool = False) -> Iterator[Endpoint]:
    """A server in its own process, for imitation or for the recipe of several steps."""
    if stepped:
        with served(_LATENCY) as base_url:
            yield Endpoint(base_url)
        return
    with server_process("--latency", str(_LATENCY), "--near-duplicate", "0.1", "--ungrounded", "0.05") as base_url:
        yield Endpoint(base_url)
