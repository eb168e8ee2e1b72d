"""The join of what parts have grown: their replies are judged again in the journal of the whole run, in a fixed order.

The verdicts are those that one run would give to these replies in this order, on one pool with one set of quotas. So
whatever holds of a run holds of this one, and what proves it (``verify``, ``rejudge``) is the same. A batch has the
same number in its part and in the whole run, which is how the whole knows what it has.

Does not handle: the order of the parts, or what they grow next (``rounds``).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from selfinstruct.api.session_record import added
from selfinstruct.growth import (
    BatchState,
    RunCounts,
    cancel_batch,
    finish_batch,
    judge_batches,
    rows_to_run,
    start_batch,
)
from selfinstruct.journal import CalledBatch, History, Journal, called_batches
from selfinstruct.preparation import JudgingState, Prepared
from selfinstruct.records import Failure, Row

#: Batches that are judged together, and committed together.
_TOGETHER = 32
_PAGE = 1000


@dataclass(slots=True)
class Join:
    """Takes the finished batches of parts into the ``journal`` of the whole run, each once."""

    journal: Journal
    prepared: Prepared
    state: JudgingState
    counts: RunCounts
    parts: int
    _taken: set[int] = field(init=False)
    _after: list[int] = field(init=False)
    _ids: list[_PoolIds] = field(init=False)

    def __post_init__(self) -> None:
        """Find out what earlier sessions have taken."""
        self._taken = {number for (number,) in self.journal.history.query("SELECT number FROM batches")}
        self._after = [0] * self.parts
        self._ids = [_PoolIds(self.state.pool.seed_count) for _ in range(self.parts)]

    def take(self, part: int, history: History) -> None:
        """Judge the batches that a part has finished and the whole run does not have, in the order of their calls."""
        ids, all_taken = self._ids[part], True
        chunk: list[CalledBatch] = []
        for called in called_batches(history, self._after[part]):
            all_taken = all_taken and called.finished
            if all_taken:
                self._after[part] = called.last
            if not called.finished or called.batch.number in self._taken:
                continue
            # What a row is called is known when its batch has been judged.
            if len(chunk) == _TOGETHER or not ids.know(called.batch.demos):
                self._take(chunk, ids)
                ids.extend(history, self.journal.history)
                chunk = []
            chunk.append(called)
        self._take(chunk, ids)

    def cost_of_untaken(self, part: int, history: History) -> dict[str, list[int]]:
        """What the calls of a part cost that the whole run does not have: those of unfinished batches, or after a kill.

        By model, as the metadata have the cost of preflights: requests, input and output tokens, 1 if estimated.
        """
        cost: dict[str, list[int]] = {}
        for called in called_batches(history, self._after[part]):
            for _, came in called.calls if called.batch.number not in self._taken else ():
                usage = came.usage
                figures = [came.tries, usage.input, usage.output, int(usage.estimated)]
                cost[came.model] = added(cost.get(came.model), figures)
        return cost

    def _take(self, chunk: Sequence[CalledBatch], ids: _PoolIds) -> None:
        """Record and judge some batches, all of them or none."""
        with self.journal.whole():
            ready = [state for called in chunk if (state := self._record(called, ids)).last_call]
            for state in ready:
                self.state.criteria.run_ahead(rows_to_run(state.drafts))
            batches = [(state.batch, state.drafts) for state in ready]
            judged = judge_batches(batches, self.state.criteria, self.state.pool, self.state.progress)
            for state, judgements in zip(ready, judged, strict=True):
                self.journal.judge(state.last_call, judgements)
                self.counts.add_judgements(judgements, state.batch.category)
        self._taken.update(called.batch.number for called in chunk)

    def _record(self, called: CalledBatch, ids: _PoolIds) -> BatchState:
        """Record a batch with its calls, and read its replies; its ``last_call`` is 0 if none of them is usable."""
        batch = replace(called.batch, demos=ids.of(called.batch.demos))
        self.journal.add_batch(batch)
        start_batch(self.state.progress, batch)
        state = BatchState(batch, self.prepared.recipe, self.prepared.inputs, self._shown(batch.demos))
        replied = False
        for step, came in called.calls:
            self.counts.requests += came.tries
            if isinstance(came, Failure):
                self.journal.add_failure(batch.number, step, came, ends=False)
                self.counts.failed[came.reason] += 1
                continue
            replied = True
            call = self.journal.add_reply(batch.number, step, came)
            if state.pending_call(step) is None:
                continue
            read = state.record_reply(step, came)
            if read.failure:
                self.journal.fail(call, read.failure, read.message, ends=False)
                self.counts.failed[read.failure] += 1
            else:
                state.last_call = call
        state.abandon_pending()
        if not state.last_call:
            self.journal.end_batch(batch.number)
            if replied:
                finish_batch(self.state.progress, batch, ())
            else:
                cancel_batch(self.state.progress, batch)
        return state

    def _shown(self, demos: Sequence[int]) -> list[Row]:
        """The demonstrations of a batch, where reading its replies needs them."""
        if self.prepared.recipe.imitates:
            return []
        shown = self.journal.history.pool_rows(demos)
        return [shown[number] for number in demos if number in shown]


@dataclass(slots=True)
class _PoolIds:
    """What the rows of a part are called in the whole run: seeds alike, and grown rows as far as they were kept.

    A row and its reply are found by the number of its batch, and the positions of both within it.
    """

    seeds: int
    _ids: array[int] = field(default_factory=lambda: array("L", [0]))

    def know(self, demos: Sequence[int]) -> bool:
        """Whether these ids of the part are known."""
        return max(demos, default=0) - self.seeds < len(self._ids)

    def extend(self, part: History, whole: History) -> None:
        """Learn the ids of the rows whose batches the whole run has taken since."""
        while rows := part.query(_ROWS_AFTER, len(self._ids) - 1, _PAGE):
            for _, batch, position in rows:
                found = whole.query(_ROW_AT, batch, position)
                if not found and not whole.query("SELECT 1 FROM batches WHERE number = ?", batch):
                    return
                self._ids.append(found[0][0] if found else 0)

    def of(self, demos: Sequence[int]) -> tuple[int, ...]:
        """The pool ids of the whole run for those of the part; without rows that were not kept."""
        found = []
        for number in demos:
            grown = number - self.seeds
            if grown <= 0:
                found.append(number)
            elif grown < len(self._ids) and self._ids[grown]:
                found.append(self.seeds + self._ids[grown])
        return tuple(found)


_ROWS_AFTER = """
    SELECT r.number, c.batch, r.position FROM rows r JOIN calls c ON c.id = r.call WHERE r.number > ?
    ORDER BY r.number LIMIT ?"""
_ROW_AT = "SELECT r.number FROM rows r JOIN calls c ON c.id = r.call WHERE c.batch = ? AND r.position = ?"
