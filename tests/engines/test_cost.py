"""What a deduplication is expected to cost, beside what it did cost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from benchmarks import streams
from selfinstruct.engines import Cost, Progress, Sinks, deduplicate
from selfinstruct.engines.dedup import comparing, sampling
from selfinstruct.engines.dedup.cost import expected
from selfinstruct.engines.dedup.joining import distinct
from selfinstruct.engines.dedup.sampling import Sample
from selfinstruct.engines.executor import SerialExecutor
from selfinstruct.similarity.postings import Integers

SAMPLE = Sample(
    rows=1000, kept=1000, early_kept=500, pairs=0, late_pairs=0, single_pairs=0, among_first=0, entries=9000,
    meetings=0, seconds=0.1, raw=100_000, of_rows=400_000, of_vocabulary=0, elements=1, early_elements=1,
)  # fmt: skip


def test_pairs_of_any_rows_grow_with_the_square_those_with_a_few_kept_rows_do_not() -> None:
    """A hundred times the rows: pairs of two rows each, pairs of all rows with one, and none."""
    any_rows = expected(replace(SAMPLE, pairs=200, late_pairs=50, single_pairs=180), 100_000, 4, 10_000_000)
    one_kept = expected(replace(SAMPLE, kept=1, early_kept=1, pairs=999), 100_000, 4, 10_000_000)
    assert any_rows.pairs == 200 * 100**2
    assert any_rows.fewest_pairs < 0.9 * any_rows.pairs < 1.1 * any_rows.pairs < any_rows.most_pairs
    assert (one_kept.pairs, one_kept.kept) == (999 * 100, 1)
    none = expected(SAMPLE, 100_000, 4, 10_000_000)
    assert (none.pairs, none.fewest_pairs) == (0, 0)
    assert none.most_pairs == 4 * 100**2, "four pairs may well have been missed"
    assert none.size == 10_000_000 + 40_000_000 + 2 * 10_000_000


def test_as_many_rows_are_a_sample_as_are_worth_it() -> None:
    """None of a few, one of four at most, and ever less of more."""
    assert [sampling.sampled(rows) for rows in (8_191, 8_192, 65_536, 10**6, 10**9)] == [0, 2048, 4096, 16_000, 32_768]


@contextmanager
def compared(patch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Count the pairs that are compared from here on, in one item."""
    total = [0]

    def counting(pairs: Integers) -> Integers:
        found = distinct(pairs)
        total[0] += len(found)
        return found

    with patch.context() as context:
        context.setattr(comparing, "distinct", counting)
        context.setattr(os, "fsync", lambda descriptor: None)
        yield total


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["logs", "natural", "chinese"])
@pytest.mark.parametrize("threshold", [0.7, 0.9])
def test_what_is_expected_comes_true(
    stream: str, threshold: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes within a factor of 1.5, and pairs within 2 of what the sample allows, kept rows being few or many."""
    rows, told = 10_000, list[Cost]()
    texts = islice(getattr(streams, stream)(Random(1), threshold, lambda: rows), rows)
    (tmp_path / "rows.txt").write_text("".join(f"{text}\n" for text in texts))

    def watch(progress: Progress) -> None:
        if progress.cost is not None and not told:
            told.append(progress.cost)
            of_sample.append(total[0])
        sizes.append(progress.size)

    sizes, of_sample = list[int](), list[int]()
    with compared(monkeypatch) as total:
        deduplicate(
            str(tmp_path / "rows.txt"), tmp_path / "work", SerialExecutor(), Sinks(Path.stat, Path.stat),
            fields=(), max_rouge_l=threshold, encoding="utf-8", watch=watch,
        )  # fmt: skip
    cost, pairs = told[0], total[0] - of_sample[0]
    assert sizes[-1] / 1.5 < cost.size < sizes[-1] * 1.5
    assert cost.fewest_pairs / 2 <= pairs <= cost.most_pairs * 2
