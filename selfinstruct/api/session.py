"""One session of a run: from its start, or from where the last session stopped, until it stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from selfinstruct import run_directory
from selfinstruct.analysis.summary import Summary
from selfinstruct.api.carried import Carried
from selfinstruct.api.connect import SpendingLimits, connect, with_models
from selfinstruct.api.generated_lists import write_lists
from selfinstruct.api.prompt_sizes import prompt_size
from selfinstruct.api.session_record import (
    added,
    record_start,
    require_conserved,
    require_numbers,
    stop_reason,
    write_results,
)
from selfinstruct.backends import Backend, BudgetSpent, ModelPool
from selfinstruct.errors import StorageError
from selfinstruct.events import Snapshot
from selfinstruct.growth import BatchNumbers, Loop, RunCounts, Sampler, recorded_inputs
from selfinstruct.journal import Journal
from selfinstruct.messages import Phrase, joined
from selfinstruct.preparation import JudgingState, Prepared, make_questions, with_capacity
from selfinstruct.prompts import detect_language
from selfinstruct.text import value_text

#: The number of batches in flight if the backend is not a model: enough to share a commit.
_LOCAL_CONCURRENCY = 16
#: The same for batches of one row each, about a passage.
_LOCAL_PASSAGES = 128
#: The most requests of one round.
_ROUND = 50_000
#: Passages without rows that a note lists, and the characters that it shows of each.
_LISTED, _BEGINNING = 5, 24


async def grow_session(
    prepared: Prepared,
    where: Path,
    *,
    backend: str | Backend | None,
    recording: str | Path | None,
    concurrency: int | None,
    batch: bool | None,
    limits: SpendingLimits,
    seed: int,
    watch: Callable[[Snapshot], None],
    elapsed: Callable[[], float],
    numbers: BatchNumbers = BatchNumbers(),  # noqa: B008 - frozen
    base_url: str | None = None,
    carried: Carried | None = None,
) -> Summary:
    """Grow a prepared run in the directory ``where`` until it stops, and return its summary.

    ``elapsed`` returns the seconds of this session; ``numbers`` are those of the run's batches; ``base_url`` is where
    its model is served, if not where the recipe says; ``carried`` is what the last session in this process has left.
    Raises as ``selfinstruct.run``.
    """
    carried = carried or Carried()
    left = carried.take()
    metadata = replace(run_directory.initial_metadata(where, prepared, seed), parts=numbers.note)
    async with contextlib.AsyncExitStack() as stack:
        # First, so that a second process is refused at once, before it pays for a call.
        stack.enter_context(run_directory.lock_directory(where))
        begin_writing = stack.enter_context(run_directory.journal_checksum(where))
        journal = run_directory.open_journal(where, prepared, metadata)
        if journal is not None:
            stack.enter_context(journal)
            require_numbers(where, journal.history.metadata(), numbers)
            prepared = _resumed(prepared, journal)
        if prepared.recipe.all_models and not numbers.note:
            # While the first call is under way, the process has nothing else to do.
            stack.push_async_callback(_finished, asyncio.create_task(asyncio.to_thread(run_directory.import_writers)))
        recipe = prepared.recipe if base_url is None else with_models(prepared.recipe, base_url=base_url)
        history = journal.history if journal else None
        connected = await connect(
            replace(prepared, recipe=recipe), backend, seed, limits, history, recording, batch, left.known
        )
        stack.push_async_callback(connected.models.close)
        if journal is None:
            started = datetime.now(UTC).isoformat(timespec="seconds")
            metadata = replace(metadata, started=started)
            journal = stack.enter_context(run_directory.create_journal(where, prepared, metadata))
        begin_writing()
        connected.begin(journal)
        before = journal.history.metadata().preflights

        def preflights() -> dict[str, Sequence[int]]:
            """The figures of the preflights of all sessions, as far as they are known."""
            return {**before, **{name: added(before.get(name), new) for name, new in connected.preflights().items()}}

        record_start(journal, metadata.recipe, prepared, connected.prices, preflights(), connected.unavailable)
        await write_lists(prepared, journal, connected.online or connected.models, where, seed)
        concurrency = _calls_in_flight(prepared, connected.models, concurrency)
        recorded = concurrency if connected.models.reads_messages else 0
        _record_inputs(journal, prepared, recorded)
        journal.take_decisions()
        loop = await _make_loop(prepared, journal, connected.models, seed, concurrency, watch, numbers)
        summary = await _run_and_write(where, loop, prepared, elapsed, preflights)
    require_conserved(where, summary)
    carried.known = connected.known
    return summary


def _record_inputs(journal: Journal, prepared: Prepared, concurrency: int) -> None:
    """Record what prompts use, and the largest number of calls in flight to models; 0 where there are none."""
    metadata = journal.history.metadata()
    metadata = replace(
        metadata, prompt_inputs=prepared.inputs.to_json(), concurrency=concurrency or metadata.concurrency
    )
    journal.write_metadata(metadata)


async def _finished(task: asyncio.Task[None]) -> None:
    await task


def _resumed(prepared: Prepared, journal: Journal) -> Prepared:
    """The preparation with the passages that the journal contains, whose quotas do not fall.

    Questions about them are composed anew if they differ.
    """
    resumed = prepared.resumed(recorded_inputs(prepared.recipe, journal.history))
    current = journal.history.metadata().current_quotas
    resumed = with_capacity(resumed, resumed.inputs.capacity, current)
    if prepared.questions is None or list(resumed.passage_texts) == list(prepared.passage_texts):
        return resumed
    return replace(resumed, questions=make_questions(resumed))


def _calls_in_flight(prepared: Prepared, models: ModelPool, concurrency: int | None) -> int:
    """The largest number of calls in flight: as asked for, as in the recorded run, or as the models allow."""
    if models.works_in_rounds:
        return _ROUND
    of_models = sum(model.concurrency for model in prepared.recipe.all_models) if models.reads_messages else 0
    local = _LOCAL_PASSAGES if prepared.questions else _LOCAL_CONCURRENCY
    return concurrency or models.recorded_concurrency or of_models or local


async def _make_loop(
    prepared: Prepared,
    journal: Journal,
    models: ModelPool,
    seed: int,
    concurrency: int,
    watch: Callable[[Snapshot], None],
    numbers: BatchNumbers,
) -> Loop:
    recorded, inputs, seeds = journal.history.state(), prepared.inputs, prepared.seeds.rows
    # Parts of one run begin at other values of attributes.
    sampler = Sampler(prepared.recipe, inputs, seed + numbers.first - 1, prepared.is_usable)
    state = JudgingState.of_seeds(prepared)
    state.restore(journal.history, sampler)
    await asyncio.sleep(0)  # let a cancellation that came meanwhile take effect
    if inputs.passages and journal.history.passage(1) is None:
        journal.add_passages(inputs.passages)
    return Loop(
        criteria=state.criteria,
        seeds=seeds,
        pool=state.pool,
        progress=state.progress,
        journal=journal,
        models=models,
        prompt_size=prompt_size(prepared, journal, models, is_new=not recorded.calls),
        inputs=inputs,
        sampler=sampler,
        seed=seed,
        concurrency=concurrency,
        watch=watch,
        language=prepared.recipe.language or detect_language(seeds),
        use_passages_once=prepared.use_passages_once,
        last_batch=recorded.last_batch,
        last_judged=recorded.calls,
        numbers=numbers,
        counts=RunCounts(
            recorded.accepted,
            recorded.candidates,
            recorded.requests,
            Counter(recorded.rejected),
            Counter(recorded.failed),
        ),
    )


async def _run_and_write(
    where: Path,
    loop: Loop,
    prepared: Prepared,
    elapsed: Callable[[], float],
    preflights: Callable[[], Mapping[str, Sequence[int]]],
) -> Summary:
    """Run the loop and write the results, however it ends; ``elapsed`` returns the seconds of this session."""
    try:
        stopped = await _run_loop(loop)
    except BaseException as error:
        # Report the error that ended the run, not a later one.
        with contextlib.suppress(StorageError):
            _write_results(where, loop, prepared, stop_reason(error), elapsed(), preflights())
        raise
    return _write_results(where, loop, prepared, stopped, elapsed(), preflights())


async def _run_loop(loop: Loop) -> str:
    """Run the loop and return the reason why it stopped."""
    try:
        await loop.run()
    except BudgetSpent:
        return "budget"
    if not loop.counts.accepted:
        return "exhausted"
    if missing := loop.sampler.passages_without_rows if loop.use_passages_once else []:
        loop.prompt_size.notes.append(_missing(missing, loop))
        return "exhausted"
    short = any(state.exhausted for state in loop.progress.values())
    return "exhausted" if short and not (loop.use_passages_once and loop.sampler.all_passages_used) else "done"


def _missing(numbers: Sequence[int], loop: Loop) -> str:
    """The passages that no row was accepted of, by number and beginning, for the user."""
    passages = loop.inputs.passages

    def name(number: int) -> str:
        """The passage, as the user can find it."""
        passage = passages[number - 1]
        beginning = " ".join(value_text(passage["passage"])[:_BEGINNING].split())
        return Phrase(
            "passage {number} ({document}: {text}…)", number=number, document=passage["document"], text=beginning
        )

    names: Phrase = joined(map(name, numbers[:_LISTED]))
    if len(numbers) > _LISTED:
        names = Phrase("{names} and {count:,} more", names=names, count=len(numbers) - _LISTED)
    reason = loop.counts.commonest_loss()
    return Phrase(
        "no row of {count:,} of {passages:,} passages was accepted (most often: {reason}): {names}"
        if reason
        else "no row of {count:,} of {passages:,} passages was accepted: {names}",
        count=len(numbers),
        passages=len(passages),
        reason=reason,
        names=names,
    )


def _write_results(
    where: Path,
    loop: Loop,
    prepared: Prepared,
    stopped: str,
    seconds: float,
    preflights: Mapping[str, Sequence[int]],
) -> Summary:
    """Record how the loop stopped, and write the derived files."""
    quotas = {name: state.quota for name, state in loop.progress.items()}
    notes = (*loop.models.notes, *loop.prompt_size.notes)
    is_part = bool(loop.numbers.note)
    return write_results(where, loop.journal, prepared, quotas, notes, stopped, seconds, preflights, is_part=is_part)
