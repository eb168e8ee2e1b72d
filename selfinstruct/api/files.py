"""Use cases over files of rows: check them, infer a recipe from them, drop their near-duplicates."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

from selfinstruct.analysis.cleaning import Cleaning, deduplicate_file
from selfinstruct.analysis.findings import Findings
from selfinstruct.analysis.gate import Examine, find_problems, next_baseline
from selfinstruct.analysis.gate.baseline import baseline_text
from selfinstruct.engines import Given, Sinks, Watch, deduplicate_on_ray, examine_on_ray
from selfinstruct.errors import InputError
from selfinstruct.files import copy_into, move_into, open_whole, write_whole
from selfinstruct.messages import Phrase
from selfinstruct.preparation.imitable import obstacle_lines
from selfinstruct.preparation.infer import infer, make_categories, value_statistics
from selfinstruct.preparation.seed_attributes import seed_attributes
from selfinstruct.preparation.seed_checks import check_seeds
from selfinstruct.preparation.source import Source, read_source
from selfinstruct.preparation.thresholds import thresholds
from selfinstruct.recipe import accept_unimported, import_extension
from selfinstruct.remote import is_remote, open_upload, shown
from selfinstruct.render.starter_recipe import starter_recipe
from selfinstruct.rows import UTF_8, file_name, find_shards, open_source

_NO_STDIN = Phrase('stdin: `engine="ray"` reads files only')
_SAVE_ROWS = Phrase("Save the rows to a file that all machines see.")


def _ignore(done: int, of_these: int) -> None:
    """The default progress callback."""


def check(
    source: Source,
    *,
    others: Sequence[Source] = (),
    recipe: str | Path | None = None,
    against: Sequence[Source] = (),
    encoding: str = UTF_8,
    baseline: str | Path | None = None,
    update_baseline: bool = False,
    waivers: str | Path | None = None,
    watch: Callable[[int, int], None] = _ignore,
    engine: Literal["local", "ray"] = "local",
    ray_address: str | None = None,
    work: str | Path | None = None,
    watch_stages: Watch | None = None,
) -> Findings:
    """Check existing rows by the rules of a recipe, or by rules inferred from the rows themselves.

    ``source`` and each item of ``others`` and of ``against`` (rows that must not be repeated) are a path, a folder of
    row files, "-" for stdin, an iterable of dicts or a DataFrame; ``recipe`` is a path. ``encoding`` is that of files
    which are not UTF-8, other than the recipe. Findings that the file ``baseline`` has do not fail the gate, and
    measures that are worse than its own do; ``update_baseline`` writes it. ``waivers`` is a TOML file of findings that
    are accepted, besides those of the recipe. ``watch`` is called with the number of rows checked and of findings.

    With ``engine="ray"`` the work is done by the cluster at ``ray_address``, by default by all processors of this
    machine, and the findings are the same; files, folders and globs can be checked, but no rows in memory, no stdin and
    no recipe with passages. ``work`` is the directory of its checkpoints, by default beside ``source``: every machine
    must see it, and the input, under the same path. After a kill, the same call goes on from there. ``watch_stages`` is
    called with its progress, ``watch`` is not.

    Raises RowError or RecipeError if an input cannot be read, InputError for an unreadable baseline or waiver, and if
    the engine cannot do this, StorageError if a file cannot be written. A problem of a row is a finding, no error.
    """
    _refuse_urls(recipe=recipe, baseline=baseline, waivers=waivers, work=work)
    if update_baseline and baseline is None:
        raise InputError("`update_baseline`: no baseline is named", hint='Name the file: `baseline="baseline.json"`.')
    chosen = None if recipe is None else str(recipe)
    settings: dict[str, Any] = {"recipe": chosen, "against": against, "encoding": encoding, "waivers": waivers}
    settings |= {"importer": import_extension, "watch": watch, "today": datetime.date.today().isoformat()}
    for name, value in {"ray_address": ray_address, "work": work}.items():
        if value is not None and engine == "local":
            raise InputError(
                '`{name}` has no effect without `engine="ray"`',
                hint='Set `engine="ray"`, or leave out `{name}`.',
                name=name,
            )
    if engine == "ray":
        settings["examine"] = _on_ray([source, *others], chosen, against, encoding, ray_address, work, watch_stages)
    if update_baseline and baseline is not None:
        found, recorded = next_baseline(source, *others, baseline=baseline, **settings)
        write_whole(Path(baseline), baseline_text(recorded).encode())
    else:
        found = find_problems(source, *others, baseline=baseline, **settings)
    return replace(found, html=_findings_html)


def _on_ray(
    sources: Sequence[Source],
    recipe: str | None,
    against: Sequence[Source],
    encoding: str,
    address: str | None,
    work: str | Path | None,
    watch: Watch | None,
) -> Examine:
    """What examines the data sets on a cluster."""
    for each in (*sources, *against):
        if str(each) == "-":
            raise InputError(_NO_STDIN, hint=_SAVE_ROWS)
        if not isinstance(each, str | Path):
            raise InputError('rows in memory: `engine="ray"` reads files only', hint=_SAVE_ROWS)
    first = str(sources[0])
    if work is None and (is_remote(first) or (find_shards(first) is not None and not Path(first).is_dir())):
        raise InputError('`engine="ray"`: no directory for its checkpoints', hint="Name `work`.")
    directory = Path(f"{first.rstrip('/')}.work") if work is None else Path(work)
    given = Given(tuple(map(str, sources)), recipe, tuple(map(str, against)), encoding)
    return lambda with_alike: examine_on_ray(given, directory, address, watch, with_alike=with_alike)


async def check_async(
    source: Source,
    *,
    others: Sequence[Source] = (),
    recipe: str | Path | None = None,
    against: Sequence[Source] = (),
    encoding: str = UTF_8,
    baseline: str | Path | None = None,
    update_baseline: bool = False,
    waivers: str | Path | None = None,
    watch: Callable[[int, int], None] = _ignore,
    engine: Literal["local", "ray"] = "local",
    ray_address: str | None = None,
    work: str | Path | None = None,
    watch_stages: Watch | None = None,
) -> Findings:
    """``check`` in a thread, so that the event loop stays free; ``watch`` is called from that thread."""
    job = partial(
        check,
        source,
        others=others,
        recipe=recipe,
        against=against,
        encoding=encoding,
        baseline=baseline,
        update_baseline=update_baseline,
        waivers=waivers,
        watch=watch,
        engine=engine,
        ray_address=ray_address,
        work=work,
        watch_stages=watch_stages,
    )
    return await asyncio.to_thread(job)


def init(source: Source, out: str | Path | None = None, *, force: bool = False, encoding: str | None = None) -> str:
    """Return the recipe inferred from seeds, as commented TOML that runs as it is; one seed is enough.

    The text is also written to ``out``, if given; an existing file is replaced only with ``force``. Paths in the
    recipe are relative to the folder of ``out``, by default to the working directory. ``encoding`` is that of seeds
    which are not UTF-8; the recipe names it.

    Raises RowError if the seeds cannot be read or none of them passes the inferred rules, InputError if ``source`` is
    a recipe or ``out`` already exists, StorageError if ``out`` cannot be written.
    """
    if out is not None and Path(out).exists() and not force:
        raise InputError(
            "{out}: already exists", hint="Choose another `out`, or overwrite it with `force=True`.", out=out
        )
    seeds, given = read_source(source, importer=accept_unimported, encoding=encoding)
    if given is not None:
        raise InputError("{source}: already a recipe", hint="Run it: selfinstruct run {source}", source=source)
    inferred = infer(seeds)
    valid, problems = check_seeds(seeds, inferred.recipe, skip=True)
    statistics = value_statistics(inferred.recipe, valid.rows, inferred.statistics)
    limits = thresholds(inferred.recipe, make_categories(inferred.recipe, statistics), statistics)
    text = starter_recipe(
        inferred.recipe,
        inferred.reasons,
        limits,
        len(seeds.rows),
        problems,
        "recipe.toml" if out is None else out,
        needing_model=obstacle_lines(valid, inferred.recipe),
        attributes=seed_attributes(inferred.recipe, valid.rows),
    )
    if out is not None:
        write_whole(Path(out), text.encode())
    return text


def dedup(
    source: str | Path,
    *,
    fields: Sequence[str] = (),
    max_rouge_l: float = 0.7,
    encoding: str = UTF_8,
    out: str | Path | BinaryIO | None = None,
    dropped: str | Path | None = None,
    watch: Callable[[int, int], None] = _ignore,
    engine: Literal["local", "ray"] = "local",
    ray_address: str | None = None,
    work: str | Path | None = None,
    watch_stages: Watch | None = None,
) -> Cleaning:
    """Drop the near-duplicates of earlier rows from a file (JSON Lines, CSV, TSV, plain lines; "-" is stdin).

    ``source``, ``out`` and ``dropped`` may also be URLs that fsspec and its drivers read and write (the extra
    ``remote``), such as ``s3://bucket/rows/*.jsonl.gz``.

    A row is dropped if its ROUGE-L F1 with a kept row is strictly above ``max_rouge_l``, in (0, 1]; the default is
    Self-Instruct's (Wang et al. 2023, arXiv:2212.10560). ``fields`` are the fields to compare, by default all that
    are text. Kept rows are written to ``out`` (a path, or an open binary file) byte for byte, dropped rows to
    ``dropped`` as JSON Lines. A file in another ``encoding`` than UTF-8 is written in UTF-8. ``watch``
    is called with the number of rows read and of rows kept.

    With ``engine="ray"`` the work is done by the cluster at ``ray_address``, by default by all processors of this
    machine, and the result is the same to the byte. ``work`` is the directory of its checkpoints, by default beside
    ``out``: every machine must see it, and the input, under the same path. After a kill, the same call goes on from
    there. ``watch_stages`` is called with its progress.

    Raises RowError if the file cannot be read, StorageError if a file cannot be written, InputError if ``dropped`` is
    the input or the output file, ``max_rouge_l`` is out of range, Ray is missing, or ``work`` is not the directory of
    this deduplication.
    """
    _require_dedup(source, max_rouge_l, out, dropped)
    _refuse_urls(work=work)
    if engine == "ray":
        with contextlib.ExitStack() as stack:
            sinks = Sinks(_taker(stack, out), _taker(stack, dropped), stack.close)
            return deduplicate_on_ray(
                source,
                sinks,
                _work_directory(source, out, work),
                ray_address,
                fields=fields,
                max_rouge_l=max_rouge_l,
                encoding=encoding,
                watch=watch_stages,
            )
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(open_source(source, by_line=True, encoding=encoding))
        return deduplicate_file(
            stream,
            file_name(source),
            fields=fields,
            max_rouge_l=max_rouge_l,
            kept=_writer(stack, out),
            dropped=_writer(stack, dropped),
            watch=watch,
        )


async def dedup_async(
    source: str | Path,
    *,
    fields: Sequence[str] = (),
    max_rouge_l: float = 0.7,
    encoding: str = UTF_8,
    out: str | Path | BinaryIO | None = None,
    dropped: str | Path | None = None,
    watch: Callable[[int, int], None] = _ignore,
    engine: Literal["local", "ray"] = "local",
    ray_address: str | None = None,
    work: str | Path | None = None,
    watch_stages: Watch | None = None,
) -> Cleaning:
    """``dedup`` in a thread, so that the event loop stays free; ``watch`` is called from that thread."""
    files: dict[str, Any] = {"encoding": encoding, "out": out, "dropped": dropped, "work": work}
    job = partial(dedup, source, fields=fields, max_rouge_l=max_rouge_l, watch=watch, **files)
    return await asyncio.to_thread(job, engine=engine, ray_address=ray_address, watch_stages=watch_stages)


def _require_dedup(
    source: str | Path, max_rouge_l: float, out: str | Path | BinaryIO | None, dropped: str | Path | None
) -> None:
    """Raise InputError for a threshold out of range, or a file of dropped rows that is another one of the files."""
    if not 0 < max_rouge_l <= 1:
        message = Phrase(
            "`max_rouge_l`: expected a number above 0 and at most 1, got {max_rouge_l}", max_rouge_l=max_rouge_l
        )
        raise InputError(message, hint="Omit it for the default, 0.7.")
    if dropped is None:
        return
    for other in (source, out):
        if isinstance(other, str | Path) and Path(other).resolve() == Path(dropped).resolve():
            raise InputError(
                "`dropped`: {dropped} is the output file" if other is out else "`dropped`: {dropped} is the input file",
                hint="Name another file for dropped rows.",
                dropped=dropped,
            )


def _refuse_urls(**named: str | Path | None) -> None:
    """Raise InputError for a URL where only rows may have one."""
    for name, path in named.items():
        if is_remote(path):
            raise InputError(
                "`{name}`: {url} is a URL", hint="Name a path of this machine.", name=name, url=shown(str(path))
            )


def _work_directory(source: str | Path, out: str | Path | BinaryIO | None, work: str | Path | None) -> Path:
    """The directory of checkpoints."""
    if str(source) == "-":
        raise InputError(_NO_STDIN, hint=_SAVE_ROWS)
    if work is not None:
        return Path(work)
    if isinstance(out, str | Path) and not is_remote(out):
        return Path(out).with_name(f"{Path(out).name}.work")
    raise InputError('`engine="ray"`: no directory for its checkpoints', hint="Name `out` or `work`.")


def _writer(stack: contextlib.ExitStack, out: str | Path | BinaryIO | None) -> Callable[[bytes], object]:
    """The function that writes bytes to ``out``; a path is replaced as a whole when ``stack`` closes."""
    if out is None:
        return lambda data: None
    return stack.enter_context(_open_output(out)).write if isinstance(out, str | Path) else out.write


def _open_output(out: str | Path) -> contextlib.AbstractContextManager[BinaryIO]:
    return open_upload(out) if isinstance(out, str) and is_remote(out) else open_whole(out)


def _taker(stack: contextlib.ExitStack, out: str | Path | BinaryIO | None) -> Callable[[Path], object] | None:
    """The function that makes a complete file the content of ``out``; a path is replaced when ``stack`` closes."""
    if out is None:
        return None
    if isinstance(out, str | Path):
        return partial(move_into, stack.enter_context(_open_output(out)))
    return partial(copy_into, out)


def _findings_html(found: Mapping[str, Any]) -> str:
    from selfinstruct.render.notebook import findings_html

    return findings_html(found)
