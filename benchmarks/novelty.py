"""What a candidate costs: the novelty index against brute force and against MinHash, on streams to a million rows.

    python -m benchmarks.novelty                                    every stream to 100,000 rows, then the report
    python -m benchmarks.novelty --stream logs --threshold 0.857 --rows 1000000 --minhash-rows 1000000
    python -m benchmarks.novelty --bulk 1000000                     index a pool again, as on resume
    python -m benchmarks.novelty --hard                             pools made to be slow
    python -m benchmarks.novelty --agreement 60                     seconds of random streams against brute force

A stream is judged as a run judges it: ``nearest``, then ``add`` where nothing is near. Times are the thread's CPU
time, so that other work on the machine does not count, as means over the candidates since the size before. MinHash
is datasketch's LSH as it is commonly used: 128 permutations of the set of tokens, any hit is a duplicate, and the
Jaccard threshold t / (2 - t), which two texts of equal length and an overlap of t have. It is given the same
accepted rows; beyond 100,000 it is asked about one candidate in ten. It needs some 10 kB a row, so the index's own
memory is measured in a run with ``--minhash-rows 0``.
Each size adds a line to ``results/novelty.jsonl``; the report makes a table and a figure of the lines, with the costs
of the last run beside MinHash where there is one, and the memory of the last run without. Lines of
``novelty_pools`` replace both.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic, thread_time
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import Indel, LCSseq
from rouge_score.rouge_scorer import RougeScorer

from benchmarks import streams
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.similarity.exact_index import NoveltyIndex
from selfinstruct.similarity.rouge import f1_score
from selfinstruct.text import tokens

RESULTS = Path(__file__).parent / "results"
SIZES = [1_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
_ASK_ALL, _ASK_EVERY = 100_000, 10  # with more rows, MinHash is queried for one candidate in ten
STREAMS = [("logs", 0.857), ("logs", 0.95), ("natural", 0.7), ("chinese", 0.7)]


class MinHash:
    """datasketch's index, with its time and its mistakes since ``line`` was last asked for."""

    def __init__(self, threshold: float) -> None:
        from datasketch import MinHashLSH

        self._lsh = MinHashLSH(threshold=threshold / (2 - threshold), num_perm=128)
        self._clear()

    def judge(self, text: str, is_near: bool, row: int, *, ask: bool) -> None:
        """Ask about a text, compare with the exact verdict, and add it under that verdict."""
        from datasketch import MinHash

        if is_near and not ask:
            return
        start = thread_time()
        sketch = MinHash(num_perm=128)
        sketch.update_batch([token.encode() for token in tokens(text)])
        sketched = thread_time()
        self._sketching += sketched - start
        self._sketched += 1
        if ask:
            found = bool(self._lsh.query(sketch))
            self._asking += thread_time() - sketched
            self._near += is_near
            self._novel += not is_near
            self._let_through += is_near and not found
            self._refused += found and not is_near
        if not is_near:
            start = thread_time()
            self._lsh.insert(row, sketch)
            self._adding += thread_time() - start

    def line(self, candidates: int) -> dict[str, Any]:
        """Seconds a candidate, and of the candidates that were asked about how many were judged wrong."""
        asked = max(self._near + self._novel, 1)
        seconds = self._sketching / self._sketched + self._asking / asked + self._adding / candidates
        line = {"minhash": seconds, "asked_near": self._near, "let_through": self._let_through}
        line |= {"asked_novel": self._novel, "refused": self._refused}
        self._clear()
        return line

    def _clear(self) -> None:
        self._sketching = self._asking = self._adding = 0.0
        self._sketched = self._near = self._novel = self._let_through = self._refused = 0


