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
        self._answers: dict[tuple[int, str], tuple[str, deque[Reply | Failure]]] = {}
        self._of: defaultdict[tuple[str, str], deque[tuple[int, str]]] = defaultdict(deque)
        for recorded in recording.replies():
            reply = Reply(recorded.reply.text, recorded.reply.model, Usage(), recorded.reply.finish_reason)
            key = recorded.batch.number, recorded.step
            self._answers.setdefault(key, (recorded.batch.category, deque()))[1].append(reply)
            self._of[recorded.batch.category, recorded.step].append(key)
        for failed in recording.failures():
            if (failed.batch, failed.step) not in self._answers:
                failure: Reply | Failure = Failure(failed.reason, failed.message)
                self._answers[failed.batch, failed.step] = "", deque([failure])

    async def complete(self, request: Request) -> Reply | Failure:
        """The reply recorded for the same call, or else the next of its category; a failure where none is left."""
        batch, step = request.batch, request.step
        category, answers = self._answers.get((batch.number, step), ("", deque()))
        if answers and category in (batch.category, ""):
            return answers.popleft()
        waiting = self._of[batch.category, step]
        while waiting:
            _, answers = self._answers[waiting.popleft()]
            if answers:
                return answers.popleft()
        # The other categories may have replies left: the run ends when there is none for any that misses rows.
        return Failure("unrecorded", f"the recording has no further reply for the category {batch.category!r}")

    async def close(self) -> None:
        """Nothing to let go of."""
