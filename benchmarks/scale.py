"""`dedup --engine ray` beside one process: the same bytes, seconds, memory, bytes; and what more rows would cost.

    python -m benchmarks.scale                          10^4 and 10^5 rows of every stream
    python -m benchmarks.scale --rows 1000000 --stream natural --threshold 0.7
    python -m benchmarks.scale --kills 50               50 workers and 50 commands killed at random moments
    python -m benchmarks.scale --simulate results/scale-tasks.json
    python -m benchmarks.scale check                    the same of `check`, see scale_check

Each way runs in a process of its own, and its output is compared byte by byte. Processor time is that of all processes
that do the work; seconds are of the wall clock, and depend on what else the machine does. The memory of a worker is
the most that one process of Ray had. ``--tasks FILE`` also runs the stages one task after another and writes how long
each task took, which ``--simulate`` replays on many workers (see ``scale_model``).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import scale_model, streams

Result = TypeVar("Result")

RUNS = [(stream, threshold) for stream in ("logs", "natural", "chinese") for threshold in (0.7, 0.8, 0.9, 0.95)]


def main() -> None:
    """Run what the command line asks for."""
    if sys.argv[1:2] == ["check"]:
        from benchmarks import scale_check

        scale_check.main()
        return
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stream", choices=["logs", "natural", "chinese"])
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument(
        "--workers", type=int, nargs="*", default=[1, 2], help="processes of Ray, however many processors there are"
    )
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--tasks", type=Path, help="measure each task, and write the times")
    parser.add_argument("--simulate", type=Path, help="replay the times of tasks on many workers")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)  # way, threshold, source, output: in a process
    given = parser.parse_args()
    if given.one:
        way, threshold, source, out = given.one
        print(json.dumps(_one(way, float(threshold), Path(source), Path(out))))
        return
    if given.simulate:
        print(scale_model.report(json.loads(given.simulate.read_bytes())))
        return
    runs = [run for run in RUNS if given.stream in (None, run[0]) and given.threshold in (None, run[1])]
    for rows in given.rows:
        for stream, threshold in runs:
            with shards(stream, threshold, rows) as source:
                if given.kills:
                    _killed(source, threshold, given.kills)
                elif given.tasks:
                    given.tasks.write_text(json.dumps(scale_model.measure(source, threshold)))
                else:
                    _compare(stream, threshold, rows, source, given.workers)


@contextlib.contextmanager
def shards(stream: str, threshold: float, rows: int) -> Iterator[Path]:
    """A folder of 8 shards, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        folder = Path(name) / "shards"
        folder.mkdir()
        texts = getattr(streams, stream)(random.Random(1), threshold, lambda: rows)
        for shard in range(8):
            with (folder / f"{shard}.txt").open("w") as file:
                file.writelines(f"{text}\n" for text in islice(texts, rows // 8 + (shard < rows % 8)))
        yield folder


def _compare(stream: str, threshold: float, rows: int, source: Path, workers: list[int]) -> None:
    """Print a line for each way."""
    ways = ["local", *(f"ray-{count}" for count in workers)]
    results = {way: _run(way, threshold, source) for way in ways}
    for way, result in results.items():
        same = (result.pop("kept"), result.pop("dropped")) == tuple(
            _digest(source.parent / f"local.{name}") for name in ("kept", "dropped")
        )
        line = " ".join(f"{key} {value}" for key, value in result.items())
        found = "same bytes" if same else "OTHER BYTES"
        print(f"{stream} {threshold} {rows:,} {way}: {found} {line} load {os.getloadavg()[0]:.0f}", flush=True)


def _run(way: str, threshold: float, source: Path) -> dict[str, Any]:
    out = source.parent / way
    command = [sys.executable, "-m", "benchmarks.scale", "--one", way, str(threshold), str(source), str(out)]
    done: dict[str, Any] = json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1]
    )
    return done | {name: _digest(Path(f"{out}.{name}")) for name in ("kept", "dropped")}


