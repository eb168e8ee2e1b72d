"""One run's loop: plan, ask, journal, read, judge, until every quota is met or nothing more comes.

One task writes; the tasks that ask only wait for the backend. A reply is committed raw before it is read, in groups:
all that has come is committed together, then read in the order of recording, a few at a time, with free slots filled in
between. A batch asks call after call (``work``), each reply journaled by itself, and is judged when it needs no more.

Does not handle: pacing, prices, or which backend it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from selfinstruct.backends import ModelPool
from selfinstruct.checks import Criteria
from selfinstruct.errors import StorageError
from selfinstruct.events import CategoryCount, Snapshot
from selfinstruct.growth.batch_state import BatchState
from selfinstruct.growth.judging import judge_batch
from selfinstruct.growth.planner import (
    MAX_ROWS_BEFORE_FIRST_ACCEPTED,
    MAX_ROWS_SINCE_ACCEPTED,
    CategoryProgress,
    cancel_batch,
    exhaust_unfinished,
    finish_batch,
    plan,
    revive_exhausted,
    start_batch,
)
from selfinstruct.growth.pool import Pool
from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.growth.prompt_size import PromptSize
from selfinstruct.growth.sampler import Sampler
from selfinstruct.growth.steps import StepCall
from selfinstruct.journal import Journal
from selfinstruct.prompts import Language, detect_language, row_messages
from selfinstruct.records import Batch, Failure, Judgement, Reply, Request, Row

#: So many replies are judged before free slots are filled again, so that a burst of replies does not idle the endpoint.
_SLICE = 2
#: So many calls leave together where replies wait to be judged; then some of these are judged.
_CROWD = 4
# So many turns of the event loop take a call from its launch to the wire.
_TURNS = 12
# Replies that say nothing of their form: they are no attempt at it.
_NO_ATTEMPT = ("refusal", "filtered")
_TOO_LONG = ("context", "too-large")


@dataclass(slots=True)
class Loop:
    """All that one run's loop works on; ``seed`` is the run's, from which each batch's draws follow.

    ``once`` ends it when every passage of its documents was used, whatever its quota.
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
    accepted: int = 0
    candidates: int = 0
    requests: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    rejected_by_category: Counter[str] = field(default_factory=Counter)
    last_row: Row | None = None
    _barren: tuple[int, int] = (0, 0)

    async def run(self) -> None:
        """Grow until every quota is met or every category that misses rows is exhausted.

        Raises EndpointError when the backend can answer no more, and BudgetSpent when it may not; what came until
        then is journaled and judged.
        A cancelled run leaves its batches in flight to be asked again.
        """
        due = self._resumed()
        self.journal.commit()
        self.watch(self.snapshot())
        tasks: dict[asyncio.Task[Reply | Failure], _Call] = {}
        unjudged: deque[_Call] = deque()
        fatal: Exception | None = None
        try:
            while True:
                launched, crowd = 0, False
                while fatal is None and len(tasks) < self.concurrency and (due or self._plan(due)):
                    # Calls that leave in a crowd come back in a crowd, with nothing to do in between.
                    if crowd := launched == _CROWD and bool(unjudged):
                        break
                    call = due.popleft()
                    tasks[asyncio.create_task(self.models.complete(self._request(call)))] = call
                    launched += 1
                if not tasks and not unjudged:
                    break
                # Before anything is judged, what was launched gets on its way: an endpoint that waits is paid for too.
                for _ in range(_TURNS if launched and unjudged else 0):
                    await asyncio.sleep(0)
                ended = []
                if tasks:
                    # While replies wait to be judged, only what has come by now is taken.
                    now = 0.0 if unjudged else None
                    done, _ = await asyncio.wait(tasks, timeout=now, return_when=asyncio.FIRST_COMPLETED)
                    ended = sorted(((tasks.pop(task), task) for task in done), key=lambda pair: pair[0].number)
                    fatal = self._take(ended, unjudged, due) or fatal
                # Judging is for when nothing comes and nothing goes, or too much waits for it: what waits is planned
                # with as if it were still in flight, and with hundreds waiting quotas and draws would be far off.
                if crowd or len(unjudged) > self.concurrency or not (ended or launched):
                    for _ in range(min(len(unjudged), max(_SLICE, len(unjudged) - self.concurrency))):
                        self._read(unjudged.popleft(), due)
                self.watch(self.snapshot(len(tasks)))
        except BaseException:
            # What has come by now is paid for. A journal that has refused refuses here again; what ended the run is
            # the error to tell.
            with contextlib.suppress(StorageError):
                self._take([(tasks.pop(task), task) for task in list(tasks) if task.done()], unjudged, due)
                self._note_exhausted()
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks) if tasks else None
        self._note_exhausted()
        if fatal is not None:
            raise fatal

    def snapshot(self, in_flight: int = 0) -> Snapshot:
        """Where the run stands now."""
        categories = {
            name: CategoryCount(state.quota, state.accepted, self.rejected_by_category[name], state.exhausted)
            for name, state in self.progress.items()
        }
        return Snapshot(
            categories=categories,
            accepted=self.accepted,
            candidates=self.candidates,
            rejected=dict(self.rejected),
            failed=dict(self.failed),
            requests=self.requests,
            in_flight=in_flight,
            last_row=self.last_row,
            pace=self.models.inspect(),
            notes=(*self.models.notes, *self.prompt_size.notes),
        )

    def batch_rng(self, number: int) -> Random:
        """The random generator of one batch: the same for the same run seed and batch number, in any order."""
        return Random(f"{self.seed}/{number}")

    def _note_exhausted(self) -> None:
        self.journal.write_exhausted(name for name, state in self.progress.items() if state.exhausted)
        self.journal.commit()

    def _resumed(self) -> deque[_Call]:
        """The calls that batches of an earlier session still need; those that need none are judged."""
        due: deque[_Call] = deque()
        for unfinished in self.journal.history.open_batches():
            work = self._begin(unfinished.batch)
            heard = [
                self._heard(_Call(work, ask, recorded.call, recorded.reply))
                for recorded in unfinished.replies
                if (ask := work.pending_call(recorded.step)) is not None
            ]
            if all(heard):
                self._go_on(work, due, judging=bool(heard))
        return due

    def _plan(self, due: deque[_Call]) -> bool:
        """Plan the next batch, and put its calls among those that are due; False where there is nothing to ask."""
        if self.use_passages_once and self.sampler.all_passages_used:
            return False
        number = self.last_batch + 1
        prompt, draws = self.prompt_size.prompt, self.batch_rng(number)
        batch = plan(self.progress, self.pool.seeds, self.pool.grown, prompt, number, draws)
        if batch is None:
            return False
        batch = replace(batch, given=self.sampler.draw(batch.category, draws))
        self.last_batch = number
        self.journal.add_batch(batch)
        work = self._begin(batch)
        due.extend(_Call(work, ask) for ask in work.next_calls())
        return True

    def _begin(self, batch: Batch) -> BatchState:
        start_batch(self.progress, batch)
        self.sampler.start_batch(batch.category, batch.given, batch.count)
        grown = [number for number in batch.demos if number > self.pool.seed_count]
        pooled = self.journal.history.pooled(grown) if grown else {}
        demos = [pooled[n] if n in pooled else self.seeds[n - 1] for n in batch.demos]
        return BatchState(batch, self.criteria.recipe, self.inputs, demos)

    def _request(self, call: _Call) -> Request:
        batch, ask, recipe = call.work.batch, call.ask, self.criteria.recipe
        said = ask.messages(recipe)
        if self.models.reads_messages and not said:
            asked = recipe, batch.category, batch.count, call.work.demos, self.language
            said = row_messages(*asked, given=batch.given, repeat_format=self.prompt_size.repeats_format)
        seed = self.batch_rng(batch.number).getrandbits(31)
        return Request(batch, ask.key, said, call.work.demos, seed, ask.reply_format(recipe), ask.model)

    def _take(
        self,
        ended: Sequence[tuple[_Call, asyncio.Task[Reply | Failure]]],
        unjudged: deque[_Call],
        due: deque[_Call],
    ) -> Exception | None:
        """Journal what the calls brought, commit, and queue the replies; the error that ends the run, if one came."""
        fatal: Exception | None = None
        for call, task in ended:
            error = task.exception()
            if isinstance(error, Exception):
                fatal = error
                continue
            outcome = task.result()
            self.requests += outcome.tries
            if isinstance(outcome, Failure):
                fatal = outcome.end or fatal
                failed = self._fail(call, outcome)
                # A call that the end of the run took with it is made again when the run goes on.
                if failed is not None and outcome.end is None:
                    unjudged.append(failed)
            else:
                number = self.journal.add_reply(call.number, call.ask.key, outcome)
                unjudged.append(replace(call, id=number, reply=outcome))
        if ended:
            self.journal.commit()
        return fatal

    def _fail(self, call: _Call, failure: Failure) -> _Call | None:
        """Count a call without a reply: with its only call a batch ends, else it goes on without, in its turn."""
        batch, single = call.work.batch, call.ask.definition is None
        number = self.journal.add_failure(batch.number, call.ask.key, failure, ends=single)
        self.failed[failure.reason] += 1
        if failure.reason in _TOO_LONG:
            self.prompt_size.record_too_long(batch.number, len(batch.demos), self.last_batch)
        if not single:
            return replace(call, id=number)
        cancel_batch(self.progress, batch)
        self.sampler.cancel_batch(batch.category, batch.given, batch.count)
        return None

    def _read(self, call: _Call, due: deque[_Call]) -> None:
        """Read a recorded reply: its batch asks on, or is judged."""
        if self._heard(call):
            self._go_on(call.work, due)

    def _heard(self, call: _Call) -> bool:
        """Take what a call brought; whether its batch goes on, and was not ended by it."""
        work, single = call.work, call.ask.definition is None
        if call.reply is None:
            work.record_failure(call.ask.key)
            return True
        found = work.record_reply(call.ask.key, call.reply)
        if not found.failure:
            work.last_call = call.id
            if single:
                malformed = sum(1 for piece in found.drafts if piece.row is None)
                self.prompt_size.record_reply(call.number, len(found.drafts) - malformed, malformed, self.last_batch)
            return True
        if self.journal.waits(call.id):
            self.journal.fail(call.id, found.failure, found.message, ends=single)
            self.failed[found.failure] += 1
        if single:
            if found.failure not in _NO_ATTEMPT:
                self.prompt_size.record_reply(call.number, 0, 1, self.last_batch)
            self._settle(work, ())
        return not single

    def _go_on(self, work: BatchState, due: deque[_Call], *, judging: bool = True) -> None:
        """Ask what a batch needs next, or judge it."""
        if not work.done or not judging:
            # What is under way is finished before anything new is begun.
            due.extendleft(reversed([_Call(work, ask) for ask in work.next_calls()]))
        elif not work.last_call:
            self.journal.end(work.batch.number)
            self._settle(work, ())
        else:
            judgements = judge_batch(work.batch, work.drafts, self.criteria, self.pool, self.progress)
            self.journal.judge(work.last_call, judgements)
            self._settle(work, judgements, judged=True)

    def _settle(self, work: BatchState, judgements: Sequence[Judgement], *, judged: bool = False) -> None:
        """Count what a batch came to."""
        batch, accepted = work.batch, 0
        for judgement in judgements:
            if judgement.rejection is not None:
                self.rejected[judgement.rejection.reason] += 1
                self.rejected_by_category[judgement.category or batch.category] += 1
            else:
                accepted += 1
                self.last_row = judgement.candidate.row
        self.accepted += accepted
        self.candidates += len(judgements)
        self.sampler.finish_batch(batch.given, batch.count, accepted)
        if not judged:
            finish_batch(self.progress, batch, ())
        self._watch_yield(batch, accepted)
        if self.use_passages_once:
            # Passages of which nothing comes say nothing about the others: each has its turn.
            self.progress[batch.category].since_accepted = 0

    def _watch_yield(self, batch: Batch, accepted: int) -> None:
        """Give up, and say so, where nothing comes of anything any more."""
        if batch.number <= self.prompt_size.changed_at:
            self._barren = 0, 0
            revive_exhausted(self.progress)
            return
        self._barren = (0, 0) if accepted else (self._barren[0] + 1, self._barren[1] + batch.count)
        least = MAX_ROWS_SINCE_ACCEPTED if self.accepted else MAX_ROWS_BEFORE_FIRST_ACCEPTED
        if self.use_passages_once or self._barren[0] < least[0] or self._barren[1] < least[1]:
            return
        if all(state.exhausted or state.accepted >= state.quota for state in self.progress.values()):
            return
        exhaust_unfinished(self.progress)
        common = (self.rejected + self.failed).most_common(1)
        why = f", most of it {common[0][0]}" if common else ""
        self.prompt_size.notes.append(
            f"nothing of the last {self._barren[1]:,} rows asked for was accepted{why}: given up"
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of a batch: to be made, or made, with the reply as it was recorded."""

    work: BatchState
    ask: StepCall
    id: int = 0
    reply: Reply | None = None

    @property
    def number(self) -> int:
        """The number of its batch."""
        return self.work.batch.number


def restore(progress: dict[str, CategoryProgress], drawing: Sampler, journal: Journal) -> None:
    """Bring ``progress`` to where the journal's run stood; a category whose quota has grown may try again."""
    history = journal.history
    for outcome in history.outcomes():
        state = progress.get(outcome.category)
        if state is None:
            continue
        batch = Batch(outcome.batch, outcome.category, outcome.asked, 0, ())
        start_batch(progress, batch)
        if outcome.failed:
            cancel_batch(progress, batch)
        else:
            finish_batch(progress, batch, [outcome.category] * outcome.hits)
    tallies = history.state().categories
    for name, state in progress.items():
        if name in tallies:
            state.drifted += tallies[name].accepted - state.accepted
            state.accepted = tallies[name].accepted
    if drawing.has_choices:
        for done, rows, failed in history.given():
            drawing.start_batch(done.category, done.given, done.count)
            if failed and not rows:
                drawing.cancel_batch(done.category, done.given, done.count)
            else:
                drawing.finish_batch(done.given, done.count, rows)


def prompt_language(seeds: Sequence[Row]) -> Language:
    """The language that the run's prompts are written in."""
    return detect_language(seeds)
