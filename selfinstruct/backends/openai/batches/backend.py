"""A Backend that answers the requests of a round together, by batch jobs, at about half the price.

    complete ... complete -> end_round -> jobs -> every request gets its reply, or waits for the next round

Does not handle: which requests a round has: the loop calls ``end_round`` once it has none left to add.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from selfinstruct.backends.budget import Budget, batch_name
from selfinstruct.backends.openai.backend import OpenAIBackend
from selfinstruct.backends.openai.batches.input_file import custom_id
from selfinstruct.backends.openai.batches.open_jobs import open_jobs
from selfinstruct.backends.openai.batches.output import MOST_TRIES, Bodies, Outcome
from selfinstruct.backends.openai.batches.round import Jobs, Outcomes
from selfinstruct.backends.openai.billing import Billing
from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.backends.openai.completion import Completion
from selfinstruct.errors import EndpointError
from selfinstruct.events import Pace
from selfinstruct.journal import Journal, SentJob, count_calls, keys_of_calls, sent_jobs
from selfinstruct.messages import Phrase
from selfinstruct.prompts import estimate_tokens
from selfinstruct.recipe import Model, Price
from selfinstruct.records import Failure, Reply, Request, Usage


@dataclass(slots=True)
class _Waiting:
    """A request that waits for its outcome, which is None if it was not sent, and waits for the next round."""

    body: Mapping[str, Any]
    outcome: asyncio.Future[Outcome | None]


class BatchBackend:
    """Answers requests by batch jobs at an ``endpoint`` that has been connected.

    Its ``name`` is that of the endpoint's backend with " (batch)", so that its calls are counted at their own price.
    ``begin`` must be called before the first request.
    """

    reads_messages = True
    works_in_rounds = True

    def __init__(
        self,
        endpoint: OpenAIBackend,
        model: Model,
        budget: Budget | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: Random | None = None,
    ) -> None:
        self.name = batch_name(endpoint.name)
        self._endpoint = endpoint
        self._budget = budget
        self._billings = {self.name: Billing(budget, model.batch_price)}
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or Random()
        self._journal: Journal | None = None
        self._jobs: Jobs | None = None
        self._sent: dict[str, SentJob] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._round: asyncio.Task[None] | None = None

    def begin(self, journal: Journal, absent: Collection[str] = ()) -> None:
        """Record jobs in this journal, and take up those that it knows.

        Jobs of the models ``absent``, which the run had and has no more, are taken up too: they are paid for. Their
        replies count as those of the model that wrote them, at its price.
        """
        # Late: it imports the openai package.
        from selfinstruct.backends.openai.batches.client import BatchClient

        self._journal = journal
        client = BatchClient(self._endpoint.wire)
        self._jobs = Jobs(client, journal, self.name, self._clock, self._sleep, self._rng)
        history = journal.history
        jobs = [job for job in sent_jobs(history) if job.model == self.name or job.model in absent]
        for job in open_jobs(jobs, keys_of_calls(history)):
            self._sent.update(dict.fromkeys(job.requests, job))
        prices = history.metadata().prices
        for name in absent:
            self._billings[name] = Billing(self._budget, Price.of(prices[name]) if name in prices else None)

    async def complete(self, request: Request) -> Reply | Failure:
        """Answer one request, in this round or a later one: what fails for a time is sent again, up to three times.

        Raises EndpointError if no request can be answered any more, and BudgetSpent.
        """
        started, expected = self._clock(), sum(estimate_tokens(each.content) + 4 for each in request.messages)
        name = self._name(request)
        errors: Counter[str] = Counter()
        billed, tries = Usage(), 0
        while True:
            options, limits = self._endpoint.options, self._endpoint.limits
            limit = limits.of(request, expected)
            body = options.body_of(self._endpoint.model, request, limit)
            # No job is streamed.
            body = {option: value for option, value in body.items() if option not in ("stream", "stream_options")}
            model, outcome = await self._attempt(name, body, request)
            billed, tries = billed + self._billings[model].usage(outcome, expected), tries + 1
            seconds = self._clock() - started
            if isinstance(outcome, Completion):
                outcome = self._endpoint.endings.settle(outcome, int(body.get(options.token_limit_name) or 0))
                if limits.record(request, limit, outcome) and tries < MOST_TRIES:
                    continue
                return Reply(outcome.text, model, billed, outcome.finish_reason, seconds, tries)
            errors[outcome.reason] += 1
            if outcome.option and options.reject(outcome.option, body, outcome.message):
                continue
            if outcome.fatal or outcome.option or errors.total() >= min(outcome.max_tries, MOST_TRIES):
                message = Phrase(outcome.message)
                end = self._end(outcome) if outcome.fatal else None
                return Failure(outcome.reason, message, billed, seconds, tries, model, end)

    def end_round(self) -> None:
        """Send what waits, unless a round is under way: then it waits for the next one."""
        if self._waiting and (self._round is None or self._round.done()):
            waiting, self._waiting = self._waiting, {}
            self._round = asyncio.create_task(self._run_round(waiting))

    def has_sent(self, request: Request) -> bool:
        """Whether an earlier session sent this request, and its reply is not recorded."""
        return bool(self._sent) and self._name(request) in self._sent

    @property
    def notes(self) -> list[str]:
        """Remarks for the summary."""
        return [*self._endpoint.notes, *(self._jobs.notes if self._jobs is not None else ())]

    def inspect(self) -> Pace:
        """What the jobs are doing."""
        progress = None if self._jobs is None else self._jobs.progress()
        return Pace(0, 0 if progress is None else progress.total, "", batch=progress)

    async def close(self) -> None:
        """Close the connections; jobs at the endpoint go on."""
        if self._round is not None and not self._round.done():
            self._round.cancel()
            await asyncio.wait([self._round])
        await self._endpoint.close()

    async def _attempt(self, name: str, body: Mapping[str, Any], request: Request) -> tuple[str, Outcome]:
        """The outcome of sending a request once, or of having sent it in an earlier session, and whose it is."""
        limit = int(body.get(self._endpoint.options.token_limit_name) or 0)
        model = self._model_of(name)
        billing = self._billings[model]
        reservation = await billing.reserve(body, request.messages, limit, sent=name in self._sent)
        outcome: Outcome | None = None
        try:
            while outcome is None:
                model = self._model_of(name)
                waiting = _Waiting(body, asyncio.get_running_loop().create_future())
                self._waiting[name] = waiting
                outcome = await waiting.outcome
        finally:
            # A request that was interrupted may have been billed.
            billing.settle(reservation, outcome)
        return model, outcome

    async def _run_round(self, waiting: Mapping[str, _Waiting]) -> None:
        """Give every request of a round its outcome, all of them together once the last job has ended."""
        try:
            outcomes = await self._outcomes({name: each.body for name, each in waiting.items()})
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would report it
            outcomes = dict.fromkeys(waiting, error)
        for name, each in waiting.items():
            outcome = outcomes.get(name)
            if each.outcome.done():  # awaited no more
                continue
            if isinstance(outcome, Exception):
                each.outcome.set_exception(outcome)
            else:
                each.outcome.set_result(outcome)

    async def _outcomes(self, bodies: Bodies) -> dict[str, Outcome | Exception]:
        """The outcomes of requests, or the errors that end the run; some have none, and are to be sent again."""
        if self._jobs is None:
            raise RuntimeError("begin() has not been called")
        earlier = {self._sent[name].id: self._sent[name] for name in bodies if name in self._sent}
        fresh = {name: body for name, body in bodies.items() if name not in self._sent}
        works: list[tuple[Iterable[str], Awaitable[Outcomes]]] = [
            (job.requests, self._jobs.collect(job, bodies)) for job in earlier.values()
        ]
        for lines in self._jobs.divide(fresh):
            works.append((lines, self._jobs.submit(lines, fresh)))
        async with asyncio.TaskGroup() as group:
            tasks = [(names, group.create_task(_settled(work))) for names, work in works]
        outcomes: dict[str, Outcome | Exception] = {}
        for names, task in tasks:
            result = task.result()
            outcomes.update(dict.fromkeys(names, result) if isinstance(result, Exception) else result)
        # From here on the requests of earlier jobs are recorded under other names, or sent again.
        for job in earlier.values():
            self._sent = {name: sent for name, sent in self._sent.items() if sent.id != job.id}
        return outcomes

    def _model_of(self, name: str) -> str:
        """The name of the model that a request was or will be sent to."""
        return self._sent[name].model if name in self._sent else self.name

    def _name(self, request: Request) -> str:
        """The custom_id of a request."""
        if self._journal is None:
            raise RuntimeError("begin() has not been called")
        calls = count_calls(self._journal.history, request.batch.number, request.step)
        return custom_id(request.batch.number, request.step, calls + 1)

    def _end(self, fatal: CallError) -> EndpointError:
        """The error that ends the run."""
        message = Phrase("{where}: {problem}", where=self._endpoint.base_url, problem=Phrase(fatal.message))
        return EndpointError(message, hint=fatal.hint or Phrase("Everything received so far is kept."))


async def _settled(work: Awaitable[Outcomes]) -> Outcomes | Exception:
    """The outcomes of a job, or its error: the other jobs of the round go on."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - it is raised where the requests are awaited
        return error
