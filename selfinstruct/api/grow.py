"""Grow seeds in a run directory, in a new run or a resumed one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from selfinstruct.analysis.summary import Summary
from selfinstruct.api.blocking import run_blocking
from selfinstruct.api.connect import SpendingLimits, choose_models, make_imitator, uses_imitator
from selfinstruct.api.division import Division, number_of_parts
from selfinstruct.api.kept_passages import keep_passages as write_passages
from selfinstruct.api.runs import Run
from selfinstruct.api.serving import choose_served, with_own_server
from selfinstruct.api.session import grow_session
from selfinstruct.backends import Backend
from selfinstruct.backends.serving import parse_command
from selfinstruct.errors import InputError
from selfinstruct.events import Snapshot
from selfinstruct.preparation import Prepared, Source, model_command, prepare, tried, with_questions
from selfinstruct.recipe import LANGUAGES, Language, import_extension
from selfinstruct.render.notebook_progress import default_watch

_IN_NAMES = re.compile(r"\{(name|date)\}")


def run(
    source: Source | None = None,
    *,
    passages: Sequence[str | Path] = (),
    against: Sequence[str | Path] = (),
    keep_passages: str | Path | None = None,
    out: str | Path | None = None,
    rows: int | None = None,
    per_category: int | None = None,
    model: str | None = None,
    base_url: str | None = None,
    serve: str | Sequence[str] | None = None,
    backend: str | Backend | None = None,
    recording: str | Path | None = None,
    concurrency: int | None = None,
    budget: float | None = None,
    max_requests: int | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    batch: bool | None = None,
    language: Language | None = None,
    encoding: str | None = None,
    holdout: float | None = None,
    split_field: str | None = None,
    seed: int = 0,
    skip_bad_seeds: bool = False,
    engine: Literal["local", "ray"] = "local",
    workers: int | None = None,
    ray_address: str | None = None,
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
                passages=passages,
                against=against,
                keep_passages=keep_passages,
                out=out,
                rows=rows,
                per_category=per_category,
                model=model,
                base_url=base_url,
                serve=serve,
                backend=backend,
                recording=recording,
                concurrency=concurrency,
                budget=budget,
                max_requests=max_requests,
                max_tokens=max_tokens,
                temperature=temperature,
                batch=batch,
                language=language,
                encoding=encoding,
                holdout=holdout,
                split_field=split_field,
                seed=seed,
                skip_bad_seeds=skip_bad_seeds,
                engine=engine,
                workers=workers,
                ray_address=ray_address,
                prepared=prepared,
                watch=watch,
                clock=clock,
            )
        )


async def run_async(
    source: Source | None = None,
    *,
    passages: Sequence[str | Path] = (),
    against: Sequence[str | Path] = (),
    keep_passages: str | Path | None = None,
    out: str | Path | None = None,
    rows: int | None = None,
    per_category: int | None = None,
    model: str | None = None,
    base_url: str | None = None,
    serve: str | Sequence[str] | None = None,
    backend: str | Backend | None = None,
    recording: str | Path | None = None,
    concurrency: int | None = None,
    budget: float | None = None,
    max_requests: int | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    batch: bool | None = None,
    language: Language | None = None,
    encoding: str | None = None,
    holdout: float | None = None,
    split_field: str | None = None,
    seed: int = 0,
    skip_bad_seeds: bool = False,
    engine: Literal["local", "ray"] = "local",
    workers: int | None = None,
    ray_address: str | None = None,
    prepared: Prepared | None = None,
    watch: Callable[[Snapshot], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Run:
    """Grow seeds to a quota in the run directory ``out`` (default ``outputs/<name>``), resuming an existing run.

    ``source`` is a seed file, a recipe file or the name of a built-in recipe ("-" is stdin), a Recipe, rows as dicts,
    or a DataFrame. New rows are about the texts in the files ``passages``, if given: lines of a log, chunks of a text,
    or rows; with them ``source`` may be None. Texts that rows of the files ``against`` use (a test set) are left out.
    In ``out``, ``{name}`` is the recipe's name and ``{date}`` the present date.
    ``keep_passages`` is a directory that the passages are written to, as numbered text files.
    ``rows`` is the quota over all categories, ``per_category`` that of each; by default the recipe's.

    ``model`` at ``base_url`` (such as http://127.0.0.1:8000/v1) writes the rows, or that of the server which the
    command ``serve`` starts ("llama-server -m model.gguf --port {port}"), and which ends with the run. No shell reads
    the command; each worker starts a server of its own, and ``concurrency`` is that of each. ``backend`` is "imitator",
    "openai", "replay", a factory of your own as "package.module:factory", or a Backend. By default the recipe decides,
    and without a model it is the embedded imitator. "replay" returns the replies of the run in ``recording``, at no
    cost. ``concurrency`` is the largest number of calls in flight. ``budget`` (in the currency of the recipe's prices),
    ``max_requests`` and ``max_tokens`` limit what the run spends in all, resumed or not.

    With ``batch`` the model answers in batch jobs, within a day and at about half the price; False overrides a recipe
    that says so. ``temperature`` replaces that of the recipe's models. ``language`` ("en" or "zh") is that of the
    prompts; by default it is that of the seeds, documents or passages. ``encoding``, such as "gb18030", is that of
    seeds, ``passages`` and ``against`` which are not UTF-8; the files of a recipe have a key for it.

    ``holdout`` is the share of the seeds, such as 0.2, that nothing is grown from; they are written to
    ``holdout.jsonl``, to test with. With ``split_field`` they are the rows in which this field is not "train".

    ``seed`` is the random seed: with the imitator the same seed gives the same rows. ``skip_bad_seeds`` leaves out
    duplicate seeds and seeds that break the recipe's rules, instead of raising.

    With ``engine="ray"`` the run has ``workers`` parts, which grow in processes of a Ray cluster: that at
    ``ray_address``, or else this machine. Its rows are like those of any run, and ``concurrency`` and the limits hold
    over all parts. All machines need the same files at the same paths.

    ``prepared`` is the result of ``plan`` for the same arguments. ``watch`` is called with a Snapshot after each group
    of batches; ``clock`` measures seconds.

    Returns the run, which may have stopped short of its quota: see ``summary.stopped``. Raises InputError if an
    argument, the recipe or the seeds cannot be used, EndpointError if the endpoint fails for good, StorageError if the
    disk fails or another process is writing this run. Everything received until then is kept.
    """
    start = clock()
    parts = number_of_parts(engine, workers, ray_address, recording)
    command = None if serve is None else parse_command(serve)
    if prepared is None:
        prepared = plan(
            source,
            passages=passages,
            against=against,
            rows=rows,
            per_category=per_category,
            model=model,
            base_url=base_url,
            serve=serve,
            backend=backend,
            concurrency=concurrency,
            temperature=temperature,
            batch=batch,
            language=language,
            encoding=encoding,
            holdout=holdout,
            split_field=split_field,
            skip_bad_seeds=skip_bad_seeds,
        )
    if keep_passages is not None:
        write_passages(prepared, keep_passages)
    where, limits = run_directory(prepared, out), SpendingLimits(budget, max_requests, max_tokens)
    if parts:
        from selfinstruct.api.parts.on_ray import grow_on_ray

        division = Division(parts, backend, concurrency, limits, seed, command)
        summary = await grow_on_ray(
            prepared, where, division, ray_address, watch=watch or _ignore, elapsed=lambda: clock() - start
        )
        return Run(where, summary)

    def session(base_url: str | None) -> Coroutine[None, None, Summary]:
        """Grow the run with its model at this address."""
        return grow_session(
            prepared,
            where,
            backend=backend,
            recording=recording,
            concurrency=concurrency,
            batch=batch,
            limits=limits,
            seed=seed,
            watch=watch or _ignore,
            elapsed=lambda: clock() - start,
            base_url=base_url,
        )

    return Run(where, await (session(None) if command is None else with_own_server(command, session)))


def plan(
    source: Source | None = None,
    *,
    passages: Sequence[str | Path] = (),
    against: Sequence[str | Path] = (),
    rows: int | None = None,
    per_category: int | None = None,
    model: str | None = None,
    base_url: str | None = None,
    serve: str | Sequence[str] | None = None,
    backend: str | Backend | None = None,
    concurrency: int | None = None,
    temperature: float | None = None,
    batch: bool | None = None,
    language: Language | None = None,
    encoding: str | None = None,
    holdout: float | None = None,
    split_field: str | None = None,
    skip_bad_seeds: bool = False,
) -> Prepared:
    """Return what ``run`` would start from, without calling a model or writing a file; pass it as ``prepared``.

    The arguments are those of ``run_async``. Raises InputError if one of them, the recipe or the seeds cannot be used.
    """
    if serve is not None:
        parse_command(serve)
    prepared = prepare(
        source,
        passages=[str(each) for each in passages],
        against=[str(each) for each in against],
        rows=rows,
        per_category=per_category,
        language=_known_language(language),
        encoding=encoding,
        holdout=holdout,
        split_field=split_field,
        skip_bad_seeds=skip_bad_seeds,
        choose_models=lambda recipe: (choose_models if serve is None else choose_served)(
            recipe, model, base_url, backend, concurrency, temperature, batch
        ),
        importer=import_extension,
        imitates=lambda recipe: uses_imitator(recipe, backend),
    )
    if not uses_imitator(prepared.recipe, backend):
        return prepared
    if prepared.recipe.asks:
        return with_questions(prepared)
    if source is None or not prepared.seeds.rows:
        return prepared
    return tried(prepared, make_imitator(prepared, 0), model_command(source, encoding))


def _known_language(language: Language | None) -> Language | None:
    """The language, if there are prompts in it. Raises InputError otherwise."""
    if language is not None and language not in LANGUAGES:
        raise InputError(
            "`language`: unknown value {language!r}",
            hint="Choose one of {languages}.",
            language=language,
            languages=", ".join(LANGUAGES),
        )
    return language


def run_directory(prepared: Prepared, out: str | Path | None) -> Path:
    """Return the directory of a run: ``out``, or ``outputs/`` and the recipe's name.

    In ``out``, ``{name}`` is the recipe's name and ``{date}`` the present date, such as 2026-11-26.
    """
    if out is None:
        return Path("outputs") / prepared.recipe.name
    values = {"name": prepared.recipe.name, "date": datetime.now().astimezone().date().isoformat()}
    return Path(_IN_NAMES.sub(lambda match: values[match[1]], str(out)))


def _ignore(snapshot: Snapshot) -> None:
    """The default progress callback."""
