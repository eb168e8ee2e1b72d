"""Lives of runs: processes that grow a run directory until they end or are killed, and a reader that forgets nothing.

A life is forked from a process that has imported everything, so that a thousand of them take minutes. The reader looks
at the journal during a run and after its death: whatever it has seen once must be there ever after.
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from benchmarks.stepped import served
from selfinstruct import api
from selfinstruct.backends.openai import backend as openai  # noqa: F401 - imported once, before the processes are forked
from selfinstruct.cli import main as command
from selfinstruct.journal import JOURNAL_NAME, History
from selfinstruct.preparation.prepare import prepare
from selfinstruct.testing import Disk, Fault, server_process

SEEDS = Path(__file__).parent.parent / "seeds" / "logqa.jsonl"
_LATENCY = 0.01
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


class Broken(Exception):
    """Something that must hold does not."""


def require(holds: bool, what: str) -> None:
    """Raise Broken where it does not hold."""
    if not holds:
        raise Broken(what)


def life(arguments: Sequence[str], log: str, fault: Fault | None, sites: str, limit: int) -> None:
    """One process: the command line with this disk, its words in ``log``; where asked, the sites that it came by."""
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
    """A run of ``source`` in a directory of its own: its command, and all that was ever seen of its journal."""

    out: Path
    rows: int
    options: Sequence[str] = ()
    source: Path = SEEDS
    seen_rows: list[str] = field(default_factory=list)
    seen_replies: dict[int, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What the last process said."""
        return self.out.with_name(f"{self.out.name}.log")

    def start(
        self, fault: Fault | None = None, sites: Path | None = None, limit: int = 0, log: Path | None = None
    ) -> ForkServerProcess:
        """A process that begins the run or goes on with it.

        ``fault`` befalls its disk, ``sites`` is where its calls are listed, ``limit`` bounds the size of its files.
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
            target=life, args=([*arguments, *self.options], str(log or self.log), fault, str(sites or ""), limit)
        )
        process.start()
        return process

    def finish(self) -> None:
        """Let it run to its end, and hold that against all that was seen."""
        process = self.start()
        process.join(120)
        require(process.exitcode == 0, f"resumed, the run ended with {process.exitcode}: {self.said()}")
        self.look()
        with History.open(self.out) as history:
            state = history.state()
        quotas = prepare(self.source, rows=self.rows).quotas
        accepted = {name: tally.accepted for name, tally in state.categories.items() if tally.accepted}
        require(accepted == {name: quota for name, quota in quotas.items() if quota}, f"quotas: {accepted}")
        lines = (self.out / "rows.jsonl").read_text(encoding="utf-8").splitlines()
        require(lines == self.seen_rows, "rows.jsonl is not what the journal has")
        require(len(set(lines)) == len(lines) == self.rows, "a row stands twice")
        summary = api.open_run(self.out).summary
        require(summary.stopped == "done" and summary.conserved, "the summary of a finished run")
        left = sorted(path.name for path in self.out.iterdir())
        require(not [name for name in left if name.endswith((".part", ".new", "-wal"))], f"left behind: {left}")

    def look(self) -> None:
        """Read the journal as anyone may at any time: what was seen before is there, and it adds up."""
        if not (self.out / JOURNAL_NAME).exists():
            require(not self.seen_rows and not self.seen_replies, "the journal is gone")
            return
        with History.open(self.out) as history:
            rows = list(history.rows())
            replies = {recorded.call: recorded.reply.text for recorded in history.replies()}
            state = history.state()
        # A run may go on between the readings; only what was there at the first of them is compared.
        require([row.number for row in rows] == list(range(1, len(rows) + 1)), "row numbers have gaps")
        lines = [row.line for row in rows]
        require(lines[: len(self.seen_rows)] == self.seen_rows, "an acknowledged row is lost or another one")
        require(self.seen_replies.items() <= replies.items(), "an acknowledged reply is lost or another one")
        require(len({(row.call, row.position) for row in rows}) == len(rows), "a candidate was accepted twice")
        require(len(set(lines)) == len(lines), "a row stands twice")
        require(state.conserved, "the conservation law")
        self.seen_rows, self.seen_replies = lines, replies

    def said(self) -> str:
        """The last process's words."""
        return self.log.read_text(encoding="utf-8", errors="replace").strip()

    def calls(self) -> int:
        """How many requests the journal knows of."""
        if not (self.out / JOURNAL_NAME).exists():
            return 0
        with History.open(self.out) as history:
            return history.state().requests


class Endpoint:
    """The server's side: how many requests it has had."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._settled = 0

    def requests(self) -> tuple[int, int]:
        """Requests since the last time, once none is under way; and the server's peak of requests at once."""
        while True:
            with urllib.request.urlopen(self.base_url.removesuffix("/v1") + "/ledger") as reply:
                ledger = json.load(reply)
            if not ledger["in_flight"]:
                break
            time.sleep(0.005)
        total = int(ledger.get("requests", 0))
        since, self._settled = total - self._settled, total
        return since, int(ledger["peak"])


@contextlib.contextmanager
def endpoint(*, stepped: bool = False) -> Iterator[Endpoint]:
    """A server in a process of its own, that imitates or that writes what the stepped recipe asks for."""
    if stepped:
        with served(_LATENCY) as base_url:
            yield Endpoint(base_url)
        return
    with server_process("--latency", str(_LATENCY), "--near-duplicate", "0.1", "--ungrounded", "0.05") as base_url:
        yield Endpoint(base_url)
