"""Rejudging: the recorded replies of a run, parsed and checked again, without a call.

By the same code and recipe the same rows come out, byte for byte; by other ones it shows what would change.

Does not handle: replies that would have been asked for under the other recipe. What was never asked is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from selfinstruct.checks import Terms
from selfinstruct.journal import History
from selfinstruct.judging import judge_reply
from selfinstruct.planner import Progress, launch
from selfinstruct.pool import Pool
from selfinstruct.preparation import Prepared
from selfinstruct.rows import to_json

#: The journal's note of which quotas were in force from which call on, since a run may grow: [[after, quotas], ...].
QUOTAS_NOTE = "quotas"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the same replies: accepted rows, candidates rejected and replies failed, by reason."""

    accepted: int
    rejected: Mapping[str, int]
    failed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What the run made of its replies, what they make now, and how many rows were accepted both times."""

    replies: int
    before: Outcome
    after: Outcome
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
    progress = {name: Progress(quota) for name, quota in prepared.quotas.items()}
    stages = list(history.notes().get(QUOTAS_NOTE, ()))
    pool = Pool(prepared.recipe, prepared.thresholds, progress)
    seeds = prepared.seeds.rows
    pool.add_seeds(seeds, [prepared.categories.of(row) for row in seeds])
    terms = Terms(prepared.recipe, prepared.thresholds, prepared.categories.of)
    rejected: Counter[str] = Counter()
    failed: Counter[str] = Counter(state.failed)
    places = {(row.call, row.position) for row in history.rows()}
    accepted = replies = same = 0
    for recorded in history.replies():
        while stages and stages[0][0] < recorded.call:
            _hold(progress, stages.pop(0)[1], prepared)
        replies += 1
        if recorded.batch.category in progress:
            launch(progress, recorded.batch)
        else:
            progress[recorded.batch.category] = Progress(0)
        judged = judge_reply(recorded.batch, recorded.reply, terms, pool, progress)
        failed[judged.failure] += 1
        for judgement in judged.judgements:
            if judgement.rejection is not None:
                rejected[judgement.rejection.reason] += 1
            elif judgement.candidate.row is not None:
                line = to_json(judgement.candidate.row)
                accepted += 1
                same += (recorded.call, judgement.candidate.position) in places
                keep(line)
    del failed[""]
    # A reply that gave no candidates then was judged anew; only calls without a reply failed as they did.
    judged_anew = {recorded.call for recorded in history.replies()} if state.failed else set()
    for call in history.failures():
        failed[call.reason] -= call.call in judged_anew
    after = Outcome(accepted, dict(sorted(rejected.items())), {k: n for k, n in sorted(failed.items()) if n})
    return Rejudged(replies, Outcome(state.accepted, state.rejected, state.failed), after, same)


def _hold(progress: Mapping[str, Progress], quotas: Mapping[str, int], prepared: Prepared) -> None:
    """Put the quotas of one stage of the run in force, where the recipe is still one of those categories."""
    if set(quotas) == set(prepared.quotas):
        for name, quota in quotas.items():
            progress[name].quota = quota
