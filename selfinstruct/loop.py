"""One run's loop: plan, ask, journal, parse, judge, until every quota is met or nothing more comes.

One task writes; the tasks that ask only wait for the backend. A reply is committed raw before it is parsed, in
groups: all that has come is committed together, then parsed and judged in the order of recording, a few at a time,
with free slots filled in between.

Does not handle: pacing, prices, or which backend it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from selfinstruct.asking import Asking
from selfinstruct.backends.authors import Authors
from selfinstruct.checks import Terms
from selfinstruct.errors import StorageError
from selfinstruct.events import CategoryCount, Snapshot
from selfinstruct.journal import Journal, RecordedReply
from selfinstruct.judging import judge_reply
from selfinstruct.planner import Progress, launch, plan, settle, withdraw
from selfinstruct.pool import Pool
from selfinstruct.prompt import Language, language, messages
from selfinstruct.records import Batch, Failure, Message, Reply, Request, Row

#: Imitation has one step: the prompt's reply is the rows.
STEP = "imitate"
#: So many replies are judged before free slots are filled again, so that a burst of replies does not idle the endpoint.
_SLICE = 2
# So many turns of the event loop take a call from its launch to the wire.
_TURNS = 12
# Replies that say nothing of their form: they are no attempt at it.
_NO_ATTEMPT = ("refusal", "filtered")
_TOO_LONG = ("context", "too-large")


@dataclass(slots=True)
class Loop:
    """All that one run's loop works on; ``seed`` is the run's, from which each batch's draws follow."""

    terms: Terms
    seeds: Sequence[Row]
    pool: Pool
    progress: dict[str, Progress]
    journal: Journal
    authors: Authors
    asking: Asking
    seed: int
    concurrency: int
    watch: Callable[[Snapshot], None]
    language: Language = "en"
    number: int = 0
    accepted: int = 0
    candidates: int = 0
    requests: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    refused_in: Counter[str] = field(default_factory=Counter)
    last_row: Row | None = None

    async def run(self) -> None:
        """Grow until every quota is met or every category that misses rows is exhausted.

        Raises EndpointError when the backend can answer no more, and BudgetSpent when it may not; what came until
        then is journaled and judged.
        A cancelled run leaves its batches in flight to be asked again.
        """
        waiting: list[Batch] = []
        for unfinished in self.journal.history.open_batches():
            launch(self.progress, unfinished.batch)
            if unfinished.replies:
                self._judge(unfinished.replies[-1])
            else:
                waiting.append(unfinished.batch)
        self.journal.commit()
        self.watch(self.snapshot())
        tasks: dict[asyncio.Task[Reply | Failure], Batch] = {}
        unjudged: deque[RecordedReply] = deque()
        fatal: Exception | None = None
        try:
            while True:
                launched = False
                while fatal is None and len(tasks) < self.concurrency:
                    batch = waiting.pop(0) if waiting else self._plan()
                    if batch is None:
                        break
                    tasks[asyncio.create_task(self.authors.complete(self._request(batch)))] = batch
                    launched = True
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
                    fatal = self._take(ended, unjudged) or fatal
                # Judging is for when nothing comes and nothing goes, or too much waits for it.
                if len(unjudged) > self.concurrency or not (ended or launched):
                    for _ in range(min(len(unjudged), _SLICE)):
                        self._judge(unjudged.popleft())
                self.watch(self.snapshot(len(tasks)))
        except BaseException:
            # What has come by now is paid for. A journal that has refused refuses here again; what ended the run is
            # the error to tell.
            with contextlib.suppress(StorageError):
                self._take([(tasks.pop(task), task) for task in list(tasks) if task.done()], unjudged)
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
            name: CategoryCount(state.quota, state.accepted, self.refused_in[name], state.exhausted)
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
            pace=self.authors.inspect(),
            notes=(*self.authors.notes, *self.asking.notes),
        )

    def draws(self, number: int) -> Random:
        """The random generator of one batch: the same for the same run seed and batch number, in any order."""
        return Random(f"{self.seed}/{number}")

    def _note_exhausted(self) -> None:
        self.journal.note_exhausted(name for name, state in self.progress.items() if state.exhausted)
        self.journal.commit()

    def _plan(self) -> Batch | None:
        number = self.number + 1
        prompt = self.asking.prompt
        batch = plan(self.progress, self.pool.seeds, self.pool.grown, prompt, number, self.draws(number))
        if batch is not None:
            self.number = number
            self.journal.add_batch(batch)
            launch(self.progress, batch)
        return batch

    def _request(self, batch: Batch) -> Request:
        grown = [number for number in batch.demos if number > self.pool.seed_count]
        pooled = self.journal.history.pooled(grown) if grown else {}
        demos = tuple(pooled[n] if n in pooled else self.seeds[n - 1] for n in batch.demos)
        said: tuple[Message, ...] = ()
        if self.authors.reads_messages:
            asked = self.terms.recipe, batch.category, batch.count, demos, self.language
            said = messages(*asked, reminding=self.asking.reminds)
        return Request(batch, STEP, said, demos, seed=self.draws(batch.number).getrandbits(31))

    def _take(
        self, ended: Sequence[tuple[Batch, asyncio.Task[Reply | Failure]]], unjudged: deque[RecordedReply]
    ) -> Exception | None:
        """Journal what the calls brought, commit, and queue the replies; the error that ends the run, if one came."""
        fatal: Exception | None = None
        for batch, task in ended:
            error = task.exception()
            if isinstance(error, Exception):
                fatal = error
                continue
            outcome = task.result()
            self.requests += outcome.tries
            if isinstance(outcome, Failure):
                self._fail(batch, outcome)
                fatal = outcome.end or fatal
            else:
                call = self.journal.add_reply(batch.number, STEP, outcome)
                unjudged.append(RecordedReply(call, batch, STEP, outcome))
        if ended:
            self.journal.commit()
        return fatal

    def _fail(self, batch: Batch, failure: Failure) -> None:
        self.journal.add_failure(batch.number, STEP, failure)
        self.failed[failure.reason] += 1
        withdraw(self.progress, batch)
        if failure.reason in _TOO_LONG:
            self.asking.too_long(batch.number, len(batch.demos), self.number)

    def _judge(self, recorded: RecordedReply) -> None:
        judged = judge_reply(recorded.batch, recorded.reply, self.terms, self.pool, self.progress)
        if judged.failure:
            self.journal.fail(recorded.call, judged.failure, judged.message)
            self.failed[judged.failure] += 1
            if judged.failure not in _NO_ATTEMPT:
                self.asking.replied(recorded.batch.number, 0, 1, self.number)
            return
        malformed = sum(1 for each in judged.judgements if each.rejection and each.rejection.reason == "schema")
        good = len(judged.judgements) - malformed
        self.asking.replied(recorded.batch.number, good, malformed, self.number)
        self.journal.judge(recorded.call, judged.judgements)
        for judgement in judged.judgements:
            if judgement.rejection is not None:
                self.rejected[judgement.rejection.reason] += 1
                self.refused_in[judgement.category or recorded.batch.category] += 1
            else:
                self.accepted += 1
                self.last_row = judgement.candidate.row
        self.candidates += len(judged.judgements)


def restore(progress: dict[str, Progress], journal: Journal) -> None:
    """Bring ``progress`` to where the journal's run stood; a category whose quota has grown may try again."""
    history = journal.history
    for outcome in history.outcomes():
        state = progress.get(outcome.category)
        if state is None:
            continue
        batch = Batch(outcome.batch, outcome.category, outcome.asked, 0, ())
        launch(progress, batch)
        if outcome.failed:
            withdraw(progress, batch)
        else:
            settle(progress, batch, [outcome.category] * outcome.hits)
    tallies = history.state().categories
    for name, state in progress.items():
        if name in tallies:
            state.drifted += tallies[name].accepted - state.accepted
            state.accepted = tallies[name].accepted


def prompt_language(seeds: Sequence[Row]) -> Language:
    """The language that the run's prompts are written in."""
    return language(seeds)
