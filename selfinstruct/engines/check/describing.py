"""What of each row other rows are compared with: its question and answer, its ids, its texts, and its threshold.

Does not handle: comparing (``equal``, ``nearest``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfinstruct.analysis.gate.criteria import Rules
from selfinstruct.analysis.gate.fingerprint import digest
from selfinstruct.checks import schema
from selfinstruct.engines.check.rules import read_rules
from selfinstruct.engines.check.stored import block_rows
from selfinstruct.engines.dedup.work import Blocks, Job, packed, save, size_of
from selfinstruct.similarity import DuplicateIndex, RowIndex, question_fields, unique_field_names
from selfinstruct.similarity.duplicates import value_key

#: A digest in two halves, the row in its block, and of a question the digest of the answer.
KEY = np.dtype([("first", np.uint64), ("second", np.uint64), ("row", np.uint32), ("answer", np.uint64)])
#: The bar of rows that are not compared by similarity.
NOT_ASKED = 2.0


@dataclass(frozen=True, slots=True)
class Corpus:
    """The rows that are compared with each other: those to keep apart, then those of one or several data sets.

    ``indexes`` is the number of texts of a row that are compared, each with the same one of other rows.
    """

    folder: Path
    threshold: float
    partitions: int
    indexes: int

    @property
    def job(self) -> Job:
        """Where what is known of all its rows is."""
        return Job(self.folder, self.threshold, self.partitions)

    def prepare(self, blocks: Blocks) -> None:
        """Make its folders, and note the blocks that have its rows."""
        for job in (self.job, *map(self.texts, range(self.indexes))):
            job.folder.mkdir(exist_ok=True)
            blocks.save(job)
            blocks.groups().save(job, "groups")

    def texts(self, index: int) -> Job:
        """The job of comparing one text of each row."""
        return Job(self.folder / f"text-{index}", self.threshold, self.partitions)


def keys_of(rules: Rules) -> tuple[str, ...]:
    """The names of what rows may have in common: the question, and each field whose values must all differ."""
    return ("question", *(f"unique-{at}" for at in range(len(unique_field_names(rules.criteria.recipe)))))


def describe(job: Job, corpus: Corpus, rules: Path, block: str) -> int:
    """Describe the rows of a block: which are well-formed, their bars, their digests, and their keys."""
    done = corpus.job.path("described", block)
    if done.exists():
        return size_of(done)
    own = read_rules(rules)
    criteria, recipe = own.criteria, own.criteria.recipe
    rows = block_rows(job, block)
    sound = np.array([schema.check(row, recipe.fields) is None for row in rows], np.bool_)
    unique = unique_field_names(recipe)
    index, duplicates = RowIndex(recipe.novelty), DuplicateIndex(question_fields(recipe), ignored=unique)
    bars, digests = np.full(len(rows), NOT_ASKED), np.zeros(len(rows), np.uint64)
    texts: list[list[bytes]] = [[] for _ in range(corpus.indexes)]
    keys: dict[str, list[tuple[bytes, int, int]]] = {name: [] for name in keys_of(own)}
    for at, row in enumerate(rows):
        compared: Sequence[str] = [""] * corpus.indexes
        if sound[at]:
            compared = index.texts(row)
            bars[at] = criteria.thresholds.get(criteria.categorise(row), NOT_ASKED)
            digests[at] = int.from_bytes(digest(row))
            question, answer = duplicates.digests(row)
            keys["question"].append((question, at, answer))
            for number, name in enumerate(unique):
                if row.get(name) is not None:
                    keys[f"unique-{number}"].append((value_key(row[name]), at, 0))
        for own_texts, text in zip(texts, compared, strict=True):
            own_texts.append(text.encode("utf-8", "surrogatepass"))
    size = 0
    for number, each in enumerate(texts):
        whole, ends = packed(each)
        size += save(corpus.texts(number).path("rows", block), text=whole, text_ends=ends)
    arrays: dict[str, NDArray[Any]] = {name: _sorted(found) for name, found in keys.items()}
    return size + save(done, sound=sound, bars=bars, digests=digests, **arrays)


def _sorted(keys: list[tuple[bytes, int, int]]) -> NDArray[Any]:
    """The keys as an array, ascending."""
    halves = np.frombuffer(b"".join(key for key, _, _ in keys), np.uint64).reshape(-1, 2)
    found = np.empty(len(keys), KEY)
    found["first"], found["second"] = halves[:, 0], halves[:, 1]
    found["row"], found["answer"] = [at for _, at, _ in keys], [answer for _, _, answer in keys]
    return found[np.lexsort((found["second"], found["first"]))]
