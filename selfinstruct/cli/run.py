"""``selfinstruct run``: grow rows to their quota, with progress and a summary."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfinstruct.cli.batch_jobs import report_open_jobs
from selfinstruct.cli.console import console, print_error, print_json, width_of
from selfinstruct.cli.engine import Engine, RayAddress
from selfinstruct.cli.interrupts import INTERRUPTED, run_interruptible
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.cli.progress import show_progress
from selfinstruct.messages import Phrase, _, joined, translated

if TYPE_CHECKING:
    from selfinstruct.api import Run
    from selfinstruct.preparation.prepare import Prepared
    from selfinstruct.recipe import Recipe

STOPPED_SHORT = 4


def run(
    source: Annotated[
        str | None,
        typer.Argument(metavar="SEEDS|RECIPE", help="Seed rows, a recipe file, or a built-in recipe."),
    ] = None,
    passages: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Your own text, such as a log, that the new rows ask about; repeatable. Needs no seeds.",
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Rows of a test set, whose texts are kept out of the passages; repeatable."),
    ] = None,
    keep_passages: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the passages there, as numbered text files.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Run directory, perhaps with {name} and {date} [default: outputs/{name}]."),
    ] = None,
    rows: Annotated[int | None, typer.Option(metavar="N", help="Total number of rows to grow.")] = None,
    per_category: Annotated[
        int | None, typer.Option(metavar="N", help="Number of rows to grow in each category.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model [default: the first one that the endpoint lists].")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="OpenAI-compatible endpoint; its key is read from OPENAI_API_KEY.")
    ] = None,
    serve: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="Start a model server for the run, such as 'llama-server --port {port}'."),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="imitator|openai|replay|MODULE:FACTORY",
            help="Writer of the rows [default: the model, if there is one, else the imitator].",
        ),
    ] = None,
    recording: Annotated[
        Path | None, typer.Option("--from", metavar="RUN", help="Recorded run for --backend replay.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Maximum number of concurrent requests [default: 16].")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(metavar="USD", help="Maximum cost of the run, at the recipe's prices.")
    ] = None,
    max_requests: Annotated[int | None, typer.Option(metavar="N", help="Maximum number of requests.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Maximum number of tokens, input and output.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(metavar="X", help="Sampling temperature of the model [default: the recipe's].")
    ] = None,
    batch: Annotated[
        bool | None,
        typer.Option("--batch/--no-batch", help="Send requests in batch jobs: within a day, at about half the price."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(metavar="en|zh", help="Language of the prompts [default: that of the seeds or documents]."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoding of files that are not UTF-8, such as gb18030 or big5.")
    ] = None,
    holdout: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Share of the seeds to hold out as test rows, such as 0.2."),
    ] = None,
    split_field: Annotated[
        str | None, typer.Option(metavar="FIELD", help='Hold out the seeds in which this field is not "train".')
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0,
    engine: Annotated[
        Engine, typer.Option(metavar="local|ray", help="Where the work runs; ray: in parts, by workers of a cluster.")
    ] = Engine.LOCAL,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Number of parts and workers of --engine ray.")
    ] = None,
    ray_address: RayAddress = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and the prompts; send no request, write no file.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
    skip_bad_seeds: Annotated[bool, typer.Option("--skip-bad-seeds", help="Skip seeds that break the rules.")] = False,
) -> int:
    """Grow seed rows, or run a recipe, until every category has its quota of accepted rows.

    The same command on the same directory resumes the run; a larger --rows grows it further.
    """
    from selfinstruct import api
    from selfinstruct.errors import EndpointError

    tune_allocator()
    options: dict[str, Any] = {"model": model, "base_url": base_url, "backend": backend, "concurrency": concurrency}
    options |= {"passages": passages or (), "against": against or (), "temperature": temperature, "language": language}
    options |= {"encoding": encoding, "holdout": holdout, "split_field": split_field, "batch": batch, "serve": serve}
    parts = api.number_of_parts(engine, workers, ray_address, recording)
    prepared = api.plan(source, rows=rows, per_category=per_category, skip_bad_seeds=skip_bad_seeds, **options)
    if dry_run:
        return _dry_run(prepared, seed, parts, as_json=json)
    where = api.run_directory(prepared, out)
    screen = console()
    if not quiet:
        from selfinstruct.render.plan import plan_text

        screen.print(plan_text(prepared, where, width_of(screen), parts), soft_wrap=True)
        if serve is not None:
            screen.print(_("Starting {program}: loading its model may take minutes.", program=serve.split()[0]))
    options.update(prepared=prepared, out=where, seed=seed, keep_passages=keep_passages)
    options.update(engine=engine.value, workers=workers, ray_address=ray_address)
    options.update(recording=recording, budget=budget, max_requests=max_requests, max_tokens=max_tokens)
    try:
        done = _grow(source, options, quiet=quiet)
    except KeyboardInterrupt:
        _report_kept(where, _("interrupted"))
        report_open_jobs(where, prepared)
        return INTERRUPTED
    except EndpointError:
        _report_kept(where, _("the endpoint failed"))
        raise
    own: dict[str, str | float | None] = {
        "--language": language,
        "--encoding": encoding,
        "--holdout": holdout,
        "--split-field": split_field,
    }
    own |= {"--serve": serve, "--engine": engine if parts else None, "--workers": workers, "--ray-address": ray_address}
    arguments = _source_arguments(source, passages or (), against or (), own)
    return _finish(done, arguments, prepared.recipe, as_json=json, quiet=quiet)


def _source_arguments(
    source: str | None, passages: Sequence[str], against: Sequence[str], others: Mapping[str, str | float | None]
) -> str:
    """The arguments that name the sources of a run, to repeat its command."""
    words = [] if source is None else [source]
    words += [
        word
        for option, names in (("--passages", passages), ("--against", against))
        for n in names
        for word in (option, n)
    ]
    words += [word for option, value in others.items() if value is not None for word in (option, str(value))]
    return shlex.join(words)


def _grow(source: str | None, options: dict[str, Any], *, quiet: bool) -> Run:
    """Run to the end, with a progress display unless ``quiet``."""
    from selfinstruct import api

    if quiet:
        return run_interruptible(api.run_async(source, **options))
    with show_progress(console()) as watch:
        return run_interruptible(api.run_async(source, watch=watch, **options))


def _finish(done: Run, arguments: str, recipe: Recipe, *, as_json: bool, quiet: bool) -> int:
    """Print the summary and return the exit code."""
    from selfinstruct.render.description import unchecked_fields
    from selfinstruct.render.summary import shortfall, summary_text

    screen = console()
    if not quiet:
        unchecked = unchecked_fields(recipe)
        text = summary_text(done.summary, done.directory, arguments, width_of(screen), unchecked=unchecked)
        screen.print(text, soft_wrap=True, end="")
    if as_json:
        print_json(done.summary.to_dict())
    if done.summary.stopped == "done":
        return 0
    if quiet:
        kept = _("The accepted rows are kept in {directory}.", directory=done.directory)
        print_error(translated(shortfall(done.summary)), kept)
    return STOPPED_SHORT


def _dry_run(prepared: Prepared, seed: int, parts: int, *, as_json: bool) -> int:
    from selfinstruct import api
    from selfinstruct.render.dry_run import dry_run_text
    from selfinstruct.render.dry_run_json import dry_run_json
    from selfinstruct.render.plan import plan_text

    expected = api.dry_run(prepared, seed)
    if as_json:
        print_json(dry_run_json(expected))
        return 0
    page = console(sys.stdout)
    page.print(plan_text(prepared, None, width_of(page), parts), soft_wrap=True)
    page.print(dry_run_text(expected, prepared), soft_wrap=True, end="")
    return 0


def _report_kept(where: Path, why: str) -> None:
    """Print how many rows a run kept that did not end by itself; an unreadable journal is reported elsewhere."""
    from selfinstruct import api
    from selfinstruct.errors import InputError, StorageError
    from selfinstruct.render.text import counted

    try:
        rows, wanted = api.row_counts(where)
    except InputError:
        print_error(_("{why}; nothing was written", why=why))
    except StorageError:
        print_error(why)
    else:
        kept = Phrase(
            "{kept:,} of {rows} are kept in {directory}", kept=rows, rows=counted(wanted, "row"), directory=where
        )
        resume = _("Run the same command to resume.")
        if (where / "parts").is_dir():
            resume = _("Run the same command to resume; what its parts have grown since is kept, too.")
        print_error(translated(joined([why, kept], "; ")), resume)
