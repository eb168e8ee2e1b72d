"""Runs that are there: where a row came from, and what their replies are worth by another recipe."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from selfinstruct.analysis.dry_run import dry_run as dry_run
from selfinstruct.analysis.metrics import summarise
from selfinstruct.analysis.provenance import Provenance, trace_row
from selfinstruct.analysis.rejudge import Rejudged
from selfinstruct.analysis.rejudge import rejudge as rejudge_replies
from selfinstruct.api.grow import Run
from selfinstruct.errors import InputError
from selfinstruct.export import FORMATS, export_rows
from selfinstruct.export.table import write_table
from selfinstruct.files import open_whole
from selfinstruct.journal.lock import holder_of
from selfinstruct.preparation.prepare import prepared_from_journal
from selfinstruct.recipe import load_recipe
from selfinstruct.run_directory import open_history, write_derived


def show(where: str | Path, row: str) -> Provenance:
    """Where a row of a run came from: ``row`` is its number, ``s3`` for a seed, ``x17`` for a rejection.

    Raises InputError where there is no such run or no such row.
    """
    with open_history(where) as history:
        return trace_row(history, row)


def rejudge(where: str | Path, *, recipe: str | Path | None = None, out: str | Path | None = None) -> Rejudged:
    """Parse and check a run's recorded replies again, by its own recipe or by ``recipe``; nothing is called.

    ``out`` is where the rows that come out are written; the run itself stays as it is. Raises InputError where
    there is no such run, RecipeError where the recipe does not fit its seeds.
    """
    with open_history(where) as history, contextlib.ExitStack() as stack:
        prepared = prepared_from_journal(history, None if recipe is None else load_recipe(recipe))
        if out is None:
            return rejudge_replies(history, prepared)
        file = stack.enter_context(open_whole(out))
        return rejudge_replies(history, prepared, keep=lambda line: _write_line(file, line))


def report(where: str | Path) -> Run:
    """Write all that is derived from a run's journal anew, also while the run goes on; the run as it stands.

    Raises InputError where there is no such run, StorageError where the journal cannot be read or a file written.
    """
    place = Path(where)
    while True:
        running = holder_of(place)
        with open_history(place) as history:
            prepared = prepared_from_journal(history)
            summary = summarise(history, prepared)
            if running is not None:
                summary = replace(summary, stopped="running")
            write_derived(place, history, prepared, summary)
        # A run that has ended meanwhile has written its last files, perhaps before these.
        if running is None or holder_of(place) is not None:
            return Run(place, summary)


def export(
    where: str | Path,
    to: str | Path | BinaryIO,
    *,
    format: str = "jsonl",
    with_seeds: bool = False,
    keep_formulas: bool = False,
) -> tuple[int, str]:
    """Write a run's accepted rows to ``to``, a path (written whole) or an open file; how many, and a note or "".

    ``format`` is one of ``selfinstruct.export.FORMATS``; ``with_seeds`` puts the seeds in front. CSV cells that begin
    like a formula get an apostrophe in front unless ``keep_formulas``. A run that goes on gives its rows so far.
    Raises InputError where there is no such run or format, StorageError where the file cannot be written.
    """
    if format not in FORMATS:
        raise InputError(f"`format`: unknown value {format!r}", hint=f"Choose one of {', '.join(FORMATS)}.")
    write = partial(write_table, keep_formulas=keep_formulas) if format == "csv" else FORMATS[format]
    with open_history(where) as history, contextlib.ExitStack() as stack:
        file = stack.enter_context(open_whole(to)) if isinstance(to, str | Path) else to
        return write(export_rows(history, with_seeds=with_seeds), file)


def row_counts(where: str | Path) -> tuple[int, int]:
    """How many rows a run has by now, and how many it is to have. Raises InputError where there is no run."""
    with open_history(where) as history:
        return history.state().accepted, sum(history.metadata().current_quotas.values())


def _write_line(file: BinaryIO, line: str) -> None:
    file.write(f"{line}\n".encode())
