"""From the requests of a round to their outcomes: files, jobs and polls, each step of which survives a kill.

    upload -> record the file -> create the job -> record it -> poll ... -> download -> outcomes

The file is recorded before a job is created of it, so that a job is found again by its file if the process is killed
before the job's id is recorded, or if the reply to its creation is lost. So no job is created twice.

Does not handle: which outcome is final, or how often a request is sent (``backend``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from selfinstruct.backends.openai.batches.input_file import MOST_REQUESTS, Endpoint, endpoint_of, request_line, split
from selfinstruct.backends.openai.batches.job import Job
from selfinstruct.backends.openai.batches.output import (
    Bodies,
    Outcome,
    Output,
    missing,
    not_processed,
    read_output,
)
from selfinstruct.backends.openai.call_error import CallError
from selfinstruct.errors import EndpointError
from selfinstruct.events import JobProgress
from selfinstruct.journal import Journal, SentJob
from selfinstruct.messages import Phrase, joined

if TYPE_CHECKING:
    from selfinstruct.backends.openai.batches.client import BatchClient

T = TypeVar("T")
#: The outcomes of requests by custom_id; those that were never processed, and cost nothing, have none.
Outcomes: TypeAlias = dict[str, Outcome | EndpointError]
#: Seconds that an endpoint may fail in a row before the run ends; its jobs go on.
_PATIENCE = 3600.0
#: Seconds between two polls: the first, the longest, and the factor from one to the next.
FIRST_POLL, LONGEST_POLL, _SLOWER = 2.0, 60.0, 1.5
#: Seconds until a job whose creation was under way at a kill is in the list of jobs.
SETTLING = 5.0
#: How often output that lacks lines is downloaded.
_DOWNLOADS = 3
_KEPT = Phrase("Everything received so far is kept. Run the same command again once the endpoint answers.")
_STATES = ("uploading", "validating", "in_progress", "finalizing", "cancelling", "downloading")


@dataclass(slots=True)
class _Watched:
    """A job that is awaited: the number of its requests, and its state when it was last seen."""

    requests: int
    since: float
    state: str = "uploading"
    done: int = 0


class Jobs:
    """The batch jobs of one model of a run, recorded in its ``journal`` under the ``name`` of the model.

    ``notes`` are remarks for the summary. ``most_requests`` is the most of one job, which falls if the endpoint takes
    fewer tokens at once.
    """

    def __init__(
        self,
        client: BatchClient,
        journal: Journal,
        name: str,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        rng: Random,
    ) -> None:
        self.notes: list[str] = []
        self.most_requests = MOST_REQUESTS
        self._client = client
        self._journal = journal
        self._name = name
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._watched: dict[int, _Watched] = {}

    def progress(self) -> JobProgress | None:
        """What the jobs that are awaited are doing."""
        watched = list(self._watched.values())
        if not watched:
            return None
        state = min((each.state for each in watched), key=_STATES.index)
        return JobProgress(
            len(watched),
            state,
            sum(each.done for each in watched),
            sum(each.requests for each in watched),
            self._clock() - min(each.since for each in watched),
        )

    def divide(self, bodies: Bodies) -> list[dict[str, bytes]]:
        """The requests of one round by file, each as its line by its custom_id.

        All of a file are for one path. Where the endpoint takes few tokens at once, there is one file, and the other
        requests wait.
        """
        files = []
        for endpoint in dict.fromkeys(map(endpoint_of, bodies.values())):
            named = [(name, request_line(name, body)) for name, body in bodies.items() if endpoint_of(body) == endpoint]
            cut = split([line for _, line in named], self.most_requests)
            files += [dict(named[at] for at in positions) for positions in cut]
        return files if self.most_requests == MOST_REQUESTS else files[:1]

    async def submit(self, lines: Mapping[str, bytes], bodies: Bodies) -> Outcomes:
        """Upload these lines, create a job of them, and wait for its outcomes. Raises EndpointError."""
        with _Watching(self._watched, len(lines), self._clock()) as watched:
            name = f"selfinstruct-{self._journal.path.parent.name}-{self._rng.getrandbits(32):08x}.jsonl"
            name = "".join(each if each.isascii() and (each.isalnum() or each in "-._") else "_" for each in name)
            data = b"".join(lines.values())
            file = await self._persistently(lambda: self._client.upload(name, data))
            number = self._journal.add_job(self._name, file, list(lines))
            self._journal.commit()
            job = await self._create(file, endpoint_of(bodies[next(iter(lines))]), name)
            self._record(number, job)
            return await self._follow(job.id, list(lines), bodies, watched)

    async def collect(self, sent: SentJob, bodies: Bodies) -> Outcomes:
        """Wait for the outcomes of a job of an earlier session; none where no job was created."""
        with _Watching(self._watched, len(sent.requests), self._clock()) as watched:
            job = sent.job
            if not job:
                found = await self._find_or_prevent(sent.file)
                if found is None:
                    return {}
                self._record(sent.id, found)
                job = found.id
            return await self._follow(job, sent.requests, bodies, watched, earlier=True)

    def _record(self, number: int, job: Job) -> None:
        self._journal.name_job(number, job.id)
        self._journal.commit()

    async def _create(self, file: str, endpoint: Endpoint, name: str) -> Job:
        """Create a job of a file, once: if the reply is lost, look for the job before trying again."""
        began, tries = self._clock(), 0
        while True:
            job = await self._client.create(file, endpoint, name)
            if not isinstance(job, CallError):
                return job
            tries += 1
            if job.fatal or tries >= job.max_tries or self._clock() - began > _PATIENCE:
                raise self._failed(job)
            await self._back_off(tries, job.retry_after)
            found = await self._persistently(lambda: self._client.find(file))
            if found is not None:
                return found

    async def _find_or_prevent(self, file: str) -> Job | None:
        """The job of a file that was uploaded before a kill; if there is none, none can be created any more."""
        await self._sleep(SETTLING)
        found = await self._persistently(lambda: self._client.find(file))
        if found is None:
            await self._client.delete(file)
            # A job that was created meanwhile is in the list now; a later one lacks its file.
            found = await self._persistently(lambda: self._client.find(file))
        return found

    async def _follow(
        self, job_id: str, requests: Sequence[str], bodies: Bodies, watched: _Watched, *, earlier: bool = False
    ) -> Outcomes:
        """Poll a job until it ends, and read its outcomes; ``earlier`` if an earlier session submitted it."""
        wait, first = FIRST_POLL, ""
        while True:
            job = await self._persistently(lambda: self._client.retrieve(job_id), job_id)
            first = first or job.status
            watched.state = job.status if job.status in _STATES else "downloading" if job.ended else "in_progress"
            watched.done = job.done * watched.requests // job.total if job.total else 0
            if job.ended:
                break
            await self._sleep(wait * self._rng.uniform(0.9, 1.1))
            wait = min(wait * _SLOWER, LONGEST_POLL)
        if job.status == "failed":
            return self._refused(job, len(requests), known=earlier and first == "failed")
        outcomes: Outcomes = dict(await self._download(job, requests, bodies))
        rest = [name for name in requests if name not in outcomes]
        if job.status != "cancelled" or (earlier and first in ("cancelled", "cancelling")):
            outcomes.update((name, missing() if job.status == "completed" else not_processed()) for name in rest)
            return outcomes
        # Somebody wants no more of it: what is processed is taken, and the run ends.
        for name in requests:
            outcome = outcomes.get(name)
            if outcome is None or (isinstance(outcome, CallError) and outcome.reason == "expired"):
                outcomes[name] = self._error(
                    Phrase("the batch job {job} was cancelled", job=job.id),
                    Phrase("Run the same command again to send the requests that it did not process."),
                )
        return outcomes

    def _refused(self, job: Job, requests: int, *, known: bool) -> Outcomes:
        """The outcomes of a job that failed its validation, so that nothing was processed: none.

        Raises EndpointError, unless another try may succeed: a job that an earlier session has ``known`` to fail, or
        one with fewer requests.
        """
        if known:
            return {}
        if job.too_much and requests > 1:
            self.most_requests = min(self.most_requests, requests) // 2
            note = "{where}: {problem}: sending at most {count:,} requests at once"
            self.notes.append(Phrase(note, where=self._name, problem=job.reasons, count=self.most_requests))
            return {}
        problem = job.reasons or Phrase("no reason given")
        raise self._error(
            Phrase("the batch job {job} failed its validation: {problem}", job=job.id, problem=problem),
            Phrase("Check that the endpoint offers batch jobs of this model, or leave out `batch`."),
        )

    async def _download(self, job: Job, requests: Sequence[str], bodies: Bodies) -> Mapping[str, Outcome]:
        """The outcomes in the files of a job, which are downloaded again while they lack lines."""
        output = Output()
        for _ in range(_DOWNLOADS):
            files = [await self._content(file) for file in (job.output, job.errors) if file]
            output = read_output(files, frozenset(requests), bodies)
            if not output.unreadable and output.replies >= (job.completed or 0):
                break
        ignored = output.unreadable + output.unknown
        if ignored:
            note = "{where}: {count:,} lines of the output of batch job {job} cannot be used"
            self.notes.append(Phrase(note, where=self._name, count=ignored, job=job.id))
        return output.outcomes

    async def _content(self, file: str) -> bytes:
        return await self._persistently(lambda: self._client.content(file))

    async def _persistently(self, call: Callable[[], Awaitable[T | CallError]], job: str = "") -> T:
        """The result of a call that may be repeated, and is, while its error may be transient. Raises EndpointError."""
        began, tries = self._clock(), 0
        while True:
            result = await call()
            if not isinstance(result, CallError):
                return result
            tries += 1
            if job and result.reason == "not-found":
                raise self._error(
                    Phrase("no batch job {job}: {problem}", job=job, problem=Phrase(result.message)),
                    Phrase(
                        "Use the base URL and the API key that it was submitted with, or `batch=False` to send its "
                        "requests again, which may be billed twice."
                    ),
                )
            if result.fatal or tries >= result.max_tries or self._clock() - began > _PATIENCE:
                raise self._failed(result)
            await self._back_off(tries, result.retry_after)

    async def _back_off(self, tries: int, wait: float | None) -> None:
        longest = min(LONGEST_POLL, 2.0 ** min(tries, 10))
        await self._sleep(max(wait or 0.0, longest * self._rng.uniform(0.5, 1.0)))

    def _failed(self, error: CallError) -> EndpointError:
        hint = joined([Phrase(error.hint), _KEPT], " ") if error.hint else _KEPT
        return self._error(Phrase(error.message), hint)

    def _error(self, problem: str, hint: str) -> EndpointError:
        message = Phrase("{where}: {problem}", where=self._client.base_url, problem=problem)
        return EndpointError(message, hint=hint)


class _Watching:
    """Context manager that shows a job in the progress while it is awaited."""

    def __init__(self, watched: dict[int, _Watched], requests: int, now: float) -> None:
        self._all = watched
        self._one = _Watched(requests, now)

    def __enter__(self) -> _Watched:
        self._all[id(self._one)] = self._one
        return self._one

    def __exit__(self, *error: object) -> None:
        del self._all[id(self._one)]
