"""The join of what parts have grown: their replies are judged again in the journal of the whole run, in a fixed order.

The verdicts are those that one run would give to these replies in this order, on one pool with one set of quotas. So
whatever holds of a run holds of this one, and what proves it (``verify``, ``rejudge``) is the same. A batch has the
same number in its part and in the whole run, which is how the whole knows what it has.

Does not handle: what the parts grow next, or whether they still grow (``rounds``).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

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

#: Batches of a part that are judged before it is the next one's turn; committed together.
TURN = 32


@dataclass(slots=True)
class Join:
    """Takes the finished batches of parts into the ``journal`` of the whole run, each once, while the parts grow.

    The parts take turns. A turn is the next ``TURN`` batches of a part, in the order of their last calls, counted from
    its first batch; so the order does not depend on how fast each grows, or on when a session was interrupted.
    """

    journal: Journal
    prepared: Prepared
    state: JudgingState
    counts: RunCounts
    parts: int
    _taken: set[int] = field(init=False)
    _counts: list[int] = field(init=False)
    _after: list[int] = field(init=False)
    _ids: list[_PoolIds] = field(init=False)

    def __post_init__(self) -> None:
        """Find out what earlier sessions have taken."""
        self._taken = {number for (number,) in self.journal.history.query("SELECT number FROM batches")}
        taken_of = Counter((number - 1) % self.parts for number in self._taken)
        self._counts = [taken_of[part] for part in range(self.parts)]
        self._after = [0] * self.parts
        self._ids = [_PoolIds(self.state.pool.seed_count) for _ in range(self.parts)]

    def next_of(self, parts: Iterable[int]) -> int:
        """Whose turn it is of ``parts``, which have more to take, or may have."""
        return min(parts, key=lambda part: (self._counts[part] // TURN, part))

    def take(self, part: int, place: Path, *, grows: bool) -> list[CalledBatch]:
        """Judge what there is to take in the turn of the part in ``place``, which may still grow; returns that."""
        with History.open(place) as history:
            found, after = self._find(part, history, grows)
        ids, chunk, pending = self._ids[part], list[CalledBatch](), set[int]()
        for called in found:
            # What a row is called is known when its batch has been judged.
            if not pending.isdisjoint(called.batch.demos):
                self._take(chunk, ids)
                chunk, pending = [], set()
            chunk.append(called)
            pending.update(ids.seeds + number for number, _ in called.rows)
        self._take(chunk, ids)
        self._counts[part] += len(found)
        self._after[part] = after
        return found

    def _find(self, part: int, history: History, grows: bool) -> tuple[list[CalledBatch], int]:
        """The batches to take, and the last call of the batches that are all taken then, up to the first that is not.

        Of a part that grows nothing is taken after an unfinished batch: nobody knows when that will be finished.
        """
        found: list[CalledBatch] = []
        wanted, after, all_taken = TURN - self._counts[part] % TURN, self._after[part], True
        for called in called_batches(history, after, wanted + 1):
            if len(found) == wanted or (grows and not called.finished):
                break
            all_taken = all_taken and called.finished
            after = called.last if all_taken else after
            if called.batch.number in self._taken:
                self._ids[part].add(called, self.journal.history)
            elif called.finished:
                found.append(called)
        return found, after

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
        for called in chunk:
            self._taken.add(called.batch.number)
            ids.add(called, self.journal.history)

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
    _ids: array[int] = field(default_factory=lambda: array("L"))

    def add(self, called: CalledBatch, whole: History) -> None:
        """Learn the ids of the rows of a batch that the whole run has taken."""
        if not called.rows:
            return
        kept = dict(whole.query(_KEPT, called.batch.number))
        last = max(number for number, _ in called.rows)
        self._ids.extend([0] * (last + 1 - len(self._ids)))
        for number, position in called.rows:
            self._ids[number] = kept.get(position, 0)

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


_KEPT = "SELECT r.position, r.number FROM rows r JOIN calls c ON c.id = r.call WHERE c.batch = ?"
