"""Rejudging: parse and check the recorded replies of a run again, without a call.

With the same code and recipe the rows are identical, byte for byte; with others it shows the effect of the change.

Does not handle: requests that the other recipe would have made. Only recorded replies are judged.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from selfinstruct.analysis.persons_word import PersonsWord
from selfinstruct.analysis.replay import replay_batches
from selfinstruct.growth import CategoryProgress, finish_batch, judge_batch, rows_to_run, start_batch
from selfinstruct.journal import History
from selfinstruct.preparation import JudgingState, Prepared


@dataclass(frozen=True, slots=True)
class JudgementCounts:
    """The number of ``accepted`` rows, and of ``rejected`` candidates and ``failed`` replies by reason."""

    accepted: int
    rejected: Mapping[str, int]
    failed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rejudged:
    """The effect of judging the ``replies`` of a run again.

    ``before`` has the counts of the run, ``after`` those of rejudging. ``same`` is the number of rows that were
    accepted both times.
    """

    replies: int
    before: JudgementCounts
    after: JudgementCounts
    same: int

    @property
    def identical(self) -> bool:
        """Whether exactly the same rows were accepted."""
        return self.same == self.before.accepted == self.after.accepted


def rejudge(history: History, prepared: Prepared, keep: Callable[[str], None] = lambda line: None) -> Rejudged:
    """Judge all recorded replies again, in order; ``keep`` is called with each accepted row as a line of JSON.

    If ``prepared`` has the categories of the run, its quotas change at the same calls as they did in the run. What a
    person decided stays decided: it opens and fills quotas at the same calls, and has the last word on each row.
    """
    state = history.state()
    judging = JudgingState.of_seeds(prepared)
    progress = judging.progress
    stages = deque(history.metadata().quotas)
    rejected: Counter[str] = Counter()
    failed: Counter[str] = Counter(state.failed)
    people = PersonsWord(history)
    places = {(row.call, row.position) for row in history.final_rows()}
    accepted = replies = same = 0
    for replayed in replay_batches(history, prepared):
        batch, last = replayed.batch, replayed.replies[-1].call
        while stages and stages[0].after_call < last:
            judging.set_quotas(stages.popleft().quotas)
        people.apply_before(last, judging)
        replies += len(replayed.replies)
        if not batch.count:  # it requested a list, not rows
            continue
        if batch.category in progress:
            start_batch(progress, batch)
        else:
            progress[batch.category] = CategoryProgress(0)
        failed.update(replayed.failures)
        if not replayed.call:
            finish_batch(progress, batch, ())
            continue
        judging.criteria.run_ahead(rows_to_run(replayed.drafts))
        for judgement in judge_batch(batch, replayed.drafts, judging.criteria, judging.pool, progress):
            place = replayed.call, judgement.candidate.position
            people.note(place, judgement)
            reason, line = people.final(place, judgement)
            if reason:
                rejected[reason] += 1
                continue
            accepted += 1
            same += place in places
            if line:
                keep(line)
    for line in people.accepted_lines:
        keep(line)
    del failed[""]
    # Replies that had failed were judged again; only calls without a reply fail as before.
    judged_again = {recorded.call for recorded in history.replies()} if state.failed else set()
    for failure in history.failures():
        failed[failure.reason] -= failure.call in judged_again
    after = JudgementCounts(accepted, dict(sorted(rejected.items())), {k: n for k, n in sorted(failed.items()) if n})
    return Rejudged(replies, JudgementCounts(state.accepted, state.rejected, state.failed), after, same)
