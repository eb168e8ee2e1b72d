"""The service under load: event streams and row browsing on a run of a million rows while another run grows.

    python -m benchmarks.service_load [--rows N] [--streams N] [--rate N] [--seconds N] [--root DIR] [--output FILE]

The large run is written through the journal's own writer, seeded. Requests leave on time, however long the others
take (an open loop). The growing run is first measured alone, then under load. Server, child and this client share the
machine, so the slow-down has the client's share of the processors in it; the load before the start is stated.

Does not handle: a network between client and server.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import random
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import quote

from aiohttp import ClientSession, ClientTimeout, TCPConnector

import selfinstruct
from selfinstruct.journal import History, Journal, QuotaStage
from selfinstruct.records import Batch, Candidate, Judgement, Rejection, Reply

_TOKEN = "a-token-that-only-this-benchmark-knows"
_BATCH, _SEED = 20, 20261127
#: The shares of requests: a page anywhere, a page of a category, a search, where a row came from, rejections.
_KINDS = {"rows": 0.6, "category": 0.1, "search": 0.1, "provenance": 0.1, "rejections": 0.1}


def write_large(root: Path, count: int) -> None:
    """Write a run of ``count`` rows to ``root / "large"``."""
    small = selfinstruct.run("logqa", rows=400, out=root / "small").directory
    with History.open(small) as history:
        metadata, seeds, rows = history.metadata(), history.seeds(), list(history.rows())
    categories = sorted({row.category for row in rows})
    quotas = {name: -(-count // len(categories)) for name in categories}
    (root / "large").mkdir()
    with Journal.create(root / "large", replace(metadata, quotas=[QuotaStage(0, quotas)]), seeds) as journal:
        for number in range(1, count // _BATCH + 1):
            chosen = [rows[(number * _BATCH + at) % len(rows)] for at in range(_BATCH)]
            journal.add_batch(Batch(number, chosen[0].category, _BATCH, 0, (1, 2)))
            call = journal.add_reply(number, "imitate", Reply("[]", "imitator"))
            made = [
                Judgement(Candidate(at, "", {**row.row, "Question": f"{row.row['Question']} ({number})"}), row.category)
                for at, row in enumerate(chosen)
            ]
            refused = Rejection("near-duplicate", "too similar", nearest=1, score=0.9)
            journal.judge(call, [*made, Judgement(Candidate(_BATCH, "{}", None), chosen[0].category, refused)])
            if number % 500 == 0:
                journal.commit()
    shutil.rmtree(small)


@contextlib.asynccontextmanager
async def serving(root: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A service over ``root``: its process and its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "selfinstruct", "serve", str(root), "--port", "0"),
        env={**os.environ, "SELFINSTRUCT_TOKEN": _TOKEN, "SELFINSTRUCT_LANG": "en"},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    reading: list[asyncio.Task[None]] = []
    try:
        address = await _address(process)
        reading = [asyncio.create_task(_drain(pipe)) for pipe in (process.stderr, process.stdout) if pipe is not None]
        yield process, address
    finally:
        process.terminate()
        await process.wait()
        for task in reading:
            task.cancel()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    while line := (await process.stderr.readline()).decode():
        for word in line.split():
            if word.startswith("http://"):
                return word.partition("/?")[0].rstrip("/")
    raise SystemExit("the service did not start")


async def _drain(pipe: asyncio.StreamReader) -> None:
    while await pipe.read(1 << 16):
        pass


def _paths(categories: list[str], count: int) -> Iterator[tuple[str, str]]:
    """Seeded requests: their kind and their path."""
    rng = random.Random(_SEED)
    while True:
        kind = rng.choices(list(_KINDS), list(_KINDS.values()))[0]
        after = rng.randrange(count)
        query = {
            "rows": f"rows?after={after}",
            "category": f"rows?after={after}&category={quote(rng.choice(categories))}",
            "search": f"rows?after={after}&text={rng.randrange(count // _BATCH)}",
            "provenance": f"rows/{after + 1}",
            "rejections": f"rejections?after={after // _BATCH}",
        }
        yield kind, f"/v1/runs/large/{query[kind]}"


async def _grow(session: ClientSession, address: str, rows: int) -> tuple[str, str]:
    """Start a run; returns its id, and the path of its events."""
    body = {"source": {"recipe": "logqa", "rows": rows}}
    async with session.post(f"{address}/v1/runs", json=body) as answer:
        if answer.status != 202:
            raise SystemExit(await answer.text())
        run = str((await answer.json())["id"])
    return run, f"{address}/v1/runs/{run}/events"


class _Pace(NamedTuple):
    """Accepted rows a second, and the milliseconds of processor time that each of them took."""

    rate: float
    cost: float


async def _pace(session: ClientSession, address: str, run: str, pid: int, seconds: float) -> _Pace:
    """The pace of a run, whose process is the child of ``pid``, over ``seconds``, from the first row on."""

    async def state() -> tuple[float, int, float]:
        async with session.get(f"{address}/v1/runs/{run}") as answer:
            accepted = int((await answer.json())["accepted"])
        return time.monotonic(), accepted, sum(map(_cpu_seconds, _children(pid)))

    for _ in range(600):
        if (await state())[1]:
            break
        await asyncio.sleep(0.1)
    began, first, used = await state()
    await asyncio.sleep(seconds)
    ended, last, used_then = await state()
    return _Pace((last - first) / (ended - began), 1000 * (used_then - used) / max(last - first, 1))


async def _listen(session: ClientSession, path: str, received: list[int]) -> None:
    async with session.get(path) as answer:
        async for line in answer.content:
            received[0] += line.startswith(b"event:")


async def _browse(
    session: ClientSession, address: str, categories: list[str], count: int, rate: float, seconds: float
) -> tuple[dict[str, list[float]], int]:
    """Send requests at a constant rate; returns the seconds of each by kind, and how many failed."""
    took: defaultdict[str, list[float]] = defaultdict(list)
    failed = 0

    async def one(kind: str, path: str) -> None:
        nonlocal failed
        began = time.perf_counter()
        async with session.get(address + path) as answer:
            await answer.read()
            failed += answer.status != 200
        took[kind].append(time.perf_counter() - began)

    paths, start = _paths(categories, count), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for at in range(int(rate * seconds)):
            await asyncio.sleep(max(start + at / rate - time.perf_counter(), 0))
            group.create_task(one(*next(paths)))
    return took, failed


def _memory(pid: int, key: str) -> float:
    """A figure of a process's memory in MiB."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.partition(f"{key}:")[2].split()[0]) / 1024


