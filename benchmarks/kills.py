"""Kill runs at random moments and resume them, against a server that counts its requests."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

from benchmarks.run_process import SEEDS, Endpoint, Run, endpoint, require
from benchmarks.stepped import recipe

CONCURRENCY = 8


def kill_at_random(count: int, seed: int, rows: int = 600, *, stepped: bool = False) -> str:
    """Send SIGKILL at random moments of runs against a server, and resume each; of one step, or ``stepped``."""
    rng = random.Random(seed)
    repeated: list[int] = []
    processes = finished = 0
    with tempfile.TemporaryDirectory() as folder, endpoint(stepped=stepped) as server:
        options = ["--base-url", server.base_url, "--concurrency", str(CONCURRENCY)]
        source = recipe(Path(folder)) if stepped else SEEDS
        typical = _typical_seconds(Run(Path(folder, "typical"), rows, options, source), server)
        run, known = Run(Path(folder, "run0"), rows, options, source), 0
        while len(repeated) < count:
            process = run.start()
            processes += 1
            # Most moments are those of growing; some are of the beginning, when little time passes at each step.
            process.join(rng.choice((0.15, 1.0, 1.0)) * typical * rng.random())
            if rng.random() < 0.3:
                run.check()
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
            sent, _ = server.requests()
            run.check()
            recorded = run.calls()
            lost, known = sent - (recorded - known), recorded
            if process.exitcode == -signal.SIGKILL:
                require(0 <= lost <= CONCURRENCY, f"{lost} calls are lost where {CONCURRENCY} were in flight")
                repeated.append(lost)
            else:
                require(process.exitcode == 0 and lost == 0, f"exit {process.exitcode}, {lost} lost: {run.output()}")
            if process.exitcode == 0 or processes % 8 == 0:
                run.finish()
                sent, _ = server.requests()
                require(run.calls() - known == sent, "a call of a run that was not killed is not in its journal")
                shutil.rmtree(run.out)
                finished += 1
                run, known = Run(Path(folder, f"run{processes}"), rows, options, source), 0
    return (
        f"{len(repeated):,} kills (seed {seed}) in {processes:,} processes of {finished + 1:,} runs of {rows:,} rows: "
        f"acknowledged rows and replies lost 0, duplicates 0, quotas exact, conserved; "
        f"calls repeated {sum(repeated):,} in all, {max(repeated)} at most, where {CONCURRENCY} may be in flight "
        f"({sum(1 for lost in repeated if not lost):,} kills cost none)"
    )


def _typical_seconds(run: Run, server: Endpoint) -> float:
    """The seconds of an undisturbed run."""
    run.finish()
    shutil.rmtree(run.out)
    start = time.monotonic()
    run.seen_rows, run.seen_replies = [], {}
    run.finish()
    server.requests()
    return time.monotonic() - start
