"""One run by several workers on Ray against one process: seconds, what the join costs and drops, and kills survived.

    python -m benchmarks.many_hands imitator --rows 20000 --workers 4 --kills 5
    python -m benchmarks.many_hands servers --rows 2000 --workers 4 --latency 0.3 --slots 8

``servers`` starts one model server for each worker, which answers ``slots`` calls at a time, ``latency`` seconds each;
the one process calls all of them. ``--kills`` ends workers by SIGKILL at random moments. Each run is proved by
``verify`` and judged again. Prints one line for each figure; the first violation ends the program with a message.

Does not handle: several machines.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.run_process import SEEDS, require
from selfinstruct import api
from selfinstruct.api.parts.merge import Join
from selfinstruct.journal import holder_of
from selfinstruct.testing import server_process

_PAUSE = 3.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("writer", choices=("imitator", "servers"))
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.3)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=2_000_000, help="pairs of rows that verify compares")
    options = parser.parse_args(arguments)
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors; {vars(options)}")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="many-hands-")))
        source = SEEDS
        if options.writer == "servers":
            settings = ("--latency", str(options.latency), "--slots", str(options.slots))
            urls = [stack.enter_context(server_process(*settings)) for _ in range(options.workers)]
            source = _recipe(folder, urls, options.slots)
        _one(source, folder / "one", options.rows)
        _many(source, folder / "many", options)


def _recipe(folder: Path, urls: Sequence[str], slots: int) -> Path:
    """The recipe of the seeds with one model at each address."""
    models = [f'\n[[models]]\nname = "m"\nbase_url = "{url}"\nconcurrency = {slots}\n' for url in urls]
    file = folder / "recipe.toml"
    file.write_text(api.init(SEEDS, folder / "inferred.toml") + "".join(models))
    return file


def _one(source: Path, out: Path, rows: int) -> None:
    """The run by one process."""
    start, before = time.perf_counter(), time.process_time()
    run = api.run(source, rows=rows, out=out)
    _print("one process", run, time.perf_counter() - start, time.process_time() - before)


def _many(source: Path, out: Path, options: argparse.Namespace) -> None:
    """The run by several workers."""
    joining, take = [0.0, 0.0], Join.take

    def timed(*given: Any, **options: Any) -> Any:
        start, before = time.perf_counter(), time.thread_time()
        found = take(*given, **options)
        joining[0] += time.perf_counter() - start
        joining[1] += time.thread_time() - before
        return found

    start, before = time.perf_counter(), time.process_time()
    with _killing(out, options.kills) as killed, _patched(timed):
        run = api.run(source, rows=options.rows, out=out, engine="ray", workers=options.workers)
    seconds = time.perf_counter() - start
    _print(f"{options.workers} workers", run, seconds, time.process_time() - before)
    summary = run.summary
    print(
        f"  join: {joining[0]:.1f} s, {joining[1]:.1f} s of processor, "
        f"{summary.candidates / joining[1]:,.0f} candidates a second of it"
    )
    with contextlib.closing(sqlite3.connect(out / "run.sqlite")) as database:
        state = json.loads(dict(database.execute("SELECT key, value FROM notes"))["parts"])
    grown = sum(api.open_run(out / "parts" / str(part)).summary.accepted for part in range(options.workers))
    print(f"  {state['round']} rounds; the parts grew {grown:,} rows, the join kept {summary.accepted:,}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"  {len(killed)} workers killed; the driver took {memory:,} MB at most")
    require(summary.accepted == options.rows and summary.stopped == "done", "the quotas are not met")
    audit = api.verify(out, max_pairs=options.pairs)
    require(audit.holds, f"verify: {[claim for claim in audit.claims if not claim.holds]}")
    require(api.rejudge(out).identical, "judged again, the rows are others")
    print("  verify holds, rejudge is identical")


def _print(name: str, run: api.Run, seconds: float, cpu: float) -> None:
    rows = run.summary.accepted
    summary, refused = run.summary, sum(run.summary.rejected.values())
    print(f"{name}: {rows:,} rows in {seconds:.1f} s, {rows / seconds:,.0f} a second; {cpu:.1f} s of processor here")
    print(f"  {refused:,} of {summary.candidates:,} candidates refused, {summary.requests:,} requests", flush=True)


@contextlib.contextmanager
def _patched(timed: Callable[..., Any]) -> Iterator[None]:
    """Context manager in which joins are timed."""
    take = Join.take
    Join.take = timed  # type: ignore[method-assign]
    try:
        yield
    finally:
        Join.take = take  # type: ignore[method-assign]


@contextlib.contextmanager
def _killing(out: Path, count: int) -> Iterator[list[int]]:
    """Context manager in which workers are killed at random moments; yields the list of them."""
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        moments = random.Random(0)
        while len(killed) < count and not ended.wait(moments.uniform(0, _PAUSE)):
            holders = [holder_of(part) for part in sorted((out / "parts").glob("[0-9]*")) if part.is_dir()]
            pids = [holder.pid for holder in holders if holder is not None and holder.pid != os.getpid()]
            if pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid := moments.choice(pids), signal.SIGKILL)
                    killed.append(pid)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main()
