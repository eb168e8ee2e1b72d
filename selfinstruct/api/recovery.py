"""Recover a run whose journal is damaged into a new run directory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from selfinstruct import run_directory as directory
from selfinstruct.api.inspect import report
from selfinstruct.errors import InputError, SelfInstructError, StorageError
from selfinstruct.files import open_whole
from selfinstruct.growth.prompt_inputs import PromptInputs
from selfinstruct.journal import JOURNAL_NAME, DamagedJournal, Recovered, SeedRow, holder_of, seeds_digest
from selfinstruct.preparation import Prepared, build_prepared
from selfinstruct.preparation.holdout import hold_out, without_field
from selfinstruct.recipe import accept_unimported, bind, parse_recipe
from selfinstruct.rows import RowFile, read_rows
from selfinstruct.run_directory import RECIPE_NAME, ROWS_NAME, is_run_directory, lock_directory


def recover(where: str | Path, out: str | Path) -> Recovered:
    """Save everything readable in the run ``where`` as a new run in ``out``; the old one is not changed.

    If the recipe or the seeds can be read neither from the journal nor from their files, only the rows are saved.
    Raises InputError if there is no such run, or ``out`` already has one; StorageError if the disk fails, another
    process is writing the run, or only the rows were saved.
    """
    old, new = Path(where), Path(out)
    if not is_run_directory(old):
        raise InputError(
            "{where}: not a run directory",
            hint="A run directory contains {file}.",
            where=where,
            file=JOURNAL_NAME,
        )
    if is_run_directory(new):
        raise InputError("{out}: already contains a run", hint="Set `out` to an empty or a new directory.", out=out)
    if holder := holder_of(old):
        raise StorageError(
            "{where}: another process is writing this run ({holder})",
            hint="Wait for it, or stop it.",
            where=where,
            holder=holder.words,
        )
    try:
        remains = DamagedJournal(old)
    except OSError as error:
        raise StorageError(
            "{where}: cannot read: {strerror}", hint="Check its permissions.", where=where, strerror=error.strerror
        ) from error
    with lock_directory(new):
        try:
            prepared, seeds = _prepare(old, remains)
        except (SelfInstructError, OSError, KeyError) as error:
            _write_lines(new / ROWS_NAME, remains.lines)
            raise StorageError(
                "{where}: the run cannot be recovered: its recipe or its seeds are lost",
                hint="The {lines:,} readable rows are in {file}.",
                where=where,
                lines=len(remains.lines),
                file=new / ROWS_NAME,
            ) from error
        metadata = directory.initial_metadata(new, prepared, remains.metadata.seed)
        metadata = replace(
            remains.metadata,
            recipe=metadata.recipe,
            seeds_digest=metadata.seeds_digest,
            version=metadata.version,
        )
        done = remains.rebuild(new, metadata, seeds, prepared.categories.of)
    report(new)
    return done


def _prepare(where: Path, remains: DamagedJournal) -> tuple[Prepared, list[SeedRow]]:
    """Prepare the run from its journal, or else from its recipe file and its seed file."""
    text = remains.metadata.recipe or (where / RECIPE_NAME).read_text(encoding="utf-8")
    recipe = parse_recipe(text, f"{where}: recipe", where, importer=accept_unimported)
    stored = remains.seeds
    digest = remains.metadata.seeds_digest
    seeds = RowFile(recipe.seeds.file, "jsonl", [row for row, _, _ in stored], [line for _, _, line in stored], ())
    if recipe.seeds.file and (not stored or digest not in ("", seeds_digest(seeds.rows))):
        optional = [name for name, field in recipe.fields.items() if field.optional]
        optional += [recipe.seeds.split_field] if recipe.seeds.split_field is not None else []
        file = read_rows(recipe.seeds.file, optional=optional, encoding=recipe.seeds.encoding)
        seeds = hold_out(file, recipe.seeds, bind(recipe, without_field(file, recipe.seeds.split_field).fields)).seeds
        if digest not in ("", seeds_digest(seeds.rows)):
            raise KeyError("the seeds")
    names = tuple(dict.fromkeys(name for row in seeds.rows for name in row)) or tuple(recipe.fields)
    inputs = PromptInputs.from_json(remains.metadata.prompt_inputs, remains.passages)
    prepared = build_prepared(replace(seeds, fields=names), bind(recipe, names), inputs)
    of = prepared.categories.of
    return prepared, [SeedRow(row, of(row), line) for row, line in zip(seeds.rows, seeds.lines, strict=True)]


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    with open_whole(path) as file:
        for line in lines:
            file.write(f"{line}\n".encode())
