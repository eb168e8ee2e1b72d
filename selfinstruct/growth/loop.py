"""The loop of one run: plan, send, journal, read and judge, until every quota is met or the run is exhausted.

One task writes; the tasks that send calls only wait for the backend. Every reply is committed raw before it is read:
replies that have arrived together are committed together, then read in the order of recording, a few at a time, with
free slots filled in between. A batch makes call after call (``batch_state``); each reply is journaled on its own, and
the batch is judged when it needs no more.

Does not handle: pacing, prices, or the kind of backend.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from selfinstruct.backends import ModelPool
from selfinstruct.checks import Criteria
from selfinstruct.errors import StorageError
from selfinstruct.events import Snapshot
from selfinstruct.growth.batch_numbers import BatchNumbers
from selfinstruct.growth.batch_result import BatchResult
from selfinstruct.growth.batch_state import BatchState
from selfinstruct.growth.decided import take_decisions
from selfinstruct.growth.dispatch import BatchCall, Dispatched, Dispatcher, EndedCall
from selfinstruct.growth.forecast import Forecast, shortfall_note
from selfinstruct.growth.judging import judge_batches, run_tests
from selfinstruct.growth.planner import (
    CategoryProgress,
    cancel_batch,
    exhaust_unfinished,
    finish_batch,
    is_complete,
    plan,
    revive_exhausted,
    shift_quota,
    start_batch,
)
from selfinstruct.growth.pool import Pool
from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.prompt_size import PromptSize
from selfinstruct.growth.requests import Requests
from selfinstruct.growth.run_counts import RunCounts
from selfinstruct.growth.sampler import Sampler
from selfinstruct.growth.stagnation import (
    EXHAUSTED_AFTER,
    RUN_EXHAUSTED_AFTER,
    RUN_EXHAUSTED_BEFORE_FIRST_ROW,
    Stagnation,
    given_up_note,
)
from selfinstruct.growth.token_forecast import TokenForecast, rows_left
from selfinstruct.journal import Journal, QuotaStage
from selfinstruct.recipe import Language
from selfinstruct.records import Batch, Failure, Judgement, Request, Row

#: Replies judged before free slots are filled again, so that a burst of replies does not leave the endpoint idle.
_JUDGED_AT_ONCE = 2
#: Rows of a model's replies that are judged together, of a part of the calls in flight: more are hardly cheaper.
_ROWS_AT_ONCE, _SHARE_JUDGED = 40, 16
_TOO_LONG = ("context", "too-large")


@dataclass(slots=True)
class Loop:
    """The state of one run; ``seed`` is the run's seed, from which the random generator of each batch follows.

    ``watch`` is called with a snapshot after each round. ``use_passages_once`` ends the run when every passage of its
    documents has been used, even below the quota. ``last_batch`` is the number of the batch planned last,
    ``last_judged`` the journal's id of the last call of the batch judged last. ``numbers`` are those of its batches.
    """

    criteria: Criteria
    seeds: Sequence[Row]
    pool: Pool
    progress: dict[str, CategoryProgress]
    journal: Journal
    models: ModelPool
    prompt_size: PromptSize
    inputs: PromptInputs
    sampler: Sampler
    seed: int
    concurrency: int
    watch: Callable[[Snapshot], None]
    language: Language = "en"
    use_passages_once: bool = False
    last_batch: int = 0
    last_judged: int = 0
    numbers: BatchNumbers = BatchNumbers()  # noqa: RUF009 - frozen
    counts: RunCounts = field(default_factory=RunCounts)
    _closed: set[str] = field(default_factory=set)
    _short: set[str] = field(default_factory=set)
    _stagnation: Stagnation = field(default_factory=Stagnation)
    _forecasts: dict[str, Forecast] = field(default_factory=dict)
    _tokens: TokenForecast = field(default_factory=TokenForecast)
    _due: deque[BatchCall] = field(default_factory=deque)
    _unread: deque[BatchCall] = field(default_factory=deque)
    _requests: Requests = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the requests."""
        recipe, reads_messages = self.criteria.recipe, self.models.reads_messages
        self._requests = Requests(recipe, self.language, self.seed, self.seeds, self.prompt_size, reads_messages)

    async def run(self) -> None:
        """Grow until every quota is met or every category that misses rows is exhausted.

        Raises EndpointError when no backend can answer any more, and BudgetSpent when the budget is spent; replies
        received until then are journaled and judged. A cancelled run leaves its batches in flight open: a resumed run
        requests them again.
        """
        await self._resume()
        self.journal.commit()
        self.watch(self.snapshot())
        rounds = self.models.works_in_rounds
        # With one call at a time, each is planned from all replies before it, so that a replay plans the same.
        in_turn = rounds or self.concurrency == 1
        dispatcher = Dispatcher(self.models.complete, self.concurrency)
        fatal: Exception | None = None
        try:
            while True:
                if take_decisions(self.journal, self.counts, self.progress, self.pool):
                    self._stagnation.reset()
                sent = Dispatched(0, held_back=False)
                # A round is planned from all rows of the round before.
                if fatal is None and not (in_turn and self._unread):
                    sent = await dispatcher.fill(self._ready, self._take, backlog=bool(self._unread))
                if not dispatcher.in_flight and not self._unread:
                    break
                if rounds and not self._unread:
                    self.models.end_round()
                if not self._unread and is_complete(self.progress):
                    # A call that waits for an endpoint that is down would delay the end of the run by minutes.
                    self.models.drop_waiting()
                ended = await dispatcher.collect(wait=not self._unread)
                fatal = self._record(ended) or fatal
                # Judge when calls neither start nor end, or when the backlog is too long: the planner counts unjudged
                # rows as in flight, and with hundreds of them its quotas and draws would be far off.
                if sent.held_back or len(self._unread) > self.concurrency or not (ended or sent.started):
                    await self._read_some()
                self.watch(self.snapshot(dispatcher.in_flight))
        except BaseException:
            # Replies that have arrived are paid for. The error to report is the first, also where a disk is full.
            with contextlib.suppress(StorageError):
                self._record(dispatcher.collect_ended())
                self._note_exhausted()
            raise
        finally:
            await dispatcher.cancel()
        self._note_exhausted()
        if fatal is not None and not is_complete(self.progress):
            raise fatal

    def snapshot(self, in_flight: int = 0) -> Snapshot:
        """The present state of the run; ``in_flight`` calls have not ended."""
        refused = sum(self.counts.rejected.values()) if self.use_passages_once else 0
        return replace(
            self.counts.snapshot(self.progress),
            in_flight=in_flight,
            pace=self.models.inspect(),
            notes=(*self.models.notes, *self.prompt_size.notes),
            tokens_left=self._tokens.expected(rows_left(self.progress, refused)),
        )

    async def _resume(self) -> None:
        """Queue the calls that open batches of an earlier session still need; judge batches that need none."""
        reads_messages = self.models.reads_messages
        for unfinished in self.journal.history.open_batches():
            state = self._begin(unfinished.batch)
            # Without a model, replies wait to be judged as they did then, so that the next batches are the same.
            read = self._read if reads_messages or len(unfinished.replies) > 1 else self._unread.append
            open_after = [
                read(BatchCall(state, step_call, recorded.call, recorded.reply))
                for recorded in unfinished.replies
                if (step_call := state.pending_call(recorded.step)) is not None
            ]
            if not open_after:
                self._queue_calls(state)
            elif all(open_after):
                await self._advance(state)
        if len(self._unread) > self.concurrency:
            await self._read_some()

    def _ready(self) -> bool:
        """Whether a call is due, planning a batch where none is."""
        return bool(self._due) or self._plan()

    def _take(self) -> tuple[BatchCall, Request]:
        """The next call that is due, and its request."""
        call = self._due.popleft()
        return call, self._requests.build(call.state, call.step_call)

    def _plan(self) -> bool:
        """Plan the next batch and queue its calls; False where nothing is left to request."""
        if self.use_passages_once and self.sampler.all_passages_used:
            return False
        number = self.numbers.after(self.last_batch)
        prompt = self.prompt_size.prompt
        while True:
            if self._short:
                self._shift_quotas()
            rng = self._requests.batch_rng(number)
            # Steps show what their method shows, such as other seeds in each prompt.
            steady = self.models.reads_messages and self.criteria.recipe.imitates
            pool, demos = self.pool, self.prompt_size.demos
            batch = plan(self.progress, pool.seeds, pool.grown, prompt, number, rng, demos, steady=steady)
            if batch is None:
                return False
            if not self.sampler.is_used_up(batch.category):
                break
            self._close(batch.category)
        place = self.numbers.place(batch.requested_before)
        batch = replace(batch, requested_before=place, conditions=self.sampler.draw(batch.category, rng))
        self.last_batch = number
        self.journal.add_batch(batch)
        state = self._begin(batch)
        self._due.extend(BatchCall(state, step_call) for step_call in state.next_calls())
        return True

    def _close(self, category: str) -> None:
        """Plan no more batches of a category of passages; if the total of the run is exact, others get its rows."""
        self.progress[category].stagnation.raise_to(EXHAUSTED_AFTER)
        self._closed.add(category)
        if self.criteria.recipe.quota.rows is not None:
            self._short.add(category)

    def _shift_quotas(self) -> None:
        """Give the rows that closed categories miss to others, once their last batches are judged."""
        shifted = 0
        for name in sorted(name for name in self._short if not self.progress[name].in_flight):
            self._short.discard(name)
            shifted += shift_quota(self.progress, name, self._closed)
        if shifted:
            stage = QuotaStage(self.last_judged, {name: state.quota for name, state in self.progress.items()})
            metadata = self.journal.history.metadata()
            self.journal.write_metadata(replace(metadata, quotas=(*metadata.quotas, stage)))

    def _begin(self, batch: Batch) -> BatchState:
        start_batch(self.progress, batch)
        self.sampler.start_batch(batch.category, batch.conditions, batch.count)
        grown = [number for number in batch.demos if number > self.pool.seed_count]
        pooled = self.journal.history.pool_rows(grown) if grown else {}
        demos = [pooled[n] if n in pooled else self.seeds[n - 1] for n in batch.demos]
        return BatchState(batch, self.criteria.recipe, self.inputs, demos)

    def _record(self, ended: Sequence[EndedCall]) -> Exception | None:
        """Journal and commit outcomes, queue replies for reading, and return the error that ends the run, if any."""
        fatal: Exception | None = None
        for call, task in ended:
            error = task.exception()
            if isinstance(error, Exception):
                fatal = error
                continue
            outcome = task.result()
            self.counts.requests += outcome.tries
            call.state.tokens += outcome.usage.input + outcome.usage.output
            if isinstance(outcome, Failure):
                fatal = outcome.fatal_error or fatal
                failed = self._record_failure(call, outcome)
                # A call that failed because the run ends is made again by a resumed run.
                if failed is not None and outcome.fatal_error is None:
                    self._unread.append(failed)
            else:
                number = self.journal.add_reply(call.batch_number, call.step_call.key, outcome)
                self._unread.append(replace(call, id=number, reply=outcome))
        if ended:
            self.journal.commit()
        return fatal

    def _record_failure(self, call: BatchCall, failure: Failure) -> BatchCall | None:
        """Journal and count a call without a reply; the call where its batch can go on without it, else None."""
        batch, only_call = call.state.batch, call.step_call.definition is None
        number = self.journal.add_failure(batch.number, call.step_call.key, failure, ends=only_call)
        self.counts.failed[failure.reason] += 1
        if failure.reason in _TOO_LONG:
            self.prompt_size.record_too_long(batch.number, len(batch.demos), self.last_batch)
        elif failure.reason == "timeout" and call.step_call.asks_for_rows:
            self.prompt_size.record_timeout(batch.count)
        if not only_call:
            return replace(call, id=number)
        cancel_batch(self.progress, batch)
        self.sampler.cancel_batch(batch.category, batch.conditions, batch.count)
        return None

    async def _read_some(self) -> None:
        """Read the next replies, a model's until there are enough rows to judge; all that are too many to wait."""
        count = max(_JUDGED_AT_ONCE, len(self._unread) - self.concurrency)
        # With few calls in flight, all of them would be judged together, and then be sent together.
        most = self.concurrency // _SHARE_JUDGED if self.models.reads_messages else 0
        ready: list[BatchState] = []
        rows = read = 0
        while self._unread and (read < count or (rows < _ROWS_AT_ONCE and read < most)):
            call = self._unread.popleft()
            read += 1
            if not self._read(call):
                continue
            if call.state.done and call.state.last_call:
                ready.append(call.state)
                rows += len(call.state.drafts)
            else:
                await self._advance(call.state)
        await self._judge(ready)

    def _read(self, call: BatchCall) -> bool:
        """Read a recorded reply, or count its absence; whether the batch is still open."""
        state, key, only_call = call.state, call.step_call.key, call.step_call.definition is None
        if call.reply is None:
            state.record_failure(key)
            return True
        read = state.record_reply(key, call.reply)
        self.prompt_size.tell(read.notes)
        self.prompt_size.form_is_ignored = self.models.ignores_format
        if not read.failure:
            state.last_call, state.seconds = call.id, call.reply.seconds
            return True
        if self.journal.is_unjudged(call.id):
            self.journal.fail(call.id, read.failure, read.message, ends=only_call)
            self.counts.failed[read.failure] += 1
        if only_call:
            self._finish_without_candidates(state, read.failure)
        return not only_call

    async def _advance(self, state: BatchState) -> None:
        """Queue the calls that an open batch needs next, or judge it."""
        if not state.done:
            self._queue_calls(state)
        elif not state.last_call:
            self.journal.end_batch(state.batch.number)
            self._finish_without_candidates(state)
        else:
            await self._judge([state])

    async def _judge(self, states: Sequence[BatchState]) -> None:
        """Judge batches whose last replies have been read, in order."""
        for state in states:
            await run_tests(self.criteria, state.drafts)
        judged = judge_batches([(each.batch, each.drafts) for each in states], self.criteria, self.pool, self.progress)
        for state, judgements in zip(states, judged, strict=True):
            self.journal.judge(state.last_call, judgements)
            self.last_judged = state.last_call
            self._count(state, judgements)

    def _queue_calls(self, state: BatchState) -> None:
        """Queue a batch's next calls before those of new batches."""
        self._due.extendleft(reversed([BatchCall(state, step_call) for step_call in state.next_calls()]))

    def _finish_without_candidates(self, state: BatchState, failure: str = "") -> None:
        finish_batch(self.progress, state.batch, ())
        self._count(state, (), failure)

    def _count(self, state: BatchState, judgements: Sequence[Judgement], failure: str = "") -> None:
        """Count a finished batch, and give the run up where it stagnates."""
        batch = state.batch
        accepted = self.counts.add_judgements(judgements, batch.category)
        self._tokens.add_batch(state.tokens, accepted)
        self.prompt_size.record_batch(BatchResult.of(batch, judgements, state.seconds, failure), self.last_batch)
        self.sampler.finish_batch(batch.category, batch.conditions, batch.count, accepted)
        if not self.use_passages_once:
            self._note_shortfall(batch, accepted)
        self._check_stagnation(batch, accepted)
        if self.criteria.recipe.categories.by == "passage" and self.progress[batch.category].exhausted:
            self._close(batch.category)
        if self.use_passages_once:
            # A passage without an accepted row is no evidence about the other passages.
            self.progress[batch.category].stagnation.reset()

    def _note_shortfall(self, batch: Batch, accepted: int) -> None:
        """Add a note, once, when a category will not reach its quota."""
        state = self.progress[batch.category]
        if batch.category not in self._forecasts:
            before = state.accepted - accepted
            self._forecasts[batch.category] = Forecast(max(state.quota - before, 1), before)
        expected = self._forecasts[batch.category].add_batch(batch.count, accepted)
        if expected is not None:
            where = batch.category if len(self.progress) > 1 else ""
            by_imitator, reason = not self.models.reads_messages, self.counts.commonest_loss()
            self.prompt_size.notes.append(shortfall_note(expected, state.quota, reason, where, by_imitator=by_imitator))

    def _check_stagnation(self, batch: Batch, accepted: int) -> None:
        """Exhaust every unfinished category, with a note, once the whole run has stagnated for too long."""
        if batch.number <= self.prompt_size.last_outdated_batch:
            self._stagnation.reset()
            revive_exhausted(self.progress)
            return
        if accepted:
            self._stagnation.reset()
        else:
            self._stagnation.add_batch(batch.count)
        limit = RUN_EXHAUSTED_AFTER if self.counts.accepted else RUN_EXHAUSTED_BEFORE_FIRST_ROW
        if self.use_passages_once or not self._stagnation.reached(limit):
            return
        if all(state.exhausted or state.accepted >= state.quota for state in self.progress.values()):
            return
        exhaust_unfinished(self.progress)
        self.prompt_size.notes.append(given_up_note(self._stagnation.rows, self.counts.commonest_loss()))

    def _note_exhausted(self) -> None:
        self.journal.write_exhausted(name for name, state in self.progress.items() if state.exhausted)
        self.journal.commit()
