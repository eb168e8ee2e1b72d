"""Judging one reply: what it holds, which of that is good, and what that makes of the pool.

Pure but for the pool and the planner's progress, which it brings up to date. A run judges a reply as it comes, and
``rejudge`` judges it again as it was recorded, by this same code.

Does not handle: where replies come from, or where judgements go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.checks import Terms, judge
from selfinstruct.parse import parse
from selfinstruct.planner import Progress, settle
from selfinstruct.pool import Pool
from selfinstruct.records import Batch, Judgement, Reply, Row


@dataclass(frozen=True, slots=True)
class JudgedReply:
    """A reply's judgements in the order of its candidates, or the slug and words of why it has none."""

    judgements: Sequence[Judgement] = ()
    failure: str = ""
    message: str = ""


def judge_reply(batch: Batch, reply: Reply, terms: Terms, pool: Pool, progress: Mapping[str, Progress]) -> JudgedReply:
    """Parse and judge the reply to a launched batch; accepted rows go into ``pool``, the batch is settled."""
    parsed = parse(reply.text, tuple(terms.recipe.fields), finish_reason=reply.finish_reason)
    if parsed.failure:
        settle(progress, batch, ())
        return JudgedReply(failure=parsed.failure, message=parsed.message)
    judgements: list[Judgement] = []
    gained: Counter[str] = Counter()
    reserved = _Reserved(pool, gained)
    for candidate in parsed.candidates:
        judged = judge(candidate, batch.demos, terms, reserved)
        judgements.append(judged)
        if judged.rejection is None and candidate.row is not None:
            gained[judged.category] += 1
            pool.add(candidate.row, judged.category)
    settle(progress, batch, list(gained.elements()))
    return JudgedReply(judgements)


@dataclass(slots=True)
class _Reserved:
    """The pool as one reply's candidates see it: rows accepted a moment ago take room before they are settled."""

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
