"""``export --best`` against chance: how well as many chosen rows cover all rows of a run.

    python -m benchmarks.selection [--output benchmarks/results/selection.txt]

Coverage is judged by all rows of the run: the ROUGE-L distance (1 - F1) of each to the nearest chosen row, whatever its
category. Chance draws as many rows of each category, with several random seeds; its figures are means, and the best of
its draws in brackets.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from selfinstruct import api
from selfinstruct.analysis.selection import apportion, select
from selfinstruct.mining.line_templates import line_templates
from selfinstruct.preparation import prepared_from_journal
from selfinstruct.recipe import Novelty
from selfinstruct.records import Row
from selfinstruct.run_directory import open_history
from selfinstruct.similarity import RowIndex, compared_text
from selfinstruct.text import tokens

SEEDS = Path(__file__).parents[1] / "seeds"
ROWS, BEST, DRAWS = 5000, 500, 5
NAMES = ("mean distance", "99th percentile", "largest distance", "distinct-2", "distinct tokens", "line templates")
LOWER_IS_BETTER = 3


@dataclass(frozen=True)
class Coverage:
    """The figures of one choice, in the order of ``NAMES``."""

    mean: float
    high: float
    largest: float
    distinct_pairs: float
    distinct_tokens: int
    templates: int


def coverage(rows: Sequence[Row], chosen: Sequence[int], novelty: Novelty) -> Coverage:
    """Measure a choice; distinct-2 is the share of different pairs of neighbouring tokens (Li et al. 2016)."""
    index = RowIndex(novelty, min_threshold=1.0)
    index.add_all(rows)
    nearest = np.zeros(len(rows))
    for at in chosen:
        index.raise_scores(rows[at], nearest)
    distances = 1.0 - nearest
    texts = [compared_text(rows[at], novelty.fields) for at in chosen]
    split = [tokens(text) for text in texts]
    pairs = [pair for text in split for pair in itertools.pairwise(text)]
    return Coverage(
        float(distances.mean()),
        float(np.quantile(distances, 0.99)),
        float(distances.max()),
        len(set(pairs)) / max(len(pairs), 1),
        len({token for text in split for token in text}),
        len(line_templates(" ".join(text.split()) for text in texts)[0]),
    )


def drawn(categories: Sequence[str], quotas: Mapping[str, int], seed: int) -> list[int]:
    """As many rows of each category by chance."""
    rng = random.Random(seed)
    chosen = []
    for name, count in quotas.items():
        chosen += rng.sample([at for at, category in enumerate(categories) if category == name], count)
    return chosen


def lines(name: str) -> list[str]:
    """Grow a seed file, choose, and compare."""
    with tempfile.TemporaryDirectory() as where:
        api.run(SEEDS / name, rows=ROWS, out=f"{where}/run")
        with open_history(f"{where}/run") as history:
            grown = list(history.rows())
            novelty = prepared_from_journal(history).recipe.novelty
            wanted = history.metadata().current_quotas
    rows, categories = [each.row for each in grown], [each.category for each in grown]
    quotas = apportion(BEST, wanted, Counter(categories))
    start = time.perf_counter()
    best = select(rows, categories, quotas, novelty)
    seconds = time.perf_counter() - start
    assert Counter(categories[at] for at in best) == {name: count for name, count in quotas.items() if count}
    own = astuple(coverage(rows, best, novelty))
    draws = [astuple(coverage(rows, drawn(categories, quotas, seed), novelty)) for seed in range(DRAWS)]
    said = [f"{name}: {len(best)} of {len(rows):,} rows in {len(quotas)} categories, chosen in {seconds:.1f} s"]
    for at, title in enumerate(NAMES):
        values = [draw[at] for draw in draws]
        top = min(values) if at < LOWER_IS_BETTER else max(values)
        form = "{:9.3f}" if isinstance(own[at], float) else "{:9d}"
        mean = sum(values) / len(values)
        said.append(f"  {title:<17}{form.format(own[at])}   chance {mean:9.3f} ({top:.3f})")
    return said


def main() -> None:
    """Print, and write, the comparison of each data set."""
    parser = argparse.ArgumentParser(description="export --best against chance.")
    parser.add_argument("--output", type=Path)
    parser.add_argument("files", nargs="*", default=["logqa.jsonl", "tickets.csv"])
    arguments = parser.parse_args()
    said = [f"Best {BEST} of {ROWS:,} rows, farthest first, against {DRAWS} draws by chance (mean, and the best one)."]
    for name in arguments.files:
        said += ["", *lines(name)]
    print("\n".join(said))
    if arguments.output is not None:
        arguments.output.write_text("\n".join(said) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
