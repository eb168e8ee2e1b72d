"""Resuming: the planner's and the sampler's counts, restored from the journal of an earlier session.

Does not handle: batches that are still open (``loop``), or the rows of the pool.
"""

from __future__ import annotations

from collections.abc import Mapping

from selfinstruct.growth.planner import CategoryProgress, cancel_batch, finish_batch, start_batch
from selfinstruct.growth.sampler import Sampler
from selfinstruct.journal import History
from selfinstruct.records import Batch


def restore(progress: Mapping[str, CategoryProgress], sampler: Sampler, history: History) -> None:
    """Bring ``progress`` and ``sampler`` to where the recorded run stopped; categories without a quota are skipped."""
    for outcome in history.outcomes():
        if outcome.category not in progress:
            continue
        batch = Batch(outcome.batch, outcome.category, outcome.asked, 0, ())
        start_batch(progress, batch)
        if outcome.failed:
            cancel_batch(progress, batch)
        else:
            finish_batch(progress, batch, [outcome.category] * outcome.hits)
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
