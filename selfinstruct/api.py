"""The use cases, and the only place where parts are put together.

    plan, forecast (a dry run), run, check, init, dedup, show; run and check have async twins

Every function takes paths ("-" is stdin), lists of dicts, or a pandas DataFrame, and raises the errors of
``selfinstruct.errors``.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from selfinstruct import directory
from selfinstruct.backends.base import Backend
from selfinstruct.backends.budget import Budget, BudgetSpent, Spending
from selfinstruct.backends.imitator import Imitator
from selfinstruct.backends.replay import Replay
from selfinstruct.checks import Terms
from selfinstruct.cleaning import Cleaning, clean
from selfinstruct.directory import SUMMARY_NAME
from selfinstruct.errors import InputError, RowError, SelfInstructError, StorageError
from selfinstruct.events import Snapshot
from selfinstruct.files import open_whole, write_whole
from selfinstruct.findings import Findings, find
from selfinstruct.forecast import forecast as forecast
from selfinstruct.infer import categories_of, contexts, infer, prose
from selfinstruct.journal import JOURNAL_NAME, History, Journal
from selfinstruct.loop import Loop, prompt_language, restore
from selfinstruct.origin import Origin, origin
from selfinstruct.planner import Progress
from selfinstruct.pool import Pool
from selfinstruct.preparation import Prepared, Source, prepare, read_source, settled, sound_seeds
from selfinstruct.recipe import Model, Price, bind, load_recipe, parse_recipe
from selfinstruct.records import Row
from selfinstruct.rejudging import QUOTAS_NOTE, Rejudged
from selfinstruct.rejudging import rejudge as rejudge_replies
from selfinstruct.render.starter import starter_text
from selfinstruct.report import Summary, summarise
from selfinstruct.rows import RowFile
from selfinstruct.thresholds import thresholds

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
    recording: str | Path | None = None,
    concurrency: int | None = None,
    budget: float | None = None,
    max_requests: int | None = None,
    max_tokens: int | None = None,
    seed: int = 0,
    skip_bad_seeds: bool = False,
    prepared: Prepared | None = None,
    watch: Callable[[Snapshot], None] = lambda snapshot: None,
    clock: Callable[[], float] = time.monotonic,
) -> Run:
    """Grow seeds to the quota in the run directory ``out`` (default ``outputs/<name>``), resuming what is there.

    ``rows`` or ``per_category`` is the quota. ``backend`` is "imitator", "openai", "replay" or a Backend; by default
    the embedded imitator, or the endpoint where ``model`` or ``base_url`` (or the recipe) names one. "replay" answers
    from ``recording``, the directory of an earlier run, and counts no cost. ``seed``
    decides all draws: with the imitator the same seed gives the same rows. ``watch`` is told where the run
    stands after each group of batches. ``prepared`` saves doing that part again. ``budget`` (in the currency of the
    recipe's prices), ``max_requests`` and ``max_tokens`` bound what the run may spend in all, resumed or not; they are
    never overspent.

    The quota may be missed: see ``summary.stopped``. Raises InputError for what cannot be used, EndpointError
    where the endpoint gives up and StorageError where the disk does; all that came is kept.
    """
    start = clock()
    if prepared is None:
        prepared = prepare(source, rows=rows, per_category=per_category, skip_bad_seeds=skip_bad_seeds)
    prepared = _with_model(prepared, model, base_url, backend, concurrency)
    where = run_directory(prepared, out)
    digest = hashlib.sha256(json.dumps(prepared.seeds.rows, sort_keys=True).encode()).hexdigest()
    limits = _Limits(budget, max_requests, max_tokens)
    connected = await _backend(prepared, backend, seed, limits, where, recording)
    try:
        with directory.opened(where, prepared, digest, seed) as journal:
            _note_quotas(journal, prepared)
            loop = _loop(prepared, journal, connected, seed, concurrency, watch)
            stopped = "interrupted"
            try:
                stopped = await _grow(loop)
            except SelfInstructError as error:
                stopped = type(error).__name__.removesuffix("Error").lower()
                raise
            finally:
                summary = _conclude(where, journal, prepared, stopped, clock() - start)
    finally:
        await connected.close()
    if not summary["conserved"]:
        raise StorageError(
            f"{where}: {summary['candidates']} candidates, but {summary['accepted']} accepted and "
            f"{sum(summary['rejected'].values())} rejected: the counts do not add up",
            hint="This is a fault of selfinstruct: please report it, with the run's directory.",
        )
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
    watch: Callable[[int, int], None] = lambda rows, findings: None,
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


def init(source: Source, file: str | Path = "recipe.toml") -> str:
    """The recipe that seeds suggest, as commented TOML to stand in ``file``, whose folder its paths start from.

    One seed is enough. Raises RowError where the seeds cannot be read or none keeps the rules, InputError where
    ``source`` is a recipe already.
    """
    seeds, given = read_source(source)
    if given is not None:
        raise InputError(f"{source}: is a recipe already", hint=f"Run it: selfinstruct run {source}")
    inferred = infer(seeds)
    sound, faults = sound_seeds(seeds, inferred.recipe, skip=True)
    categories = categories_of(inferred.recipe, sound.rows)
    allowed = thresholds(inferred.recipe, sound.rows, categories, contexts(inferred.recipe))
    return starter_text(inferred.recipe, inferred.reasons, allowed, len(seeds.rows), faults, file)


def write_recipe(source: Source, file: str | Path, *, force: bool = False) -> None:
    """Write what ``init`` gives to ``file``, whole; one that is there is left alone unless ``force``.

    Raises as ``init``; InputError where ``file`` is there, StorageError where it cannot be written.
    """
    if Path(file).exists() and not force:
        raise InputError(f"{file}: is there already", hint="Choose another name with -o, or write over it: --force.")
    write_whole(file, init(source, file).encode())


def dedup(
    file: str | Path,
    *,
    fields: Sequence[str] = (),
    max_rouge_l: float = 0.7,
    out: str | Path | BinaryIO | None = None,
    dropped: str | Path | None = None,
    watch: Callable[[int, int], None] = lambda rows, kept: None,
) -> Cleaning:
    """Drop from a file (JSON Lines, CSV, TSV, plain lines; "-" is stdin) the near-duplicates of earlier rows.

    A row is dropped where its ROUGE-L F1 with a kept one is strictly above ``max_rouge_l``, in (0, 1]; 0.7 is
    Self-Instruct's (Wang et al. 2023, arXiv:2212.10560). What is kept goes to ``out`` (a path, written whole, or
    an open file) with its bytes unchanged, and what is dropped to the path ``dropped`` as JSON Lines.

    Raises RowError where the file cannot be read, StorageError where one cannot be written.
    """
    if not 0 < max_rouge_l <= 1:
        raise InputError(f"--max-rouge-l {max_rouge_l}: not a likeness", hint="Give a number above 0 and at most 1.")
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(_opened(file))
        keep = stack.enter_context(open_whole(out)).write if isinstance(out, str | Path) else None
        drop = stack.enter_context(open_whole(dropped)).write if dropped is not None else None
        return clean(
            source,
            "<stdin>" if str(file) == "-" else str(file),
            fields=fields,
            max_rouge_l=max_rouge_l,
            kept=keep or (out.write if out is not None and not isinstance(out, str | Path) else len),
            dropped=drop or len,
            watch=watch,
        )


def show(where: str | Path, row: str) -> Origin:
    """Where a row of a run came from: ``row`` is its number, ``s3`` for a seed, ``x17`` for a rejection.

    Raises InputError where there is no such run or no such row.
    """
    with _history(where) as history:
        return origin(history, row)


def rejudge(where: str | Path, *, recipe: str | Path | None = None, out: str | Path | None = None) -> Rejudged:
    """Parse and check a run's recorded replies again, by its own recipe or by ``recipe``; nothing is called.

    ``out`` is where the rows that come out are written; the run itself stays as it is. Raises InputError where
    there is no such run, RecipeError where the recipe does not fit its seeds.
    """
    with _history(where) as history, contextlib.ExitStack() as stack:
        recorded = history.seeds()
        own = parse_recipe(str(history.notes()["recipe"]), f"{where}/{JOURNAL_NAME}", where)
        names = tuple(recorded[0].row)
        seeds = RowFile(own.seeds.file, "jsonl", [s.row for s in recorded], [s.line for s in recorded], names)
        judged_by = own if recipe is None else load_recipe(recipe)
        prepared = settled(seeds, bind(judged_by, names), {}, [])
        if out is None:
            return rejudge_replies(history, prepared)
        file = stack.enter_context(open_whole(out))
        return rejudge_replies(history, prepared, keep=lambda line: _write_line(file, line))


def open_run(where: str | Path) -> Run:
    """A finished or interrupted run, read from its directory. Raises InputError where there is none."""
    path = Path(where) / SUMMARY_NAME
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{where}: not a run directory", hint="A run directory holds summary.json.") from error
    return Run(Path(where), summary)


def _history(where: str | Path) -> History:
    """The journal of a run, open for reading. Raises InputError where there is none."""
    if not (Path(where) / JOURNAL_NAME).exists():
        raise InputError(f"{where}: not a run directory", hint=f"A run directory holds {JOURNAL_NAME}.")
    return History.open(Path(where))


def _write_line(file: BinaryIO, line: str) -> None:
    file.write(f"{line}\n".encode())


def _opened(file: str | Path) -> contextlib.AbstractContextManager[BinaryIO]:
    """A row file, open for reading; stdin is left open."""
    if str(file) == "-":
        return contextlib.nullcontext(sys.stdin.buffer)
    try:
        return Path(file).open("rb")
    except OSError as error:
        hint = "Check the name and the permissions."
        raise RowError(str(file), f"cannot be read: {error.strerror}", hint=hint) from error


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


def _with_model(
    prepared: Prepared,
    model: str | None,
    base_url: str | None,
    backend: str | Backend | None,
    concurrency: int | None = None,
) -> Prepared:
    """``prepared`` with the model that the options name, if they name one."""
    if backend not in (None, "imitator", "openai", "replay") and isinstance(backend, str):
        raise InputError(f"--backend {backend}: unknown", hint="The backends are: imitator, openai, replay.")
    recipe = prepared.recipe
    if backend == "imitator":
        recipe = recipe.model_copy(update={"model": None})
    elif model is not None or base_url is not None or backend == "openai":
        old = recipe.model.model_dump() if recipe.model is not None else {"name": "default"}
        named = {key: value for key, value in (("name", model), ("base_url", base_url)) if value is not None}
        recipe = recipe.model_copy(update={"model": _model({**old, **named})})
    if recipe.model is not None and concurrency is not None:
        recipe = recipe.model_copy(update={"model": _model({**recipe.model.model_dump(), "concurrency": concurrency})})
    return replace(prepared, recipe=recipe)


def _model(table: Mapping[str, Any]) -> Model:
    from pydantic import ValidationError

    try:
        return Model(**table)
    except ValidationError as error:
        wrong = "--base-url" if "base_url" in str(error.errors()[0]["loc"]) else "--model"
        given = table["base_url" if wrong == "--base-url" else "name"]
    raise InputError(
        f"{wrong} {given!r}: cannot be used",
        hint="A base URL is like http://127.0.0.1:8000/v1; a model has the name that the endpoint lists.",
    )


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a run may spend in all: money, calls, tokens; None is without limit."""

    money: float | None
    requests: int | None
    tokens: int | None


