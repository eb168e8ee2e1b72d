"""Synchronous calls: alone, inside a running event loop, and interrupted."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import selfinstruct
from selfinstruct.api.blocking import run_blocking
from selfinstruct.errors import InputError

SEEDS = Path(__file__).parents[2] / "seeds" / "logqa.jsonl"
#: Waits inside a running loop; on an interrupt its work cleans up before the interrupt leaves the call.
INTERRUPTED = """
import asyncio
from selfinstruct.api.blocking import run_blocking

async def work():
    print("waiting", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        print("cleaned up", flush=True)

async def main():
    run_blocking(work())

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


async def test_run_works_inside_a_running_loop(tmp_path: Path) -> None:
    """``run`` in a coroutine, as in a notebook cell, grows the same rows as elsewhere."""
    run = selfinstruct.run(SEEDS, rows=20, out=tmp_path / "inside", seed=3)
    outside = await asyncio.to_thread(selfinstruct.run, SEEDS, rows=20, out=tmp_path / "outside", seed=3)
    assert list(run.rows()) == list(outside.rows()) and run.summary.accepted == 20


async def test_an_error_inside_a_running_loop_is_raised_to_the_caller(tmp_path: Path) -> None:
    """Errors keep their type and message."""
    with pytest.raises(InputError, match="no-such-file"):
        selfinstruct.run(tmp_path / "no-such-file.jsonl")


def test_without_a_loop_it_is_asyncio_run() -> None:
    """The result is returned, and no thread is needed."""

    async def work() -> int:
        return 7

    assert run_blocking(work()) == 7


def test_an_interrupt_cancels_the_work_and_waits_for_its_clean_up() -> None:
    """Ctrl-C during a blocking call in a running loop: the work is cancelled, and finishes its clean-up first."""
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert out.splitlines() == ["cleaned up", "interrupted"]
