"""The use cases, and the only place where parts are put together.

    run, check, dedup, plan (a dry run), show; run and check have async twins

Every function takes paths ("-" is stdin), lists of dicts, or a pandas DataFrame, and raises the errors of
``selfinstruct.errors``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfinstruct import directory
from selfinstruct.backends.base import Backend
from selfinstruct.backends.imitator import Imitator
from selfinstruct.checks import Terms
from selfinstruct.directory import SUMMARY_NAME
from selfinstruct.errors import InputError, SelfInstructError
from selfinstruct.events import Snapshot
from selfinstruct.findings import Findings, find
from selfinstruct.infer import contexts, prose
from selfinstruct.journal import History, Journal
from selfinstruct.loop import Loop, prompt_language, restore
from selfinstruct.planner import Progress
from selfinstruct.pool import Pool
from selfinstruct.preparation import Prepared, Source, prepare
from selfinstruct.recipe import Model
from selfinstruct.records import Row
from selfinstruct.report import Summary, summarise

if TYPE_CHECKING:
    import pandas

#: How many batches are under way at once where the backend is not a model: enough to share a commit.
_LOCAL_CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class Run:
    """A run directory that has been written: its rows, and its summary."""

    directory: Path
    summary: Summary

    def rows(self) -> Iterator[Row]:
        """The accepted rows, in the order of acceptance, read from the journal."""
        with History.open(self.directory) as history:
            for grown in history.rows():
                yield grown.row

    def to_pandas(self) -> pandas.DataFrame:
        """The accepted rows as a DataFrame of objects: no value is converted."""
        import pandas

        return pandas.DataFrame(list(self.rows()), dtype=object)


def run(source: Source, **options: Any) -> Run:
    """Grow the seeds that ``source`` names (a seed file, a recipe, rows, a DataFrame); see ``run_async``."""
    return asyncio.run(run_async(source, **options))


async def run_async(
    source: Source,
    *,
    out: str | Path | None = None,
    rows: int | None = None,
    per_category: int | None = None,
    model: str | None = None,
    base_url: str | None = None,
    backend: str | Backend | None = None,
    concurrency: int | None = None,
    seed: int = 0,
    skip_bad_seeds: bool = False,
    prepared: Prepared | None = None,
    watch: Callable[[Snapshot], None] = lambda snapshot: None,
    clock: Callable[[], float] = time.monotonic,
) -> Run:
    """Grow seeds to the quota in the run directory ``out`` (default ``outputs/<name>``), resuming what is there.

    ``rows`` or ``per_category`` is the quota. ``backend`` is "imitator", "openai" or a Backend; by default the
    embedded imitator, or the endpoint where ``model`` or ``base_url`` (or the recipe) names one. ``seed``
    decides all draws: with the imitator the same seed gives the same rows. ``watch`` is told where the run
    stands after each group of batches. ``prepared`` saves doing that part again.

    The quota may be missed: see ``summary.stopped``. Raises InputError for what cannot be used, EndpointError
    where the endpoint gives up and StorageError where the disk does; all that came is kept.
    """
    start = clock()
    if prepared is None:
        prepared = prepare(source, rows=rows, per_category=per_category, skip_bad_seeds=skip_bad_seeds)
    prepared = _with_model(prepared, model, base_url, backend)
    where = run_directory(prepared, out)
    digest = hashlib.sha256(json.dumps(prepared.seeds.rows, sort_keys=True).encode()).hexdigest()
    with directory.opened(where, prepared, digest, seed) as journal:
        loop = _loop(prepared, journal, await _backend(prepared, backend, seed), seed, concurrency, watch)
        stopped = "interrupted"
        try:
            await loop.run()
            stopped = "exhausted" if any(state.exhausted for state in loop.progress.values()) else "done"
        except SelfInstructError as error:
            stopped = type(error).__name__.removesuffix("Error").lower()
            raise
        finally:
            await loop.backend.close()
            journal.note("seconds", float(journal.history.notes().get("seconds", 0.0)) + clock() - start)
            journal.note("stopped", stopped)
            journal.commit()
            summary = summarise(journal.history, prepared)
            directory.write_derived(where, journal.history, prepared, summary)
    return Run(where, summary)


def plan(
    source: Source,
    *,
    rows: int | None = None,
    per_category: int | None = None,
    model: str | None = None,
    base_url: str | None = None,
    backend: str | Backend | None = None,
    skip_bad_seeds: bool = False,
) -> Prepared:
    """What ``run`` would start from, without calling anything or writing a file; ``run`` takes it as ``prepared``."""
    prepared = prepare(source, rows=rows, per_category=per_category, skip_bad_seeds=skip_bad_seeds)
    return _with_model(prepared, model, base_url, backend)


def run_directory(prepared: Prepared, out: str | Path | None) -> Path:
    """Where a run writes: ``out``, or ``outputs/`` and the recipe's name."""
    return Path(out) if out is not None else Path("outputs") / prepared.recipe.name


