"""Grow seeds in a run directory, in a new run or a resumed one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct import run_directory as directory
from selfinstruct.analysis.summary import Summary, summarise
from selfinstruct.api.blocking import run_blocking
from selfinstruct.api.connect import Connection, SpendingLimits, choose_models, connect
from selfinstruct.api.generated_lists import write_lists
from selfinstruct.backends import Backend, BudgetSpent, ModelPool
from selfinstruct.errors import InputError, SelfInstructError, StorageError
from selfinstruct.events import Snapshot
from selfinstruct.growth import Loop, PromptSize, RunCounts, Sampler
from selfinstruct.journal import History, Journal, QuotaStage, RunMetadata
from selfinstruct.preparation import JudgingState, Prepared, Source, prepare
from selfinstruct.prompts import detect_language
from selfinstruct.recipe import import_extension
from selfinstruct.records import Row
from selfinstruct.render.notebook_progress import default_watch
from selfinstruct.run_directory import SUMMARY_NAME

if TYPE_CHECKING:
    import pandas

#: The number of batches in flight if the backend is not a model: enough to share a commit.
_LOCAL_CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its directory, and its summary as of the end of the call that returned it."""

    directory: Path
    summary: Summary

    def rows(self) -> Iterator[Row]:
        """Iterate over the accepted rows in the order of acceptance, reading from the journal."""
        with History.open(self.directory) as history:
            for grown in history.rows():
                yield grown.row

    def to_pandas(self) -> pandas.DataFrame:
        """Return the accepted rows as a DataFrame of dtype object, with every value unchanged."""
        import pandas

        return pandas.DataFrame(list(self.rows()), dtype=object)

    def _repr_html_(self) -> str:
        """The run in a notebook: its categories, its first rows, its files."""
        from selfinstruct.render.notebook import run_html

        return run_html(self.summary, self.directory, list(islice(self.rows(), 5)))


