"""A recorded run in place of a model: the same replies again, for tests and CI, at no cost.

With the same seed rows, recipe and ``seed``, every batch gets its recorded reply or failure. Otherwise each category
gets its replies in the order in which they were recorded.

A run with one call at a time is reproduced, and one by batch jobs, in its rounds. With several calls in flight a run
plans by what has already arrived, so its replay may plan differently and miss a few rows.

Does not handle: requests beyond the recording; these fail.
"""

from __future__ import annotations

from collections import defaultdict, deque

from selfinstruct.journal import History, sent_jobs
from selfinstruct.messages import Phrase
from selfinstruct.records import Failure, Reply, Request, Usage


class Replay:
    """A Backend that answers from the journal of an earlier run."""

    name = "replay"

    def __init__(self, recording: History) -> None:
        """Read the recorded calls of ``recording``, which may be closed afterwards."""
        self.works_in_rounds = bool(sent_jobs(recording))
        metadata = recording.metadata()
        self.recorded_concurrency, few = metadata.concurrency, metadata.few_rows
        self.reads_messages = metadata.concurrency > 0  # so that what depends on prompts is planned as it was
        if few is not None:
            self.weakness = Phrase("the recorded run began with calls for few rows")
            self.deadline = few
        self._answers: dict[tuple[int, str], tuple[str, deque[Reply | Failure]]] = {}
        self._by_category: defaultdict[tuple[str, str], deque[tuple[int, str]]] = defaultdict(deque)
        for recorded in recording.replies():
            seconds = recorded.reply.seconds if few is not None else 0.0  # how long replies take, rows follow
            reply = Reply(recorded.reply.text, recorded.reply.model, Usage(), recorded.reply.finish_reason, seconds)
            key = recorded.batch.number, recorded.step
            self._answers.setdefault(key, (recorded.batch.category, deque()))[1].append(reply)
            self._by_category[recorded.batch.category, recorded.step].append(key)
        for failed in recording.failures():
            if (failed.batch, failed.step) not in self._answers:
                failure: Reply | Failure = Failure(failed.reason, failed.message)
                self._answers[failed.batch, failed.step] = "", deque([failure])

    async def complete(self, request: Request) -> Reply | Failure:
        """Return the reply recorded for the same call, or else the next of its category; a Failure if none is left."""
        batch, step = request.batch, request.step
        category, answers = self._answers.get((batch.number, step), ("", deque()))
        if answers and category in (batch.category, ""):
            return answers.popleft()
        candidates = self._by_category[batch.category, step]
        while candidates:
            _, answers = self._answers[candidates.popleft()]
            if answers:
                return answers.popleft()
        # Other categories may have replies left: the run ends once no category that misses rows has any.
        return Failure("unrecorded", f"the recording has no further reply for category {batch.category!r}")

    def end_round(self) -> None:
        """Do nothing: every request has been answered at once."""

    async def close(self) -> None:
        """Do nothing: there is no connection."""