async def _backend(
    prepared: Prepared,
    backend: str | Backend | None,
    seed: int,
    limits: _Limits,
    where: Path,
    recording: str | Path | None,
) -> Backend:
    """Who writes the rows; a model is called once, to see that it answers, before anything is written."""
    if backend is not None and not isinstance(backend, str):
        return backend
    if (backend == "replay") != (recording is not None):
        raise InputError(
            "--backend replay and --from RUN go together", hint="Name the run whose replies are to serve again."
        )
    if recording is not None:
        with _history(recording) as history:
            return Replay(history)
    recipe = prepared.recipe
    price = recipe.model.price if recipe.model is not None else Price(input=0.0, output=0.0)
    spent = _spent(where, price) if (where / JOURNAL_NAME).exists() else Spending()
    budget = Budget(money=limits.money, requests=limits.requests, tokens=limits.tokens, price=price, spent=spent)
    if recipe.model is None:
        return Imitator(prepared.seeds.rows, contexts(recipe), mixed=prose(recipe), seed=seed)
    from selfinstruct.backends.openai import OpenAIBackend

    return await OpenAIBackend.connect(recipe.model, fields=recipe.fields, budget=budget)


def _spent(where: Path, price: Price | None) -> Spending:
    """What the run in ``where`` has spent so far, for its budget."""
    with History.open(where) as history:
        state = history.state()
    used = state.tokens
    money = Budget(price=price).cost(used)
    return Spending(money=money, requests=state.requests, tokens=used.input + used.output)


