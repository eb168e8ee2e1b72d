"""Judging one batch: which of its drafts become rows of the pool, and the reason against each of the others.

Pure except for the pool and the planner's progress, which it updates. A run judges a batch when its replies have
arrived, and ``rejudge`` judges it again from the recorded replies, by this same code.

Does not handle: the origin of replies, or the storage of judgements.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from selfinstruct.checks import Criteria, judge_alone, judge_in_pool
from selfinstruct.errors import ExtensionError
from selfinstruct.execution import shared_runner
from selfinstruct.growth.planner import CategoryProgress, finish_batch
from selfinstruct.growth.pool import Pool
from selfinstruct.growth.step_reply import Draft
from selfinstruct.messages import Phrase
from selfinstruct.records import Batch, Candidate, Judgement, Rejection, Row
from selfinstruct.similarity import is_open, question_fields

# Each row is compared with all rows that are looked up together with it: for many that takes longer than it saves.
_ROWS_TOGETHER = 40


def judge_batch(
    batch: Batch, drafts: Sequence[Draft], criteria: Criteria, pool: Pool, progress: Mapping[str, CategoryProgress]
) -> list[Judgement]:
    """Judge the drafts of a started batch in order, add accepted rows to ``pool``, and finish the batch.

    Drafts of one group are compared with the pool but not with each other, except for exact duplicates. Where two of
    them answer the same question differently, the whole group is rejected: neither answer can be trusted, nor can the
    rows made with it. (Self-Instruct discards all instances of such a task.)
    """
    return next(judge_batches([(batch, drafts)], criteria, pool, progress))


def judge_batches(
    batches: Sequence[tuple[Batch, Sequence[Draft]]],
    criteria: Criteria,
    pool: Pool,
    progress: Mapping[str, CategoryProgress],
) -> Iterator[list[Judgement]]:
    """Judge several batches in order, as ``judge_batch`` does, and yield the judgements of each; faster than singly.

    The rows of a few of them are looked up in the pool together, before the first of these is judged. Raises
    ExtensionError where a check of the user's own fails, after the batches before that one.
    """
    stages = [(batch, drafts, _criteria_of(batch, criteria)) for batch, drafts in batches]
    alone: list[list[Judgement]] = []
    failed: ExtensionError | None = None
    try:
        for _, drafts, own in stages:
            alone.append(_judged_alone(drafts, own))
    except ExtensionError as error:
        failed = error
    for first, until in _portions([len(judged) for judged in alone]):
        pool.index_added()
        pool.look_ahead([each for judged in alone[first:until] for each in _compared(judged, criteria.thresholds)])
        for (batch, drafts, own), judged in zip(stages[first:until], alone[first:until], strict=True):
            judgements = _judged_in_pool(batch, drafts, judged, own, pool)
            accepted = [each.category for each in judgements if each.rejection is None]
            finish_batch(progress, batch, accepted)
            yield judgements
    if failed is not None:
        raise failed


def _portions(counts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first batch and the end of each portion that is looked up together, given the rows of each batch."""
    first, rows = 0, 0
    for at, count in enumerate(counts):
        if at > first and rows + count > _ROWS_TOGETHER:
            yield first, at
            first, rows = at, 0
        rows += count
    if first < len(counts):
        yield first, len(counts)


def _criteria_of(batch: Batch, criteria: Criteria) -> Criteria:
    """The criteria for the rows of a batch, which may belong to its category by definition."""
    if criteria.recipe.categories.by in ("attribute", "passage"):
        return replace(criteria, categorise=lambda row: batch.category)
    return criteria


