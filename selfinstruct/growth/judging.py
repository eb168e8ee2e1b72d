"""Judging one batch: which of its pieces are good, and what that makes of the pool.

Pure but for the pool and the planner's progress, which it brings up to date. A run judges a batch as its replies come,
and ``rejudge`` judges it again as they were recorded, by this same code.

Does not handle: where replies come from, or where judgements go.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from selfinstruct.checks import Criteria, judge
from selfinstruct.growth.planner import CategoryProgress, finish_batch
from selfinstruct.growth.pool import Pool
from selfinstruct.growth.steps import Draft
from selfinstruct.records import Batch, Candidate, Judgement, Rejection, Row
from selfinstruct.similarity.duplicates import is_open, question_fields


def judge_batch(
    batch: Batch, pieces: Sequence[Draft], terms: Criteria, pool: Pool, progress: Mapping[str, CategoryProgress]
) -> list[Judgement]:
    """Judge the pieces of a launched batch in their order; accepted rows go into ``pool``, the batch is settled.

    Pieces of one group are compared with the pool and not with each other, but for exact duplicates. Where two of
    them answer the same question differently, all of the group are refused: which is right, and what are the others
    worth? (Self-Instruct discards all instances of such a task.)
    """
    if terms.recipe.categories.by == "attribute":
        terms = replace(terms, categorise=lambda row: batch.category)
    judgements: list[Judgement] = []
    gained: Counter[str] = Counter()
    reserved = _Reserved(pool, gained)
    torn = _contradicted(pieces, question_fields(terms.recipe))
    group = ""
    for at, piece in enumerate(pieces):
        if not piece.group or piece.group != group:
            pool.index_added()
        group = piece.group
        candidate = Candidate(at, piece.text, piece.row, piece.problem)
        refusal = torn.get(at) or piece.rejection
        judged = Judgement(candidate, "", refusal) if refusal else judge(candidate, batch.demos, terms, reserved)
        judgements.append(judged)
        if judged.rejection is None and candidate.row is not None:
            gained[judged.category] += 1
            pool.add(candidate.row, judged.category)
    pool.index_added()
    finish_batch(progress, batch, list(gained.elements()))
    return judgements


def _contradicted(pieces: Sequence[Draft], question: Sequence[str]) -> dict[int, Rejection]:
    """The pieces of groups in which the same question is given two answers."""
    answers: dict[tuple[str, str], set[str]] = {}
    sound = [(at, piece) for at, piece in enumerate(pieces) if piece.group and not piece.rejection]
    for _, piece in sound:
        if piece.row is not None and not is_open(piece.row, question):
            key = json.dumps([piece.row.get(name) for name in question], sort_keys=True)
            answers.setdefault((piece.group, key), set()).add(json.dumps(piece.row, sort_keys=True))
    torn = {group for (group, _), rows in answers.items() if len(rows) > 1}
    refusal = Rejection("contradiction", "rows made together with it answer the same question differently")
    return {at: refusal for at, piece in sound if piece.group in torn}


@dataclass(slots=True)
class _Reserved:
    """The pool as one batch's candidates see it: rows accepted a moment ago take room before they are settled."""

    pool: Pool
    gained: Mapping[str, int]

    @property
    def seed_count(self) -> int:
        return self.pool.seed_count

    def room(self, category: str) -> int:
        return self.pool.room(category) - self.gained.get(category, 0)

    def twin(self, row: Row) -> tuple[int, bool] | None:
        return self.pool.twin(row)

    def nearest(self, row: Row, threshold: float) -> tuple[int, float] | None:
        return self.pool.nearest(row, threshold)