def _children(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    own = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [each for child in own for each in (child, *_children(child))]


def _cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000


async def measure(root: Path, categories: list[str], options: argparse.Namespace) -> list[str]:
    """Run everything, and return the lines of the result."""
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    connector = TCPConnector(limit=0)
    timeout = ClientTimeout(total=None)
    async with (
        serving(root) as (process, address),
        ClientSession(headers=headers, connector=connector, timeout=timeout) as session,
    ):
        began = time.perf_counter()
        async with session.get(f"{address}/v1/runs/large") as answer:
            await answer.read()
        first = time.perf_counter() - began
        idle = _memory(process.pid, "VmRSS")
        run, _ = await _grow(session, address, 1_000_000)
        pace = partial(_pace, session, address, run, process.pid, options.seconds)
        before = await pace()
        received = [0]
        events = f"{address}/v1/runs/{run}/events"
        listeners = [asyncio.create_task(_listen(session, events, received)) for _ in range(options.streams)]
        await asyncio.sleep(2)
        used = _cpu_seconds(process.pid)
        async with asyncio.TaskGroup() as group:
            loaded = group.create_task(pace())
            browsing = group.create_task(
                _browse(session, address, categories, options.rows, options.rate, options.seconds)
            )
        took, failed = browsing.result()
        used = _cpu_seconds(process.pid) - used
        for task in listeners:
            task.cancel()
        await asyncio.wait(listeners)
        after = await pace()
        lines = [f"reading the state of the large run for the first time: {first * 1000:.0f} ms"]
        for kind in (*_KINDS, "all"):
            values = [each for name, own in took.items() if kind in (name, "all") for each in own]
            lines.append(
                f"{kind:12} {len(values):6,} requests   p50 {_quantile(values, 0.5):7.1f} ms   "
                f"p99 {_quantile(values, 0.99):7.1f} ms   most {max(values) * 1000:7.1f} ms"
            )
        under, alone = loaded.result(), _Pace((before.rate + after.rate) / 2, (before.cost + after.cost) / 2)
        lines += [
            f"failed requests: {failed}",
            f"processor time of the service: {100 * used / options.seconds:.0f} % of a core, "
            f"{1000 * used / (options.rate * options.seconds):.1f} ms a request with its share of the streams",
            f"events received by {options.streams} streams: {received[0]:,}",
            f"memory of the service: {idle:.0f} MiB before, {_memory(process.pid, 'VmRSS'):.0f} MiB under load, "
            f"at most {_memory(process.pid, 'VmHWM'):.0f} MiB",
            f"growing run: {before.rate:,.0f} rows/s alone, {under.rate:,.0f} under load, {after.rate:,.0f} alone "
            f"again ({100 * (1 - under.rate / alone.rate):.1f} % slower than the mean of both)",
            f"its processor time: {before.cost:.3f} ms a row alone, {under.cost:.3f} under load, {after.cost:.3f} "
            f"alone again ({100 * (under.cost / alone.cost - 1):+.1f} %)",
        ]
        async with session.post(f"{address}/v1/runs/{run}/cancel") as answer:
            await answer.read()
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Measure and print, and write the result to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--root", type=Path, help="keep the runs here; a large run that is there is used again")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        root = options.root or Path(folder)
        began, load = time.perf_counter(), os.getloadavg()[0]
        if not (root / "large").exists():
            write_large(root, options.rows)
        with History.open(root / "large") as history:
            options.rows, categories = history.last_row(), list(history.metadata().current_quotas)
        size = (root / "large" / "run.sqlite").stat().st_size / 2**20
        lines: list[Any] = [
            f"{options.rows:,} rows ({size:,.0f} MiB, written in {time.perf_counter() - began:.0f} s), "
            f"{options.streams} event streams, {options.rate:g} requests/s for {options.seconds:g} s",
            f"{os.cpu_count()} cores, load {load:.1f} before the start and {os.getloadavg()[0]:.1f} before measuring, "
            f"CPython {platform.python_version()}",
        ]
        lines += asyncio.run(measure(root.absolute(), categories, options))
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
