"""Rejudging: the recorded replies of a run, parsed and checked again, without a call.

By the same code and recipe the same rows come out, byte for byte; by other ones it shows what would change.

Does not handle: replies that would have been asked for under the other recipe. What was never asked is not there.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from selfinstruct.checks import Criteria
from selfinstruct.growth import BatchState, CategoryProgress, Pool, finish_batch, judge_batch, start_batch
from selfinstruct.journal import History
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.rows import to_json


@dataclass(frozen=True, slots=True)
class JudgementCounts:
    """What came of the same replies: accepted rows, candidates rejected and replies failed, by reason."""

    accepted: int
    rejected: Mapping[str, int]
    failed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What the run made of its replies, what they make now, and how many rows were accepted both times."""

    replies: int
    before: JudgementCounts
    after: JudgementCounts
    same: int

    @property
    def identical(self) -> bool:
        """Whether the same rows were accepted, none missing and none new."""
        return self.same == self.before.accepted == self.after.accepted


def rejudge(history: History, prepared: Prepared, keep: Callable[[str], None] = lambda line: None) -> Rejudged:
    """Judge all recorded replies again in their recorded order; ``keep`` is given each accepted row as JSON.

    Where ``prepared`` is the run's own recipe, quotas hold from the call on from which they held in the run.
    """
    state = history.state()
    progress = {name: CategoryProgress(quota) for name, quota in prepared.quotas.items()}
    stages = deque(history.metadata().quotas)
    pool = Pool(prepared.recipe, prepared.thresholds, progress)
    seeds = prepared.seeds.rows
    pool.add_seeds(seeds, [prepared.categories.of(row) for row in seeds])
    terms = Criteria(prepared.recipe, prepared.thresholds, prepared.categories.of)
    rejected: Counter[str] = Counter()
    failed: Counter[str] = Counter(state.failed)
    places = {(row.call, row.position) for row in history.rows()}
    accepted = replies = same = 0
    for recorded in history.worked():
        batch, last = recorded[0].batch, recorded[-1].call
        while stages and stages[0].after_call < last:
            _hold(progress, stages.popleft().quotas, prepared)
        replies += len(recorded)
        if not batch.count:  # it asked for a list, and for no rows
            continue
        if batch.category in progress:
            start_batch(progress, batch)
        else:
            progress[batch.category] = CategoryProgress(0)
        shown = history.pooled(batch.demos) if batch.demos and not prepared.recipe.imitates else {}
        work = BatchState(batch, prepared.recipe, prepared.inputs, [shown[n] for n in batch.demos if n in shown])
        call = 0
        for each in recorded:
            found = work.record_reply(each.step, each.reply) if work.pending_call(each.step) else None
            failed[found.failure if found is not None else ""] += 1
            call = each.call if found is not None and not found.failure else call
        work.abandon_pending()
        if not call:
            finish_batch(progress, batch, ())
            continue
        for judgement in judge_batch(batch, work.drafts, terms, pool, progress):
            if judgement.rejection is not None:
                rejected[judgement.rejection.reason] += 1
            elif judgement.candidate.row is not None:
                line = to_json(judgement.candidate.row)
                accepted += 1
                same += (call, judgement.candidate.position) in places
                keep(line)
    del failed[""]
    # A reply that gave nothing then was judged anew; only calls without a reply failed as they did.
    judged_anew = {recorded.call for recorded in history.replies()} if state.failed else set()
    for failure in history.failures():
        failed[failure.reason] -= failure.call in judged_anew
    after = JudgementCounts(accepted, dict(sorted(rejected.items())), {k: n for k, n in sorted(failed.items()) if n})
    return Rejudged(replies, JudgementCounts(state.accepted, state.rejected, state.failed), after, same)


def _hold(progress: Mapping[str, CategoryProgress], quotas: Mapping[str, int], prepared: Prepared) -> None:
    """Put the quotas of one stage of the run in force, where the recipe is still one of those categories."""
    if set(quotas) == set(prepared.quotas):
        for name, quota in quotas.items():
            progress[name].quota = quota
