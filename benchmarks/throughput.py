"""How fast replies come through, against what concurrency and latency allow, and against a bare loop.

    python -m benchmarks.throughput              every scenario
    python -m benchmarks.throughput ideal        256 at once, 2 s, 20 rows a reply; 64 at once, 200 ms, 1 row
    python -m benchmarks.throughput bare         2,000 requests, 500 ms, 256 at once, 5 rows: a bare loop beside a run
    python -m benchmarks.throughput storm        the same, with ten seconds of 429s in the middle
    python -m benchmarks.throughput long         23,040 requests at once as in "ideal"
    python -m benchmarks.throughput profile      where the backend's time goes

The server is a process of its own, and so is each client: its figures are of the whole process, start-up and all. The
ideal is the sum of all latencies over the concurrency and, where some replies are slow, the wait for the last of
them. A "bare loop" is the openai package with its aiohttp transport and nothing else: it writes the replies down.
In a storm it is allowed 20 retries a call. The tail is the time from the last reply of the server to the end of the
process.
"backend" is the Backend alone; "run" is all of a run: journal, parsing, checks, novelty and report.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from selfinstruct.testing import server_process

PARTS = ("ideal", "bare", "storm", "long")
SEEDS = Path(__file__).parent.parent / "seeds" / "logqa.jsonl"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Concurrent requests for several rows each, answered after ``latency`` seconds, some after ten times as long."""

    requests: int
    concurrency: int
    latency: float
    rows: int
    slow_share: float = 0.0
    storm: str = ""

    def __str__(self) -> str:
        slow = f", {self.slow_share:.0%} ten times slower" if self.slow_share else ""
        at_once = f"{self.requests:,} requests, {self.concurrency} at once"
        storm = f", 429s alone for {self.storm.partition(':')[2]} s" if self.storm else ""
        return f"{at_once}, {self.latency:g} s, {self.rows} rows a reply{slow}{storm}"


@dataclass(frozen=True, slots=True)
class Figures:
    """One client's: requests made, wall and CPU seconds, peak memory in MB, rows that came, seconds after the last."""

    requests: int
    seconds: float
    cpu: float
    memory: float
    rows: int
    tail: float


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", default="all", choices=["all", *PARTS, "profile", "client"])
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.what == "client":
        client(*options.arguments)
        return
    if options.what in ("all", "ideal"):
        for scenario in (
            Scenario(7680, 256, 2.0, 20),
            Scenario(7680, 256, 2.0, 20, slow_share=0.02),
            Scenario(6400, 64, 0.2, 1),
            Scenario(6400, 64, 0.2, 1, slow_share=0.02),
        ):
            print(f"\n{scenario}")
            for kind in ("backend", "run"):
                show(kind, scenario, measure(kind, scenario))
    if options.what == "long":
        scenario = Scenario(23040, 256, 2.0, 20)
        print(f"\n{scenario}")
        show("run", scenario, measure("run", scenario))
    for part, storm, kinds in (("bare", "", ("bare", "backend", "run")), ("storm", "4:10", ("bare", "run"))):
        if options.what not in ("all", part):
            continue
        scenario = Scenario(2000, 256, 0.5, 5, storm=storm)
        print(f"\n{scenario}")
        figures = {kind: measure(kind, scenario) for kind in kinds}
        for kind in kinds:
            show(kind, scenario, figures[kind], figures["bare"])
    if options.what == "profile":
        measure("profile", Scenario(2000, 256, 0.1, 5))


def measure(kind: str, scenario: Scenario) -> Figures:
    """Run one client in a process of its own against a server in another."""
    server = ["--latency", str(scenario.latency), "--slow-share", str(scenario.slow_share)]
    server += ["--storm", scenario.storm] if scenario.storm else []
    with tempfile.TemporaryDirectory() as folder, server_process(*server) as url:
        command = [sys.executable, "-m", "benchmarks.throughput", "client", kind, url, folder]
        command += [
            str(scenario.requests),
            str(scenario.concurrency),
            str(scenario.rows),
            str(int(bool(scenario.storm))),
        ]
        start = time.perf_counter()
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        seconds, ended = time.perf_counter() - start, time.time()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"the {kind} client failed")
        with urllib.request.urlopen(url.removesuffix("/v1") + "/ledger") as reply:
            ledger, asked = json.load(reply), time.time()
        lines = Path(folder, "out", "rows.jsonl")
        rows = len(lines.read_bytes().splitlines()) if lines.exists() else 0
        tail = ended - (asked - ledger["idle"])
    requests = ledger["requests"] - ledger.get("storm", 0)
    return Figures(requests, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, rows, tail)


