"""A recorded run in the place of a model: the same replies again, for tests and CI, at no cost.

Asked the same (same seeds, recipe and ``--seed``), it answers the same, failures included, batch by batch; asked
otherwise, it gives each category's replies in the order in which they were recorded.

A run with many calls at once plans by what has come, so that its replay may plan otherwise, and miss a few rows.

Does not handle: requests beyond the recording; they fail.
"""

from __future__ import annotations

from collections import defaultdict, deque

from selfinstruct.journal import History
from selfinstruct.records import Failure, Reply, Request, Usage


class Replay:
    """A Backend that answers from the journal of an earlier run."""

    name = "replay"
    reads_messages = False

    def __init__(self, recording: History) -> None:
        """Read the recorded calls of ``recording``; it may be closed afterwards."""
        self._answers: dict[int, tuple[str, Reply | Failure]] = {}
        self._of: defaultdict[str, deque[int]] = defaultdict(deque)
        for recorded in recording.replies():
            reply = Reply(recorded.reply.text, recorded.reply.model, Usage(), recorded.reply.finish_reason)
            self._answers[recorded.batch.number] = recorded.batch.category, reply
            self._of[recorded.batch.category].append(recorded.batch.number)
        for failed in recording.failures():
            if failed.batch not in self._answers:
                self._answers[failed.batch] = "", Failure(failed.reason, failed.message)

    async def complete(self, request: Request) -> Reply | Failure:
        """The reply recorded for the same batch, or else the next of its category; a failure where none is left."""
        batch = request.batch
        category, answer = self._answers.get(batch.number, (None, None))
        if answer is not None and category in (batch.category, ""):
            del self._answers[batch.number]
            return answer
        waiting = self._of[batch.category]
        while waiting:
            _, answer = self._answers.pop(waiting.popleft(), ("", None))
            if answer is not None:
                return answer
        # The other categories may have replies left: the run ends when there is none for any that misses rows.
        return Failure("unrecorded", f"the recording has no further reply for the category {batch.category!r}")

    async def close(self) -> None:
        """Nothing to let go of."""