def measure(name: str, threshold: float, rows: int, minhash_rows: int, seed: int) -> Iterator[dict[str, Any]]:
    """Judge one stream until ``rows`` are accepted; a line of figures at every size on the way."""
    index = NoveltyIndex(min_threshold=threshold)
    texts = getattr(streams, name)(random.Random(seed), threshold, index.__len__)
    sketches = MinHash(threshold) if minhash_rows else None
    before_all, started = memory(), monotonic()
    line = _new_line()
    kept: list[str] = []
    for text in texts:
        before = thread_time()
        found = index.nearest(text, threshold)
        asked = thread_time()
        if found is None:
            index.add(text)
            added = thread_time() - asked
            line["add_seconds"] += added
            line["pause"] = max(line["pause"], added)
            if len(kept) < 2000:
                kept.append(text)
        line["seconds"] += asked - before
        line["pause"] = max(line["pause"], asked - before)
        line["candidates"] += 1
        line["near"] += found is not None
        if sketches and len(index) <= minhash_rows:
            ask = len(index) <= _ASK_ALL or line["candidates"] % _ASK_EVERY == 0
            sketches.judge(text, found is not None, len(index), ask=ask)
        if found is None and len(index) in SIZES:
            line |= {"stream": name, "threshold": threshold, "rows": len(index), "wall": monotonic() - started}
            if not sketches:
                line["bytes_a_row"] = (memory() - before_all) / len(index)
            elif len(index) <= minhash_rows:
                line |= sketches.line(line["candidates"])
            line |= brute_force(kept, len(index))
            yield line
            line = _new_line()
        if len(index) >= rows:
            return


def _new_line() -> dict[str, Any]:
    return {"seconds": 0.0, "add_seconds": 0.0, "candidates": 0, "near": 0, "pause": 0.0}