def show(kind: str, scenario: Scenario, figures: Figures, bare: Figures | None = None) -> None:
    """One line of figures; a run makes one request more, its preflight."""
    mean = scenario.latency * (1 + 9 * scenario.slow_share)
    last = 9 * scenario.latency if scenario.slow_share else 0.0
    ideal = figures.requests * mean / scenario.concurrency + last
    beside = f", {figures.seconds / bare.seconds:.2f} times the bare loop" if bare else ""
    rows = f", {figures.rows:,} rows, {1e3 * figures.cpu / figures.rows:.3f} ms CPU a row" if figures.rows else ""
    rows += f", tail {figures.tail:.2f} s"
    print(
        f"  {kind:8}{figures.requests:6,} requests in {figures.seconds:6.2f} s, ideal {ideal:6.2f} s "
        f"({ideal / figures.seconds:.0%}); {1e3 * figures.cpu / figures.requests:.2f} ms CPU a request, "
        f"{figures.memory:.0f} MB{rows}{beside}",
        flush=True,
    )


# --- clients -----------------------------------------------------------------------------------------------------


def client(kind: str, url: str, folder: str, *numbers: str) -> None:
    """Be one client: make the requests, and leave in ``folder`` what comes back."""
    requests, concurrency, rows, storm = map(int, numbers)
    if kind == "bare":
        asyncio.run(bare(url, Path(folder), requests, concurrency, rows, retries=20 if storm else 0))
    elif kind == "run":
        run(url, Path(folder), requests, concurrency, rows, limited=not storm)
    elif kind == "profile":
        profile = cProfile.Profile()
        profile.runcall(asyncio.run, backend(url, Path(folder), requests, concurrency, rows))
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)
    else:
        asyncio.run(backend(url, Path(folder), requests, concurrency, rows))


async def bare(url: str, folder: Path, requests: int, concurrency: int, rows: int, *, retries: int = 0) -> None:
    """The openai package, its aiohttp transport, and a file."""
    from openai import AsyncOpenAI, DefaultAioHttpClient

    said = [{"role": role, "content": content} for role, content in prompt(rows)]
    left = iter(range(requests))
    http = DefaultAioHttpClient()
    async with AsyncOpenAI(api_key="none", base_url=url, http_client=http, max_retries=retries) as endpoint:
        with (folder / "replies").open("w") as file:

            async def worker() -> None:
                for _ in left:
                    reply = await endpoint.chat.completions.create(model="m", messages=said)  # type: ignore[arg-type]
                    file.write(json.dumps(reply.choices[0].message.content) + "\n")

            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(worker())


async def backend(url: str, folder: Path, requests: int, concurrency: int, rows: int) -> None:
    """The Backend, and a file."""
    from selfinstruct.backends.openai.backend import OpenAIBackend
    from selfinstruct.recipe import Model
    from selfinstruct.records import Batch, Message, Reply, Request

    messages = tuple(Message(role, content) for role, content in prompt(rows))
    model = Model(name="m", base_url=url, concurrency=concurrency)
    endpoint = await OpenAIBackend.connect(model, preflight=False, environ={})
    left = iter(range(requests))
    with (folder / "replies").open("w") as file:

        async def worker() -> None:
            for number in left:
                request = Request(Batch(number, "", rows, 0, ()), "imitate", messages, (), seed=number)
                reply = await endpoint.complete(request)
                if isinstance(reply, Reply):
                    file.write(json.dumps(reply.text) + "\n")

        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(worker())
    await endpoint.close()


def run(url: str, folder: Path, requests: int, concurrency: int, rows: int, *, limited: bool = True) -> None:
    """Run the command line for a preflight and ``requests`` requests, which return fewer rows than the quota.

    In a storm refused requests count too: there the quota is that of ``requests`` replies, and no limit is set.
    """
    from selfinstruct.cli import main as command
    from selfinstruct.cli.run import STOPPED_SHORT
    from selfinstruct.preparation.infer import infer
    from selfinstruct.recipe import Model, to_toml
    from selfinstruct.rows import read_rows

    recipe = infer(read_rows(SEEDS)).recipe
    asking = recipe.prompt.model_copy(update={"rows_per_request": rows})
    model = Model(name="default", base_url=url, concurrency=concurrency)
    text = to_toml(recipe.model_copy(update={"prompt": asking, "model": model}), {}, folder)
    (folder / "recipe.toml").write_text(text)
    wanted = ["--rows", str(2 * requests * rows), "--max-requests", str(requests + 1)]
    if not limited:
        wanted = ["--rows", str(round(0.88 * requests * rows))]
    # As by the command itself: with the arguments of the process.
    sys.argv = ["selfinstruct", "run", str(folder / "recipe.toml"), *wanted, "--quiet", "--out", str(folder / "out")]
    sys.exit(0 if command() == (STOPPED_SHORT if limited else 0) else 1)


def prompt(rows: int) -> list[tuple[str, str]]:
    """Role and content of the messages that a run would begin with."""
    from selfinstruct.preparation.infer import infer
    from selfinstruct.prompts import row_messages
    from selfinstruct.rows import read_rows

    seeds = read_rows(SEEDS)
    said = row_messages(infer(seeds).recipe, "What <*>?", rows, seeds.rows[:6])
    return [(message.role, message.content) for message in said]


if __name__ == "__main__":
    main()