def check(
    source: Source,
    *,
    recipe: str | Path | None = None,
    against: Sequence[Source] = (),
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Findings:
    """Hold rows that are there to a recipe, or to the rules that they suggest themselves.

    ``source`` and each of ``against`` (rows that must not be repeated) is a path, rows or a DataFrame; ``recipe``
    is a path. Raises RowError or RecipeError where one of them cannot be read; what is wrong with a row is a
    finding, never an error.
    """
    return find(source, recipe=None if recipe is None else str(recipe), against=against, watch=watch)


async def check_async(source: Source, **options: Any) -> Findings:
    """``check`` in a thread, so that the event loop goes on."""
    return await asyncio.to_thread(check, source, **options)


def open_run(where: str | Path) -> Run:
    """A finished or interrupted run, read from its directory. Raises InputError where there is none."""
    path = Path(where) / SUMMARY_NAME
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{where}: not a run directory", hint="A run directory holds summary.json.") from error
    return Run(Path(where), summary)


def _loop(
    prepared: Prepared,
    journal: Journal,
    backend: Backend,
    seed: int,
    concurrency: int | None,
    watch: Callable[[Snapshot], None],
) -> Loop:
    progress = {name: Progress(quota) for name, quota in prepared.quotas.items()}
    state = journal.history.state()
    restore(progress, journal)
    pool = Pool(prepared.recipe, prepared.thresholds, progress)
    seeds = prepared.seeds.rows
    pool.add_seeds(seeds, [prepared.categories.of(row) for row in seeds])
    pool.add_all((grown.row, grown.category) for grown in journal.history.rows())
    model = prepared.recipe.model
    default = model.concurrency if model is not None and backend.reads_messages else _LOCAL_CONCURRENCY
    loop = Loop(
        terms=Terms(prepared.recipe, prepared.thresholds, prepared.categories.of),
        seeds=seeds,
        pool=pool,
        progress=progress,
        journal=journal,
        backend=backend,
        seed=seed,
        concurrency=concurrency or default,
        watch=watch,
        language=prompt_language(seeds),
        number=state.last_batch,
        accepted=state.accepted,
        candidates=state.candidates,
        requests=state.requests,
    )
    loop.rejected.update(state.rejected)
    loop.failed.update(state.failed)
    return loop


def _with_model(prepared: Prepared, model: str | None, base_url: str | None, backend: str | Backend | None) -> Prepared:
    """``prepared`` with the model that the options name, if they name one."""
    if backend not in (None, "imitator", "openai") and isinstance(backend, str):
        raise InputError(f"--backend {backend}: unknown", hint="The backends are: imitator, openai.")
    recipe = prepared.recipe
    if backend == "imitator":
        recipe = recipe.model_copy(update={"model": None})
    elif model is not None or base_url is not None or backend == "openai":
        old = recipe.model.model_dump() if recipe.model is not None else {"name": "default"}
        named = {key: value for key, value in (("name", model), ("base_url", base_url)) if value is not None}
        recipe = recipe.model_copy(update={"model": Model(**{**old, **named})})
    from dataclasses import replace

    return replace(prepared, recipe=recipe)


async def _backend(prepared: Prepared, backend: str | Backend | None, seed: int) -> Backend:
    if backend is not None and not isinstance(backend, str):
        return backend
    recipe = prepared.recipe
    if recipe.model is None:
        return Imitator(prepared.seeds.rows, contexts(recipe), mixed=prose(recipe), seed=seed)
    from selfinstruct.backends.openai import OpenAIBackend

    return await OpenAIBackend.connect(recipe.model)


def thresholds_of(run: Run) -> Mapping[str, float]:
    """The largest ROUGE-L F1 that was allowed in each category of a run."""
    return {name: category["max_rouge_l"] for name, category in run.summary["categories"].items()}