def _judged_in_pool(
    batch: Batch, drafts: Sequence[Draft], alone: Sequence[Judgement], criteria: Criteria, pool: Pool
) -> list[Judgement]:
    """The judgements of a batch's drafts by the pool, to which accepted rows are added."""
    judgements: list[Judgement] = []
    accepted: Counter[str] = Counter()
    view = _BatchView(pool, accepted)
    group = ""
    for draft, passed in zip(drafts, alone, strict=True):
        if not draft.group or draft.group != group:
            pool.index_added()
        group, candidate = draft.group, passed.candidate
        judgement = judge_in_pool(passed, batch.demos, criteria, view)
        if judgement.rejection is None and candidate.row is not None and (doubt := pool.doubt(candidate.row)):
            judgement = Judgement(candidate, judgement.category, doubt)
        judgements.append(judgement)
        if judgement.rejection is None and candidate.row is not None:
            accepted[judgement.category] += 1
            pool.add(candidate.row, judgement.category)
    pool.index_added()
    return judgements


def _judged_alone(drafts: Sequence[Draft], criteria: Criteria) -> list[Judgement]:
    """The judgements of all drafts by the checks that need no other row."""
    contradictions = _contradictions(drafts, question_fields(criteria.recipe))
    judgements = []
    for position, draft in enumerate(drafts):
        candidate = Candidate(position, draft.text, draft.row, draft.problem)
        rejection = contradictions.get(position) or draft.rejection
        judgements.append(Judgement(candidate, "", rejection) if rejection else judge_alone(candidate, criteria))
    return judgements


def _compared(alone: Sequence[Judgement], thresholds: Mapping[str, float]) -> list[tuple[Row, float]]:
    """The rows that will be compared with the pool, unless another row rejects them before, and their thresholds."""
    return [
        (each.candidate.row, thresholds[each.category])
        for each in alone
        if each.rejection is None and each.candidate.row is not None and each.category in thresholds
    ]


async def run_tests(criteria: Criteria, drafts: Sequence[Draft]) -> None:
    """Run the code of a batch's drafts in another thread, so that calls in flight go on while it runs.

    ``judge_batch`` finds what came out. Where the run is cancelled, so is what is running.
    """
    if not criteria.running:
        return
    try:
        await asyncio.to_thread(criteria.run_ahead, rows_to_run(drafts))
    except asyncio.CancelledError:
        shared_runner().stop()
        raise


def rows_to_run(drafts: Sequence[Draft]) -> list[Row]:
    """The rows of the drafts that nothing speaks against so far."""
    return [draft.row for draft in drafts if draft.row is not None and draft.rejection is None]


def _contradictions(drafts: Sequence[Draft], question: Sequence[str]) -> dict[int, Rejection]:
    """A rejection, by position, of every draft in a group that answers one question in two ways."""
    answers: dict[tuple[str, str], set[str]] = {}
    grouped = [(at, draft) for at, draft in enumerate(drafts) if draft.group and not draft.rejection]
    for _, draft in grouped:
        if draft.row is not None and not is_open(draft.row, question):
            key = json.dumps([draft.row.get(name) for name in question], sort_keys=True)
            answers.setdefault((draft.group, key), set()).add(json.dumps(draft.row, sort_keys=True))
    contradictory = {group for (group, _), rows in answers.items() if len(rows) > 1}
    rejection = Rejection("contradiction", Phrase("rows of the same group answer the same question differently"))
    return {at: rejection for at, draft in grouped if draft.group in contradictory}


@dataclass(slots=True)
class _BatchView:
    """The pool with the rows that this batch has accepted so far, which the planner does not count yet."""

    pool: Pool
    accepted: Mapping[str, int]

    @property
    def seed_count(self) -> int:
        return self.pool.seed_count

    def room(self, category: str) -> int:
        return self.pool.room(category) - self.accepted.get(category, 0)

    def twin(self, row: Row) -> tuple[int, bool] | None:
        return self.pool.twin(row)

    def reused(self, row: Row) -> tuple[str, int] | None:
        return self.pool.reused(row)

    def reworded(self, row: Row) -> tuple[int, float] | None:
        return self.pool.reworded(row)

    def near_held_out(self, row: Row, threshold: float) -> tuple[int, float] | None:
        return self.pool.near_held_out(row, threshold)

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        return self.pool.nearest(row, threshold)
