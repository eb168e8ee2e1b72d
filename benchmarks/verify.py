"""A proof of one run by brute force, with rouge-score itself as the judge.

    python -m benchmarks.verify [SEEDS] [--rows 1000]

Grows the seeds in a temporary directory, then looks at every new row against every seed and every row before it: is
any ROUGE-L F1 above the row's category's printed threshold? Quotas, grounding and duplicates are counted anew, by
means of their own. rouge-score finds no tokens in text that is not ASCII: such texts are given to it in ours. Prints
what it measured; exits with 1 where something does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from selfinstruct import api
from selfinstruct.preparation.prepare import prepare
from selfinstruct.text import tokens

_SLICES = 64


def main() -> int:
    """Grow, prove, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("seeds", nargs="?", default="seeds/logqa.jsonl")
    parser.add_argument("--rows", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run = api.run(arguments.seeds, rows=arguments.rows, out=Path(folder) / "run")
        grown_in = time.perf_counter() - start
        rows = [json.loads(line) for line in (run.directory / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    prepared = prepare(arguments.seeds, rows=arguments.rows)
    categories = [prepared.categories.of(row) for row in rows]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{len(rows)} rows from {len(prepared.seeds.rows)} seeds in {grown_in:.2f} s")
    faults = {
        "quotas missed": sum(Counter(categories)[name] != quota for name, quota in prepared.quotas.items()),
        "rows that stand twice": len(rows) - len({json.dumps(row, sort_keys=True) for row in rows}),
        "rows that are seeds": sum(row in prepared.seeds.rows for row in rows),
        "values that are no span": sum(
            not _is_span(row[name], row[field.appears_in])
            for row in rows
            for name, field in prepared.recipe.fields.items()
            if field.appears_in is not None
        ),
    }
    fields = prepared.recipe.novelty.fields
    texts = ["\n".join(row[name] for name in fields) for row in (*prepared.seeds.rows, *rows)]
    limits = [2.0] * len(prepared.seeds.rows) + [run.summary.categories[name].max_rouge_l for name in categories]
    start = time.perf_counter()
    with ProcessPoolExecutor() as pool:
        found = pool.map(_slice, [texts] * _SLICES, [limits] * _SLICES, range(_SLICES))
        pairs, above, nearest = zip(*found, strict=True)
    faults["rows above their threshold"] = sum(above)
    seconds = time.perf_counter() - start
    print(f"{sum(pairs):,} pairs by rouge-score in {seconds:.1f} s; the nearest two of all: {max(nearest):.4f}")
    for name, count in faults.items():
        print(f"{count:6}  {name}")
    return 1 if any(faults.values()) else 0


def _is_span(value: str, text: str) -> bool:
    """By a regular expression: no word and no number goes on at either end (Chinese text has no such ends)."""
    if re.search("[\u4e00-\u9fff]", value):
        return value in text
    before = (r"(?<!\w)" if re.match(r"\w", value) else "") + (r"(?<!\d[.,])" if value[:1].isdigit() else "")
    after = (r"(?!\w)" if re.search(r"\w\Z", value) else "") + (r"(?![.,]\d)" if value[-1:].isdigit() else "")
    return bool(value) and re.search(before + re.escape(value) + after, text) is not None


class _Tokenizer:
    """rouge-score's own tokens of ASCII text; of other text, where it has none, ours."""

    def __init__(self) -> None:
        from rouge_score.tokenizers import DefaultTokenizer

        self._ascii = DefaultTokenizer(use_stemmer=False)

    def tokenize(self, text: str) -> list[str]:
        """The tokens of ``text``."""
        return self._ascii.tokenize(text) if text.isascii() else tokens(text)


def _slice(texts: Sequence[str], limits: Sequence[float], of: int) -> tuple[int, int, float]:
    """Every ``_SLICES``-th text against all before it: pairs, texts above their limit, and the highest score."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_Tokenizer())
    pairs, above, highest = 0, 0, 0.0
    for at in range(of, len(texts), _SLICES):
        scores = [scorer.score(earlier, texts[at])["rougeL"].fmeasure for earlier in texts[:at]]
        pairs += len(scores)
        if limits[at] <= 1:
            nearest = max(scores)
            highest = max(highest, nearest)
            above += nearest > limits[at]
    return pairs, above, highest


if __name__ == "__main__":
    sys.exit(main())
