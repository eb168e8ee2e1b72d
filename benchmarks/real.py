"""Runs against a small model that really runs here: llama.cpp's server, on one core, with a GGUF file.

    REAL_MODEL=SmolLM2-135M-Instruct.gguf make real
    REAL_MODEL=gemma-3-270m.gguf REAL_API=completions make real

The main job (40 LogQA rows without a recipe) and four recipes, each for at most REAL_SECONDS (default 300), one after
the other; REAL_JOBS names some of them, REAL_ROWS asks for fewer rows. Printed for each: rows, candidates, the share of
them that was accepted, calls, tokens, seconds, what was rejected most, the notes, and rows for a person to read. A base
model (REAL_API=completions) runs what imitates rows: the main job and two recipes.

Needs `llama-server` on the path. Not part of CI: no test needs a real model.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from selfinstruct import api

_SEEDS = Path(__file__).parent.parent / "seeds"
_PORT, _SLOTS = 8791, 2
_SHOWN = 4
#: Seconds for loading the model, and for ending.
_LOADING, _STOPPING = 120, 10


@dataclass(frozen=True, slots=True)
class Job:
    """One run: the recipe or seed file, the rows to ask for, and whether its rows imitate seeds."""

    name: str
    source: str
    rows: int
    imitates: bool = True


JOBS = (
    Job("main job", str(_SEEDS / "logqa.jsonl"), 40),
    Job("logqa", "logqa", 40),
    Job("sentiment-augment", "sentiment-augment", 20),
    Job("alpaca", "alpaca", 10, imitates=False),
    Job("descriptions", "descriptions", 10, imitates=False),
)


def main() -> int:
    """Run the jobs against the model in the environment variable REAL_MODEL; return the exit code."""
    program, model = shutil.which("llama-server"), os.environ.get("REAL_MODEL", "")
    if program is None:
        print("real: llama-server is not on the path; it is part of llama.cpp", file=sys.stderr)
        return 2
    if not Path(model).is_file():
        print(f"real: REAL_MODEL={model or '(not set)'}: not a file; name a model as GGUF", file=sys.stderr)
        return 2
    interface, seconds = os.environ.get("REAL_API", "chat"), float(os.environ.get("REAL_SECONDS", "300"))
    wanted, most = os.environ.get("REAL_JOBS", "").split(","), int(os.environ.get("REAL_ROWS", "1000"))
    print(f"{Path(model).name}, {interface}, one core, at most {seconds:.0f} s a run", flush=True)
    with tempfile.TemporaryDirectory() as folder, serving(program, model, Path(folder) / "server.log") as url:
        for job in JOBS:
            if (job.imitates or interface == "chat") and (wanted == [""] or job.name in wanted):
                job = replace(job, rows=min(job.rows, most))
                print(report(job, *run(job, Path(folder), url, interface, seconds)), flush=True)
    return 0


@contextmanager
def serving(program: str, model: str, log: Path) -> Iterator[str]:
    """A server of the model on one core, with two slots; its base URL."""
    arguments = [program, "-m", model, "--port", str(_PORT), "-t", "1", "-np", str(_SLOTS), "-c", "8192"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            arguments, stdout=output, stderr=output, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        )
        try:
            _await_health(f"http://127.0.0.1:{_PORT}/health", server, log)
            yield f"http://127.0.0.1:{_PORT}/v1"
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(_STOPPING)
            server.kill()  # it may wait for a reply that nobody reads
            server.wait()


def _await_health(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the model is loaded; raises RuntimeError, with the end of the log, if it never is."""
    end = time.monotonic() + _LOADING
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"llama-server does not answer: {log.read_text(errors='replace')[-500:]}")


def run(job: Job, folder: Path, url: str, interface: str, seconds: float) -> tuple[Path, float]:
    """Run one job, cancelled when its time is over; its directory and the seconds it took."""
    out = folder / job.name.replace(" ", "-")
    source = job.source
    if interface == "completions":
        source = _completion_recipe(job, folder, url)
    began = time.monotonic()
    with suppress(TimeoutError):
        asyncio.run(_bounded(source, out, job.rows, url, seconds))
    return out, time.monotonic() - began


async def _bounded(source: str, out: Path, rows: int, url: str, seconds: float) -> None:
    """Run for at most ``seconds``; raises TimeoutError after that, with everything written."""
    async with asyncio.timeout(seconds):
        await api.run_async(source, rows=rows, out=out, model="default", base_url=url)


def _completion_recipe(job: Job, folder: Path, url: str) -> str:
    """A copy of the job's recipe whose model continues text."""
    file = folder / f"{job.name.replace(' ', '-')}.toml"
    options = [job.source] if job.source.endswith(".jsonl") else ["--recipe", job.source]
    subprocess.run([sys.executable, "-m", "selfinstruct", "init", *options, "-o", str(file), "--force"], check=True)
    with file.open("a", encoding="utf-8") as recipe:
        recipe.write(f'\n[model]\nname = "default"\nbase_url = "{url}"\napi = "completions"\nconcurrency = {_SLOTS}\n')
    return str(file)


def report(job: Job, out: Path, seconds: float) -> str:
    """What a run brought, for people."""
    summary: Mapping[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    tokens, candidates = summary["tokens"], summary["candidates"]
    share = f"{summary['accepted'] / candidates:.0%}" if candidates else "-"
    reasons: Sequence[tuple[str, int]] = sorted(
        [*summary["rejected"].items(), *summary["failed"].items()], key=lambda each: -each[1]
    )
    rows = (out / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    lines = [
        f"\n{job.name}: {summary['accepted']} of {job.rows} rows, {candidates} candidates ({share} accepted), "
        f"{summary['requests']} calls, {tokens['input']:,} + {tokens['output']:,} tokens, {seconds:.0f} s",
        "  losses: " + (", ".join(f"{reason} {count}" for reason, count in reasons) or "none"),
        *(f"  note: {note}" for note in summary["notes"]),
        *(f"  {row[:400]}" for row in rows[:: max(1, len(rows) // _SHOWN)][:_SHOWN]),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
