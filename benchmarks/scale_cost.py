"""What `dedup --engine ray` expects of rows, beside what it then takes: bytes of work files, pairs, processor time.

    python -m benchmarks.scale_cost                     10^4 and 10^5 rows of every stream
    python -m benchmarks.scale_cost --rows 100000 --stream chinese --threshold 0.8

The stages run one task after another in this process. Pairs are those that are compared, once in each step.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from benchmarks.scale import RUNS, shards
from selfinstruct.engines import Cost, Progress, Sinks, deduplicate
from selfinstruct.engines.dedup import comparing
from selfinstruct.engines.dedup.joining import distinct
from selfinstruct.engines.executor import SerialExecutor
from selfinstruct.similarity.postings import Integers


def main() -> None:
    """Run what the command line asks for, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stream", choices=["logs", "natural", "chinese"])
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000])
    given = parser.parse_args()
    for rows in given.rows:
        for stream, threshold in RUNS:
            if given.stream in (None, stream) and given.threshold in (None, threshold):
                with shards(stream, threshold, rows) as source:
                    print(f"{stream} {threshold} {rows:,}: {_compared(source, threshold)}", flush=True)


def _compared(source: Path, threshold: float) -> str:
    pairs, size, cost = 0, 0, list[Cost]()

    def counting(found: Integers) -> Integers:
        nonlocal pairs
        once = distinct(found)
        pairs += len(once)
        return once

    def watch(progress: Progress) -> None:
        nonlocal pairs, size
        size = progress.size
        if progress.cost is not None and not cost:
            cost.append(progress.cost)
            pairs = 0  # those before were the sample's

    begun = time.process_time()
    with TemporaryDirectory(prefix="scale-cost-") as name, patch.object(comparing, "distinct", counting):
        done = deduplicate(
            str(source), Path(name) / "work", SerialExecutor(), Sinks(Path.stat, Path.stat),
            fields=(), max_rouge_l=threshold, encoding="utf-8", watch=watch,
        )  # fmt: skip
    took = time.process_time() - begun
    if not cost:
        return "too few rows"
    told = cost[0]
    return (
        f"{told.size / 1e6:.1f} and {size / 1e6:.1f} MB ({told.size / size:.2f}), "
        f"{told.pairs:,} ({told.fewest_pairs:,} to {told.most_pairs:,}) and {pairs:,} pairs "
        f"({told.pairs / max(pairs, 1):.2f}), {told.seconds:.1f} and {took:.1f} s, {done.kept:,} rows kept"
    )


if __name__ == "__main__":
    main()
