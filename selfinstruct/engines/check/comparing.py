"""All rows of a corpus compared with each other: what each has in common with earlier ones, in one file for the tasks.

Does not handle: the examination (``examining``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfinstruct.analysis.gate.criteria import Rules
from selfinstruct.analysis.gate.earlier import MOST_COMPARED, NEIGHBOURS
from selfinstruct.analysis.gate.examining import Link
from selfinstruct.engines.check.describing import Corpus, keys_of
from selfinstruct.engines.check.equal import match
from selfinstruct.engines.check.known import digest_of
from selfinstruct.engines.check.nearest import Nearest, find_nearest
from selfinstruct.engines.dedup.chosen import Chosen, Mask
from selfinstruct.engines.dedup.pairing import Pairing
from selfinstruct.engines.dedup.stage_runner import StageRunner
from selfinstruct.engines.dedup.work import Arrays, Blocks, load, save
from selfinstruct.similarity.postings import Integers

_KEYS = 1 << 22  # that a task matches: some 200 MB
_ROW = 0xFFFFFFFF


def compare_rows(
    corpus: Corpus, rules: Rules, blocks: Blocks, first: int, run: StageRunner
) -> list[tuple[Pairing, Mask]]:
    """Compare all rows, and save what is known of each; rows before ``first`` are only compared with.

    Returns, for each text of a row, its pairing and the rows that have tokens.
    """
    described = [Arrays(corpus.job.path("described", name)) for name in blocks.names]
    bars = np.concatenate([each["bars"] for each in described])
    rows = len(bars)
    known = Known(rows)
    parts = max(1, -(-rows // _KEYS))
    for at, name in enumerate(keys_of(rules)):
        run("match", match, [(corpus, name, part, parts) for part in range(parts)])
        for part in range(parts):
            found = Arrays(corpus.job.path(f"equal-{name}", part))
            known.add_equal(at - 1, found["rows"], found["found"], found["same"])
    asked = (bars < 1) & ~known.same
    asked[:first] = False
    pairings = list[tuple[Pairing, Mask]]()
    for index in range(corpus.indexes):
        job = corpus.texts(index)
        pairing = Pairing(job, run)
        copies = pairing.encode(blocks)
        lengths = np.concatenate([load(job.path("counted", name), "lengths") for name in blocks.names])
        worded = lengths > 0
        if corpus.threshold < 1:
            nearest = find_nearest(asked, worded, bars, copies, pairing.nearer, lambda done: run.note(done, rows))
            known.add_nearest(nearest)
        pairings.append((pairing, worded))
    known.save(corpus)
    return pairings


class Known:
    """What is known of each row; -1 stands for no row."""

    def __init__(self, rows: int) -> None:
        self.twins, self.same = np.full(rows, -1), np.zeros(rows, np.bool_)
        self.reused, self.of_field = np.full(rows, -1), np.full(rows, -1, np.int8)
        self.nearest = Nearest(np.full(rows, -1), np.zeros(rows))

    def add_equal(self, field: int, rows: Integers, found: Integers, same: NDArray[np.bool_]) -> None:
        """Note rows with the question of earlier ones; or the value of the unique field of this number, from 0."""
        if field < 0:
            self.twins[rows], self.same[rows] = found, same
            return
        new = self.reused[rows] < 0  # the first field counts
        self.reused[rows[new]], self.of_field[rows[new]] = found[new], field

    def add_nearest(self, other: Nearest) -> None:
        """Note the nearest rows by another text; of equally near ones, the first counts."""
        own = self.nearest
        better = (other.rows >= 0) & (
            (own.rows < 0) | (other.scores > own.scores) | ((other.scores == own.scores) & (other.rows < own.rows))
        )
        own.rows[better], own.scores[better] = other.rows[better], other.scores[better]

    def save(self, corpus: Corpus) -> None:
        """Write it for the tasks."""
        arrays: dict[str, NDArray[Any]] = {
            "twins": self.twins, "same": self.same, "reused": self.reused, "of_field": self.of_field,
            "nearest": self.nearest.rows, "scores": self.nearest.scores,
        }  # fmt: skip
        save(corpus.job.path("known", 0), **arrays)


def link_near(
    links: Sequence[Link], corpus: Corpus, blocks: Blocks, start: int, pairings: Sequence[tuple[Pairing, Mask]]
) -> list[Link]:
    """The links with the rows that their later row is near to, as far as ``EarlierRows.near`` looks for them.

    ``start`` is the number of the first row of the data set.
    """
    sound = np.concatenate([Arrays(corpus.job.path("described", name))["sound"] for name in blocks.names])
    before = np.concatenate(([0], np.cumsum(sound)))
    compared, wanted = 0, np.zeros(len(sound), np.bool_)
    chosen = [False] * len(links)
    for number, link in enumerate(links):
        size = int(before[start + link.at])
        if link.threshold is not None and compared + size <= MOST_COMPARED:
            compared += size
            wanted[start + link.at] = chosen[number] = True
    if not wanted.any():
        return list(links)
    best: dict[int, dict[int, float]] = {}
    for pairing, worded in pairings:
        for near in pairing.pairs(Chosen(0, wanted & worded), Chosen(0, worded)):
            for pair, score in zip(near.pairs.tolist(), near.scores.tolist(), strict=True):
                own = best.setdefault(pair >> 32, {})
                own[pair & _ROW] = max(score, own.get(pair & _ROW, 0.0))
    opened: dict[str, Arrays] = {}
    linked = list[Link]()
    for is_chosen, link in zip(chosen, links, strict=True):
        if is_chosen and link.threshold is not None:
            nearest = sorted(best.get(start + link.at, {}).items(), key=lambda item: (-item[1], item[0]))[:NEIGHBOURS]
            digests = {digest_of(corpus, blocks, row, opened).hex() for row, score in nearest if score > link.threshold}
            link = link._replace(alike=link.alike._replace(near=link.alike.pair | digests))
        linked.append(link)
    return linked
