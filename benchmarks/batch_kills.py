"""Kill runs that wait for batch jobs at random moments and resume them, against a server that bills each request.

    python -m benchmarks.batch_kills --count 100 --seed 1 > benchmarks/results/batch_kills.txt

First the rounds and the cost of runs by batch jobs are compared with the same runs online. Then runs are killed: every
request that the server billed must be in the journal of its run in the end, once. The waits between polls are
shortened, so that the moments fall on uploads, creations and downloads as well as on waiting.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.run_process import SEEDS, Run, require, run_command
from benchmarks.stepped import recipe, served
from selfinstruct import api
from selfinstruct.backends.openai.batches import round as rounds
from selfinstruct.growth import dispatch
from selfinstruct.journal import History, keys_of_calls, sent_jobs
from selfinstruct.testing import server_process

_ROWS = 200


def run_fast(*arguments: Any) -> None:
    """Run the command in this process, with waits that suit jobs of a second."""
    rounds.FIRST_POLL, rounds.LONGEST_POLL, rounds.SETTLING = 0.05, 0.1, 0.1
    dispatch.HEARTBEAT = 0.05
    run_command(*arguments)


def kill_batches(count: int, seed: int, base_url: str, source: Path = SEEDS, rows: int = _ROWS) -> str:
    """Send SIGKILL at random moments of runs with batch jobs, and resume each."""
    rng = random.Random(seed)
    kills = processes = finished = billed_before = 0
    typical = 0.0
    with tempfile.TemporaryDirectory() as folder:

        def new_run(number: int) -> Run:
            options = ["--base-url", base_url, "--model", "m", "--batch", "--seed", str(number + 2)]
            return Run(Path(folder, f"run{number}"), rows, options, source, run_fast)

        for number in (-2, -1):  # the first one imports everything
            run = new_run(number)
            began = time.monotonic()
            run.finish()
            typical = time.monotonic() - began
            billed_before = _require_billed_once(run, base_url, billed_before)
        while kills < count:
            run = new_run(processes + 1)
            while True:
                process = run.start()
                processes += 1
                process.join(typical * rng.random() * rng.choice((0.3, 1.0)))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid or 0, signal.SIGKILL)
                process.join()
                run.check()
                kills += process.exitcode == -signal.SIGKILL
                require(process.exitcode in (0, -signal.SIGKILL), f"exit {process.exitcode}: {run.output()}")
                if process.exitcode == 0 or rng.random() < 0.15:
                    break
            run.finish()
            billed_before = _require_billed_once(run, base_url, billed_before)
            shutil.rmtree(run.out)
            finished += 1
    return (
        f"{kills:,} kills (seed {seed}) in {processes:,} processes of {finished:,} runs of {rows:,} rows by batch jobs "
        f"({typical:.1f} s without a kill): {billed_before:,} requests billed, each recorded once; "
        "paid twice 0, lost 0, quotas exact"
    )


def compare(base_url: str, rows: int) -> str:
    """The rounds of a run by batch jobs, and what an accepted row costs beside one of the same run online."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder, "recipe.toml")
        text = api.init(SEEDS, Path(folder, "inferred.toml")).replace("rows = 1000", f"rows = {rows}")
        model = f'[model]\nname = "m"\nbase_url = "{base_url}"\nprice = {{ input = 0.4, output = 1.6 }}\n'
        recipe.write_text(f"{text}\n{model}", encoding="utf-8")
        online = api.run(recipe, out=Path(folder, "online")).summary
        batch = api.run(recipe, out=Path(folder, "batch"), batch=True)
        with History.open(batch.directory) as history:
            rounds = len(sent_jobs(history))  # so few rows are one job each
    require(online.accepted == batch.summary.accepted == rows, "a quota is not met")
    there, here = online.cost_per_row or 0.0, batch.summary.cost_per_row or 0.0
    return (
        f"{rows:,} rows: {rounds} rounds of one job each; 1,000 accepted rows cost {1e3 * here:.4f}, "
        f"online {1e3 * there:.4f}: {here / there:.2f} times as much"
    )


def _require_billed_once(run: Run, base_url: str, before: int) -> int:
    """Raise Violation unless the requests billed since are the calls in the journal; how many were billed in all."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/ledger") as reply:
        ledger = json.load(reply)
    with History.open(run.out) as history:
        recorded = len(keys_of_calls(history))
    billed = int(ledger["batch-requests"])
    require(ledger["batch-repeated"] == 0, f"{ledger['batch-repeated']} requests were paid twice")
    require(billed - before == recorded, f"{billed - before} requests were billed, and {recorded} calls recorded")
    return billed


def main() -> None:
    """Run with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="kills (default: 100)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stepped", action="store_true", help="a recipe of several steps and a judge")
    options = parser.parse_args()
    if options.stepped:
        with tempfile.TemporaryDirectory() as folder, served(0.0, batch_seconds=0.15) as base_url:
            print(kill_batches(options.count, options.seed, base_url, recipe(Path(folder)), 120))
    else:
        faults = ("--ungrounded", "0.2", "--batch-seconds", "0.15")
        with server_process(*faults) as base_url:
            for rows in (100, 1000, 10_000):
                print(compare(base_url, rows), flush=True)
        with server_process(*faults) as base_url:
            print(kill_batches(options.count, options.seed, base_url))


if __name__ == "__main__":
    main()
