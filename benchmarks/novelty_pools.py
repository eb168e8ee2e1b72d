"""What a candidate costs in pools that are indexed at once: a table of all streams to a million rows in 25 minutes.

    python -m benchmarks.novelty_pools                              every stream and size, then the report
    python -m benchmarks.novelty_pools --stream chinese --rows 300000 1000000
    python -m benchmarks.novelty_pools --minhash-rows 1000000       needs some 10 GB, and four minutes for each stream

Each pool is measured in a process of its own: indexed at once, then judged and added to as by a run. Then the index is
made to file all rows anew, as it does when a pool has doubled, while candidates come in as before: what it takes then
is the peak of memory, and the longest call, in CPU time of the thread, the longest pause. At last MinHash (see
``novelty``) is asked about the same candidates. It knows the first ``--minhash-rows`` rows of the pool; of larger
pools its time is that of the smaller one, and candidates near to later rows are left out of its mistakes.

The lines are added to ``results/novelty.jsonl``, and replace those of the same stream, threshold and size in the table.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from time import thread_time
from typing import Any

from benchmarks import streams
from benchmarks.novelty import RESULTS, SIZES, STREAMS, MinHash, brute_force, memory, report
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.similarity.exact_index import NoveltyIndex

_CANDIDATES = 4000


def measure(name: str, threshold: float, rows: int, minhash_rows: int, seed: int) -> dict[str, Any]:
    """The figures of one pool."""
    texts = getattr(streams, name)(random.Random(seed), threshold, lambda: rows)
    pool = list(islice(texts, rows))
    before, index = memory(), NoveltyIndex(min_threshold=threshold)
    start = thread_time()
    index.add_all(pool)
    line: dict[str, Any] = {"stream": name, "threshold": threshold, "rows": rows}
    line["index_seconds"] = thread_time() - start
    line["bytes_a_row"] = (memory() - before) / rows
    asked = list(islice(texts, min(_CANDIDATES, rows // 2)))
    judged = list(_judge(index, asked, threshold))
    line["seconds"], line["add_seconds"] = (
        sum(part) for part in zip(*((ask, add) for _, ask, add in judged), strict=True)
    )
    line |= {"candidates": len(judged), "near": sum(found is not None for found, _, _ in judged)}
    line["pause"] = max(_pauses_of_filing(index, texts, threshold))
    line["peak_bytes_a_row"] = (memory() - before) / len(index)
    if minhash_rows:
        line |= _minhash(pool[:minhash_rows], asked, [found for found, _, _ in judged], threshold, rows)
    return line | brute_force(pool[:2000], rows)


def _judge(
    index: NoveltyIndex, texts: list[str], threshold: float
) -> Iterator[tuple[tuple[int, float] | None, float, float]]:
    """Each text's nearest row, and the seconds of asking and, where nothing is near, of adding it."""
    for text in texts:
        start = thread_time()
        found = index.nearest(text, threshold)
        asked = thread_time()
        if found is None:
            index.add(text)
        yield found, asked - start, thread_time() - asked


def _pauses_of_filing(index: NoveltyIndex, texts: Iterator[str], threshold: float) -> Iterator[float]:
    """The seconds of each call while all rows are filed anew."""
    start = thread_time()
    index._start_filing()
    yield thread_time() - start
    while index._next_filing is not None:
        for _, asked, added in _judge(index, [next(texts)], threshold):
            yield max(asked, added)


def _minhash(
    pool: list[str], asked: list[str], found: list[tuple[int, float] | None], threshold: float, rows: int
) -> dict[str, Any]:
    sketches = MinHash(threshold)
    for row, text in enumerate(pool):
        sketches.judge(text, False, row, ask=False)
    sketches.line(len(pool))
    for number, (text, near) in enumerate(zip(asked, found, strict=True)):
        if near is None or near[0] < len(pool) or near[0] >= rows:
            sketches.judge(text, near is not None, rows + number, ask=True)
    return {"minhash_rows": len(pool), **sketches.line(len(asked))}


def main() -> None:
    """Measure the pools that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stream", choices=["logs", "natural", "chinese"])
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--minhash-rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    chosen = [each for each in STREAMS if options.stream in (None, each[0]) and options.threshold in (None, each[1])]
    if options.one:
        tune_allocator()
        print(json.dumps(measure(*chosen[0], options.rows[0], options.minhash_rows, options.seed)))
        return
    RESULTS.mkdir(exist_ok=True)
    for rows in options.rows:
        for name, threshold in chosen:
            own = ["--stream", name, "--threshold", str(threshold), "--rows", str(rows), "--seed", str(options.seed)]
            command = [sys.executable, "-m", "benchmarks.novelty_pools", "--one", *own]
            line = subprocess.check_output([*command, "--minhash-rows", str(options.minhash_rows)], text=True)
            print(line, end="", flush=True)
            with (RESULTS / "novelty.jsonl").open("a") as file:
                file.write(line)
    report()


if __name__ == "__main__":
    main()
