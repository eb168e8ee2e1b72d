"""Trial: a few rows of each category, drawn in memory and judged as in a run, before anything is written.

A category of which nothing passes is reported, and a run of which nothing passes is refused: its seeds have nothing
that may vary, or its rules reject what does.

Does not handle: how many rows a category can reach (``growth.forecast``).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from selfinstruct.checks import Criteria
from selfinstruct.errors import RowError
from selfinstruct.growth import CategoryProgress, Draft, Pool, judge_batch, start_batch
from selfinstruct.messages import Phrase
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.records import Batch, Row

# The rows of the first batch of a category, and of the later ones if none of them passed.
_FIRST, _LATER = 6, 18
_BATCHES = 4
# A run is refused after this many rows without an accepted one, as a run gives up.
_LEAST_ROWS = 240
# Of rows with more characters, as many times fewer are tried, but not fewer than this share.
_LONG = 10_000
_LEAST_SHARE = 1 / 10
# Seeds whose length is measured.
_SAMPLED = 20
# More categories and seeds are not tried.
_MOST_CATEGORIES, _MOST_SEEDS = 24, 200

_COPIES = ("echo", "duplicate", "same")
_RULE = Phrase("Correct the rule that rejects them,")
_ADVICE = {"near-duplicate": Phrase("Add more varied seeds, raise novelty.max_rouge_l in a recipe,")}


class Imitating(Protocol):
    """The part of the imitator that a trial needs."""

    def imitate(self, demos: Sequence[Row], count: int, place: int, rng: Random) -> list[Row]:
        """Return ``count`` new rows like ``demos``."""
        ...

    def not_understood(self) -> str:
        """Say which field seems to be computed by an unknown rule, so that it is kept; "" for none."""
        ...


@dataclass(frozen=True, slots=True)
class Failed:
    """A category of which no trial row was accepted: the number of rows, and the most frequent reason."""

    category: str
    rows: int
    reason: str


def tried(prepared: Prepared, imitator: Imitating, command: str) -> Prepared:
    """Return the preparation with a warning for each category of which no trial row is accepted.

    Raises RowError if that is true of all categories; ``command`` asks a model instead.
    """
    failed, others = failing_categories(prepared, imitator)
    if not failed:
        return prepared
    if others:
        warnings = [
            Phrase(
                "{category}: none of {rows} trial rows was accepted (most often: {reason})"
                if each.reason
                else "{category}: none of {rows} trial rows was accepted",
                category=each.category,
                rows=each.rows,
                reason=each.reason,
            )
            for each in failed
        ]
        return replace(prepared, warnings=[*prepared.warnings, *warnings])
    rows = sum(each.rows for each in failed)
    hint = Phrase("Use a model: {command}", command=command)
    if reason := imitator.not_understood():
        message = Phrase("{reason}, so that nothing is left that the embedded imitator can vary", reason=reason)
        raise RowError(prepared.seeds.path, message, hint=hint)
    worst = max(failed, key=lambda each: each.rows)
    if worst.reason in _COPIES:
        message = Phrase(
            "these seeds have nothing that the embedded imitator can vary: none of {rows} trial rows is new", rows=rows
        )
        raise RowError(prepared.seeds.path, message, hint=hint)
    message = Phrase(
        "none of {rows} trial rows of the embedded imitator was accepted (most often: {reason})"
        if worst.reason
        else "none of {rows} trial rows of the embedded imitator was accepted",
        rows=rows,
        reason=worst.reason,
    )
    raise RowError(
        prepared.seeds.path,
        message,
        hint=Phrase("{advice} or use a model: {command}", advice=_ADVICE.get(worst.reason, _RULE), command=command),
    )


def failing_categories(prepared: Prepared, imitator: Imitating) -> tuple[list[Failed], bool]:
    """Return the categories of which no trial row passes the checks, and whether any other category was tried."""
    members = _members(prepared)
    if prepared.recipe.attributes or prepared.recipe.documents is not None or not members:
        return [], True
    trial = _Trial(prepared, imitator, members)
    failed = [name for name in members if not trial.passes(name, _BATCHES)]
    if len(failed) == len(members):
        batches = -(-int(_LEAST_ROWS * trial.share) // (trial.later * len(members)))
        failed = [name for name in failed if not trial.passes(name, batches)]
    found = [Failed(name, trial.requested[name], trial.reason(name)) for name in failed]
    return found, len(failed) < len(members)


def _members(prepared: Prepared) -> dict[str, list[Row]]:
    """Some seeds of some categories."""
    members: dict[str, list[Row]] = {}
    for row in prepared.seeds.rows:
        name = prepared.categories.of(row)
        if prepared.quotas.get(name):
            members.setdefault(name, []).append(row)
    most = max(_MOST_SEEDS // min(len(members) or 1, _MOST_CATEGORIES), 2)
    return {name: rows[:most] for name, rows in list(members.items())[:_MOST_CATEGORIES]}


class _Trial:
    """The state of a trial, with a pool of its own."""

    def __init__(self, prepared: Prepared, imitator: Imitating, members: Mapping[str, Sequence[Row]]) -> None:
        self._prompt = prepared.recipe.prompt
        self._imitator = imitator
        self._seeds = [row for rows in members.values() for row in rows]
        categories = [name for name, rows in members.items() for _ in rows]
        self._ids = {name: [at for at, other in enumerate(categories, 1) if other == name] for name in members}
        self._progress = {name: CategoryProgress(quota) for name, quota in prepared.quotas.items()}
        self._pool = Pool(prepared.recipe, prepared.thresholds, self._progress)
        self._pool.add_seeds(self._seeds, categories)
        self._criteria = Criteria(prepared.recipe, prepared.thresholds, prepared.categories.of)
        self._batches = 0
        sample = self._seeds[:: -(-len(self._seeds) // _SAMPLED)]
        length = sum(len(json.dumps(row, ensure_ascii=False)) for row in sample) / max(len(sample), 1)
        #: The share of the usual number of rows that is tried, and the rows of a later batch.
        self.share = max(min(_LONG / max(length, 1), 1), _LEAST_SHARE)
        self.later = math.ceil(_LATER * self.share)
        self.requested: Counter[str] = Counter()
        self._rejected: dict[str, Counter[str]] = {name: Counter() for name in members}

    def passes(self, name: str, batches: int) -> bool:
        """Whether a row of the category passes in some more batches, of which the first ones are small."""
        return any(
            self._judge(name, self.later if self.requested[name] else math.ceil(_FIRST * self.share))
            for _ in range(batches)
        )

    def reason(self, name: str) -> str:
        """The most frequent reason for which the category's rows were rejected."""
        common = self._rejected[name].most_common(1)
        return common[0][0] if common else ""

    def _judge(self, name: str, count: int) -> bool:
        self._batches += 1
        rng = Random(f"trial/{self._batches}")
        demos = rng.sample(self._ids[name], min(max(self._prompt.demos.seeds, 1), len(self._ids[name])))
        rows = self._imitator.imitate([self._seeds[at - 1] for at in demos], count, self.requested[name], rng)
        batch = Batch(self._batches, name, count, self.requested[name], tuple(demos))
        start_batch(self._progress, batch)
        self.requested[name] += count
        drafts = [Draft(row, json.dumps(row, ensure_ascii=False)) for row in rows]
        judgements = judge_batch(batch, drafts, self._criteria, self._pool, self._progress)
        self._rejected[name].update(each.rejection.reason for each in judgements if each.rejection is not None)
        return any(each.rejection is None for each in judgements)