def run(
    source: Source,
    *,
    out: str | Path | None = None,
    rows: int | None = None,
    per_category: int | None = None,
    model: str | None = None,
    base_url: str | None = None,
    backend: str | Backend | None = None,
    recording: str | Path | None = None,
    concurrency: int | None = None,
    budget: float | None = None,
    max_requests: int | None = None,
    max_tokens: int | None = None,
    seed: int = 0,
    skip_bad_seeds: bool = False,
    prepared: Prepared | None = None,
    watch: Callable[[Snapshot], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Run:
    """``run_async`` for code that cannot await; it also works inside a running event loop, which it blocks.

    In a notebook it displays its progress, unless ``watch`` is given.
    """
    with default_watch(watch) as watch:
        return run_blocking(
            run_async(
                source,
                out=out,
                rows=rows,
                per_category=per_category,
                model=model,
                base_url=base_url,
                backend=backend,
                recording=recording,
                concurrency=concurrency,
                budget=budget,
                max_requests=max_requests,
                max_tokens=max_tokens,
                seed=seed,
                skip_bad_seeds=skip_bad_seeds,
                prepared=prepared,
                watch=watch,
                clock=clock,
            )
        )


async def run_async(
    source: Source,
    *,
    out: str | Path | None = None,
    rows: int | None = None,
    per_category: int | None = None,
    model: str | None = None,
    base_url: str | None = None,
    backend: str | Backend | None = None,
    recording: str | Path | None = None,
    concurrency: int | None = None,
    budget: float | None = None,
    max_requests: int | None = None,
    max_tokens: int | None = None,
    seed: int = 0,
    skip_bad_seeds: bool = False,
    prepared: Prepared | None = None,
    watch: Callable[[Snapshot], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Run:
    """Grow seeds to a quota in the run directory ``out`` (default ``outputs/<name>``), resuming an existing run.

    Args:
        source: A seed file, a recipe file or the name of a built-in recipe ("-" is stdin), rows as dicts, or a
            DataFrame.
        out: The run directory.
        rows: The quota over all categories; by default the recipe's.
        per_category: The quota of each category, instead of ``rows``.
        model: The name of a model at ``base_url``.
        base_url: The address of an OpenAI-compatible endpoint, such as http://127.0.0.1:8000/v1.
        backend: "imitator", "openai", "replay", a factory of your own as "package.module:factory", or a Backend; by
            default the recipe's, or the endpoint if ``model``, ``base_url`` or the recipe names one, else the imitator.
        recording: The directory of an earlier run whose replies the backend "replay" returns, at no cost.
        concurrency: The largest number of calls in flight; by default the recipe's.
        budget: The most that the run may cost in all, resumed or not, in the currency of the recipe's prices.
        max_requests: The most requests that the run may make in all.
        max_tokens: The most tokens that the run may use in all.
        seed: The random seed. With the imitator the same seed gives the same rows.
        skip_bad_seeds: Leave out duplicate seeds and seeds that break the recipe's rules, instead of raising.
        prepared: The result of ``plan`` for the same arguments, to save preparing again.
        watch: Called with a Snapshot of the run after each group of batches.
        clock: The clock that ``summary.seconds`` is measured with, in seconds.

    Returns:
        The run. It may have stopped short of its quota: see ``summary.stopped``.

    Raises:
        InputError: An argument, the recipe or the seeds cannot be used.
        EndpointError: The endpoint cannot be used, or failed for good. Everything received is kept.
        StorageError: The disk refused a write, or another process is writing this run. Everything committed is kept.
    """
    start = clock()
    if prepared is None:
        prepared = plan(
            source,
            rows=rows,
            per_category=per_category,
            model=model,
            base_url=base_url,
            backend=backend,
            concurrency=concurrency,
            skip_bad_seeds=skip_bad_seeds,
        )
    where = run_directory(prepared, out)
    metadata = directory.initial_metadata(where, prepared, seed)
    limits = SpendingLimits(budget, max_requests, max_tokens)
    async with contextlib.AsyncExitStack() as stack:
        # First, so that a second process is refused at once, before it pays for a call.
        stack.enter_context(directory.lock_directory(where))
        journal = directory.open_journal(where, prepared, metadata)
        if journal is not None:
            stack.enter_context(journal)
            prepared = prepared.resumed(journal.history.passages())
        connected = await connect(prepared, backend, seed, limits, journal.history if journal else None, recording)
        stack.push_async_callback(connected.models.close)
        if journal is None:
            journal = stack.enter_context(directory.create_journal(where, prepared, metadata))
        _record_start(journal, metadata.recipe, prepared, connected)
        await write_lists(prepared, journal, connected.models, where, seed)
        journal.write_metadata(replace(journal.history.metadata(), prompt_inputs=prepared.inputs.to_json()))
        loop = await _make_loop(prepared, journal, connected.models, seed, concurrency, watch or _ignore)
        summary = await _run_and_write(where, loop, prepared, lambda: clock() - start)
    _require_conserved(where, summary)
    return Run(where, summary)


def plan(
    source: Source,
    *,
    rows: int | None = None,
    per_category: int | None = None,
    model: str | None = None,
    base_url: str | None = None,
    backend: str | Backend | None = None,
    concurrency: int | None = None,
    skip_bad_seeds: bool = False,
) -> Prepared:
    """Return what ``run`` would start from, without calling a model or writing a file; pass it as ``prepared``.

    The arguments are those of ``run_async``. Raises InputError if one of them, the recipe or the seeds cannot be used.
    """
    return prepare(
        source,
        rows=rows,
        per_category=per_category,
        skip_bad_seeds=skip_bad_seeds,
        choose_models=lambda recipe: choose_models(recipe, model, base_url, backend, concurrency),
        importer=import_extension,
    )


def run_directory(prepared: Prepared, out: str | Path | None) -> Path:
    """Return the directory of a run: ``out``, or ``outputs/`` and the recipe's name."""
    return Path(out) if out is not None else Path("outputs") / prepared.recipe.name


def open_run(where: str | Path) -> Run:
    """Open a finished or interrupted run by its directory. Raises InputError if there is none."""
    path = Path(where) / SUMMARY_NAME
    try:
        summary = Summary.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{where}: not a run directory", hint="A run directory contains summary.json.") from error
    return Run(Path(where), summary)


def thresholds_of(run: Run) -> Mapping[str, float]:
    """Return the largest ROUGE-L F1 that was allowed in each category of a run."""
    return {name: category.max_rouge_l for name, category in run.summary.categories.items()}


def _ignore(snapshot: Snapshot) -> None:
    """The default progress callback."""


async def _make_loop(
    prepared: Prepared,
    journal: Journal,
    models: ModelPool,
    seed: int,
    concurrency: int | None,
    watch: Callable[[Snapshot], None],
) -> Loop:
    recorded, inputs, seeds = journal.history.state(), prepared.inputs, prepared.seeds.rows
    sampler = Sampler(prepared.recipe, inputs)
    state = JudgingState.of_seeds(prepared)
    state.restore(journal.history, sampler)
    await asyncio.sleep(0)  # let a cancellation that came meanwhile take effect
    if inputs.passages and not journal.history.passages():
        journal.add_passages(inputs.passages)
    model_concurrency = sum(model.concurrency for model in prepared.recipe.all_models) if models.reads_messages else 0
    return Loop(
        criteria=state.criteria,
        seeds=seeds,
        pool=state.pool,
        progress=state.progress,
        journal=journal,
        models=models,
        prompt_size=PromptSize(prepared.recipe.prompt),
        inputs=inputs,
        sampler=sampler,
        seed=seed,
        concurrency=concurrency or model_concurrency or _LOCAL_CONCURRENCY,
        watch=watch,
        language=detect_language(seeds),
        use_passages_once=prepared.use_passages_once,
        last_batch=recorded.last_batch,
        counts=RunCounts(
            recorded.accepted,
            recorded.candidates,
            recorded.requests,
            Counter(recorded.rejected),
            Counter(recorded.failed),
        ),
    )


def _record_start(journal: Journal, recipe: str, prepared: Prepared, connected: Connection) -> None:
    """Record the settings of this session: the recipe, the quotas from the next call on, prices and preflight calls."""
    before = journal.history.metadata()
    quotas = before.quotas
    if before.current_quotas != prepared.quotas:
        quotas = (*quotas, QuotaStage(journal.history.state().calls, dict(prepared.quotas)))
    preflights = {name: _added(before.preflights.get(name), spent) for name, spent in connected.preflights.items()}
    metadata = replace(
        before,
        recipe=recipe,
        quotas=quotas,
        prices={**before.prices, **connected.prices},
        preflights={**before.preflights, **preflights},
        reasons=dict(prepared.reasons),
        remarks=_with_remarks(before, connected.unavailable),
        stopped="interrupted",  # until the run ends otherwise: a killed process cannot write it
    )
    journal.write_metadata(metadata)
    journal.commit()


def _with_remarks(metadata: RunMetadata, remarks: Sequence[str]) -> tuple[str, ...]:
    """The remarks on models, each once."""
    return tuple(dict.fromkeys((*metadata.remarks, *remarks)))


def _added(before: Sequence[int] | None, figures: Sequence[int]) -> list[int]:
    """The sum of the figures of preflights; the last one is 1 if any is estimated."""
    if before is None:
        return list(figures)
    *counts, estimated = (one + other for one, other in zip(before, figures, strict=True))
    return [*counts, min(estimated, 1)]


async def _run_and_write(where: Path, loop: Loop, prepared: Prepared, elapsed: Callable[[], float]) -> Summary:
    """Run the loop and write the results, however it ends; ``elapsed`` returns the seconds of this session."""
    try:
        stopped = await _run_loop(loop)
    except BaseException as error:
        # Report the error that ended the run, not a later one.
        with contextlib.suppress(StorageError):
            _write_results(where, loop, prepared, _stop_reason(error), elapsed())
        raise
    return _write_results(where, loop, prepared, stopped, elapsed())


async def _run_loop(loop: Loop) -> str:
    """Run the loop and return the reason why it stopped."""
    try:
        await loop.run()
    except BudgetSpent:
        return "budget"
    short = any(state.exhausted for state in loop.progress.values())
    return "exhausted" if short and not (loop.use_passages_once and loop.sampler.all_passages_used) else "done"


def _stop_reason(error: BaseException) -> str:
    """The value of ``summary.stopped`` for an error that ended a run."""
    if isinstance(error, SelfInstructError):
        return type(error).__name__.removesuffix("Error").lower()
    return "interrupted"


def _require_conserved(where: Path, summary: Summary) -> None:
    """Raise StorageError unless every candidate was either accepted or rejected, once."""
    if not summary.conserved:
        raise StorageError(
            f"{where}: {summary.candidates} candidates, but {summary.accepted} accepted and "
            f"{sum(summary.rejected.values())} rejected: the counts do not add up",
            hint="This is a bug in selfinstruct: please report it, with the run directory.",
        )


def _write_results(where: Path, loop: Loop, prepared: Prepared, stopped: str, seconds: float) -> Summary:
    """Record how the run stopped, and write the derived files, even if the journal cannot be written any more."""
    journal, history = loop.journal, loop.journal.history
    metadata = history.metadata()
    seconds += metadata.seconds
    remarks = _with_remarks(metadata, (*loop.models.notes, *loop.prompt_size.notes))
    try:
        journal.write_metadata(replace(metadata, seconds=seconds, stopped=stopped, remarks=remarks))
        journal.commit()
    finally:
        # The journal may lack these values; the summary has them in any case.
        summary = replace(summarise(history, prepared), stopped=stopped, seconds=round(seconds, 3))
        directory.write_derived(where, history, prepared, summary)
    return summary
