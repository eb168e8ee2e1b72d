"""Resuming: the planner's and the sampler's counts, restored from the journal of an earlier session.

Does not handle: batches that are still open (``loop``), or the rows of the pool.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from selfinstruct.growth.decided import apply_change
from selfinstruct.growth.planner import CategoryProgress, cancel_batch, finish_batch, start_batch
from selfinstruct.growth.sampler import Sampler
from selfinstruct.journal import Change, Decisions, History
from selfinstruct.records import Batch


def restore(progress: Mapping[str, CategoryProgress], sampler: Sampler, history: History) -> None:
    """Bring ``progress`` and ``sampler`` to where the recorded run stopped; categories without a quota are skipped."""
    changes = deque(_changes(history))
    for call, outcome in history.outcomes_by_call():
        while changes and changes[0][0].decision.after_call < call:
            apply_change(*changes.popleft(), progress)
        if outcome.category not in progress:
            continue
        batch = Batch(outcome.batch, outcome.category, outcome.asked, 0, ())
        start_batch(progress, batch)
        if outcome.failed:
            cancel_batch(progress, batch)
        else:
            finish_batch(progress, batch, [outcome.category] * outcome.hits)
    for change, recorded in changes:
        apply_change(change, recorded, progress)
    # Outcomes count the rows of the requested category only; the categories' own counts include all others.
    for name, category in history.state().categories.items():
        if name in progress:
            progress[name].accepted = category.accepted
    if sampler.has_choices:
        for batch, accepted, failed in history.finished_batches():
            sampler.start_batch(batch.category, batch.conditions, batch.count)
            if failed and not accepted:
                sampler.cancel_batch(batch.category, batch.conditions, batch.count)
            else:
                sampler.finish_batch(batch.category, batch.conditions, batch.count, accepted)


def _changes(history: History) -> Iterator[tuple[Change, str | None]]:
    """Each decision of a person, in order, with the category in which the run had accepted the row."""
    known = Decisions()
    for decision in history.decisions.log:
        outcome, change = history.outcome_of(decision.target), known.add(decision)
        if outcome is not None and change is not None:
            yield change, outcome.category