def _digest(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _one(way: str, threshold: float, source: Path, out: Path) -> dict[str, Any]:
    """Deduplicate in this process, or on workers that it starts; what that took."""
    from selfinstruct import api

    options: dict[str, Any] = {"max_rouge_l": threshold, "out": f"{out}.kept", "dropped": f"{out}.dropped"}
    done, took = measured(way, lambda **engine: api.dedup(source, **engine, **options))
    return {"rows": done.rows, "kept_rows": done.kept} | took


def measured(way: str, call: Callable[..., Result]) -> tuple[Result, dict[str, Any]]:
    """The result of ``call``, which is given the options of the engine that ``way`` names, and what that took."""
    from selfinstruct.cli.memory import tune_allocator
    from selfinstruct.engines import Progress
    from selfinstruct.platform_support import peak_memory

    tune_allocator()
    engine, _, count = way.partition("-")
    most = size = 0
    processor = 0.0

    def watch(progress: Progress) -> None:
        nonlocal most, size, processor
        size = progress.size
        found = [_state_of(pid) for pid in _workers_of(os.getpid())]
        most = max([most, *(memory for memory, _ in found)])
        processor = max(processor, sum(seconds for _, seconds in found))

    if engine == "local":
        begun = time.monotonic()
        result = call()
    else:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        import ray

        ray.init("local", num_cpus=int(count), include_dashboard=False, object_store_memory=10**8, log_to_driver=False)
        begun = time.monotonic()
        try:
            result = call(engine="ray", watch_stages=watch)
        finally:
            ray.shutdown()
    took = {"seconds": round(time.monotonic() - begun, 1)}
    took |= {"cpu_seconds": round(processor + time.process_time(), 1), "MB": peak_memory() * 1024 // 10**6}
    return result, took if engine == "local" else took | {"MB_worker": most // 10**6, "MB_written": size // 10**6}


def _workers_of(driver: int) -> list[int]:
    """The processes that run tasks for the Ray that this process has started, and for no other on the machine."""
    parents, names = dict[int, int](), dict[int, bytes]()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(path.name)] = (path / "cmdline").read_bytes().rstrip(b"\0")
    return [
        pid
        for pid, name in names.items()
        if name.startswith(b"ray::") and not name.endswith(b"Agent") and parents.get(parents[pid]) == driver
    ]


def _state_of(pid: int) -> tuple[int, float]:
    """The peak memory of a process in bytes, and its processor time in seconds."""
    with contextlib.suppress(OSError, StopIteration):  # it has ended
        peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks = os.sysconf("SC_CLK_TCK")
        return int(peak.split()[1]) * 1024, (int(fields[11]) + int(fields[12])) / ticks
    return 0, 0.0


def _killed(source: Path, threshold: float, kills: int) -> None:
    """Kill workers and commands at random moments, ``kills`` of each, then let the command end."""
    _run("local", threshold, source)
    rng, done, workers, commands = random.Random(1), 0, 0, 0
    out = source.parent / "ray-2"
    command = [sys.executable, "-m", "benchmarks.scale", "--one", "ray-2", str(threshold), str(source), str(out)]
    while True:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and min(workers, commands) < kills:
                time.sleep(rng.uniform(0.5, 6))
                victims = _workers_of(process.pid)
                if workers < kills and (commands >= kills or rng.random() < 0.6):
                    with contextlib.suppress(ProcessLookupError, IndexError):  # it has ended, or none has begun
                        os.kill(rng.choice(victims), signal.SIGKILL)
                        workers += 1
                elif process.poll() is None:
                    process.kill()
                    commands += 1
            process.wait()
        if process.returncode == 0:
            done += 1
            for name in ("kept", "dropped"):
                if _digest(source.parent / f"local.{name}") != _digest(Path(f"{out}.{name}")):
                    raise SystemExit("OTHER BYTES")
            if min(workers, commands) >= kills:
                break
    print(f"{workers} workers and {commands} commands killed, {done} times to the end: the same bytes each time")
    print(f"load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    main()
