"""The service as a process of its own: it is killed, it is told to end, and it keeps the keys of endpoints."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from selfinstruct.testing import Behaviour, FaultServer

pytestmark = pytest.mark.slow
TOKEN = "a-token-that-only-tests-know"
CANARY = "sk-canary-3f9c2e71d0b84a56"


class Process:
    """A running service: its process, its address, what it printed, and a client with the token."""

    def __init__(self, process: asyncio.subprocess.Process, session: ClientSession, address: str) -> None:
        self.process = process
        self.session = session
        self.address = address
        self.said: list[str] = []

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer that is not an error."""
        async with self.session.request(method, self.address + path, **options) as answer:
            assert answer.status < 300, (path, await answer.text())
            return await answer.json()

    async def until(self, run: str, *, accepted: int = 0, states: tuple[str, ...] = ()) -> dict[str, Any]:
        """The run, once it has so many rows, or is in one of the states."""
        async with asyncio.timeout(120):
            while True:
                found: dict[str, Any] = await self.call("GET", f"/v1/runs/{run}")
                if found["state"] in states or (not states and found["accepted"] >= accepted):
                    return found
                assert found["state"] != "failed", found
                await asyncio.sleep(0.05)


@asynccontextmanager
async def serving(root: Path, config: str = "", **variables: str) -> AsyncIterator[Process]:
    """A service over ``root``, killed at the end if it still runs."""
    (root.parent / "service.toml").write_text(config)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "selfinstruct", "serve", str(root), "--port", "0"),
        *("--config", str(root.parent / "service.toml")),
        env={**os.environ, "SELFINSTRUCT_TOKEN": TOKEN, "SELFINSTRUCT_LANG": "en", **variables},
        stderr=asyncio.subprocess.PIPE,
    )
    said: list[str] = []
    assert process.stderr is not None
    while not (said and said[-1].startswith("Open ")):
        line = await asyncio.wait_for(process.stderr.readline(), 60)
        assert line, said
        said.append(line.decode())
    address = said[-1].split()[1].partition("/?token")[0]
    async with ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        made = Process(process, session, address)
        made.said = said
        reading = asyncio.create_task(_read(process.stderr, said))
        try:
            yield made
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await reading


async def _read(stream: asyncio.StreamReader, said: list[str]) -> None:
    async for line in stream:
        said.append(line.decode())


def rows_of(directory: Path) -> tuple[list[str], list[str]]:
    """The rows of a run: those of its journal, and those of its file."""
    with sqlite3.connect(f"file:{directory / 'run.sqlite'}?mode=ro", uri=True) as journal:
        recorded = [row for (row,) in journal.execute("SELECT row FROM rows ORDER BY number")]
    return recorded, (directory / "rows.jsonl").read_text().splitlines()


async def test_a_killed_service_resumes_its_runs(tmp_path: Path) -> None:
    """After kill -9 with three runs growing and one waiting, all go on to their quota, with no row lost or doubled."""
    root, limits = tmp_path / "outputs", "[limits]\nrunning = 3\n"
    async with serving(root, limits) as service:
        runs = []
        for seed in range(4):
            source = {"recipe": "logqa", "rows": 3000, "seed": seed}
            runs.append((await service.call("POST", "/v1/runs", json={"source": source}))["id"])
        for run in runs[:3]:
            await service.until(run, accepted=200)
        assert (await service.call("GET", f"/v1/runs/{runs[3]}"))["state"] == "queued"
        service.process.kill()
        await service.process.wait()
    before = {}
    for run in runs[:3]:
        with sqlite3.connect(f"file:{root / run / 'run.sqlite'}?mode=ro", uri=True) as journal:
            before[run] = [row for (row,) in journal.execute("SELECT row FROM rows ORDER BY number")]
        assert before[run]
    async with serving(root, limits) as service:
        for run in runs:
            found = await service.until(run, states=("done", "failed"))
            assert (found["state"], found["accepted"], found["error"]) == ("done", 3000, None)
        for run in runs:
            recorded, written = rows_of(root / run)
            assert recorded == written and len(set(written)) == 3000
            assert recorded[: len(before.get(run, ()))] == before.get(run, [])
            summary = json.loads((root / run / "summary.json").read_text())
            assert summary["conserved"] and summary["candidates"] == 3000 + sum(summary["rejected"].values())


