"""The cost of resuming a run: seconds and memory, by the number of rows that it has.

    python -m benchmarks.resume                       10 k, 100 k and 1 M rows (growing the last takes some ten minutes)
    python -m benchmarks.resume --folder runs 10000   other sizes; runs that are in the folder are not grown again

A run is grown by the embedded imitator, once, and then its command is given again: the journal is opened and checked,
the pool restored, nothing is missing, and all derived files are written anew. Each time is a process of its own; what a
run of ten rows takes is taken off the memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEEDS = Path(__file__).parent.parent / "seeds" / "logqa.jsonl"


def command(folder: Path, rows: int) -> tuple[float, int]:
    """Run the command for ``rows`` rows; its seconds, and its peak memory in bytes."""
    arguments = ["run", str(SEEDS), "--rows", str(rows), "--out", str(folder / str(rows)), "--quiet"]
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "selfinstruct", *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the run of {rows:,} rows ended with {process.returncode}")
    return time.monotonic() - start, usage.ru_maxrss * 1024


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, help="where runs are kept [default: nowhere]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        command(folder, 10)
        seconds, empty = command(folder, 10)
        print(f"{10:9,} rows: {seconds:6.1f} s, {empty / 2**20:5.0f} MB")
        for rows in options.rows:
            grown = ""
            if not (folder / str(rows)).exists():
                took, peak = command(folder, rows)
                grown = f"; growing took {took:.0f} s and {(peak - empty) / rows:.0f} bytes a row"
            seconds, peak = command(folder, rows)
            journal = (folder / str(rows) / "run.sqlite").stat().st_size
            print(
                f"{rows:9,} rows: {seconds:6.1f} s, {peak / 2**20:5.0f} MB, {(peak - empty) / rows:5.0f} bytes a row"
                f" (journal {journal / 2**20:.0f} MB){grown}",
                flush=True,
            )


if __name__ == "__main__":
    main()