def _note_quotas(journal: Journal, prepared: Prepared) -> None:
    """Keep from which call on these quotas hold, for a later judging of the same replies."""
    stages = list(journal.history.notes().get(QUOTAS_NOTE, ()))
    if not stages or stages[-1][1] != prepared.quotas:
        journal.note(QUOTAS_NOTE, [*stages, [journal.history.state().requests, dict(prepared.quotas)]])


async def _grow(loop: Loop) -> str:
    """Run the loop; the word for why it stopped."""
    try:
        await loop.run()
    except BudgetSpent:
        return "budget"
    return "exhausted" if any(state.exhausted for state in loop.progress.values()) else "done"


def _conclude(where: Path, journal: Journal, prepared: Prepared, stopped: str, seconds: float) -> Summary:
    """Note how the run stopped, and write what is derived; a journal that takes no more does not keep that back."""
    with contextlib.suppress(StorageError):
        journal.note("seconds", float(journal.history.notes().get("seconds", 0.0)) + seconds)
        journal.note("stopped", stopped)
        journal.commit()
    summary = summarise(journal.history, prepared)
    directory.write_derived(where, journal.history, prepared, summary)
    return summary


def thresholds_of(run: Run) -> Mapping[str, float]:
    """The largest ROUGE-L F1 that was allowed in each category of a run."""
    return {name: category["max_rouge_l"] for name, category in run.summary["categories"].items()}
