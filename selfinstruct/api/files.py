"""Files of rows: the gate, the recipe that seeds suggest, and what is left without near-duplicates."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from selfinstruct.analysis.cleaning import Cleaning, deduplicate_file
from selfinstruct.analysis.dry_run import dry_run as dry_run
from selfinstruct.analysis.findings import Findings, find_problems
from selfinstruct.errors import InputError
from selfinstruct.files import open_whole, write_whole
from selfinstruct.preparation.infer import context_fields, infer, make_categories
from selfinstruct.preparation.prepare import Source, read_source, valid_seeds
from selfinstruct.preparation.thresholds import thresholds
from selfinstruct.render.starter_recipe import starter_recipe
from selfinstruct.rows import file_name, open_row_file


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
    return find_problems(source, recipe=None if recipe is None else str(recipe), against=against, watch=watch)


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
        raise InputError(f"{source}: already a recipe", hint=f"Run it: selfinstruct run {source}")
    inferred = infer(seeds)
    sound, faults = valid_seeds(seeds, inferred.recipe, skip=True)
    categories = make_categories(inferred.recipe, sound.rows)
    allowed = thresholds(inferred.recipe, sound.rows, categories, context_fields(inferred.recipe))
    return starter_recipe(inferred.recipe, inferred.reasons, allowed, len(seeds.rows), faults, file)


def write_recipe(source: Source, file: str | Path, *, force: bool = False) -> None:
    """Write what ``init`` gives to ``file``, whole; one that is there is left alone unless ``force``.

    Raises as ``init``; InputError where ``file`` is there, StorageError where it cannot be written.
    """
    if Path(file).exists() and not force:
        raise InputError(f"{file}: already exists", hint="Choose another `out`, or overwrite it with `force=True`.")
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

    Raises RowError where the file cannot be read, StorageError where one cannot be written, InputError where dropped
    rows would be written over the file or over kept ones.
    """
    if not 0 < max_rouge_l <= 1:
        message = f"`max_rouge_l`: expected a number above 0 and at most 1, got {max_rouge_l}"
        raise InputError(message, hint="Omit it for the default, 0.7.")
    if dropped is not None:
        for other in (file, out):
            if isinstance(other, str | Path) and Path(other).resolve() == Path(dropped).resolve():
                what = "the output file" if other is out else "the input file"
                raise InputError(f"`dropped`: {dropped} is {what}", hint="Name another file for dropped rows.")
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_row_file(file))
        keep = stack.enter_context(open_whole(out)).write if isinstance(out, str | Path) else None
        drop = stack.enter_context(open_whole(dropped)).write if dropped is not None else None
        return deduplicate_file(
            source,
            file_name(file),
            fields=fields,
            max_rouge_l=max_rouge_l,
            kept=keep or (out.write if out is not None and not isinstance(out, str | Path) else len),
            dropped=drop or len,
            watch=watch,
        )
