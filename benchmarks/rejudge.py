"""A run of 10,000 rows by an unreliable scripted model, rejudged from its journal.

    python -m benchmarks.rejudge [--rows 10000]

Prints the seconds, and whether the rows that come out are the same, byte for byte. Exits with 1 where not.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from selfinstruct import api
from selfinstruct.testing import server_process

SEEDS = Path(__file__).parent.parent / "seeds" / "logqa.jsonl"
_POOR = {"ungrounded": 0.1, "echoed": 0.05, "near-duplicate": 0.05, "malformed": 0.05, "rate": 0.1}


def main() -> int:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    poor = ["--fault", "mixed", *(part for name, share in _POOR.items() for part in (f"--{name}", str(share)))]
    with tempfile.TemporaryDirectory() as folder, server_process(*poor) as url:
        grown, again = Path(folder) / "grown", Path(folder) / "again.jsonl"
        start = time.perf_counter()
        run = api.run(SEEDS, rows=rows, out=grown, model="m", base_url=url, concurrency=32)
        seconds = time.perf_counter() - start
        summary = run.summary
        candidates, requests = summary.candidates, summary.requests
        print(f"grown:    {summary.accepted:,} rows of {candidates:,} candidates, {requests:,} calls, {seconds:.1f} s")
        start = time.perf_counter()
        judged = api.rejudge(grown, out=again)
        seconds = time.perf_counter() - start
        same = judged.identical and again.read_bytes() == (grown / "rows.jsonl").read_bytes()
        each = f"{1e6 * seconds / candidates:.0f} us a candidate"
        print(f"rejudged: {judged.replies:,} replies in {seconds:.2f} s, {each}; byte-identical: {same}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