async def test_sigterm_ends_in_order_and_the_next_start_goes_on(tmp_path: Path) -> None:
    """SIGTERM ends streams and runs within ten seconds, with everything kept; the next start takes them up."""
    root = tmp_path / "outputs"
    async with serving(root) as service:
        source = {"recipe": "logqa", "rows": 100_000}
        run = (await service.call("POST", "/v1/runs", json={"source": source}))["id"]
        found = await service.until(run, accepted=100)
        async with service.session.get(f"{service.address}/v1/runs/{run}/events") as stream:
            assert (await stream.content.readline()).startswith(b"id: ")
            service.process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(stream.read(), 10)
            assert await asyncio.wait_for(service.process.wait(), 10) == 0
    recorded, written = rows_of(root / run)
    assert recorded == written and len(recorded) >= found["accepted"]
    async with serving(root) as service:
        assert (await service.until(run, accepted=len(recorded) + 1))["state"] == "running"
        cancelled = await service.call("POST", f"/v1/runs/{run}/cancel")
        assert cancelled["state"] in ("running", "cancelled")
        assert (await service.until(run, states=("cancelled",)))["accepted"] > len(recorded)


async def test_the_key_of_an_endpoint_stays_where_it_is_needed(tmp_path: Path) -> None:
    """A run calls the operator's endpoint with its key, which no file, answer, log or other child ever has."""
    root = tmp_path / "outputs"
    async with FaultServer(Behaviour(key=CANARY, models=("mock-model",), repeats_key=True)) as endpoint:
        config = f'[endpoints.local]\nbase_url = "{endpoint.base_url}"\nkey = "LOCAL_KEY"\nmodels = ["mock-model"]\n'
        async with serving(root, config, LOCAL_KEY=CANARY, OTHER_KEY=CANARY[::-1]) as service:
            told = [await service.call("GET", "/v1/service")]
            assert told[0]["endpoints"] == [{"id": "local", "models": ["mock-model"], "price": None}]
            source = {"recipe": "logqa", "rows": 10, "endpoint": "local"}
            told.append(await service.call("POST", "/v1/previews", json=source))
            assert told[1]["messages"] and "base_url" not in told[1]["toml"] and "LOCAL_KEY" not in told[1]["toml"]
            run = (await service.call("POST", "/v1/runs", json={"source": source}))["id"]
            children = [_environment(pid) for pid in await _children(service.process.pid)]
            told.append(await service.until(run, states=("done", "short", "failed")))
            assert told[-1]["state"] != "failed" and told[-1]["requests"] > 0, told[-1]
            async with service.session.get(f"{service.address}/metrics") as answer:
                told.append(await answer.text())
            told.append(await service.call("GET", f"/v1/runs/{run}/recipe"))
        assert children and all(CANARY[::-1].encode() not in each for each in children)
        assert TOKEN.encode() not in b"".join(children)
    texts = [json.dumps(told).encode(), "".join(service.said).encode(), *_files(tmp_path)]
    assert len(texts) > 8
    for text in texts:
        assert CANARY.encode() not in text and CANARY[::-1].encode() not in text


async def _children(pid: int) -> list[int]:
    """The children of a process, once it has any, and each runs its own program.

    Until then a child is a copy of its parent, whose environment it shows.
    """
    async with asyncio.timeout(20):
        while True:
            found = _text(f"/proc/{pid}/task/{pid}/children").split()
            own = _text(f"/proc/{pid}/cmdline")
            if found and all(_text(f"/proc/{child}/cmdline") not in ("", own) for child in found):
                return list(map(int, found))
            await asyncio.sleep(0.02)


def _text(path: str) -> str:
    return Path(path).read_text()


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def _environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()