def memory() -> int:
    """The peak of the memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def brute_force(kept: list[str], rows: int) -> dict[str, float]:
    """Seconds a candidate of the two ways that look at every row, from pairs of a sample of them.

    rouge-score finds no tokens in text that is not ASCII, so each of our tokens is a word for it.
    """
    codes: dict[str, int] = {}
    encoded = ["".join(chr(codes.setdefault(token, len(codes))) for token in tokens(text)) for text in kept]
    start = thread_time()
    for text in encoded[:5]:
        process.extractOne(text, encoded[5:], scorer=Indel.normalized_similarity)
    fuzz = (thread_time() - start) / 5 / len(encoded[5:])
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    words = [" ".join(f"w{ord(code)}" for code in text) for text in encoded[:200]]
    start = thread_time()
    for one, other in zip(words[:100], words[100:], strict=True):
        scorer.score(one, other)
    return {"rapidfuzz": fuzz * rows, "rouge_score": (thread_time() - start) / 100 * rows}


def bulk(rows: int, threshold: float = 0.857) -> None:
    """Time and memory of indexing a pool of log rows at once."""
    texts = list(islice(streams.logs(random.Random(1), threshold, lambda: rows), rows))
    before, start = memory(), thread_time()
    index = NoveltyIndex(min_threshold=threshold)
    index.add_all(texts)
    seconds = thread_time() - start
    each = (memory() - before) // rows
    print(f"{rows} rows in {seconds:.1f} s, {seconds / rows * 1e6:.1f} us a row, {each} B a row")


def hard() -> None:
    """Pools made to be slow, each with its cost a candidate."""
    rng = random.Random(1)
    constants = [f"w{number}" for number in range(24)]
    numbers = iter(range(10**9))

    def time(name: str, pool: list[str], asked: list[str], threshold: float) -> None:
        index = NoveltyIndex(min_threshold=threshold)
        index.add_all(pool)
        start = thread_time()
        found = sum(index.nearest(text, threshold) is not None for text in asked)
        cost = (thread_time() - start) / len(asked)
        print(f"{name:62} {len(pool):8} rows {cost * 1e6:10.0f} us a candidate, {found} of {len(asked)} near")

    def all_but_one() -> str:
        place = rng.randrange(25)
        return " ".join([*constants[:place], f"x{next(numbers)}", *constants[place:]])

    def shuffled() -> str:
        return " ".join(rng.sample(constants, 24))

    def long(count: int) -> str:
        return " ".join(f"t{rng.randrange(50_000)}" for _ in range(count))

    for rows in (10_000, 100_000):
        pool = [all_but_one() for _ in range(rows)]
        time("all share all but one of 25 tokens, all near (0.95)", pool, [all_but_one() for _ in range(5)], 0.95)
        time("all share all but one of 25 tokens, none near (0.97)", pool, [all_but_one() for _ in range(100)], 0.97)
        pool = [shuffled() for _ in range(rows)]
        time("the same 24 tokens in any order (0.7)", pool, [shuffled() for _ in range(5)], 0.7)
        pool = [f"q{next(numbers)} r{next(numbers)}" for _ in range(600_000 if rows > 10_000 else rows)]
        time("two tokens a row, each its own (0.7)", pool, [f"q{next(numbers)} r{next(numbers)}"] * 100, 0.7)
    pool = [long(10_000) for _ in range(300)]
    time("10,000 tokens a row out of 50,000 (0.7)", pool, [long(10_000) for _ in range(5)], 0.7)
    time("10,000 tokens a row, asked for again (0.7)", pool, pool[:5], 0.7)
    sorted_by_template = list(islice(streams.logs(rng, 0.857, lambda: 10**6), 120_000))
    sorted_by_template.sort(key=lambda text: text[:6])
    start, index = thread_time(), NoveltyIndex(min_threshold=0.857)
    for text in sorted_by_template:
        if index.nearest(text, 0.857) is None:
            index.add(text)
    cost = (thread_time() - start) / len(sorted_by_template)
    print(f"a log sorted by template: {cost * 1e6:.0f} us a candidate to {len(index)} rows")


def agreement(seconds: float, seed: int) -> int:
    """Random streams against brute force for so long; the number of pairs compared. A difference raises."""
    from selfinstruct.similarity import bounds, filing, pair_postings, postings
    from selfinstruct.similarity import exact_index as novelty

    rng, end, pairs = random.Random(seed), monotonic() + seconds, 0
    while monotonic() < end:
        filing._WAITING, novelty._FEW = rng.choice((1, 2, 5, 17, 64)), rng.choice((0, 8))
        filing._PAIR_ROWS, filing._PAIR_SHARE = rng.choice((1, 100_000)), 0
        pair_postings._CHUNK, pair_postings._PER_CELL = rng.choice((1000, 1 << 18)), rng.choice((1, 4))
        novelty._READS_PER_ROW, novelty._BLOCK = rng.choice((1, 10, 2000)), rng.choice((7, 100, 65536))
        postings._LONG, postings._PIECE = rng.choice((0, 3, 24)), rng.choice((1, 50, 8192))
        bounds._MIDDLE_ROWS = rng.choice((50, 200))
        words, skew, longest = rng.choice((2, 5, 20, 100, 2000)), rng.choice((1, 3)), rng.choice((3, 8, 20, 40, 90))
        alphabet = [chr(0x4E00 + int(words * (place / 10_000) ** skew)) for place in range(10_000)]
        pairs += _agree(rng, partial(rng.choice, alphabet), longest)
    return pairs


def _agree(rng: random.Random, draw: Callable[[], str], longest: int) -> int:
    least = rng.choice((0.0, 0.3, 0.5, 0.7, 0.7, 0.857, 0.95))
    index, pool, pairs = NoveltyIndex(min_threshold=least), list[str](), 0
    bases = [[draw() for _ in range(rng.randrange(1, longest + 1))] for _ in range(3)]
    for _ in range(rng.choice((20, 100, 300))):
        kind = rng.random()
        if kind < 0.6:
            base = list(rng.choice(pool)) if pool and kind < 0.4 else rng.choice(bases)
            text = "".join(streams.variant(rng, base or [draw()], draw, rng.choice((0.1, 0.3, 0.6))))
        else:
            text = "".join(draw() for _ in range(rng.randrange(longest + 1)))
        threshold = rng.choice((least, least, rng.random(), 0.7, 0.75, 0.8, 0.857, 6 / 7, 0.9, 0.95, 1.0))
        expected: tuple[int, float] | None = None
        for row, other in enumerate(pool):
            score = f1_score(LCSseq.similarity(text, other), len(text), len(other))
            if score > (threshold if expected is None else expected[1]):
                expected = (row, score)
        found = index.nearest(text, threshold)
        if found != expected:
            raise SystemExit(f"{text!r} at {threshold}: {found} instead of {expected} in {pool!r}")
        pairs += len(pool)
        if expected is None or rng.random() < 0.3:
            more = [text, *("".join(draw() for _ in range(longest)) for _ in range(20 * (rng.random() < 0.05)))]
            index.add_all(more) if len(more) > 1 else index.add(text)
            pool += more
    return pairs


def report() -> None:
    """What was measured of each stream, threshold and size, as a table and as a figure."""
    found = map(json.loads, (RESULTS / "novelty.jsonl").read_text().splitlines())
    lines: dict[tuple[str, float, int], dict[str, Any]] = {}
    for line in sorted(found, key=lambda line: ("minhash" in line, "minhash_rows" in line)):
        lines.setdefault((line["stream"], line["threshold"], line["rows"]), {}).update(line)
    table = [
        "| stream | threshold | rows | us a candidate | of which add | B a row | B a row, two filings "
        "| longest pause ms | MinHash us | ratio | rapidfuzz us | rouge-score us | times rouge-score "
        "| near of candidates | MinHash let through | MinHash refused |",
        "|---" * 16 + "|",
    ]
    for key in sorted(lines):
        line = lines[key]
        cost = (line["seconds"] + line["add_seconds"]) / line["candidates"]
        sketch = line.get("minhash")
        cells = [key[0], key[1], f"{key[2]:,}", f"{cost * 1e6:.0f}"]
        cells += [f"{line['add_seconds'] / line['candidates'] * 1e6:.0f}"]
        cells += [f"{line[name]:,.0f}" if name in line else "" for name in ("bytes_a_row", "peak_bytes_a_row")]
        cells += [f"{line['pause'] * 1e3:.0f}"]
        cells += [f"{sketch * 1e6:.0f}", f"{cost / sketch:.2f}"] if sketch else ["", ""]
        cells += [f"{line['rapidfuzz'] * 1e6:,.0f}", f"{line['rouge_score'] * 1e6:,.0f}"]
        cells += [f"{line['rouge_score'] / cost:,.0f}", f"{line['near']:,} of {line['candidates']:,}"]
        if sketch:
            cells += [f"{line['let_through']:,} of {line['asked_near']:,}"]
            cells += [f"{line['refused']:,} of {line['asked_novel']:,}"]
        else:
            cells += ["", ""]
        table.append(f"| {' | '.join(map(str, cells))} |")
    (RESULTS / "novelty.md").write_text("\n".join(table) + "\n")
    print("\n".join(table))
    _draw(lines)


def _draw(lines: dict[tuple[str, float, int], dict[str, Any]]) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "novelty"}
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for number, (name, threshold) in enumerate(sorted({key[:2] for key in lines})):
        own = [line for key, line in sorted(lines.items()) if key[:2] == (name, threshold)]
        rows = [line["rows"] for line in own]
        costs = [(line["seconds"] + line["add_seconds"]) / line["candidates"] * 1e6 for line in own]
        axes.plot(rows, costs, "o-", color=f"C{number}", label=f"{name} at {threshold}")
        sketched = [(line["rows"], line["minhash"] * 1e6) for line in own if "minhash" in line]
        axes.plot(*zip(*sketched, strict=True), "x:", color=f"C{number}") if sketched else None
    fuzz = [(key[2], line["rapidfuzz"] * 1e6) for key, line in sorted(lines.items()) if key[:2] == ("logs", 0.857)]
    axes.plot(*zip(*fuzz, strict=True), "--", color="grey", label="rapidfuzz, every row") if fuzz else None
    axes.set(xscale="log", yscale="log", xlabel="rows in the pool", ylabel="microseconds of CPU a candidate")
    axes.set_title("Near-duplicate verdicts: exact (lines) and MinHash, approximate (dotted)")
    axes.legend()
    figure.savefig(RESULTS / "novelty.svg", metadata={"Date": None})


def main() -> None:
    """Do what the arguments say; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stream", choices=["logs", "natural", "chinese"])
    parser.add_argument("--threshold", type=float, default=0.7)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--minhash-rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--agreement", type=float, metavar="SECONDS")
    parser.add_argument("--bulk", type=int, metavar="ROWS")
    parser.add_argument("--hard", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    tune_allocator()
    if options.agreement:
        print(f"{agreement(options.agreement, options.seed):,} pairs, no difference")
    elif options.bulk:
        bulk(options.bulk)
    elif options.hard:
        hard()
    elif not options.report:
        for name, threshold in [(options.stream, options.threshold)] if options.stream else STREAMS:
            for line in measure(name, threshold, options.rows, options.minhash_rows, options.seed):
                print(json.dumps(line), flush=True)
                with (RESULTS / "novelty.jsonl").open("a") as file:
                    file.write(json.dumps(line) + "\n")
    if options.report or not (options.stream or options.agreement or options.bulk or options.hard):
        report()


if __name__ == "__main__":
    main()
