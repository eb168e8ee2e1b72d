"""The recorded batches of a run, parsed again from the bytes of their replies.

Does not handle: judging what they contain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfinstruct.growth import BatchState, Draft
from selfinstruct.journal import History, RecordedReply
from selfinstruct.preparation import Prepared
from selfinstruct.records import Batch


@dataclass(frozen=True, slots=True)
class ReplayedBatch:
    """The drafts in the replies of one batch.

    ``call`` is the id of the last call with a usable reply, 0 if there is none. ``failures`` has for each reply why it
    could not be read, "" for a usable one.
    """

    batch: Batch
    replies: Sequence[RecordedReply]
    call: int
    drafts: Sequence[Draft]
    failures: Sequence[str]


def replay_batches(history: History, prepared: Prepared) -> Iterator[ReplayedBatch]:
    """Parse the replies of each batch that has any, in the order in which the batches' last calls were recorded.

    A batch that requested a list instead of rows has no drafts.
    """
    for recorded in history.replies_by_batch():
        batch = recorded[0].batch
        if not batch.count:
            yield ReplayedBatch(batch, recorded, 0, (), ())
            continue
        shown = history.pool_rows(batch.demos) if batch.demos and not prepared.recipe.imitates else {}
        demos = [shown[number] for number in batch.demos if number in shown]
        state = BatchState(batch, prepared.recipe, prepared.inputs, demos)
        call, failures = 0, []
        for each in recorded:
            found = state.record_reply(each.step, each.reply) if state.pending_call(each.step) else None
            failures.append(found.failure if found is not None else "")
            call = each.call if found is not None and not found.failure else call
        state.abandon_pending()
        yield ReplayedBatch(batch, recorded, call, state.drafts if call else (), failures)
