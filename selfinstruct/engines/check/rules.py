"""The rules of a data set, as every task makes them: of a recipe, or of the sample that they are inferred from."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np

from selfinstruct.analysis.gate.criteria import Rules, given_rules, rules_of_sample
from selfinstruct.engines.check.stored import block_rows
from selfinstruct.engines.dedup.work import Job, load, save, size_of
from selfinstruct.recipe import import_extension
from selfinstruct.records import JSON, Row
from selfinstruct.rows import UTF_8, RowFile


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Where rules come from: the path of a recipe, in a ``folder``, or a sample of rows.

    ``labels`` are the values of the field that says the category of a row, each with the number of rows.
    """

    folder: str
    recipe: str | None = None
    path: str = ""
    format: str = ""
    encoding: str = UTF_8
    fields: Sequence[str] = ()
    rows: Sequence[Row] = ()
    labels: Sequence[tuple[JSON, int]] = ()

    def rules(self) -> Rules:
        """The rules."""
        if self.recipe is not None:
            with contextlib.chdir(self.folder):
                return given_rules(self.recipe, import_extension)
        rows = list(self.rows)
        sample = RowFile(
            self.path, self.format, rows, [*range(1, len(rows) + 1)], tuple(self.fields), encoding=self.encoding
        )
        of_all = chain.from_iterable(repeat(value, count) for value, count in self.labels)
        return rules_of_sample(sample, lambda name: of_all)

    def with_labels(self, labels: Sequence[tuple[JSON, int]]) -> RuleSource:
        """The same with the labels of all rows."""
        return replace(self, labels=labels)

    def save(self, path: Path) -> None:
        """Write it for the tasks."""
        save(path, source=np.frombuffer(json.dumps(asdict(self)).encode(), np.uint8))


def read_rules(path: Path) -> Rules:
    """The rules that a file has the source of."""
    return _rules(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _rules(path: str, written: int) -> Rules:
    source: dict[str, Any] = json.loads(load(Path(path), "source").tobytes())
    return RuleSource(**source).rules()


def count_labels(job: Job, done: Path, field: str, shapes: Path, block: str) -> int:
    """Count the values of a field in the rows of some shapes, in the order in which they come first."""
    if done.exists():
        return size_of(done)
    usual = {tuple(keys) for keys in json.loads(load(shapes, "shapes").tobytes())}
    counts: dict[str, int] = {}
    for row in block_rows(job, block):
        if tuple(row) in usual:
            key = json.dumps(row.get(field))
            counts[key] = counts.get(key, 0) + 1
    return save(done, labels=np.frombuffer(json.dumps(list(counts.items())).encode(), np.uint8))


def add_labels(parts: Iterable[Path]) -> list[tuple[JSON, int]]:
    """The values of all blocks, with the numbers of their rows."""
    counts: dict[str, int] = {}
    for path in parts:
        for key, count in json.loads(load(path, "labels").tobytes()):
            counts[key] = counts.get(key, 0) + count
    return [(json.loads(key), count) for key, count in counts.items()]
