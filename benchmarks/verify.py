"""How long an audit takes, and how much of a run it proves.

    python -m benchmarks.verify [SEEDS] [--rows 1000 10000 100000]

Grows the seeds to each number of rows in a temporary directory and audits the run by ``selfinstruct verify``: plain
SQL, every reply parsed again, every rule, and every pair of rows, without an index. Prints what it measured; exits with
1 where a claim does not hold.
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


def main() -> int:
    """Grow, audit, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("seeds", nargs="?", default="seeds/logqa.jsonl")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {arguments.seeds}")
    print(
        f"{'rows':>9} {'grown in':>10} {'audited in':>11} {'pairs':>15} {'by rouge-score':>15} {'claims that hold':>17}"
    )
    broken = 0
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            run = api.run(arguments.seeds, rows=rows, out=Path(folder) / "run")
            grown = time.perf_counter() - start
            start = time.perf_counter()
            audit = api.verify(run.directory)
            audited = time.perf_counter() - start
        novelty = next(claim for claim in audit.claims if claim.name == "novelty")
        held = sum(claim.holds for claim in audit.claims)
        broken += len(audit.claims) - held
        judged = novelty.detail.rsplit("judged ", 1)[-1].partition(" ")[0]
        print(
            f"{audit.rows:>9,} {grown:>8.1f} s {audited:>9.1f} s {novelty.checked:>15,} {judged:>15} "
            f"{held:>9} of {len(audit.claims)}"
        )
        for claim in audit.claims:
            for problem in claim.problems:
                print(f"  {claim.name}: {problem}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
